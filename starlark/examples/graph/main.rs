//! A load graph on one thread and on two: how long both take, and how much memory.
//!
//! ```sh
//! cargo run --release -p frazil-starlark --example graph -- target/graph                # 200 modules, 9 rounds
//! cargo run --release -p frazil-starlark --example graph -- target/graph 200 15 4       # 15 rounds, four threads
//! ```
//!
//! It writes the modules into the folder, and evaluates them in processes of their own, in turns: on one thread, on several,
//! and on one thread in as many processes at the same time, which share nothing: what the machine itself gives. All must
//! print the same. It is a program and no test: how fast something is depends on who else is there.

mod measure;
mod write;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use frazil_starlark::syntax::Dialect;
use frazil_starlark::{CONFIG, Engine, Loader};

/// The first argument of the processes that are measured.
const CHILD: &str = "--evaluate";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |at: usize, unsaid: usize| arguments.get(at).and_then(|word| word.parse().ok()).unwrap_or(unsaid);
    let outcome = match arguments.as_slice() {
        [] => Err("usage: graph FOLDER [MODULES [ROUNDS [THREADS]]]".into()),
        [child, folder, ..] if child == CHILD => evaluate(Path::new(folder), number(2, 1)),
        [folder, ..] => {
            let (modules, rounds, threads) = (number(1, 200), number(2, 9), number(3, 2));
            write::write(Path::new(folder), modules).map_err(Into::into).and_then(|told| {
                println!("{told}");
                measure::compare(Path::new(folder), rounds.max(1), threads.max(2))
            })
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("graph: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Modules are the files of one folder.
struct Folder(PathBuf);

impl Loader for Folder {
    fn resolve(&self, name: &str, _from: &str) -> Result<String, String> {
        Ok(name.to_owned())
    }

    fn read(&self, key: &str) -> Result<String, String> {
        std::fs::read_to_string(self.0.join(key)).map_err(|error| error.to_string())
    }
}

/// Evaluates the graph, as a program would that embeds the language.
fn evaluate(folder: &Path, threads: usize) -> Result<(), Box<dyn Error>> {
    let loader = Arc::new(Folder(folder.to_owned()));
    let mut engine =
        Engine::parallel(CONFIG, Dialect::STANDARD, Arc::clone(&loader) as _, threads, |_| Ok(()))?;
    engine.run(write::MAIN, loader.read(write::MAIN)?)?;
    if let Some(peak) = measure::peak_bytes() {
        eprintln!("{peak}");
    }
    Ok(())
}
