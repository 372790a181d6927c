//! A guide for those who write a language runtime on a [`Heap`](crate::Heap), in the order in which one needs it. All code in it
//! is compiled, and run, by the tests. (For data structures in Rust there is another one:
#![cfg_attr(feature = "arena", doc = "[`arena::guide`](crate::arena::guide).)")]
#![cfg_attr(not(feature = "arena"), doc = "`arena::guide`, with the feature `arena`.)")]
#![doc = include_str!("guide.md")]
