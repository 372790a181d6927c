//! What BUILD files can use: rules, labels and `glob`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use frazil_starlark::value::{Kind, ValueExt};
use frazil_starlark::{
    Args, Cx, Engine, Error, Failure, FromValue, Handle, HostType, Hosted, IntoValue, Res, Value, function,
};

use crate::files;
use crate::label::Label;

/// What is known of the workspace so far: the functions find it with `cx.state`.
pub struct Workspace {
    pub root: PathBuf,
    /// The package whose BUILD file runs now.
    pub package: RefCell<String>,
    pub targets: RefCell<BTreeMap<Label, Target>>,
}

/// What the call of a rule has left.
#[derive(Clone)]
pub struct Target {
    /// The rule's implementation.
    pub implementation: Handle,
    /// A struct of its attributes, frozen.
    pub attrs: Handle,
    pub deps: Vec<Label>,
}

/// What `rule` gives. Its parts are the implementation and the dict of its attributes' types.
struct Rule;

const IMPLEMENTATION: usize = 0;
const TYPES: usize = 1;

impl HostType for Rule {
    const NAME: &'static str = "rule";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str("<rule>")
    }

    /// Declares a target.
    fn call<'s>(this: &Hosted<'s, Rule>, cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
        let workspace: &Workspace = cx.state()?;
        let package = workspace.package.borrow();
        args.positional(0, 0)
            .or_else(|failure| if args.positional.is_empty() { Ok(()) } else { Err(failure) })?;
        let mut given: BTreeMap<&str, Value<'s>> = BTreeMap::new();
        for &(name, value) in args.named {
            given.insert(<&str>::from_value(cx, name)?, value);
        }
        let name = given.remove("name").ok_or_else(|| Failure::new("a target needs a name"))?;
        let label = Label { package: package.clone(), name: String::from_value(cx, name)? };
        if workspace.targets.borrow().contains_key(&label) {
            return Err(Failure::new(format!("there is a target {label} already")));
        }
        let part = |index| this.part(index).ok_or_else(|| Failure::new("a rule without parts"));
        let types = BTreeMap::<&str, &str>::from_value(cx, part(TYPES)?)?;
        if let Some(wrong) = given.keys().find(|name| !types.contains_key(*name)) {
            let known: Vec<&str> = types.keys().copied().collect();
            return Err(Failure::new(format!("no attribute {wrong}; there are name, {}", known.join(", "))));
        }
        let mut attrs = vec![("label", label.clone().into_value(cx)?)];
        let mut deps = Vec::new();
        for (name, kind) in types {
            let value = match given.get(name) {
                None => Vec::<Label>::new().into_value(cx)?,
                Some(value) if kind == "labels" => {
                    let labels = labels(cx, *value, &package)?;
                    deps.extend(labels.iter().cloned());
                    labels.into_value(cx)?
                }
                Some(value) => Vec::<&str>::from_value(cx, *value)?.into_value(cx)?,
            };
            attrs.push((name, value));
        }
        let attrs = cx.fields(attrs)?;
        cx.freeze(attrs);
        let implementation = Handle::from_value(cx, part(IMPLEMENTATION)?)?;
        let target = Target { implementation, attrs: Handle::from_value(cx, attrs)?, deps };
        workspace.targets.borrow_mut().insert(label, target);
        ().into_value(cx)
    }
}

/// Labels, given as such or as texts.
fn labels<'s>(cx: Cx<'s>, value: Value<'s>, package: &str) -> Res<Vec<Label>> {
    let label = |value: Value<'s>| match Hosted::<Label>::of(cx, value) {
        Some(label) => Ok(Label::clone(&label)),
        None => Ok(Label::parse(<&str>::from_value(cx, value)?, package)?),
    };
    Vec::from_value(cx, value)?.into_iter().map(label).collect()
}

function! {
    /// Defines a rule.
    fn rule(cx, implementation: Value<'_>, attrs: Value<'_>) -> Res<Hosted<'_, Rule>> {
        if implementation.kind() != Kind::Function {
            return Err(Failure::new("the implementation of a rule is a function"));
        }
        BTreeMap::<&str, &str>::from_value(cx, attrs)?;
        Hosted::new(cx, Rule, &[implementation, attrs])
    }
}

function! {
    /// Files of the package.
    fn glob(cx, include: Vec<&str>, exclude: Vec<&str> = Vec::new()) -> Res<Vec<String>> {
        let workspace: &Workspace = cx.state()?;
        let folder = workspace.root.join(&*workspace.package.borrow());
        Ok(files::glob(&folder, &include, &exclude)?)
    }
}

function! {
    fn label(cx, text: &str) -> Res<Label> {
        Ok(Label::parse(text, &cx.state::<Workspace>()?.package.borrow())?)
    }
}

/// Predeclares them.
pub fn declare(engine: &mut Engine) -> Result<(), Error> {
    engine.function("rule", rule)?;
    engine.function("glob", glob)?;
    engine.function("Label", label)
}
