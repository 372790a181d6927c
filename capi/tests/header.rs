//! The header says the same as the code: every function, structure, enumeration and number, in both directions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a file of this crate")
}

/// The header without comments.
fn header() -> String {
    let mut text = String::new();
    let whole = read("include/frazil.h");
    let mut rest = whole.as_str();
    while let Some((before, comment)) = rest.split_once("/*") {
        text.push_str(before);
        rest = comment.split_once("*/").expect("comments end").1;
    }
    text + rest
}

/// All of the crate's code without comments, one line after the other.
fn code() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("src").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).expect("a text"));
    let lines: Vec<String> =
        texts.collect::<String>().lines().map(|line| without_comment(line).to_owned()).collect();
    lines.join("\n")
}

fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or("")
}

/// What stands between `open` and the next `close`.
fn between<'a>(text: &'a str, open: &str, close: &str) -> &'a str {
    let from = text.find(open).map_or(text.len(), |at| at + open.len());
    text[from..].split(close).next().unwrap_or("")
}

/// The parts of a list, which has no brackets in brackets of its own kind; empty ones left out.
fn parts(list: &str, separator: char) -> Vec<String> {
    let clean = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    list.split(separator).map(clean).filter(|part| !part.is_empty()).collect()
}

/// A declaration of C as `name: type`.
fn declared(declaration: &str) -> String {
    let name_at = declaration.rfind([' ', '*']).expect("a type and a name") + 1;
    let (kind, name) = declaration.split_at(name_at);
    let (name, length) = name.split_once('[').map_or((name, ""), |(name, length)| (name, length));
    let array = if length.is_empty() { String::new() } else { format!("[{length}") };
    format!("{name}: {}{array}", kind.replace(' ', "").replace("const", "const "))
}

/// The type of C that a type of Rust is.
fn in_c(rust: &str) -> String {
    let inside = |open: &str| rust.strip_prefix(open).and_then(|rest| rest.strip_suffix('>'));
    if let Some(kind) = inside("Out<'_, ") {
        return format!("{}*", in_c(kind));
    }
    if let Some(kind) = inside("Option<&mut ") {
        return format!("{}*", in_c(kind));
    }
    if let Some(kind) = inside("Option<&") {
        return format!("const {}*", in_c(kind));
    }
    if let Some(kind) = rust.strip_prefix("*mut ") {
        return format!("{}*", in_c(kind));
    }
    if let Some(kind) = rust.strip_prefix("*const ") {
        return format!("const {}*", in_c(kind));
    }
    if let Some((kind, length)) = rust.strip_prefix('[').and_then(|array| array.split_once("; ")) {
        return format!("{}[{length}", in_c(kind));
    }
    let plain = match rust {
        "usize" => "size_t",
        "u64" => "uint64_t",
        "u32" => "uint32_t",
        "u16" => "uint16_t",
        "u8" => "uint8_t",
        "bool" => "bool",
        "c_char" => "char",
        "c_void" => "void",
        other => other,
    };
    plain.to_owned()
}

/// A field or parameter of Rust as `name: type of C`.
fn translated(field: &str) -> String {
    let (name, kind) = field.trim_start_matches("pub ").split_once(": ").expect("a name and a type");
    format!("{name}: {}", in_c(kind))
}

type Declarations = BTreeMap<String, Vec<String>>;

fn functions_of_header(header: &str) -> Declarations {
    let mut found = Declarations::new();
    for statement in header.split(';') {
        let statement =
            statement.split('}').next_back().unwrap_or("").split('\n').filter(|l| !l.starts_with('#'));
        let statement = parts(&statement.collect::<Vec<_>>().join("\n"), '\0').join("");
        let Some((head, list)) = statement.strip_suffix(')').and_then(|text| text.split_once('(')) else {
            continue;
        };
        if head.starts_with("typedef")
            || head.contains('=')
            || !head.contains(' ')
            || head.starts_with("static")
        {
            continue;
        }
        let mut entries: Vec<String> = if list == "void" {
            Vec::new()
        } else {
            parts(list, ',').iter().map(|part| declared(part)).collect()
        };
        let (name, result) = {
            let head = declared(head);
            let (name, result) = head.split_once(": ").expect("a name and a type");
            (name.to_owned(), result.to_owned())
        };
        entries.push(result);
        found.insert(name, entries);
    }
    found
}

