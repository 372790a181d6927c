//! What files load from each other.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use starlark::syntax::{Diagnostic, Severity, Stage};
use starlark::{Loader, spelling};

use super::cycles;
use super::look::{Loading, Looked, Rules, look};
use crate::files::Files;

/// Where a load leads.
enum Target {
    /// To this file.
    File(PathBuf),
    /// To another repository, which is not here.
    Elsewhere,
    /// Nowhere.
    Missing,
}

/// Checks that what the files load is there, and adds what is wrong to what was found in them. Returns how many loads
/// lead to other repositories.
pub fn check(looked: &mut [Looked], rules: &Rules) -> usize {
    let targets: Vec<Vec<Target>> = looked.par_iter().map(|file| resolve_all(file, rules)).collect();
    let known = exports(looked, &targets, rules);
    for (file, targets) in looked.iter_mut().zip(&targets) {
        for (load, target) in file.loads.iter().zip(targets) {
            match target {
                Target::Elsewhere => {}
                Target::Missing => file.diagnostics.push(missing(load)),
                Target::File(path) => {
                    let exports = known.get(path).and_then(Option::as_ref);
                    file.diagnostics.extend(exports.into_iter().flat_map(|exports| unknown(load, exports)));
                }
            }
        }
    }
    add_cycles(looked, &targets);
    for file in looked {
        file.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
    }
    targets.iter().flatten().filter(|target| matches!(target, Target::Elsewhere)).count()
}

fn resolve_all(file: &Looked, rules: &Rules) -> Vec<Target> {
    let name = file.path.to_string_lossy();
    let files = Files::new([&*name], rules.root.clone());
    file.loads.iter().map(|load| resolve(&files, &load.module, &name)).collect()
}

fn resolve(files: &Files, module: &str, from: &str) -> Target {
    match files.resolve(module, from) {
        Ok(path) => Target::File(one_name(Path::new(&path))),
        Err(_) if module.starts_with('@') => Target::Elsewhere,
        Err(_) => Target::Missing,
    }
}

/// The name of a file that is the same however one gets there.
fn one_name(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// What can be loaded of every file that is loaded; nothing is known of those with errors.
fn exports(
    looked: &[Looked],
    targets: &[Vec<Target>],
    rules: &Rules,
) -> HashMap<PathBuf, Option<HashSet<String>>> {
    let mut known: HashMap<PathBuf, Option<HashSet<String>>> =
        looked.par_iter().map(|file| (one_name(&file.path), file.exports.clone())).collect();
    let wanted: HashSet<&PathBuf> = targets
        .iter()
        .flatten()
        .filter_map(|target| match target {
            Target::File(path) if !known.contains_key(path) => Some(path),
            _ => None,
        })
        .collect();
    let others: Vec<_> =
        wanted.into_par_iter().map(|path| (path.clone(), look(path, rules).exports)).collect();
    known.extend(others);
    known
}

/// Adds an error at every load that closes a circle.
fn add_cycles(looked: &mut [Looked], targets: &[Vec<Target>]) {
    let numbers: HashMap<PathBuf, usize> =
        looked.iter().enumerate().map(|(number, file)| (one_name(&file.path), number)).collect();
    let number = |target: &Target| match target {
        Target::File(path) => numbers.get(path).copied(),
        Target::Elsewhere | Target::Missing => None,
    };
    let graph: Vec<Vec<Option<usize>>> =
        targets.iter().map(|targets| targets.iter().map(number).collect()).collect();
    for (file, at) in cycles::find(&graph) {
        let file = &mut looked[file];
        let load = &file.loads[at];
        let message = format!("cannot load {}: cycle in load graph", load.module);
        let error = Diagnostic::error(&load.source, load.span, message).found_by(Stage::Load);
        file.diagnostics.push(error.help("that file loads this one, directly or through others"));
    }
}

fn missing(load: &Loading) -> Diagnostic {
    let message = format!("cannot find the module {}", load.module);
    let warning = Diagnostic::error(&load.source, load.span, message).found_by(Stage::Load);
    Diagnostic { severity: Severity::Warning, ..warning }
}

/// The names that a load asks for and its module does not have.
fn unknown<'a>(load: &'a Loading, exports: &'a HashSet<String>) -> impl Iterator<Item = Diagnostic> + 'a {
    load.symbols.iter().filter(|(name, _)| !exports.contains(name)).map(|(name, span)| {
        let hint = spelling::hint(spelling::nearest(name, exports.iter().map(String::as_str)));
        let message = format!("load: name {name} not found in module {}{hint}", load.module);
        Diagnostic::error(&load.source, *span, message).found_by(Stage::Load)
    })
}
