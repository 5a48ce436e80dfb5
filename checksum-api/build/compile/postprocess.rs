//! Changes of the types that progenitor generates: fields of responses are decoded leniently, requests
//! get a constructor, secrets are not printed, and the feature `schemars` gives each type a JSON Schema.

use std::collections::BTreeSet;

use quote::{format_ident, quote};
use serde_json::Value;
use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Item, ItemEnum, ItemStruct, Meta, Path, Token, parse_quote};

use super::preprocess::{request_schemas, response_schemas};
use super::syntax::{first_argument, module, name_of};

/// Returns the names of the responses that are mostly one list.
pub(super) fn postprocess(file: &mut syn::File, document: &Value) -> BTreeSet<String> {
    let responses = response_schemas(document);
    let requests = request_schemas(document);
    let mut decoders = Vec::new();
    let mut additions = Vec::new();
    let mut listings = BTreeSet::new();
    let types = module(&mut file.items, "types");
    for item in types.iter_mut() {
        if let Item::Struct(ItemStruct { attrs, .. }) | Item::Enum(ItemEnum { attrs, .. }) = item {
            // Progenitor's `with_derive` has no condition.
            let derive = quote! { cfg_attr(feature = "schemars", derive(schemars::JsonSchema)) };
            attrs.push(parse_quote! { #[#derive] });
        }
        let Item::Struct(item) = item else { continue };
        let name = item.ident.to_string();
        if document["components"]["schemas"][&name]["additionalProperties"]["x-secret"] == true {
            additions.push(redacted_debug(item));
        }
        if responses.contains(&name) {
            if let Some(listing) = listing(item) {
                additions.push(listing);
                listings.insert(name);
            }
            decode_leniently(item, &mut decoders);
        } else if requests.contains(&name) && matches!(item.fields, syn::Fields::Named(_)) {
            // Otherwise a new optional field would break programs that use struct literals.
            item.attrs.push(parse_quote! { #[non_exhaustive] });
            additions.push(constructor(item));
        }
    }
    types.extend(additions);
    let decoders = decoders.iter().map(|(function, name)| {
        quote! {
            pub(super) fn #function<'de, D, T>(deserializer: D) -> Result<T, D::Error>
            where
                D: serde::Deserializer<'de>,
                T: crate::decode::lenient::Optional,
            {
                crate::decode::lenient::optional(#name, deserializer)
            }
        }
    });
    file.items.push(parse_quote! {
        /// One function for each field of a response that may be missing, since serde does not pass
        /// the name of the field.
        mod decoders { #(#decoders)* }
    });
    listings
}

/// Says which field is the list, if the response has a required one: it may be long.
fn listing(item: &ItemStruct) -> Option<Item> {
    let is_list =
        |field: &&Field| name_of(&field.ty) == "Vec" && !serde_settings(field).contains("default");
    let field = item.fields.iter().find(is_list)?;
    let (name, ident, element) = (&item.ident, &field.ident, first_argument(&field.ty)?);
    let wire = wire_name(field).or_else(|| Some(ident.as_ref()?.to_string()))?;
    Some(parse_quote! {
        impl crate::decode::list::Listing for #name {
            const LIST: &'static str = #wire;
            type Element = #element;

            fn elements(&mut self) -> &mut Vec<Self::Element> {
                &mut self.#ident
            }
        }
    })
}

/// Replaces the derived `Debug` of a map of secrets by one that prints their names.
fn redacted_debug(item: &mut ItemStruct) -> Item {
    for attribute in &mut item.attrs {
        if let Meta::List(list) = &mut attribute.meta
            && list.path.is_ident("derive")
            && let Ok(derived) =
                list.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            let kept = derived.into_iter().filter(|path| !path.is_ident("Debug"));
            list.tokens = quote! { #(#kept),* };
        }
    }
    let name = &item.ident;
    parse_quote! {
        impl ::std::fmt::Debug for #name {
            fn fmt(&self, formatter: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                let names = self.0.keys().map(|name| (name, ::std::format_args!("***")));
                formatter.debug_map().entries(names).finish()
            }
        }
    }
}

/// Generates a constructor that takes the required fields.
fn constructor(item: &ItemStruct) -> Item {
    let name = &item.ident;
    let is_optional = |field: &&Field| {
        name_of(&field.ty) == "Option" || serde_settings(field).contains("default")
    };
    let (optional, required): (Vec<&Field>, Vec<&Field>) =
        item.fields.iter().partition(is_optional);
    let names: Vec<_> = required.iter().map(|field| &field.ident).collect();
    let kinds = required.iter().map(|field| &field.ty);
    let optional = optional.iter().map(|field| &field.ident);
    parse_quote! {
        impl #name {
            /// Returns a request with these required fields. Set the optional fields on it.
            pub fn new(#(#names: #kinds),*) -> Self {
                Self {
                    #(#names,)*
                    #(#optional: Default::default(),)*
                }
            }
        }
    }
}

/// Makes serde drop the optional fields of a response that have another type.
fn decode_leniently(item: &mut ItemStruct, decoders: &mut Vec<(syn::Ident, String)>) {
    let of = item.ident.to_string();
    for field in &mut item.fields {
        let Some(ident) = field.ident.clone() else {
            continue;
        };
        let settings = serde_settings(field);
        let is_optional = name_of(&field.ty) == "Option"
            || (name_of(&field.ty) == "Vec" && settings.contains("default"));
        // A gate keeps a value that it cannot decode, so it never fails.
        let is_gate = quote!(#field).to_string().contains("Lenient")
            || quote!(#field).to_string().contains("TerminalFlag")
            || quote!(#field).to_string().contains("custom :: Count");
        if !is_optional || is_gate || settings.contains("flatten") {
            continue;
        }
        let function = format_ident!("{}_{ident}", snake_case(&of));
        let path = format!("super::decoders::{function}");
        set_decoder(field, &path);
        let wire = wire_name(field).unwrap_or_else(|| ident.to_string());
        decoders.push((function, format!("{of}.{wire}")));
    }
}

/// Returns the names of the serde attributes of a field.
fn serde_settings(field: &Field) -> BTreeSet<String> {
    let mut settings = BTreeSet::new();
    for attribute in serde_attributes(field) {
        let _ = attribute.parse_nested_meta(|meta| {
            if let Some(ident) = meta.path.get_ident() {
                settings.insert(ident.to_string());
            }
            if let Ok(value) = meta.value() {
                let _: syn::Expr = value.parse()?;
            }
            Ok(())
        });
    }
    settings
}

fn serde_attributes(field: &Field) -> impl Iterator<Item = &Attribute> {
    field
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
}

/// Sets how serde decodes a field, in place of progenitor's setting.
fn set_decoder(field: &mut Field, path: &str) {
    let mut settings: Punctuated<Meta, Token![,]> = Punctuated::new();
    for attribute in serde_attributes(field) {
        let parsed = attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
        let kept = parsed.into_iter().flatten().filter(|meta| {
            !meta.path().is_ident("default") && !meta.path().is_ident("deserialize_with")
        });
        settings.extend(kept);
    }
    field
        .attrs
        .retain(|attribute| !attribute.path().is_ident("serde"));
    settings.push(parse_quote! { default });
    settings.push(parse_quote! { deserialize_with = #path });
    field.attrs.push(parse_quote! { #[serde(#settings)] });
}

fn wire_name(field: &Field) -> Option<String> {
    let mut name = None;
    for attribute in serde_attributes(field) {
        let _ = attribute.parse_nested_meta(|meta| {
            let value = meta.value().and_then(|value| value.parse::<syn::LitStr>());
            if meta.path.is_ident("rename") {
                name = value.ok().map(|value| value.value());
            }
            Ok(())
        });
    }
    name
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(character.to_lowercase());
    }
    snake
}
