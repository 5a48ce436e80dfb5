//! Replaces progenitor's client and its `send` methods: a builder makes a request, and this crate's own
//! client sends it and decodes the response.
//!
//! Progenitor's `send` returns an error type that loses the status code and the headers of a response
//! that cannot be decoded, and that prints whole responses. Its hooks can only return reqwest's errors.

use std::collections::BTreeSet;

use quote::{ToTokens, format_ident, quote};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ImplItem, ImplItemFn, Item, ItemImpl, Lit, LitStr, Meta, Pat, ReturnType,
    Stmt, Token, Type, parse_quote,
};

use super::syntax::{first_argument, module, name_of};

/// `listings` are the responses that are mostly one list.
pub(super) fn replace_send(file: &mut syn::File, listings: &BTreeSet<String>) {
    file.items.retain(|item| !is_progenitors_client(item));
    file.items.push(parse_quote! { use crate::client::Client; });
    for item in &mut file.items {
        if let Item::Impl(item) = item
            && name_of(&item.self_ty) == "Client"
        {
            methods(item).for_each(|method| show_execute(&mut method.attrs));
        }
    }
    for item in &mut file.items {
        if let Item::Mod(item) = item
            && item.ident == "builder"
        {
            item.attrs
                .retain(|attribute| !attribute.path().is_ident("doc"));
            item.attrs.push(parse_quote! {
                /// The requests of the operations, from the methods of [`Client`](crate::Client).
            });
        }
    }
    let builders = module(&mut file.items, "builder");
    builders.retain(|item| !matches!(item, Item::Use(_)));
    for item in builders.iter_mut() {
        if let Item::Impl(item) = item {
            change_builder(item, listings);
        }
    }
    builders.push(parse_quote! { use progenitor_client::RequestBuilderExt; });
    builders.push(parse_quote! {
        use crate::client::request::{RequestError as Error, path_segment};
    });
    builders.push(parse_quote! { use super::types; });
}

/// Returns whether the item belongs to progenitor's client, which this crate replaces.
fn is_progenitors_client(item: &Item) -> bool {
    match item {
        Item::Use(_) | Item::Const(_) => true,
        Item::Struct(item) => item.ident == "Client",
        Item::Mod(item) => item.ident == "prelude",
        Item::Impl(item) => {
            let is_constructor = |item: &ImplItem| matches!(item, ImplItem::Fn(method) if method.sig.ident == "new_with_client");
            item.trait_.is_some() || item.items.iter().any(is_constructor)
        }
        _ => false,
    }
}

fn methods(item: &mut ItemImpl) -> impl Iterator<Item = &mut ImplItemFn> {
    item.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) => Some(method),
        _ => None,
    })
}

/// Makes the examples of the documentation call `execute`.
fn show_execute(attributes: &mut [Attribute]) {
    for attribute in attributes {
        if let Meta::NameValue(meta) = &mut attribute.meta
            && let Expr::Lit(value) = &mut meta.value
            && let Lit::Str(text) = &value.lit
        {
            let shown = text
                .value()
                .replace(".send()\n    .await;", ".execute()\n    .await?;");
            value.lit = Lit::Str(LitStr::new(&shown, text.span()));
        }
    }
}

