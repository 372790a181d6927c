//! placeholder

pub mod syntax;
