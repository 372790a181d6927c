//! The whole language against programs and expectations that are not part of the project.
//!
//! They are looked for in the folder `shared` beside the workspace; without it these tests say that they were
//! skipped.
//! - `inputs`: real programs and what they must print (the larger ones only in optimised builds).
//! - `suites/bazelbuild-starlark`: all chunks but those that only one of its implementations must pass.
//! - `suites/starlark-go/starlark`: all chunks; the types that its own test program defines are in `go_types`.

mod beside;
mod go_types;

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use frazil::{BlockBytes, Config};
use frazil_starlark::cx::Cx;
use frazil_starlark::failure::{Failure, Res};
use frazil_starlark::host::Args;
use frazil_starlark::syntax::Dialect;
use frazil_starlark::value::{Value, ValueExt, boolean, none};
use frazil_starlark::{Caller, Engine, Given, Handle, Library, Loader};
use regex_lite::Regex;

use beside::{programs, shared};
use go_types::{Fibonacci, HasFields};

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// Loads below a folder, as the programs in `inputs` expect.
struct Folder(PathBuf);

impl Loader for Folder {
    fn resolve(&self, name: &str, from: &str) -> Result<String, String> {
        let folder = Path::new(from).parent().unwrap();
        let path = match name.split_at(name.find(':').unwrap_or(0)) {
            ("", name) => match name.strip_prefix(':') {
                Some(beside) => folder.join(beside),
                None => self.0.join(name),
            },
            (label, name) => {
                let repository =
                    self.0.join(Path::new(from).strip_prefix(&self.0).unwrap().iter().next().unwrap());
                repository.join(label.trim_start_matches('/')).join(&name[1..])
            }
        };
        Ok(path.to_string_lossy().into_owned())
    }

    fn read(&self, key: &str) -> Result<String, String> {
        fs::read_to_string(key).map_err(|error| format!("{key}: {error}"))
    }
}

/// What a program prints.
fn output(inputs: &Path, program: &str, config: Config) -> String {
    let mut engine =
        Engine::with_loader(config, Dialect::STANDARD, Box::new(Folder(inputs.to_owned()))).unwrap();
    let lines = Rc::new(RefCell::new(Vec::new()));
    let sink = Rc::clone(&lines);
    engine.on_print(move |line| sink.borrow_mut().push(line.to_owned()));
    let prelude = inputs.join("drivers/prelude.star");
    engine.run("prelude", read(&prelude)).unwrap();
    engine.predeclare_module("prelude").unwrap();
    let path = inputs.join(program);
    if let Err(errors) = engine.run(&path.to_string_lossy(), read(&path)) {
        panic!("{}", errors[0].render(false));
    }
    lines.take().join("\n")
}

#[test]
fn real_programs_print_what_they_must() {
    let Some(inputs) = shared("inputs") else { return };
    let expected = [
        ("bench/b2_queens.star", "2680", false),
        ("bench/b4_garbage_400.star", "799", false),
        ("drivers/d1_pep440.star", "(3000, 999, \"0.0.0rc0.post0+local.0\", \"6.12.4+local.5\")", false),
        ("drivers/d5_skylib.star", "(435153, 20497, 97)", false),
        ("bench/b1_dictlist.star", "505201541", true),
        ("bench/b3_strings.star", "15558765", true),
        ("bench/b4_garbage_1600.star", "3199", true),
        ("bench/b5_macro.star", "(20000, 640000)", true),
    ];
    for (program, output_wanted, large) in expected {
        if large && cfg!(debug_assertions) {
            println!("skipped in this build: {program}");
            continue;
        }
        assert_eq!(output(&inputs, program, Config::default()), output_wanted, "{program}");
    }
}

// ---------------------------------------------------------------------------------------------- chunks

/// A chunk of a suite: its text, the first line's number, and what its errors must match.
struct Chunk {
    text: String,
    line: usize,
    expected: Vec<String>,
}

fn chunks(path: &Path) -> Vec<Chunk> {
    let mut chunks = vec![Chunk { text: String::new(), line: 1, expected: Vec::new() }];
    for (number, line) in read(path).lines().enumerate() {
        let chunk = chunks.last_mut().unwrap();
        if line.trim() == "---" {
            chunks.push(Chunk { text: String::new(), line: number + 2, expected: Vec::new() });
            continue;
        }
        let (code, expectation) = line.split_once("###").unwrap_or((line, ""));
        let expectation = expectation.trim();
        let expectation = match expectation.split_once(": ") {
            Some(("go", pattern)) => pattern,
            Some(("java" | "rust", _)) => "",
            _ => expectation,
        };
        if !expectation.is_empty() {
            let quoted = expectation.trim_matches(|c| c == '"' || c == '`');
            chunk.expected.push(if expectation.starts_with('"') {
                quoted.replace("\\\\", "\\")
            } else {
                quoted.to_owned()
            });
        }
        chunk.text.push_str(code);
        chunk.text.push('\n');
    }
    chunks
}

