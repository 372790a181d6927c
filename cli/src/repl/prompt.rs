//! What the line editor asks the interpreter: how may a word go on?

use std::cell::RefCell;
use std::rc::Rc;

use rustyline::Helper;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::validate::Validator;
use starlark::Session;

/// Words that begin or join statements and expressions, for completion.
const KEYWORDS: [&str; 16] = [
    "and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "load", "not", "or",
    "pass", "return", "while",
];
/// What Tab gives where no word stands before it.
const INDENT: &str = "    ";

/// See [the module](self).
pub struct Prompt {
    session: Rc<RefCell<Session>>,
}

impl Prompt {
    /// For this session.
    pub fn new(session: Rc<RefCell<Session>>) -> Prompt {
        Prompt { session }
    }
}

impl Validator for Prompt {}

impl Completer for Prompt {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &rustyline::Context<'_>,
    ) -> Result<(usize, Vec<String>), ReadlineError> {
        let before = &line[..position];
        if before.is_empty() || before.ends_with(char::is_whitespace) {
            return Ok((position, vec![INDENT.to_owned()]));
        }
        let mut found = self.session.borrow().complete(before);
        let word = &before[found.start..];
        if !before[..found.start].ends_with('.') {
            found
                .words
                .extend(KEYWORDS.iter().filter(|known| known.starts_with(word)).map(|&word| word.to_owned()));
            found.words.sort_unstable();
        }
        Ok((found.start, found.words))
    }
}

impl Hinter for Prompt {
    type Hint = String;
}

impl Highlighter for Prompt {}

impl Helper for Prompt {}
