//! Tokens, and the words of the language.

use super::source::Span;

/// A token: its kind and where it is. What it says is read from the text when needed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// Defines [`TokenKind`] and its names in one table. Punctuation comes in quotes, as error messages show it.
macro_rules! token_kinds {
    ($($kind:ident $name:literal,)*) => {
        /// The kinds of tokens.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum TokenKind { $($kind,)* }

        impl TokenKind {
            /// The name used in error messages.
            pub fn describe(self) -> &'static str {
                match self { $(TokenKind::$kind => $name,)* }
            }
        }
    };
}

token_kinds! {
    // The lexer has reported an error here; whoever meets this token stays silent.
    Error "illegal token",
    Eof "end of file",
    Newline "newline",
    Indent "indent",
    Outdent "outdent",
    Ident "identifier",
    Int "int literal",
    Float "float literal",
    Str "string literal",
    FStr "f-string literal",
    Bytes "bytes literal",
    Plus "'+'",
    Minus "'-'",
    Star "'*'",
    Slash "'/'",
    SlashSlash "'//'",
    Percent "'%'",
    Amp "'&'",
    Pipe "'|'",
    Caret "'^'",
    LtLt "'<<'",
    GtGt "'>>'",
    Tilde "'~'",
    Dot "'.'",
    Comma "','",
    Assign "'='",
    Semi "';'",
    Colon "':'",
    LParen "'('",
    RParen "')'",
    LBracket "'['",
    RBracket "']'",
    LBrace "'{'",
    RBrace "'}'",
    Lt "'<'",
    Gt "'>'",
    Ge "'>='",
    Le "'<='",
    EqEq "'=='",
    NotEq "'!='",
    PlusAssign "'+='",
    MinusAssign "'-='",
    StarAssign "'*='",
    SlashAssign "'/='",
    SlashSlashAssign "'//='",
    PercentAssign "'%='",
    AmpAssign "'&='",
    PipeAssign "'|='",
    CaretAssign "'^='",
    LtLtAssign "'<<='",
    GtGtAssign "'>>='",
    StarStar "'**'",
    Arrow "'->'",
    And "and",
    Break "break",
    Continue "continue",
    Def "def",
    Elif "elif",
    Else "else",
    For "for",
    If "if",
    In "in",
    Lambda "lambda",
    Load "load",
    Not "not",
    // Made by the parser from `not in`.
    NotIn "not in",
    Or "or",
    Pass "pass",
    Return "return",
    While "while",
    // A word that Starlark reserves without using it.
    Reserved "reserved word",
}

/// The keyword or reserved word with this spelling.
pub(crate) fn keyword(word: &[u8]) -> Option<TokenKind> {
    use TokenKind::*;
    // Most identifiers are longer than any keyword or begin with a capital; both are told cheaply.
    if word.len() > 8 || word.len() < 2 || !word[0].is_ascii_lowercase() {
        return None;
    }
    Some(match word {
        b"and" => And,
        b"break" => Break,
        b"continue" => Continue,
        b"def" => Def,
        b"elif" => Elif,
        b"else" => Else,
        b"for" => For,
        b"if" => If,
        b"in" => In,
        b"lambda" => Lambda,
        b"load" => Load,
        b"not" => Not,
        b"or" => Or,
        b"pass" => Pass,
        b"return" => Return,
        b"while" => While,
        b"as" | b"async" | b"await" | b"class" | b"del" | b"except" | b"finally" | b"from" | b"global"
        | b"import" | b"is" | b"nonlocal" | b"raise" | b"try" | b"with" | b"yield" => Reserved,
        _ => return None,
    })
}

impl TokenKind {
    /// Whether the token can only begin a statement, so that an open bracket before it must have been
    /// forgotten.
    pub fn begins_statement_only(self) -> bool {
        use TokenKind::*;
        matches!(self, Def | Return | Pass | Break | Continue | While | Load)
    }

    /// Whether this is a closing bracket.
    pub fn closes_bracket(self) -> bool {
        matches!(self, TokenKind::RParen | TokenKind::RBracket | TokenKind::RBrace)
    }

    /// Whether this is a word with a meaning of its own, which can name nothing.
    pub fn is_keyword(self) -> bool {
        use TokenKind::*;
        matches!(
            self,
            And | Break
                | Continue
                | Def
                | Elif
                | Else
                | For
                | If
                | In
                | Lambda
                | Load
                | Not
                | Or
                | Pass
                | Return
                | While
        )
    }

    /// Whether a comma before this token is a trailing one.
    pub fn ends_expressions(self) -> bool {
        use TokenKind::*;
        matches!(self, Eof | Newline | Assign | RBrace | RBracket | RParen | Semi)
    }
}
