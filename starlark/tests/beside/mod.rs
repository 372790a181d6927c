//! Programs and expectations that lie beside the project and are not part of it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The folder, or `None` with a word about it. The word goes past the test harness, which would keep it to itself.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(folder);
    if !path.is_dir() {
        let _ = writeln!(std::io::stderr(), "skipped: there is no folder {}", path.display());
        return None;
    }
    Some(path)
}

/// All files below a folder with one of the extensions, in a fixed order.
pub fn programs(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            found.extend(programs(&path, extensions));
        } else if path.extension().is_some_and(|is| extensions.iter().any(|wanted| is == *wanted)) {
            found.push(path);
        }
    }
    found.sort();
    found
}
