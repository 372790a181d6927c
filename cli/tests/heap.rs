//! `frazil heap` and `frazil run --progress` as a person uses them: through the built command.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

fn frazil(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_frazil")).args(arguments).output().expect("the command starts")
}

fn file(name: &str) -> String {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name).display().to_string()
}

/// A file with this text.
fn written(name: &str, text: &str) -> String {
    let path = file(name);
    std::fs::write(&path, text).expect("a folder for tests");
    path
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What `frazil heap` says of a program: its summary, its page, and its JSON.
struct Told {
    status: Option<i32>,
    summary: String,
    page: String,
    json: Value,
}

fn heap(name: &str, program: &str, options: &[&str]) -> Told {
    let prefix = file(name);
    let output = frazil(&[&["heap", program, "--out", &prefix], options].concat());
    let read = |ending: &str| {
        std::fs::read_to_string(format!("{prefix}.{ending}"))
            .unwrap_or_else(|_| panic!("{}", stderr(&output)))
    };
    let json = serde_json::from_str(&read("json")).expect("JSON");
    Told { status: output.status.code(), summary: stdout(&output), page: read("html"), json }
}

/// The number of the line of a program that contains `text`.
fn line_of(program: &str, text: &str) -> u64 {
    let at = program.lines().position(|line| line.contains(text)).expect("a line with the text");
    at as u64 + 1
}

/// The line that an entry of the JSON names by its place.
fn line(json: &Value, place: &Value) -> u64 {
    json["lines"][place.as_u64().expect("a place") as usize]["line"].as_u64().expect("a line")
}

/// What would make a browser load something.
fn assert_loads_nothing(page: &str) {
    let lower = page.to_lowercase();
    for way in ["http:", "https:", "src=", "href=", "<link", "<script", "<img", "@import", "url(", "xmlns"] {
        assert!(!lower.contains(way), "{way}");
    }
}

#[test]
fn the_example_shows_its_leak_at_first_sight() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/leak.star");
    let text = std::fs::read_to_string(program).expect("the example");
    let (append, extend) = (line_of(&text, "resolved.append("), line_of(&text, "inputs.extend("));
    let told = heap("leak", program, &[]);
    assert_eq!(told.status, Some(0));

    let verdict = format!(
        "hangs on the global `resolved`, a list of 30000, filled at line {append}: `resolved.append("
    );
    assert!(told.summary.contains(&verdict), "{}", told.summary);
    assert!(told.summary.contains("It keeps growing: of what line "), "{}", told.summary);
    let verdict = format!(
        "hangs on the global <code>resolved</code>, a list of 30000, filled at line {append}: <code>"
    );
    let (_, first) = told.page.split_once("class=\"verdict\"").expect("a verdict");
    assert!(first.split("</p>").next().is_some_and(|first| first.contains(&verdict)), "{first:.300}");
    assert_loads_nothing(&told.page);
    assert!(told.page.matches("<svg").count() == 2 && told.page.len() < 300_000, "{}", told.page.len());

    let json = &told.json;
    let help = stdout(&frazil(&["help", "report"]));
    for field in json.as_object().expect("an object").keys() {
        assert!(help.contains(field), "{field} is not explained");
    }
    let holder = &json["holders"][0];
    assert_eq!((&holder["name"], &holder["what"]), (&"resolved".into(), &"list of 30000".into()));
    assert_eq!(line(json, &holder["filled_at"]), append);
    let (retained, live) = (&holder["holds"]["retained"]["bytes"], &json["live"]["bytes"]);
    assert!(retained.as_u64() > live.as_u64().map(|live| live / 10 * 9), "{retained} of {live}");
    let dicts = &holder["holds"]["parts"][0];
    assert_eq!((&dicts["type"], &dicts["own"]["objects"]), (&"dict".into(), &30_000.into()));
    assert_eq!(line(json, &dicts["line"]), append);
    assert_eq!(line(json, &json["made_at"][0]["line"]), extend);
}

#[test]
fn the_figures_agree_with_each_other() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/cut_edges.star");
    for moment in ["peak", "end", "3m"] {
        let json = heap(&format!("cut-{moment}"), program, &["--at", moment, "--quiet"]).json;
        let sum = |list: &Value, of: &dyn Fn(&Value) -> u64| {
            list.as_array().into_iter().flatten().map(of).sum::<u64>()
        };
        let bytes = |entry: &Value| entry["live"]["bytes"].as_u64().expect("bytes");
        let live = json["live"]["bytes"].as_u64().expect("bytes");
        assert_eq!(sum(&json["made_at"], &bytes), live);
        assert_eq!(sum(&json["types"], &bytes), live);
        let taken = |class: &Value| class["taken"]["bytes"].as_u64().expect("bytes");
        assert_eq!(
            sum(&json["blocks"]["classes"], &taken),
            live,
            "nothing is young or dead after a collection"
        );
        assert_eq!(json["dead"]["bytes"], 0);
        let holders =
            sum(&json["holders"], &|holder| holder["holds"]["retained"]["bytes"].as_u64().expect("bytes"));
        assert!(holders <= live && holders > live / 2, "{holders} of {live}");
        let expected = if moment == "3m" { "allocated" } else { moment };
        assert!(
            json["moment"] == expected || (moment == "peak" && json["moment"] == "end"),
            "{}",
            json["moment"]
        );
    }
}

