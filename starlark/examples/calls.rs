//! Calls a function of one live module very often: `cargo run --release -p frazil-starlark --example calls -- 10000000`.
//!
//! Each call makes three objects that are garbage afterwards, and each tenth changes a list that the function shares with
//! the others. What the heap holds is printed at the beginning, and at each tenth of the way.

use frazil_starlark::{Engine, Error};

const MODULE: &str = "
def maker():
    recent = [None] * 10
    def step(i):
        made = struct(pair = (i, i + 1), items = [i])
        if i % 10 == 0:
            recent[i // 10 % 10] = made
        return made.pair[1]
    return step
maker()
";

fn main() -> Result<(), Error> {
    let calls: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let mut engine = Engine::default();
    // The result of an evaluation is not frozen: the function goes on changing its list.
    let step = engine.evaluate("live.star", MODULE)?;
    let mut sum = 0;
    for i in 0..calls {
        let next = engine.call(&step, (i,))?;
        sum += engine.get::<u64>(&next)?;
        if i % (calls / 10).max(1) == 0 {
            let (used, collections) = (engine.used_bytes(), engine.stats().short + engine.stats().complete);
            println!("{i} calls: {used} bytes, {collections} collections");
        }
    }
    assert_eq!(sum, calls * (calls + 1) / 2);
    Ok(())
}
