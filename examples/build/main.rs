//! A small build system on the `frazil-starlark` crate: packages with BUILD files, rules written in Starlark, labels, `glob`.
//!
//! ```sh
//! cargo run --release -p frazil-starlark --example build -- examples/build/workspace app net base
//! ```
//!
//! It evaluates the BUILD files of the packages that are named, and of those they depend on; orders all targets; and calls
//! the implementation of each rule with what those of its dependencies have returned.

mod files;
mod label;
mod rules;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use frazil_starlark::syntax::Dialect;
use frazil_starlark::{CONFIG, Engine, FromValue, Handle, IntoValue, Limits, Value};

use label::Label;
use rules::{Target, Workspace};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(root) = arguments.next() else {
        eprintln!("usage: build WORKSPACE PACKAGE...");
        return ExitCode::from(2);
    };
    match build(Path::new(&root), arguments.collect(), &mut std::io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Evaluates packages and what they depend on, and writes what there is to do.
fn build(root: &Path, packages: Vec<String>, out: &mut dyn Write) -> Result<(), Box<dyn Error>> {
    let mut engine =
        Engine::with_loader(CONFIG, Dialect::STANDARD, Box::new(files::Modules(root.to_owned())))?;
    // A BUILD file is data: one that takes longer is wrong.
    engine.set_limits(Limits { steps: Some(1_000_000), ..Limits::default() });
    engine.set_state(Workspace {
        root: root.to_owned(),
        package: RefCell::default(),
        targets: RefCell::default(),
    });
    rules::declare(&mut engine)?;
    let targets = load(&mut engine, packages)?;
    let mut results = BTreeMap::new();
    for label in order(&targets)? {
        let result = analyse(&mut engine, &targets[&label], &results)?;
        writeln!(out, "{label}{}", describe(&engine, &result)?)?;
        results.insert(label, result);
    }
    Ok(())
}

/// Evaluates BUILD files until there is none left that some target needs.
fn load(engine: &mut Engine, mut packages: Vec<String>) -> Result<BTreeMap<Label, Target>, Box<dyn Error>> {
    let mut loaded = BTreeSet::new();
    while let Some(package) = packages.pop() {
        if !loaded.insert(package.clone()) {
            continue;
        }
        let file = format!("{package}/BUILD");
        let workspace: &Workspace = engine.state().ok_or("no workspace")?;
        let text = std::fs::read_to_string(workspace.root.join(&file));
        let text = text.map_err(|error| format!("no package {package}: {error}"))?;
        workspace.package.replace(package);
        engine.run(&file, text)?;
        let workspace: &Workspace = engine.state().ok_or("no workspace")?;
        let targets = workspace.targets.borrow();
        packages.extend(targets.values().flat_map(|target| &target.deps).map(|dep| dep.package.clone()));
    }
    let workspace: &Workspace = engine.state().ok_or("no workspace")?;
    Ok(workspace.targets.borrow().clone())
}

/// All targets, each behind those it depends on.
fn order(targets: &BTreeMap<Label, Target>) -> Result<Vec<Label>, String> {
    /// `path` leads from a target to this one.
    fn visit(
        label: &Label,
        targets: &BTreeMap<Label, Target>,
        path: &mut Vec<Label>,
        done: &mut Vec<Label>,
    ) -> Result<(), String> {
        if done.contains(label) {
            return Ok(());
        }
        let user = path.last().map_or(String::new(), |user| format!(", which {user} depends on"));
        if path.contains(label) {
            return Err(format!("{label} depends on itself{user}"));
        }
        let target = targets.get(label).ok_or_else(|| format!("there is no target {label}{user}"))?;
        path.push(label.clone());
        target.deps.iter().try_for_each(|dep| visit(dep, targets, path, done))?;
        done.extend(path.pop());
        Ok(())
    }
    let mut done = Vec::new();
    targets.keys().try_for_each(|label| visit(label, targets, &mut Vec::new(), &mut done))?;
    Ok(done)
}

/// Calls the implementation of a target's rule. Its argument is a struct of the attributes, in which the results of the
/// dependencies stand for their labels.
fn analyse(
    engine: &mut Engine,
    target: &Target,
    results: &BTreeMap<Label, Handle>,
) -> Result<Handle, frazil_starlark::Error> {
    engine.call_with(&target.implementation, |cx, arguments| {
        let attrs: BTreeMap<&str, Value<'_>> = BTreeMap::from_value(cx, target.attrs.value(cx))?;
        let deps: Vec<&Handle> = target.deps.iter().filter_map(|dep| results.get(dep)).collect();
        let deps = deps.into_value(cx)?;
        arguments.push(cx.fields(attrs.into_iter().chain([("deps", deps)]).collect::<BTreeMap<_, _>>())?);
        Ok(())
    })
}

/// What there is to do for a target.
fn describe(engine: &Engine, result: &Handle) -> Result<String, Box<dyn Error>> {
    let fields: BTreeMap<String, Handle> = engine.get(result)?;
    Ok(match (fields.get("command"), fields.get("objects")) {
        (Some(command), _) => format!(": {}", engine.get::<String>(command)?),
        (None, Some(objects)) => format!(": {}", engine.get::<Vec<String>>(objects)?.join(" ")),
        (None, None) => String::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(packages: &[&str]) -> Result<String, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/build/workspace");
        let mut out = Vec::new();
        let packages = packages.iter().map(|&package| package.to_owned()).collect();
        build(&root, packages, &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn targets_come_behind_what_they_depend_on() {
        let out = built(&["app"]).expect("a good workspace");
        let expected = "\
//base:base: text.c.o time.c.o
//app:views: views/page.c.o views/parts/table.c.o text.c.o time.c.o
//net:https: https.c.o text.c.o time.c.o
//net:http: http.c.o text.c.o time.c.o
//app:app: cc -o app main.c.o views/page.c.o views/parts/table.c.o text.c.o time.c.o https.c.o text.c.o time.c.o \
http.c.o text.c.o time.c.o -lssl
";
        assert_eq!(out, expected);
    }

    #[test]
    fn errors_show_the_line_of_the_build_file() {
        let error = built(&["wrong"]).expect_err("a bad attribute");
        assert!(
            error.starts_with("error: error in rule: no attribute scrs; there are name, deps, flags, srcs"),
            "{error}"
        );
        assert!(error.contains("--> wrong/BUILD:3:8") && error.contains("scrs = [\"a.c\"]"), "{error}");
        let error = built(&["nowhere"]).expect_err("no such package");
        assert!(error.starts_with("no package nowhere: "), "{error}");
    }
}