#[test]
fn what_two_variables_share_names_both() {
    let text = "\
by_name = {}
in_order = []
for i in range(20000):
    item = struct(name = 'item %d' % i)
    by_name[item.name] = item
    in_order.append(item)
item = None
";
    let told = heap("shared", &written("shared.star", text), &["--extended"]);
    let sentence =
        "is 20000 x struct that the global `by_name` and the global `in_order` keep alive together";
    assert!(told.summary.contains(sentence), "{}", told.summary);
    assert!(told.summary.contains("made at line 4: `item = struct("), "{}", told.summary);
}

#[test]
fn when_memory_runs_out_there_is_a_picture_of_that_moment() {
    let text = "\
def pile_up(n):
    pile = {}
    for i in range(n):
        pile[i] = 'number %d' % i

pile_up(1 << 40)
";
    let told = heap("limit", &written("limit.star", text), &["--heap-limit", "8m"]);
    assert_eq!((told.status, &told.json["moment"]), (Some(1), &"exhausted".into()));
    assert!(told.summary.contains("when memory ran out"), "{}", told.summary);
    assert!(
        told.summary.contains("hangs on the local `pile` of pile_up at line 4, a dict of "),
        "{}",
        told.summary
    );
}

#[test]
fn a_program_that_fails_has_a_picture_and_a_wrong_command_has_none() {
    let program =
        written("fails.star", "xs = [str(i) for i in range(10000)]\nprint('not shown')\nfail('enough')\n");
    let prefix = file("fails");
    let output = frazil(&["heap", &program, "--out", &prefix]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("fail: enough") && stdout(&output).contains("the global `xs`"));
    assert!(!stdout(&output).contains("not shown"));

    for wrong in
        [&["heap"] as &[&str], &["heap", &program, "--at", "noon"], &["heap", "/there/is/no/such.star"]]
    {
        assert_eq!(frazil(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let taken = file("taken");
    std::fs::create_dir_all(taken.clone() + ".html").expect("a folder where the page would be");
    let unwritable = frazil(&["heap", &program, "--out", &taken]);
    assert_eq!(unwritable.status.code(), Some(1), "what the program did wrong is more important");
    assert!(stderr(&unwritable).contains("taken.html"), "{}", stderr(&unwritable));
    // That there is no folder is known before the program runs.
    let unwritable = frazil(&["heap", &program, "--out", "/no/such/folder/x"]);
    assert_eq!((unwritable.status.code(), stdout(&unwritable)), (Some(2), String::new()));
    assert!(stderr(&unwritable).contains("cannot write /no/such/folder/x"), "{}", stderr(&unwritable));
    let help = frazil(&["help", "heap"]);
    assert!(help.status.success() && stdout(&help).contains("usage: frazil heap"));
}

#[test]
fn long_chains_and_trees_are_one_line() {
    let text = "\
def chain(n):
    at, shared = None, 'shared by all of ' + str(n)
    for i in range(n):
        at = (at, shared)
    return at
def tree(depth):
    level = [[] for _ in range(1 << depth)]
    for d in range(depth):
        level = [[level[2 * i], level[2 * i + 1]] for i in range(len(level) // 2)]
    return level[0]
long = chain(300000)
wide = tree(14)
";
    let told = heap("chain", &written("chain.star", text), &[]);
    let holder = |name: &str| {
        let all = told.json["holders"].as_array().expect("holders").iter();
        all.clone().find(|holder| holder["name"] == name).unwrap_or_else(|| panic!("{name}: {all:?}")).clone()
    };
    let long = holder("long");
    assert_eq!(long["holds"]["retained"]["objects"], 300_001);
    assert_eq!(long["holds"]["parts"][0]["own"]["objects"], 299_999);
    assert_eq!(line(&told.json, &long["holds"]["parts"][0]["line"]), 4);
    let wide = holder("wide");
    assert_eq!(wide["holds"]["parts"][0]["own"]["objects"], (1 << 14) - 2, "but for the root");
    assert_eq!(
        wide["holds"]["parts"][0]["parts"][0]["own"]["objects"],
        1 << 14,
        "the leaves are from another line"
    );
}

#[test]
fn a_long_run_says_how_it_goes() {
    // Long enough for a line, and no longer: the loop ends when it has been told.
    let text = "\
def f():
    for i in range(1 << 40):
        x = [i, i]
f()
";
    let program = written("long.star", text);
    let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
    let mut child = command
        .args(["run", "--progress", &program])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut line = String::new();
    let pipe = child.stderr.take().expect("a pipe");
    std::io::BufRead::read_line(&mut std::io::BufReader::new(pipe), &mut line).expect("a line");
    child.kill().expect("it still runs");
    child.wait().expect("it ends");
    assert!(line.contains(" s  allocated ") && line.contains(" collections, longest pause "), "{line}");
}

#[test]
fn one_large_text_is_told_in_good_words() {
    let told = heap("heap_text", &written("heap_text.star", "text = 'long ' * 100000\nn = [0]\n"), &[]);
    let sentence = "hangs on the global `text`, a string \"long long ";
    assert!(told.summary.contains(sentence) && !told.summary.contains("...."), "{}", told.summary);
    assert!(told.summary.contains("line 1: 1 object "), "{}", told.summary);
}
