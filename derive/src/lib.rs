//! `#[derive(Trace)]`: says of a type where its references are, and refuses what could not lie in an arena.
//!
//! What it writes is unsafe code that is right for every type it accepts, for it names each field once with its own
//! offset and its own type, and leaves the rest to the compiler. What it refuses, it refuses with the reason and the
//! remedy (`refuse.rs`).

mod fields;
mod refuse;

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Data, DataEnum, DataStruct, DeriveInput, Fields, GenericParam, Generics, Lifetime, Member,
    parse_macro_input,
};

/// Says that values of a type may lie in an arena. See `frazil::arena`.
///
/// The type has at most one lifetime, the brand of its arena. For each field that is a `Cell`, or an array of them, there
/// will be a constant of the field's name in capitals (`NEXT` for `next`, `FIELD_0` for a field without a name), by which
/// `Session::set` sets it. `#[trace(field)]` makes one for a field whose type has another name.
///
/// `#[trace(immutable)]` refuses a type in which there are cells.
#[proc_macro_derive(Trace, attributes(trace))]
pub fn derive_trace(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: &DeriveInput) -> syn::Result<TokenStream> {
    refuse::type_level(input)?;
    let names = Names::of(input);
    let (body, extra) = match &input.data {
        Data::Struct(data) => {
            (of_struct(&names, data, is_immutable(input)?), fields::constants(&names, data)?)
        }
        Data::Enum(data) => (of_enum(&names, data, is_immutable(input)?), TokenStream::new()),
        Data::Union(_) => unreachable!("unions are refused"),
    };
    let family = names.family();
    let never_dropped = names.never_dropped();
    Ok(quote! {
        #[allow(clippy::all, clippy::pedantic, clippy::undocumented_unsafe_blocks, unused, non_local_definitions)]
        const _: () = {
            #family
            #body
            #extra
            #never_dropped
        };
    })
}

/// Is there `#[trace(immutable)]` on the type?
fn is_immutable(input: &DeriveInput) -> syn::Result<bool> {
    let mut immutable = false;
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("trace")) {
        attribute.parse_nested_meta(|meta| match meta.path.is_ident("immutable") {
            true => {
                immutable = true;
                Ok(())
            }
            false => Err(meta.error("on a type there is `#[trace(immutable)]` only")),
        })?;
    }
    Ok(immutable)
}

/// The type, its parameters, and how they are called in what is written.
struct Names<'i> {
    name: &'i Ident,
    generics: &'i Generics,
    /// The brand: the type's own lifetime, or a fresh one.
    brand: Lifetime,
}

