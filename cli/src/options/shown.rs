//! How errors are shown: options that several commands have.

use std::io::IsTerminal;

/// Whether there are colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, if nothing speaks against it.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How errors are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// In colours?
    pub color: Color,
    /// As JSON?
    pub json: bool,
}

impl Shown {
    /// Whether what goes to `stream` gets colours.
    pub fn in_color(self, stream: &impl IsTerminal) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                stream.is_terminal()
                    && !set("NO_COLOR")
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// The value of `--color`.
///
/// # Errors
/// It is none.
pub fn color(text: &str) -> Result<Color, String> {
    match text {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        _ => Err(format!("{text:?} is no choice of colours: auto, always or never")),
    }
}

/// The value of `--error-format`: whether it is JSON.
///
/// # Errors
/// It is none.
pub fn format(text: &str) -> Result<bool, String> {
    match text {
        "text" => Ok(false),
        "json" => Ok(true),
        _ => Err(format!("{text:?} is no way to show errors: text or json")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_refused() {
        assert_eq!(color("always"), Ok(Color::Always));
        assert_eq!(format("json"), Ok(true));
        assert!(color("blue").is_err() && format("xml").is_err());
    }
}
