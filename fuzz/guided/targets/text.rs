//! Any text as a Starlark module: it is refused with errors that can be shown, or it runs, within narrow limits.
#![no_main]

use frazil::Config;
use libfuzzer_sys::{Corpus, fuzz_target};
use starlark::Engine;
use starlark::syntax::Dialect;

/// Collections after which a program is ended. In checking mode there is one at every call and in every round of a
/// loop.
const COLLECTIONS_MAX: u64 = 200;

fuzz_target!(|text: &str| -> Corpus {
    let config = Config {
        limit_bytes: Some(1 << 20),
        stack_words: 1 << 16,
        short_collections: text.len().is_multiple_of(2),
        ..Config::STRESS
    };
    let mut engine = Engine::new(config, Dialect::EXTENDED).expect("a small heap");
    engine.on_print(|_| {});
    engine.limit_collections(COLLECTIONS_MAX);
    if let Err(errors) = engine.run("text.star", text) {
        assert!(!errors.is_empty(), "refused without a reason");
        for error in &errors {
            assert!(error.render(false).starts_with("error: "), "an error is not shown");
        }
    }
    Corpus::Keep
});
