//! Whatever the text, the interpreter neither panics nor aborts, its errors can be shown, and it leaves nothing behind.
//!
//! One test, because others in the same process would be seen in its memory.

use std::fs;
use std::path::Path;

use frazil_fuzz::texts::{Campaign, Tally};

/// Texts of one round.
const TEXTS: u64 = 800;

/// How often memory may have grown before somebody is to blame.
const TRIES: usize = 4;

/// The example programs of the project.
fn examples() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let files = fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|is| is == "star")).collect();
    files.sort();
    files.iter().map(|path| fs::read_to_string(path).expect("a text")).collect()
}

/// KiB that this process has in memory, where the system says so.
fn resident() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn round(programs: &[String]) -> Tally {
    let campaign = Campaign { seed: 1, texts: TEXTS, programs: programs.to_vec() };
    campaign.run(&()).unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn texts_do_no_harm_and_leave_nothing_behind() {
    let programs = examples();
    let first = round(&programs);
    println!("{first}");
    assert_eq!(first.texts, TEXTS);
    assert!(first.parsed > TEXTS / 8 && first.ended > 20 && first.collections > TEXTS, "{first}");
    // A KiB for each engine would be 2,400 of them, each time. What the allocator keeps in hand is a matter of chance, and
    // it does not take more again and again.
    let mut sizes: Vec<u64> = resident().into_iter().collect();
    while let Some(&before) = sizes.last() {
        assert!(sizes.len() <= TRIES, "memory grows with every text: {sizes:?} KiB");
        for _ in 0..3 {
            assert_eq!(round(&programs), first, "the same texts come to something else");
        }
        let after = resident().expect("it was there before");
        if after < before + 2 * TEXTS {
            break;
        }
        sizes.push(after);
    }
}
