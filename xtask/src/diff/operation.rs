use serde_json::Value;

use super::{Class, Comparison, Kind, Place, Side, changed};
use crate::document::{Operation, escaped, members, text};

impl Comparison<'_> {
    /// Pairs operations by operationId, which names them in Rust, else by method and path.
    pub(super) fn operations(&mut self) {
        let (old, new) = (self.old, self.new);
        let pair = |operation: &Operation<'_>, others: Vec<Operation<'_>>| {
            let same_id = others.iter().any(|other| other.id() == operation.id());
            others.into_iter().any(|other| match same_id {
                true => other.id() == operation.id(),
                false => same_route(operation, &other),
            })
        };
        for operation in old.operations() {
            if !pair(&operation, new.operations().collect()) {
                let place = place_of(&operation);
                self.note(&place, Kind::Removed, Class::Breaking, route(&operation));
            }
        }
        for operation in new.operations() {
            let by_id = old.operations().find(|old| old.id() == operation.id());
            let by_route = || {
                // Not one that goes on under its own name somewhere else.
                let goes_on = |old: &Operation<'_>| new.operations().any(|o| o.id() == old.id());
                old.operations()
                    .find(|old| same_route(old, &operation) && !goes_on(old))
            };
            let place = place_of(&operation);
            match by_id.or_else(by_route) {
                Some(old) => self.operation(&place, &old, &operation),
                None => self.note(&place, Kind::Added, Class::Compatible, route(&operation)),
            }
        }
    }

    fn operation(&mut self, place: &Place, old: &Operation<'_>, new: &Operation<'_>) {
        if old.id() != new.id() {
            let message = format!("was `{}`: the method of that name is gone", old.id());
            self.note(place, Kind::Changed, Class::Breaking, message);
        }
        if !same_route(old, new) {
            let message = format!("{} became {}", route(old), route(new));
            let place = place.side(Side::Request);
            self.note(&place, Kind::Changed, Class::Breaking, message);
        }
        self.texts(place, old.value, new.value);
        for (member, class) in [
            ("tags", Class::DocumentationOnly),
            ("deprecated", Class::Compatible),
            ("security", Class::Breaking),
            ("servers", Class::Breaking),
        ] {
            let place = place.below(format!(": {member}"), member);
            let (old, new) = (old.value.get(member), new.value.get(member));
            self.whole(&place, old, new, class);
        }
        self.parameters(&place.side(Side::Request), old, new);
        self.request_body(
            &place.side(Side::Request).below(" body", "requestBody"),
            old.value.get("requestBody"),
            new.value.get("requestBody"),
        );
        self.responses(&place.side(Side::Response), old, new);
    }

    fn parameters(&mut self, place: &Place, old: &Operation<'_>, new: &Operation<'_>) {
        let identity = |parameter: &Value| {
            let name = text(parameter, "name").to_owned();
            (text(parameter, "in").to_owned(), name)
        };
        let resolved = |document: &'_ crate::document::Document, operation: &Operation<'_>| {
            operation
                .parameters()
                .map(|parameter| document.resolve(parameter).clone())
                .collect::<Vec<_>>()
        };
        let old_parameters = resolved(self.old, old);
        let new_parameters = resolved(self.new, new);
        let of = |place: &Place, parameter: &Value, index: usize| {
            let subject = format!(
                " {} parameter `{}`",
                text(parameter, "in"),
                text(parameter, "name")
            );
            place.below(subject, format!("parameters/{index}"))
        };
        for (index, parameter) in old_parameters.iter().enumerate() {
            if !new_parameters
                .iter()
                .any(|new| identity(new) == identity(parameter))
            {
                let place = of(place, parameter, index);
                self.note(&place, Kind::Removed, Class::Breaking, "removed");
            }
        }
        for (index, parameter) in new_parameters.iter().enumerate() {
            let place = of(place, parameter, index);
            let before = old_parameters
                .iter()
                .find(|old| identity(old) == identity(parameter));
            let Some(before) = before else {
                let (class, message) = match parameter["required"] == true {
                    true => (Class::Breaking, "a required parameter is new"),
                    false => (Class::Compatible, "an optional parameter is new"),
                };
                self.note(&place, Kind::Added, class, message);
                continue;
            };
            self.texts(&place, before, parameter);
            self.required(&place, before, parameter);
            for member in ["style", "explode", "allowReserved", "allowEmptyValue"] {
                let place = place.below(format!(": {member}"), member);
                self.whole(
                    &place,
                    before.get(member),
                    parameter.get(member),
                    Class::Breaking,
                );
            }
            self.schemas(
                &place.below("", "schema"),
                before.get("schema"),
                parameter.get("schema"),
            );
        }
    }

    fn required(&mut self, place: &Place, old: &Value, new: &Value) {
        match (old["required"] == true, new["required"] == true) {
            (false, true) => self.note(place, Kind::Changed, Class::Breaking, "is required now"),
            (true, false) => {
                self.note(place, Kind::Changed, Class::Compatible, "is optional now");
            }
            _ => {}
        }
    }

    fn request_body(&mut self, place: &Place, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, Some(new)) => match self.new.resolve(new)["required"] == true {
                true => self.note(
                    place,
                    Kind::Added,
                    Class::Breaking,
                    "a required body is new",
                ),
                false => {
                    self.note(
                        place,
                        Kind::Added,
                        Class::Compatible,
                        "an optional body is new",
                    );
                }
            },
            (Some(_), None) => self.note(place, Kind::Removed, Class::Breaking, "removed"),
            (Some(old), Some(new)) => {
                let (old, new) = (self.old.resolve(old), self.new.resolve(new));
                self.texts(place, old, new);
                self.required(place, old, new);
                self.content(place, old.get("content"), new.get("content"));
            }
            (None, None) => {}
        }
    }

    fn responses(&mut self, place: &Place, old: &Operation<'_>, new: &Operation<'_>) {
        let at =
            |status: &str| place.below(format!(" answer {status}"), format!("responses/{status}"));
        for (status, _) in old.responses() {
            if !new.responses().any(|(other, _)| other == status) {
                self.note(&at(status), Kind::Removed, Class::Breaking, "removed");
            }
        }
        for (status, response) in new.responses() {
            let place = at(status);
            let before = old.responses().find(|(other, _)| *other == status);
            match before {
                // The type of the answer changes with a second success.
                None if status.starts_with('2') || status == "default" => {
                    self.note(
                        &place,
                        Kind::Added,
                        Class::Breaking,
                        "another success is new",
                    );
                }
                None => self.note(&place, Kind::Added, Class::Compatible, "an error is new"),
                Some((_, before)) => self.response(&place, before, response),
            }
        }
    }

    fn response(&mut self, place: &Place, old: &Value, new: &Value) {
        let Some(place) = self.component(place, old, new) else {
            return;
        };
        let (old, new) = (self.old.resolve(old), self.new.resolve(new));
        self.texts(&place, old, new);
        for (member, class) in [("headers", Class::Breaking), ("links", Class::Compatible)] {
            let place = place.below(format!(": {member}"), member);
            let (old, new) = (old.get(member), new.get(member));
            let texts = |value: &Value| super::without_texts(value);
            self.whole(
                &place,
                old.map(texts).as_ref(),
                new.map(texts).as_ref(),
                class,
            );
        }
        self.content(&place, old.get("content"), new.get("content"));
    }

    fn content(&mut self, place: &Place, old: Option<&Value>, new: Option<&Value>) {
        let at = |kind: &str| place.below(format!(" {kind}"), format!("content/{}", escaped(kind)));
        for (kind, _) in members(old) {
            if new.is_none_or(|new| new.get(kind).is_none()) {
                self.note(&at(kind), Kind::Removed, Class::Breaking, "removed");
            }
        }
        for (kind, media) in members(new) {
            match old.and_then(|old| old.get(kind)) {
                None => {
                    // The client sends and accepts the one that it was generated for.
                    self.note(
                        &at(kind),
                        Kind::Added,
                        Class::Compatible,
                        "another form is new",
                    );
                }
                Some(before) => {
                    self.texts(place, before, media);
                    let place = place.below("", format!("content/{}/schema", escaped(kind)));
                    self.schemas(&place, before.get("schema"), media.get("schema"));
                }
            }
        }
    }

    /// The members that only people read.
    pub(super) fn texts(&mut self, place: &Place, old: &Value, new: &Value) {
        let names = members(Some(old)).chain(members(Some(new)));
        let mut names: Vec<&str> = names.map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names
            .into_iter()
            .filter(|name| super::schema::is_text(name))
        {
            let place = Place {
                pointer: format!("{}/{name}", place.pointer),
                ..place.clone()
            };
            let message = |verb: &str| format!("{name} {verb}");
            match (old.get(name), new.get(name)) {
                (None, Some(_)) => {
                    self.note(
                        &place,
                        Kind::Added,
                        Class::DocumentationOnly,
                        message("added"),
                    );
                }
                (Some(_), None) => {
                    self.note(
                        &place,
                        Kind::Removed,
                        Class::DocumentationOnly,
                        message("removed"),
                    );
                }
                (Some(old), Some(new)) if old != new => {
                    let message = format!("{name} {}", changed(old, new));
                    self.note(&place, Kind::Changed, Class::DocumentationOnly, message);
                }
                _ => {}
            }
        }
    }
}

fn place_of(operation: &Operation<'_>) -> Place {
    Place {
        side: Side::Operation,
        subject: match operation.id() {
            "" => route(operation),
            id => id.to_owned(),
        },
        pointer: operation.pointer(),
    }
}

fn same_route(one: &Operation<'_>, other: &Operation<'_>) -> bool {
    (one.method, one.path) == (other.method, other.path)
}

fn route(operation: &Operation<'_>) -> String {
    format!("{} {}", operation.method.to_uppercase(), operation.path)
}
