//! Counts what there is to write for each structure: lines of code, attributes, and words that only serve the collector.

const SOURCES: [(&str, &str); 3] = [
    ("frazil", include_str!("ours.rs")),
    ("gc-arena", include_str!("gc_arena.rs")),
    ("dumpster", include_str!("dumpster.rs")),
];

/// Words that plain Rust would not have: the ways to change something, and to keep it.
const WORDS: [&str; 14] = [
    "unlock!",
    "field!",
    "Gc::write",
    ".unlock()",
    "Lock<",
    "Lock::new",
    "Cell<",
    "Cell::new",
    "s.set",
    ".set(mc",
    "borrow_mut",
    ".borrow()",
    ".clone()",
    "Rootable!",
];

fn main() {
    println!("{:10} {:10} {:>6} {:>11} {:>6}", "structure", "library", "lines", "attributes", "words");
    for structure in ["queue", "tree", "graph", "symbols"] {
        for (library, source) in SOURCES {
            let (_, after) = source.split_once(&format!("// begin {structure}\n")).expect("it begins");
            let (code, _) = after.split_once(&format!("// end {structure}\n")).expect("it ends");
            let lines =
                || code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
            let attributes = lines().filter(|line| line.starts_with("#[")).count();
            let words: usize = WORDS.iter().map(|word| code.matches(word).count()).sum();
            println!("{structure:10} {library:10} {:>6} {attributes:>11} {words:>6}", lines().count());
        }
    }
}
