//! Labels of targets, as a type of the language.

use std::fmt;

use frazil_starlark::{HostType, Key, Member, members};

/// `//package:name`
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    pub package: String,
    pub name: String,
}

impl Label {
    /// Reads a label as it is written in a package: `//package:name`, `//package` (its target of the same name), `:name`.
    pub fn parse(text: &str, package: &str) -> Result<Label, BadLabel> {
        let (package, name) = match (text.strip_prefix("//"), text.strip_prefix(':')) {
            (Some(path), _) => {
                path.split_once(':').unwrap_or((path, path.rsplit('/').next().unwrap_or(path)))
            }
            (None, Some(name)) => (package, name),
            (None, None) => return Err(BadLabel(text.to_owned())),
        };
        if name.is_empty() || name.contains(['/', ':']) {
            return Err(BadLabel(text.to_owned()));
        }
        Ok(Label { package: package.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "//{}:{}", self.package, self.name)
    }
}

/// A text that is no label.
#[derive(Debug)]
pub struct BadLabel(String);

impl fmt::Display for BadLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a label: write //package:name or :name", self.0)
    }
}

impl std::error::Error for BadLabel {}

impl HostType for Label {
    const NAME: &'static str = "Label";
    const MEMBERS: &'static [Member] = members! { Label:
        get name(this, cx) -> &str { &this.name }
        get package(this, cx) -> &str { &this.package }
        /// A label as it would be written in the same package.
        fn relative(this, cx, text: &str) -> frazil_starlark::Res<Label> { Ok(Label::parse(text, &this.package)?) }
    };

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "Label(\"{self}\")")
    }

    fn write_str(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self}")
    }

    fn key(&self) -> Option<Key> {
        Some(Key::Text(self.to_string()))
    }
}
