//! An attribute as there may be one of another crate: behind `#[derive(Trace)]`, it changes what the derive has seen.

use proc_macro::{Ident, TokenStream, TokenTree};

/// Writes `into` wherever `from` stands in the item: `#[change(from into)]`.
#[proc_macro_attribute]
pub fn change(names: TokenStream, item: TokenStream) -> TokenStream {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    let [from, into] = &names[..] else { panic!("two names, not {names:?}") };
    changed(item, from, into)
}

fn changed(item: TokenStream, from: &str, into: &str) -> TokenStream {
    let change = |token| match token {
        TokenTree::Ident(name) if name.to_string() == from => Ident::new(into, name.span()).into(),
        TokenTree::Group(group) => {
            let delimiter = group.delimiter();
            proc_macro::Group::new(delimiter, changed(group.stream(), from, into)).into()
        }
        other => other,
    };
    item.into_iter().map(change).collect()
}