fn functions_of_code(code: &str) -> Declarations {
    let mut found = Declarations::new();
    for function in code.split("pub extern \"C\" fn ").skip(1) {
        let (name, rest) = function.split_once('(').expect("parameters");
        let (list, rest) = rest.split_once(") -> ").expect("a result");
        // `Out<'_, T>` has a comma of its own.
        let list = list.replace("Out<'_, ", "Out<'_; ");
        let fields = parts(&list, ',');
        let mut entries: Vec<String> =
            fields.iter().map(|field| translated(&field.replace("Out<'_; ", "Out<'_, "))).collect();
        entries.push(in_c(rest.split(" {").next().unwrap_or("").trim()));
        found.insert(name.to_owned(), entries);
    }
    found
}

fn structures_of_header(header: &str) -> Declarations {
    let structures = header.split("typedef struct ").skip(1).filter_map(|text| text.split_once(" {"));
    let fields =
        |body: &str| parts(body.split('}').next().unwrap_or(""), ';').iter().map(|f| declared(f)).collect();
    structures
        .filter(|(name, _)| !name.contains(';'))
        .map(|(name, body)| (name.to_owned(), fields(body)))
        .collect()
}

fn structures_of_code(code: &str) -> Declarations {
    let structures = code.split("#[repr(C)]").skip(1).map(|text| {
        let (name, body) = between(text, "pub struct ", "\n}").split_once(" {").expect("fields");
        let fields = parts(body, '\n');
        let fields = fields.iter().filter(|field| field.starts_with("pub "));
        (name.to_owned(), fields.map(|field| translated(field.trim_end_matches(','))).collect::<Vec<_>>())
    });
    // What only its address is known of.
    structures.filter(|(name, _)| name != "frazil_raw").collect()
}

fn enumerations_of_header(header: &str) -> Declarations {
    let enumerations = header.split("typedef enum ").skip(1).filter_map(|text| text.split_once(" {"));
    enumerations
        .map(|(name, body)| (name.to_owned(), parts(body.split('}').next().unwrap_or(""), ',')))
        .collect()
}

fn enumerations_of_code(code: &str) -> Declarations {
    let enumerations = code.split("#[repr(u32)]").skip(1).map(|text| {
        let (name, body) = between(text, "pub enum ", "}").split_once(" {").expect("cases");
        (name.to_owned(), parts(body, ','))
    });
    enumerations.collect()
}

#[test]
fn functions_are_the_same() {
    let (header, code) = (functions_of_header(&header()), functions_of_code(&code()));
    assert!(header.len() > 40, "{header:#?}");
    assert_eq!(header, code);
}

#[test]
fn structures_are_the_same() {
    let (header, code) = (structures_of_header(&header()), structures_of_code(&code()));
    assert_eq!(header.len(), 13, "{header:#?}");
    assert_eq!(header, code);
}

#[test]
fn enumerations_are_the_same() {
    let (header, code) = (enumerations_of_header(&header()), enumerations_of_code(&code()));
    assert_eq!(header.len(), 4, "{header:#?}");
    assert_eq!(header, code);
}

#[test]
fn numbers_are_the_same() {
    let header = header();
    let defined = header.lines().filter_map(|line| {
        let (name, number) = line.strip_prefix("#define ")?.split_once(' ')?;
        Some((name.to_owned(), number.trim().parse::<u64>().expect("a number")))
    });
    let defined: BTreeMap<String, u64> = defined.collect();
    let known = frazil_c::constants::ALL.iter().map(|&(name, number)| (name.to_owned(), number)).collect();
    assert_eq!(defined, known);
    // The preprocessor would not say so.
    let twice: Vec<&String> =
        defined.keys().filter(|name| header.contains(&format!("    {name} = "))).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

#[test]
fn every_call_is_documented_with_its_errors() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut checked = 0;
    for file in fs::read_dir(folder).expect("src") {
        let text = fs::read_to_string(file.expect("a file").path()).expect("a text");
        for chunk in text.split("#[unsafe(no_mangle)]").collect::<Vec<_>>().windows(2) {
            let docs: Vec<&str> = chunk[0].lines().rev().take_while(|line| line.starts_with("///")).collect();
            let name = between(chunk[1], "fn ", "(");
            let fails = between(chunk[1], ") -> ", " {").trim() == "frazil_status";
            assert!(!docs.is_empty() && (!fails || docs.contains(&"/// # Errors")), "{name}");
            checked += 1;
        }
    }
    assert!(checked > 40);
}
