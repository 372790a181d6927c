//! A destructor, which could see objects that are gone (S11).
//~ conflicting implementations of trait `WhatLiesInAnArenaIsNeverDropped` for type `File`
use frazil::arena::Trace;

#[derive(Trace)]
struct File {
    number: i32,
}

impl Drop for File {
    fn drop(&mut self) {}
}

fn main() {}
