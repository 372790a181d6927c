//! A load graph on one thread and on two, and a call of `parallel_map`: how long they take, and how much memory.
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
        [child, folder, main, ..] if child == CHILD => evaluate(Path::new(folder), main, number(3, 1)),
        [folder, ..] => compare(Path::new(folder), number(1, 200), number(2, 9).max(1), number(3, 2).max(2)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("graph: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the modules, and measures both programs.
fn compare(folder: &Path, modules: usize, rounds: usize, threads: usize) -> Result<(), Box<dyn Error>> {
    println!("{}", write::write(folder, modules)?);
    measure::compare(folder, write::MAIN, rounds, threads)?;
    println!("\nparallel_map over {} elements", write::ELEMENTS);
    measure::compare(folder, write::MAP, rounds, threads)
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

/// Evaluates a program with all that it loads, as somebody would who embeds the language.
fn evaluate(folder: &Path, main: &str, threads: usize) -> Result<(), Box<dyn Error>> {
    let loader = Arc::new(Folder(folder.to_owned()));
    let dialect = Dialect { parallel_map: true, ..Dialect::STANDARD };
    let mut engine = Engine::parallel(CONFIG, dialect, Arc::clone(&loader) as _, threads, |_| Ok(()))?;
    engine.run(main, loader.read(main)?)?;
    drop(engine);
    measure::tell_own();
    Ok(())
}
