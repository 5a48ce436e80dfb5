//! The table of the operations, and the list of the types.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::document::{
    GenerationError, Operation, fields, operations, pascal_case, resolved, schemas, text,
};

/// Generates the macro that lists the types.
pub(super) fn types(rewritten: &Value) -> TokenStream {
    let types = schemas(rewritten).map(|(name, _)| format_ident!("{name}"));
    quote! {
        /// Calls another macro with the name of every component schema of the document, each of
        /// which is the name of a type in [`types`](crate::types).
        #[macro_export]
        macro_rules! for_each_type {
            ($callback:ident) => { $callback! { #(#types),* } };
        }
    }
}

pub(super) fn tokens(document: &Value) -> Result<TokenStream, GenerationError> {
    let mut variants = Vec::new();
    let mut names = Vec::new();
    let mut rows = Vec::new();
    for operation in operations(document) {
        let name = text(operation.value, "operationId");
        if name.is_empty() {
            let message = "operationId is missing";
            return Err(GenerationError::new(operation.place(), message));
        }
        let variant = format_ident!("{}", pascal_case(name));
        rows.push(row(document, &operation, &variant));
        variants.push(variant);
        names.push(name.to_owned());
    }
    let summaries = operations(document).map(|one| text(one.value, "summary").to_owned());
    Ok(quote! {
        /// An operation of the document.
        ///
        /// The enum is exhaustive, so that the compiler names each place that has to follow when
        /// the service gains an operation. A new operation is a breaking change of this crate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OperationId {
            #(#[doc = #summaries] #variants,)*
        }

        impl OperationId {
            /// Every operation, in the order of the document.
            pub const ALL: &'static [Self] = &[#(Self::#variants),*];

            /// Returns the operationId, which is also the name of the client's method.
            pub const fn as_str(self) -> &'static str {
                match self {
                    #(Self::#variants => #names,)*
                }
            }
        }

        /// Every operation, in the order of [`OperationId`].
        pub static OPERATIONS: &[Operation] = &[#(#rows),*];
    })
}

fn row(document: &Value, operation: &Operation<'_>, variant: &proc_macro2::Ident) -> TokenStream {
    let Operation {
        method,
        path,
        value,
    } = operation;
    let summary = text(value, "summary");
    let deprecated = value["deprecated"] == true;
    let body = match value.get("requestBody") {
        None => quote! { None },
        Some(body) if body["required"] == true => quote! { Required },
        Some(_) => quote! { Optional },
    };
    let redacted = redacted_fields(document, value);
    // `x-safe`: a POST that has no more effect if it is sent twice.
    let is_safe = *method == "get" || value["x-safe"] == true;
    let is_observed = text(value, "x-provenance") == "observed";
    let redirects = fields(&value["responses"]).any(|(code, _)| code.starts_with('3'));
    let method = method.to_uppercase();
    quote! {
        Operation {
            id: OperationId::#variant,
            method: #method,
            path: #path,
            summary: #summary,
            deprecated: #deprecated,
            is_safe: #is_safe,
            is_observed: #is_observed,
            body: RequestBody::#body,
            redacted_fields: &[#(#redacted),*],
            redirects: #redirects,
        }
    }
}

/// The fields of an operation's request body that are secret, or hold secrets by name.
fn redacted_fields<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a str> {
    let body = resolved(document, &operation["requestBody"]);
    let schema = resolved(document, &body["content"]["application/json"]["schema"]);
    let is_secret = |schema: &Value| {
        let of_all = schema["allOf"].as_array().into_iter().flatten();
        of_all.chain([schema]).any(|schema| {
            let schema = resolved(document, schema);
            schema["x-secret"] == true || schema["additionalProperties"]["x-secret"] == true
        })
    };
    fields(&schema["properties"])
        .filter(|(_, schema)| is_secret(schema))
        .map(|(name, _)| name.as_str())
        .collect()
}