/// Replaces `send` by `execute`, and documents the setters.
fn change_builder(item: &mut ItemImpl, listings: &BTreeSet<String>) {
    let operation = format_ident!("{}", name_of(&item.self_ty));
    let mut response = None;
    for method in methods(item) {
        let name = method.sig.ident.to_string();
        match name.as_str() {
            "new" => {
                method.vis = parse_quote! { pub(super) };
                leave_out_errors(method);
            }
            "send" => {
                response = success(&method.sig.output).cloned();
                make_request(method);
            }
            "body" => document(method, "Sets the body of the request."),
            "body_map" => document(method, "Changes the body of the request with a function."),
            _ => document(method, &format!("Sets the parameter `{name}`.")),
        }
    }
    let Some(response) = response else { return };
    let is_listing = listings.contains(&name_of(&response));
    let decoder = |while_arriving: bool| match is_listing {
        true => quote! { crate::decode::list::ListDecoder::new(#while_arriving) },
        false => quote! { crate::decode::Whole },
    };
    let (without_body, with_body) = (decoder(true), decoder(false));
    let operation = quote! { crate::operation::OperationId::#operation };
    item.items.push(parse_quote! {
        /// Sends the request, and returns the decoded response.
        ///
        /// # Errors
        ///
        /// The request is invalid, the service rejected it, or no usable response came.
        pub async fn execute(self) -> Result<#response, crate::error::Error> {
            let client = self.client;
            Ok(client.execute(#operation, self.request(), #without_body).await?.0)
        }
    });
    item.items.push(parse_quote! {
        /// Sends the request, and returns the decoded response together with the response as it
        /// came: its status code, headers (including the request id) and body.
        ///
        /// # Errors
        ///
        /// As for [`execute`](Self::execute).
        pub async fn execute_with_response(
            self,
        ) -> Result<(#response, crate::response::RawResponse), crate::error::Error> {
            let client = self.client;
            client.execute(#operation, self.request(), #with_body).await
        }
    });
}

/// Removes the text of the error for each parameter that is not set yet: `Error::of_parameter` makes it
/// when it is needed.
fn leave_out_errors(method: &mut ImplItemFn) {
    if let Some(Stmt::Expr(Expr::Struct(fields), _)) = method.block.stmts.last_mut() {
        for field in &mut fields.fields {
            if matches!(&field.expr, Expr::Call(call) if is_path(&call.func, "Err")) {
                field.expr = parse_quote! { Err(String::new()) };
            }
        }
    }
}

fn document(method: &mut ImplItemFn, text: &str) {
    let text = format!(" {text}");
    method.attrs.push(parse_quote! { #[doc = #text] });
}

/// Keeps the part of `send` that builds the request, and drops the rest.
fn make_request(method: &mut ImplItemFn) {
    method.attrs.clear();
    method.vis = syn::Visibility::Inherited;
    method.sig.ident = format_ident!("request");
    method.sig.asyncness = None;
    method.sig.output = parse_quote! { -> Result<reqwest::Request, Error> };
    let statements = &mut method.block.stmts;
    let made = statements
        .iter()
        .position(|statement| declares(statement, "request"));
    statements.truncate(made.map_or(0, |made| made + 1));
    // Progenitor sends the version of the document with each request. The service does not know it.
    statements.retain(|statement| {
        let is_header =
            matches!(statement, Stmt::Expr(Expr::MethodCall(call), _) if call.method == "append");
        !(is_header
            && statement
                .to_token_stream()
                .to_string()
                .contains("\"api-version\""))
    });
    for statement in statements.iter_mut() {
        name_parameter(statement);
        if declares(statement, "url") {
            set_path_of_base_url(statement);
        } else if declares(statement, "header_map") {
            // Progenitor reserves room for that header.
            *statement = parse_quote! { let mut header_map = reqwest::header::HeaderMap::new(); };
        }
    }
    statements.push(Stmt::Expr(parse_quote! { Ok(request) }, None));
}

/// Passes the name of a parameter on to its error.
fn name_parameter(statement: &mut Stmt) {
    if let Stmt::Local(local) = statement
        && let Some(init) = &mut local.init
        && let Expr::Try(tried) = &mut *init.expr
        && let Expr::MethodCall(call) = &mut *tried.expr
        && call.method == "map_err"
        && let Expr::Path(parameter) = &*call.receiver
    {
        let name = parameter.to_token_stream().to_string();
        call.args = parse_quote! { |text| Error::of_parameter(#name, text) };
    }
}

/// Makes the request's URL from the base URL that is parsed already, in place of its text: parsing
/// the host again would be a tenth of what a call costs.
fn set_path_of_base_url(statement: &mut Stmt) {
    if let Stmt::Local(local) = statement
        && let Some(init) = &mut local.init
        && let Expr::Macro(format) = &mut *init.expr
    {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
        let mut arguments = format.mac.parse_body_with(arguments).unwrap_or_default();
        if let Some(base_url) = arguments.get_mut(1) {
            *base_url = parse_quote! { #base_url.path() };
            // `encode_path(&name.to_string())` would copy an identifier twice.
            for argument in arguments.iter_mut().skip(2) {
                if let Expr::Call(call) = argument
                    && let Some(Expr::Reference(text)) = call.args.first()
                    && let Expr::MethodCall(to_string) = &*text.expr
                {
                    let name = &to_string.receiver;
                    *argument = parse_quote! { path_segment(#name.as_str()) };
                }
            }
            let url = quote! { client.baseurl.with_path(&format!(#arguments)) };
            init.expr = parse_quote! { #url.ok_or_else(Error::changed_path)? };
        }
    }
}

fn is_path(expression: &Expr, name: &str) -> bool {
    matches!(expression, Expr::Path(path) if path.path.is_ident(name))
}

fn declares(statement: &Stmt, name: &str) -> bool {
    matches!(statement, Stmt::Local(local) if matches!(&local.pat, Pat::Ident(pattern) if pattern.ident == name))
}

/// `T` of `Result<ResponseValue<T>, _>`.
fn success(output: &ReturnType) -> Option<&Type> {
    match output {
        ReturnType::Type(_, result) => first_argument(first_argument(result)?),
        ReturnType::Default => None,
    }
}