/// Modules in memory.
struct Texts(HashMap<&'static str, String>);

impl Loader for Texts {
    fn resolve(&self, name: &str, _: &str) -> Result<String, String> {
        Ok(name.to_owned())
    }

    fn read(&self, key: &str) -> Result<String, String> {
        self.0.get(key).cloned().ok_or_else(|| "no such module".to_owned())
    }
}

const PRELUDE: &str = "
def assert_eq(x, y):
  if x != y:
    fail('ASSERT %r != %r' % (x, y))

def assert_ne(x, y):
  if x == y:
    fail('ASSERT %r == %r' % (x, y))

def assert_(cond, msg = 'assertion failed'):
  if not cond:
    fail('ASSERT ' + msg)
";

/// What the go suite's own test program defines, apart from types.
fn add_assertions(engine: &mut Engine, errors: &Rc<RefCell<Vec<String>>>) {
    let sink = Rc::clone(errors);
    engine
        .function("error", move |_, args| {
            let message = args.at(0).and_then(|value| value.as_str()).unwrap_or("?");
            sink.borrow_mut().push(message.to_owned());
            Ok(none())
        })
        .unwrap();
    engine.higher_order("catch", catch).unwrap();
    engine.function("matches", matches).unwrap();
    engine
        .function("module", |cx, args| {
            let name = args.at(0).and_then(|name| name.as_str()).unwrap_or("?");
            frazil_starlark::data::module::make(cx, name, args.named.to_vec())
        })
        .unwrap();
    let freeze = engine.make_function("freeze", |cx, args| {
        let [value] = args.exactly()?;
        cx.freeze(value);
        Ok(value)
    });
    engine.set("_freeze", freeze).unwrap();
    engine.function("hasfields", |cx, _| HasFields::make(cx)).unwrap();
    engine.set("fibonacci", Fibonacci).unwrap();
    engine
        .function("_floateq", |_, args| {
            let [x, y] = args.exactly()?;
            let close = match (x.as_float(), y.as_float()) {
                (Some(x), Some(y)) => x.to_bits().abs_diff(y.to_bits()) <= 1,
                _ => false,
            };
            Ok(boolean(close))
        })
        .unwrap();
}

/// Calls the function; the result is the message of its error, or `None`.
fn catch(caller: &mut Caller<'_>, given: &Given) -> Res<Handle> {
    let [function] = given.bind(["function"])?;
    let outcome = function.map(|function| caller.call(&function, ()));
    caller.make(outcome.and_then(Result::err).map(|error| error.message().to_owned()))
}

fn matches<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [pattern, text] = args.exactly()?;
    let (pattern, text) = (pattern.as_str().unwrap_or(""), text.as_str().unwrap_or(""));
    match Regex::new(&with_literal_braces(pattern)) {
        Ok(regex) => Ok(boolean(regex.is_match(text))),
        Err(error) => Err(Failure::new(error.to_string())),
    }
}

/// Braces stand for themselves in the expressions of these suites.
fn with_literal_braces(pattern: &str) -> String {
    pattern.replace("\\{", "{").replace('{', "\\{").replace("\\}", "}").replace('}', "\\}")
}

/// The chunk's text without its loads of modules that are predeclared here.
fn without_library_loads(text: &str) -> String {
    let loads =
        |line: &&str| line.starts_with("load(") && (line.contains("json.star") || line.contains("math.star"));
    let lines: Vec<&str> = text.split('\n').map(|line| if loads(&line) { "" } else { line }).collect();
    lines.join("\n")
}

/// What is wrong with a chunk's behaviour, or nothing.
fn run_chunk(chunk: &Chunk, dialect: Dialect, assertions: Option<&str>, config: Config) -> Option<String> {
    let mut texts = HashMap::new();
    if let Some(text) = assertions {
        texts.insert("assert.star", text.to_owned());
    }
    let mut engine = Engine::with_loader(config, dialect, Box::new(Texts(texts))).unwrap();
    engine.on_print(|_| {});
    for library in Library::ALL {
        engine.library(library).unwrap();
    }
    let failed = Rc::new(RefCell::new(Vec::new()));
    if assertions.is_some() {
        add_assertions(&mut engine, &failed);
    } else {
        engine.run("prelude", PRELUDE).unwrap();
        engine.predeclare_module("prelude").unwrap();
    }
    let errors: Vec<String> = match engine.run("chunk", without_library_loads(&chunk.text)) {
        Ok(()) => Vec::new(),
        Err(errors) => errors.iter().map(|error| error.message.clone()).collect(),
    };
    if !failed.borrow().is_empty() {
        return Some(failed.borrow().join("; "));
    }
    if chunk.expected.is_empty() {
        return errors.first().cloned();
    }
    if errors.is_empty() || errors[0].contains("ASSERT") {
        return Some(format!("no error like {:?}: {errors:?}", chunk.expected));
    }
    let expected = chunk.expected.iter().find(|expected| {
        let regex = Regex::new(&format!("(?i){}", with_literal_braces(expected)));
        !errors.iter().any(|error| {
            error.to_lowercase().contains(&expected.to_lowercase())
                || regex.as_ref().is_ok_and(|regex| regex.is_match(error))
        })
    });
    expected.map(|expected| format!("{errors:?} do not match {expected:?}"))
}