impl<'i> Names<'i> {
    fn of(input: &'i DeriveInput) -> Names<'i> {
        let own = input.generics.lifetimes().next().map(|parameter| parameter.lifetime.clone());
        let brand = own.unwrap_or_else(|| Lifetime::new("'gc", proc_macro2::Span::mixed_site()));
        Names { name: &input.ident, generics: &input.generics, brand }
    }

    /// The parameters after the lifetime, each as `f` writes it.
    fn parameters(&self, f: impl Fn(&GenericParam) -> TokenStream) -> Vec<TokenStream> {
        let after = |parameter: &&GenericParam| !matches!(parameter, GenericParam::Lifetime(_));
        self.generics.params.iter().filter(after).map(f).collect()
    }

    /// The type with `brand`, and with its type parameters as `of` makes them.
    fn with(&self, brand: &TokenStream, of: impl Fn(&Ident) -> TokenStream) -> TokenStream {
        let name = self.name;
        let brand = self.generics.lifetimes().next().map(|_| quote!(#brand,));
        let parameters = self.parameters(|parameter| match parameter {
            GenericParam::Type(parameter) => of(&parameter.ident),
            GenericParam::Const(parameter) => parameter.ident.to_token_stream(),
            GenericParam::Lifetime(_) => unreachable!("left out"),
        });
        quote!(#name<#brand #(#parameters),*>)
    }

    /// Declarations of the parameters after the lifetime, each type parameter with `bound`.
    fn declared(&self, bound: &TokenStream) -> Vec<TokenStream> {
        self.parameters(|parameter| match parameter {
            GenericParam::Type(parameter) => {
                let name = &parameter.ident;
                quote!(#name: #bound)
            }
            GenericParam::Const(parameter) => {
                let (name, of) = (&parameter.ident, &parameter.ty);
                quote!(const #name: #of)
            }
            GenericParam::Lifetime(_) => unreachable!("left out"),
        })
    }

    /// The name without a brand.
    fn family(&self) -> TokenStream {
        let brand = &self.brand;
        let declared = self.declared(&quote!(::frazil::arena::Family));
        let outside = self.with(&quote!('static), |name| name.to_token_stream());
        let inside = self
            .with(&brand.to_token_stream(), |name| quote!(<#name as ::frazil::arena::Family>::Of<#brand>));
        quote! {
            #[automatically_derived]
            impl<#(#declared),*> ::frazil::arena::Family for #outside {
                type Of<#brand> = #inside;
            }
        }
    }

    /// The implementation of `Trace` with these constants and this answer.
    fn implementation(
        &self,
        layout: &TokenStream,
        mutable: &TokenStream,
        nullable: &TokenStream,
        answer: &TokenStream,
    ) -> TokenStream {
        let brand = &self.brand;
        let declared = self.declared(&quote!(::frazil::arena::Trace<#brand>));
        let this = self.with(&brand.to_token_stream(), |name| name.to_token_stream());
        let family =
            self.with(&quote!('static), |name| quote!(<#name as ::frazil::arena::Trace<#brand>>::Family));
        quote! {
            // SAFETY: each field is named with its own place and type, and there are no others.
            #[automatically_derived]
            unsafe impl<#brand, #(#declared),*> ::frazil::arena::Trace<#brand> for #this {
                type Family = #family;
                const LAYOUT: ::frazil::arena::Layout = #layout;
                const MUTABLE: bool = #mutable;
                const NULLABLE: bool = #nullable;

                #[inline]
                unsafe fn is_reference(this: *const Self, at: usize) -> bool {
                    #answer
                }
            }
        }
    }

    /// Does not compile for a type with `Drop`; and looks at the constants of a type without parameters at once.
    fn never_dropped(&self) -> TokenStream {
        let brand = &self.brand;
        let plain = self.declared(&TokenStream::new()).is_empty();
        let declared = self.parameters(ToTokens::to_token_stream);
        let this = self.with(&brand.to_token_stream(), |name| name.to_token_stream());
        let outside = self.with(&quote!('static), |name| name.to_token_stream());
        let looked =
            plain.then(|| quote!(const _: bool = <#outside as ::frazil::arena::Trace<'static>>::MUTABLE;));
        quote! {
            trait WhatLiesInAnArenaIsNeverDropped {}
            #[allow(drop_bounds)]
            impl<T: ::core::ops::Drop> WhatLiesInAnArenaIsNeverDropped for T {}
            #[automatically_derived]
            impl<#brand, #(#declared),*> WhatLiesInAnArenaIsNeverDropped for #this {}
            #looked
        }
    }
}

fn of_struct(names: &Names<'_>, data: &DataStruct, immutable: bool) -> TokenStream {
    let brand = &names.brand;
    let members: Vec<Member> = data.fields.members().collect();
    let types: Vec<_> = data.fields.iter().map(|field| &field.ty).collect();
    let traced = quote!(as ::frazil::arena::Trace<#brand>);
    let layout = quote! {
        ::frazil::arena::Layout::None
            #(.with(<#types #traced>::LAYOUT, ::core::mem::offset_of!(Self, #members)))*
    };
    let mutable = quote!(false #(|| <#types #traced>::MUTABLE)*);
    let mutable = match immutable {
        true => quote! {{
            assert!(!(#mutable), "the type is to be immutable (`#[trace(immutable)]`), and a `Cell` lies in it: \
                keep what changes in an object of its own, behind a `Gc`");
            false
        }},
        false => mutable,
    };
    let answer = quote! {
        // The type is what it was when it came here: another macro may have changed it, or packed it. (A pointer, for a reference
        // to something else may become one to what that dereferences to.)
        let _ = |this: &Self| {
            let Self { #(#members: _),* } = this;
            #(let _: *const #types = &this.#members;)*
        };
        unsafe {
            false #(|| ::frazil::arena::ask::<#types>(
                this.wrapping_byte_add(::core::mem::offset_of!(Self, #members)).cast(),
                ::core::mem::offset_of!(Self, #members),
                at,
            ))*
        }
    };
    let nullable = match types[..] {
        // Nothing but a pointer, whose only invalid value is 0: if the option needs no more room, that is its `None`.
        [only] => quote! {
            <#only #traced>::NULLABLE && ::core::mem::size_of::<Self>() == ::core::mem::size_of::<::core::option::Option<Self>>()
        },
        _ => quote!(false),
    };
    names.implementation(&layout, &mutable, &nullable, &answer)
}

fn of_enum(names: &Names<'_>, data: &DataEnum, _immutable: bool) -> TokenStream {
    let brand = &names.brand;
    let types: Vec<_> =
        data.variants.iter().flat_map(|variant| &variant.fields).map(|field| &field.ty).collect();
    let traced = quote!(as ::frazil::arena::Trace<#brand>);
    let layout = quote!(::frazil::arena::Layout::None #(.or(<#types #traced>::LAYOUT))*);
    let mutable = quote! {{
        assert!(!(false #(|| <#types #traced>::MUTABLE)*), "a `Cell` inside an enum cannot be set, for it is there in one \
            variant only: put the `Cell` around the enum");
        false
    }};
    let arms = data.variants.iter().map(|variant| arm(&variant.ident, &variant.fields));
    // Of a variant that is not named here, there is none.
    let none = data.variants.is_empty().then(|| quote!(_ => false,));
    let answer = quote! {
        let start = this.addr();
        match unsafe { &*this } {
            #(#arms)*
            #none
        }
    };
    names.implementation(&layout, &mutable, &quote!(false), &answer)
}

/// One variant asks its fields. (A name alone would be a pattern for the value of a constant of the host's with that name.)
fn arm(variant: &Ident, fields: &Fields) -> TokenStream {
    let members: Vec<Member> = fields.members().collect();
    let types = fields.iter().map(|field| &field.ty);
    let bindings: Vec<Ident> = (0..members.len()).map(|index| format_ident!("field_{index}")).collect();
    quote! {
        Self::#variant { #(#members: #bindings @ _),* } => unsafe {
            // As in a structure: the types are those that have been seen.
            #(let #bindings: *const #types = #bindings;)*
            false #(|| ::frazil::arena::ask(
                #bindings,
                #bindings.addr() - start,
                at,
            ))*
        },
    }
}
