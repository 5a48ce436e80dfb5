//! From the text of the document to the text of the generated module.
//!
//! The build script runs it on every build. It is a separate module so that `cargo xtask` can run
//! the same code.

mod client;
mod custom_types;
pub(crate) mod document;
mod execute;
mod operations;
mod postprocess;
pub(crate) mod preprocess;
mod syntax;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use custom_types::CustomTypes;
pub(crate) use document::GenerationError;

/// The Rust source that is generated from the document.
#[derive(Debug)]
pub(crate) struct Generated {
    /// The client's methods, the builders of their requests and the types of bodies.
    pub(crate) client: String,
    /// The table of the operations, which the client itself reads.
    pub(crate) operations: String,
}

/// Compiles the document into Rust source.
pub(crate) fn generate(yaml: &str) -> Result<Generated, GenerationError> {
    let document = document::parse(yaml)?;
    compile(&document, &preprocess::for_progenitor(&document))
}

fn compile(document: &Value, rewritten: &Value) -> Result<Generated, GenerationError> {
    let custom = CustomTypes::of(rewritten)?;
    let client = client::tokens(rewritten, &custom)?;
    let custom = custom.tokens();
    let types = operations::types(rewritten);
    let mut client = parsed(quote! { #client #custom #types })?;
    let listings = postprocess::postprocess(&mut client, rewritten);
    execute::replace_send(&mut client, &listings);
    let operations = parsed(operations::tokens(document)?)?;
    Ok(Generated {
        client: prettyplease::unparse(&client),
        operations: prettyplease::unparse(&operations),
    })
}

fn parsed(tokens: TokenStream) -> Result<syn::File, GenerationError> {
    syn::parse2(tokens)
        .map_err(|error| GenerationError::new("#", format!("generated code: {error}")))
}
