//! The constants by which fields are set.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{DataStruct, Field, Type};

use crate::Names;

/// A constant for each field that is a cell.
pub fn constants(names: &Names<'_>, data: &DataStruct) -> syn::Result<TokenStream> {
    let mut constants = TokenStream::new();
    for (index, (field, member)) in data.fields.iter().zip(data.fields.members()).enumerate() {
        if !is_asked_for(field)? && !is_cell(&field.ty) {
            continue;
        }
        let (name, visible, of) = (name(field, index), &field.vis, &field.ty);
        let text = format!("The field `{}`, for `Session::set`.", member.to_token_stream());
        constants.extend(quote! {
            #[doc = #text]
            #visible const #name: ::frazil::arena::Field<Self, #of> =
                // SAFETY: the field's own place and type.
                unsafe { ::frazil::arena::Field::new(::core::mem::offset_of!(Self, #member)) };
        });
    }
    if constants.is_empty() {
        return Ok(constants);
    }
    let declared = names.generics.params.iter();
    let this = names.with(&names.brand.to_token_stream(), |name| name.to_token_stream());
    Ok(quote! {
        #[automatically_derived]
        #[allow(private_interfaces)]
        impl<#(#declared),*> #this {
            #constants
        }
    })
}

/// Is there `#[trace(field)]` on the field?
fn is_asked_for(field: &Field) -> syn::Result<bool> {
    let mut asked = false;
    for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("trace")) {
        attribute.parse_nested_meta(|meta| match meta.path.is_ident("field") {
            true => {
                asked = true;
                Ok(())
            }
            false => Err(meta.error("on a field there is `#[trace(field)]` only")),
        })?;
    }
    Ok(asked)
}

/// Is the type called `Cell`, or an array of such?
fn is_cell(of: &Type) -> bool {
    match of {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Cell"),
        Type::Array(array) => is_cell(&array.elem),
        _ => false,
    }
}

/// The field's name in capitals.
fn name(field: &Field, index: usize) -> Ident {
    match &field.ident {
        Some(name) => Ident::new(&name.to_string().trim_start_matches("r#").to_uppercase(), name.span()),
        None => Ident::new(&format!("FIELD_{index}"), Span::call_site()),
    }
}
