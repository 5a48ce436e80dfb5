//! From the text of the document to the text of the generated module.
//!
//! The build script is the one that runs this on every build; it is a module of its own so that
//! `cargo xtask` can run the very same code.

mod client;
mod custom_types;
mod document;
mod operations;
mod postprocess;
pub(crate) mod preprocess;
#[cfg(test)]
mod tests;

use quote::quote;
use serde_json::Value;

use custom_types::CustomTypes;
pub(crate) use document::GenerationError;

/// Compiles the document into Rust source.
pub(crate) fn generate(yaml: &str) -> Result<String, GenerationError> {
    let document = document::parse(yaml)?;
    code(&document, &preprocess::for_progenitor(&document))
}

fn code(document: &Value, rewritten: &Value) -> Result<String, GenerationError> {
    let custom = CustomTypes::of(rewritten)?;
    let client = client::tokens(rewritten, &custom)?;
    let custom = custom.tokens();
    let operations = operations::tokens(document, rewritten)?;
    let mut file = syn::parse2(quote! { #client #custom #operations })
        .map_err(|error| GenerationError::new("#", format!("generated code: {error}")))?;
    postprocess::postprocess(&mut file, rewritten);
    Ok(prettyplease::unparse(&file))
}