/// The one loop of the suites that is too long for a collection in each round, and one that is not.
const LONG_LOOP: (&str, &str) = ("range(65536)", "range(256)");

/// A chunk: its file, its line, and what is wrong with its behaviour.
type Outcome = (String, usize, Option<String>);

/// Runs the chunks of a suite.
fn outcomes(folder: &Path, assertions: Option<&str>, config: &Config) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for path in programs(folder, &["star"]) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let first_line = read(&path);
        let options = first_line.lines().take(3).collect::<String>();
        for mut chunk in chunks(&path) {
            if config.check {
                chunk.text = chunk.text.replace(LONG_LOOP.0, LONG_LOOP.1);
            }
            let options = format!("{options} {}", chunk.text.lines().take(3).collect::<String>());
            let has = |option: &str| options.contains(&format!("option:{option}"));
            let dialect = Dialect {
                recursion: has("recursion"),
                set_order: has("set"),
                while_loops: has("while"),
                top_level_control: has("toplevelcontrol"),
                global_reassign: has("globalreassign"),
                load_binds_globally: has("loadbindsglobally"),
                ..Dialect::STANDARD
            };
            let problem = run_chunk(&chunk, dialect, assertions, config.clone());
            outcomes.push((name.clone(), chunk.line, problem));
        }
    }
    outcomes
}

/// Runs the chunks of a suite. Those in `known` have just this one problem: it is one where the models differ.
fn run_suite(folder: &Path, known: &[(&str, usize, &str)], assertions: Option<&str>) {
    let outcomes = outcomes(folder, assertions, &Config::default());
    let as_known = |name: &str, line: usize, problem: &Option<String>| {
        let known = known.iter().find(|(file, at, _)| *file == name && *at == line);
        known.map(|(_, _, problem)| *problem) == problem.as_deref()
    };
    let failures = outcomes.iter().filter(|(name, line, problem)| !as_known(name, *line, problem));
    let failures = failures.map(|(name, line, problem)| format!("{name}:{line}: {problem:?}"));
    let failures: Vec<String> = failures.collect();
    let count = outcomes.len();
    assert!(count > 0, "no chunks found");
    assert!(failures.is_empty(), "{} of {count} chunks fail:\n{}", failures.len(), failures.join("\n"));
    println!("{count} chunks pass");
}

/// Runs the chunks of a suite in checking mode, with a collection and a verification at every safepoint, with and
/// without short collections, and with blocks that soon are full and blocks that never are. Each chunk must come to
/// what it comes to without all that, be it a failure.
fn run_suite_checked(folder: &Path, assertions: Option<&str>) {
    let plain = outcomes(folder, assertions, &Config::default());
    for (short_collections, block_bytes) in
        [(false, BlockBytes::K4), (true, BlockBytes::K4), (true, BlockBytes::K32)]
    {
        let config = Config { short_collections, block_bytes, stack_words: 1 << 16, ..Config::STRESS };
        let checked = outcomes(folder, assertions, &config);
        for (plain, checked) in plain.iter().zip(checked) {
            assert_eq!(*plain, checked, "short collections: {short_collections}, blocks: {block_bytes:?}");
        }
    }
    assert!(!plain.is_empty());
}

#[test]
fn bazelbuild_chunks() {
    let Some(folder) = shared("suites/bazelbuild-starlark") else { return };
    run_suite(&folder, &[], None);
}

#[test]
fn bazelbuild_chunks_with_a_collection_at_every_safepoint() {
    let Some(folder) = shared("suites/bazelbuild-starlark") else { return };
    run_suite_checked(&folder, None);
}

/// The folder of the go suite, and the module with its assertions.
fn go_suite() -> Option<(PathBuf, String)> {
    let folder = shared("suites/starlark-go/starlark")?;
    let assertions = read(&folder.join("../assert.star")).replace('\t', "        ");
    Some((folder, assertions))
}

#[test]
fn starlark_go_chunks() {
    let Some((folder, assertions)) = go_suite() else { return };
    run_suite(&folder, GO_EXCEPTIONS, Some(&assertions));
}

#[test]
fn starlark_go_chunks_with_a_collection_at_every_safepoint() {
    let Some((folder, assertions)) = go_suite() else { return };
    run_suite_checked(&folder, Some(&assertions));
}

/// What is not as the Go implementation has it, on purpose.
const GO_EXCEPTIONS: &[(&str, usize, &str)] = &[(
    "builtins.star",
    1,
    // The specification gives sets four methods more.
    "[\"add\", \"clear\", \"difference\", \"difference_update\", \"discard\", \"intersection\", \"intersection_update\", \
     \"isdisjoint\", \"issubset\", \"issuperset\", \"pop\", \"remove\", \"symmetric_difference\", \
     \"symmetric_difference_update\", \"union\", \"update\"] != [\"add\", \"clear\", \"difference\", \"discard\", \
     \"intersection\", \"issubset\", \"issuperset\", \"pop\", \"remove\", \"symmetric_difference\", \"union\", \"update\"]",
)];
