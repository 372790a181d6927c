//! What is refused, and what to do instead.

use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, GenericArgument, GenericParam, Meta, PathArguments, Result, Type, TypeReference,
};

/// Refuses what the text of the type shows. The rest (types that are not `Trace`, `Drop`, cells in enums) the compiler
/// finds in what is written.
pub fn type_level(input: &DeriveInput) -> Result<()> {
    one_lifetime(input)?;
    no_bounds(input)?;
    not_packed(input)?;
    match &input.data {
        Data::Union(data) => refuse(
            data.union_token.span,
            "a union cannot lie in an arena: nobody can tell which of its fields holds a pointer; use an enum",
        ),
        Data::Struct(data) => data.fields.iter().try_for_each(|field| no_borrows(&field.ty)),
        Data::Enum(data) => {
            let mut fields = data.variants.iter().flat_map(|variant| &variant.fields);
            fields.try_for_each(|field| no_borrows(&field.ty))
        }
    }
}

fn refuse<T>(span: proc_macro2::Span, message: &str) -> Result<T> {
    Err(Error::new(span, message))
}

fn one_lifetime(input: &DeriveInput) -> Result<()> {
    match input.generics.lifetimes().nth(1) {
        Some(second) => refuse(
            second.span(),
            "what lies in an arena has one lifetime, the arena's brand `'gc`: an object may outlive whatever another \
             lifetime borrows; copy what is borrowed into the arena (`Gc<'gc, str>`, `Gc<'gc, [T]>`)",
        ),
        None => Ok(()),
    }
}

fn no_bounds(input: &DeriveInput) -> Result<()> {
    for parameter in &input.generics.params {
        let bounds = match parameter {
            GenericParam::Type(parameter) => !parameter.bounds.is_empty(),
            GenericParam::Lifetime(parameter) => !parameter.bounds.is_empty(),
            GenericParam::Const(_) => false,
        };
        if bounds {
            return refuse(
                parameter.span(),
                "the parameters of a type in an arena have no bounds: the type must have a name outside of sessions, where \
                 they would not hold; put the bounds on the functions that need them",
            );
        }
    }
    match &input.generics.where_clause {
        Some(clause) => {
            refuse(clause.span(), "put these bounds on the functions that need them, not on the type")
        }
        None => Ok(()),
    }
}

fn not_packed(input: &DeriveInput) -> Result<()> {
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("repr")) {
        if let Meta::List(list) = &attribute.meta
            && list.tokens.to_string().contains("packed")
        {
            return refuse(
                attribute.span(),
                "a packed type cannot lie in an arena: the collector reads and writes pointers where they are aligned",
            );
        }
    }
    Ok(())
}

fn no_borrows(of: &Type) -> Result<()> {
    match borrowed(of) {
        Some(reference) => refuse(
            reference.span(),
            "a reference cannot lie in an arena: the object may outlive what it borrows, and objects move between sessions; \
             use `Gc<'gc, T>` for an object of the arena, and copy what lies outside (`&'static` is fine)",
        ),
        None => Ok(()),
    }
}

/// The first reference in a type that is not `'static`.
fn borrowed(of: &Type) -> Option<&TypeReference> {
    match of {
        Type::Reference(reference) => {
            let lasts = reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident == "static");
            (!lasts).then_some(reference)
        }
        Type::Array(array) => borrowed(&array.elem),
        Type::Slice(slice) => borrowed(&slice.elem),
        Type::Paren(inner) => borrowed(&inner.elem),
        Type::Group(inner) => borrowed(&inner.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(borrowed),
        Type::Path(path) => {
            let arguments = path.path.segments.iter().filter_map(|segment| match &segment.arguments {
                PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
                _ => None,
            });
            arguments.flatten().find_map(|argument| match argument {
                GenericArgument::Type(of) => borrowed(of),
                _ => None,
            })
        }
        _ => None,
    }
}
