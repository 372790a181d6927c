//! One text through both parsers.

use std::fmt;
use std::ops::Range;

use starlark::syntax::{Dialect, Environment, SourceFile, analyze, parse};
use starlark_syntax::dialect::DialectTypes;
use starlark_syntax::syntax::AstModule;
use starlark_syntax::syntax::module::AstModuleFields;

use crate::outline::{Node, Outline};
use crate::{ours, theirs};

/// What both parsers make of a text, if they agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// The same tree, of so many nodes.
    Tree(usize),
    /// An error.
    Refused,
}

/// How they disagree.
#[derive(Clone, Debug)]
pub enum Difference {
    /// Only we accept the text; their error, and the text from where they have it.
    OnlyOurs(String, String),
    /// Only they accept the text; our first error.
    OnlyTheirs(String),
    /// The trees are different: the first nodes that are, ours and theirs, and the text of ours or theirs.
    Node(Option<Node>, Option<Node>, String),
    /// The trees are the same, but a node is at different places, ours and theirs.
    Place(Node, Node, String),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |node: &Option<Node>| match node {
            Some(node) => format!("`{}` at {:?}", node.label, node.place),
            None => "nothing more".to_owned(),
        };
        match self {
            Difference::OnlyOurs(error, text) => {
                let line = text.lines().next().unwrap_or("");
                write!(f, "they refuse it: {error}, at `{line}`")
            }
            Difference::OnlyTheirs(error) => write!(f, "we refuse it: {error}"),
            Difference::Node(ours, theirs, text) => {
                write!(f, "we have {}, they have {}: `{text}`", name(ours), name(theirs))
            }
            Difference::Place(ours, theirs, text) => {
                write!(f, "we have `{}` at {:?}, they at {:?}: {text}", ours.label, ours.place, theirs.place)
            }
        }
    }
}

/// Every name means something.
struct Anything;

impl Environment for Anything {
    fn is_predeclared(&self, _: &str) -> bool {
        true
    }

    fn is_universal(&self, _: &str) -> bool {
        false
    }
}

/// Parses a text twice and compares. `types`: may there be type annotations?
///
/// # Errors
/// The first difference.
pub fn compare(text: &str, types: bool) -> Result<Agreement, Box<Difference>> {
    match (our_tree(text, types), their_tree(text, types)) {
        (Ok(ours), Ok(theirs)) => same_tree(text, &ours, &theirs),
        (Err(_), Err(_)) => Ok(Agreement::Refused),
        (Ok(_), Err((error, at))) => {
            let rest = text.get(at..).unwrap_or("");
            Err(Box::new(Difference::OnlyOurs(error, rest.to_owned())))
        }
        (Err(error), Ok(_)) => Err(Box::new(Difference::OnlyTheirs(error))),
    }
}

/// Our tree, or our first error. Checks of names count, as the other parser has some of them, too.
fn our_tree(text: &str, types: bool) -> Result<Outline, String> {
    let dialect = Dialect {
        top_level_control: true,
        global_reassign: true,
        f_strings: true,
        type_annotations: types,
        ..Dialect::STANDARD
    };
    let source = SourceFile::new("text", text);
    match analyze(&source, &Anything, &dialect) {
        Ok(_) => Ok(ours::outline(&parse(&source, &dialect).file)),
        Err(errors) => Err(errors[0].to_string()),
    }
}

/// Their tree, or their error with its place.
fn their_tree(text: &str, types: bool) -> Result<Outline, (String, usize)> {
    let dialect = starlark_syntax::dialect::Dialect {
        enable_def: true,
        enable_lambda: true,
        enable_load: true,
        enable_keyword_only_arguments: true,
        enable_positional_only_arguments: false,
        enable_types: if types { DialectTypes::ParseOnly } else { DialectTypes::Disable },
        enable_load_reexport: true,
        enable_top_level_stmt: true,
        enable_f_strings: true,
        ..starlark_syntax::dialect::Dialect::Standard
    };
    match AstModule::parse("text", text.to_owned(), &dialect) {
        Ok(module) => Ok(theirs::outline(AstModuleFields::statement(&module))),
        Err(error) => {
            let at = error.span().map_or(0, |span| span.span.begin().get() as usize);
            Err((error.without_diagnostic().to_string(), at))
        }
    }
}

fn same_tree(text: &str, ours: &Outline, theirs: &Outline) -> Result<Agreement, Box<Difference>> {
    let count = ours.nodes.len().max(theirs.nodes.len());
    for number in 0..count {
        let (our, their) = (ours.nodes.get(number), theirs.nodes.get(number));
        let same = our.zip(their).is_some_and(|(a, b)| a.depth == b.depth && a.label == b.label);
        if !same {
            let place = our.and_then(|node| node.place.clone());
            let place = place.or_else(|| their.and_then(|node| node.place.clone())).unwrap_or(0..0);
            let excerpt = text.get(place).unwrap_or("").to_owned();
            return Err(Box::new(Difference::Node(our.cloned(), their.cloned(), excerpt)));
        }
    }
    for (our, their) in ours.nodes.iter().zip(&theirs.nodes) {
        if let (Some(a), Some(b)) = (&our.place, &their.place)
            && !same_place(text, a, b)
        {
            let shown = text.get(a.start.min(b.start)..a.end.max(b.end)).unwrap_or("");
            return Err(Box::new(Difference::Place(our.clone(), their.clone(), shown.to_owned())));
        }
    }
    Ok(Agreement::Tree(count))
}

/// Whether two places differ only in what stands around a node without being part of it.
fn same_place(text: &str, a: &Range<usize>, b: &Range<usize>) -> bool {
    let between = |from: usize, to: usize| text.get(from.min(to)..from.max(to));
    between(a.start, b.start).is_some_and(is_around) && between(a.end, b.end).is_some_and(is_around)
}

/// Parentheses, the comma before a closing one, blanks, ends of lines, comments.
fn is_around(text: &str) -> bool {
    text.split('\n').all(|line| {
        let code = line.split('#').next().unwrap_or("");
        code.chars().all(|c| matches!(c, '(' | ')' | ',' | ' ' | '\t' | '\r' | '\\' | ';'))
    })
}
