//! Whatever the header says may come of a call, the program that misuses everything has come to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of this crate")
}

/// A status and a call.
type Refusal = (String, String);

/// The words after each `start` that consist of these characters.
fn words_after<'t>(text: &'t str, start: &str) -> impl Iterator<Item = &'t str> {
    let is_other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    text.split(start).skip(1).map(move |rest| rest.split(is_other).next().unwrap_or(""))
}

/// What the comment before a call, and its parameters, say of it.
fn documented(header: &str) -> BTreeSet<Refusal> {
    let statuses: BTreeSet<&str> =
        words_after(header.split("typedef enum frazil_status").nth(1).expect("statuses"), "    FRAZIL_")
            .collect();
    let mut refusals = BTreeSet::new();
    for comment in header.split("\n/*").skip(1) {
        let (comment, calls) = comment.split_once("*/").expect("comments end");
        // Up to the next comment; inline functions and structures are no calls.
        for call in calls.split("\nfrazil_status ").skip(1) {
            let (name, parameters) = call.split_once('(').expect("parameters");
            let parameters = parameters.split(");").next().expect("they end");
            let mut may = |statuses: &[&str]| {
                refusals.extend(statuses.iter().map(|&status| (status.to_owned(), name.to_owned())));
            };
            for status in words_after(comment, "FRAZIL_").filter(|status| statuses.contains(status)) {
                may(&[status]);
            }
            if comment.contains("As frazil_alloc") {
                may(&["WRONG_SHAPE", "TOO_LONG", "LIMIT", "NO_MEMORY"]);
            }
            let is_optional =
                ["may be null", "null config", "is not null"].iter().any(|words| comment.contains(words));
            if parameters.contains('*') && !is_optional {
                may(&["NULL"]);
            }
            if parameters.contains("frazil_heap heap") {
                may(&["NO_HEAP", "WRONG_THREAD"]);
            }
            if parameters.split(',').any(|one| one.trim().starts_with("frazil_value ") && !one.contains('*'))
            {
                may(&["NOT_AN_OBJECT", "WRONG_HEAP"]);
            }
        }
    }
    refusals.retain(|(status, _)| !["OK", "NONE"].contains(&status.as_str()));
    refusals
}

/// The text of a function of the program.
fn function<'t>(program: &'t str, head: &str) -> &'t str {
    let at = program.find(head).unwrap_or_else(|| panic!("there is no {head}"));
    program[at..].split("\n}\n").next().expect("it ends")
}

/// What the program expects.
fn provoked(program: &str) -> BTreeSet<Refusal> {
    let mut refusals = BTreeSet::new();
    let mut add = |status: &str, call: &str| {
        refusals.insert((status.to_owned(), format!("frazil_{call}")));
    };
    for expected in program.split("EXPECT(").skip(1) {
        let (status, call) = expected.split_once(", ").unwrap_or_default();
        words_after(call, "frazil_").take(1).for_each(|call| add(status, call));
    }
    // These do the same to many calls, and are called once for each status.
    for (head, statuses) in [
        ("static void words(", ["NOT_AN_OBJECT", "WRONG_HEAP"]),
        ("static void *no_heap(", ["NO_HEAP", "WRONG_THREAD"]),
    ] {
        for call in words_after(function(program, head), "EACH(frazil_") {
            statuses.iter().for_each(|status| add(status, call));
        }
    }
    for (macro_name, call) in [("    WITH(", "heap_create"), ("    SHAPE(", "shape_define")] {
        for arguments in program.split(macro_name).skip(1) {
            let arguments = arguments.split(");").next().unwrap_or("");
            add(arguments.rsplit(", ").next().unwrap_or(""), call);
        }
    }
    words_after(program, "UNTIL_FULL(frazil_").for_each(|call| add("FULL", call));
    // What a loop comes to in the end.
    for (status, call) in [("LIMIT", "alloc"), ("NO_MEMORY", "make")] {
        let checks = [
            format!("EXPECT({status}, status)"),
            format!("expect(FRAZIL_{status}, status, \"frazil_{call}\""),
        ];
        if checks.iter().any(|check| program.contains(check)) {
            add(status, call);
        }
    }
    refusals
}

#[test]
fn every_refusal_of_the_header_is_provoked() {
    let (documented, provoked) =
        (documented(&read("include/frazil.h")), provoked(&read("examples/misuse.c")));
    assert!(documented.len() > 150, "{documented:?}");
    let missing: Vec<_> = documented.difference(&provoked).collect();
    assert!(missing.is_empty(), "the header says that it may come to these: {missing:#?}");
}
