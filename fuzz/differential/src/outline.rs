//! The one form that both trees are turned into: a list of nodes in preorder.
//!
//! ```text
//! x = [f(1), "a"]        assign
//!                          name x
//!                          list
//!                            call
//!                              name f
//!                              argument
//!                                int 1
//!                            string "a"
//! ```
//!
//! Two lists with the same depths and labels are the same tree. A label holds everything a node says beside its
//! children: operators, names, values of literals. The places of nodes are compared apart, because the two parsers do
//! not agree on whether parentheses belong to what is in them.

use std::fmt;
use std::ops::Range;

/// A node of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// How many nodes are around it.
    pub depth: u32,
    /// All that it says itself.
    pub label: String,
    /// Where it stands in the text, as bytes; `None` where one of the trees does not know.
    pub place: Option<Range<usize>>,
}

/// A tree.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    /// Its nodes, each before its children.
    pub nodes: Vec<Node>,
    depth: u32,
}

impl Outline {
    /// Adds a node; what `children` adds belongs to it.
    pub fn node(
        &mut self,
        label: impl Into<String>,
        place: impl Into<Option<Range<usize>>>,
        children: impl FnOnce(&mut Outline),
    ) {
        self.nodes.push(Node { depth: self.depth, label: label.into(), place: place.into() });
        self.depth += 1;
        children(self);
        self.depth -= 1;
    }

    /// Adds a node without children.
    pub fn leaf(&mut self, label: impl Into<String>, place: impl Into<Option<Range<usize>>>) {
        self.node(label, place, |_| ());
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:1$}{2}", "", 2 * self.depth as usize, self.label)
    }
}

/// Labels of literals, which must not depend on how a parser keeps their values.
pub mod label {
    /// An integer.
    pub fn int(value: impl ToString) -> String {
        format!("int {}", value.to_string())
    }

    /// A float: the shortest digits that give the same number again.
    pub fn float(value: f64) -> String {
        format!("float {value:?}")
    }

    /// A string.
    pub fn string(value: &str) -> String {
        format!("string {value:?}")
    }

    /// Bytes.
    pub fn bytes(value: &[u8]) -> String {
        format!("bytes {value:?}")
    }
}
