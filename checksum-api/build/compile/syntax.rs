//! Finds parts of the generated code.

use syn::{Item, ItemMod, Type};

/// Returns the items of a module of the file. Progenitor always generates the modules that are
/// needed here.
pub(super) fn module<'a>(items: &'a mut [Item], name: &str) -> &'a mut Vec<Item> {
    let index = items.iter().position(
        |item| matches!(item, Item::Mod(ItemMod { ident, content: Some(_), .. }) if ident == name),
    );
    match index.map(|index| &mut items[index]) {
        Some(Item::Mod(ItemMod {
            content: Some((_, items)),
            ..
        })) => items,
        _ => unreachable!("progenitor generates a module `{name}`"),
    }
}

/// Returns the first type argument of a type's last segment: `T` of `Option<T>`.
pub(super) fn first_argument(kind: &Type) -> Option<&Type> {
    let Type::Path(path) = kind else { return None };
    let syn::PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments
    else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(kind) => Some(kind),
        _ => None,
    })
}

/// Returns the last segment of a type's path.
pub(super) fn name_of(kind: &Type) -> String {
    let segment = match kind {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    };
    segment
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}
