//! The data types, each as functions on the objects that represent it.

mod deep;
mod effort;
pub mod elems;
pub mod equal;
pub mod hash;
mod index;
pub mod int;
pub mod iter;
pub mod list;
pub mod module;
pub mod record;
pub mod sequence;
pub mod table;
pub mod text;
