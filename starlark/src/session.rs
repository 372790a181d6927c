//! Running a module piece by piece, as somebody types it.

use crate::cx::Cx;
use crate::engine::Engine;
use crate::error::Error;
use crate::machine::Globals;
use crate::ops::attr;
use crate::syntax::{Diagnostic, SourceFile};
use crate::value::Value;

/// A module that goes on: every piece sees what the earlier ones have bound, and may change it. Nothing is frozen
/// but what is loaded.
///
/// ```
/// use frazil_starlark::{Engine, Session, syntax::Dialect};
/// let engine = Engine::new(frazil::Config::DEFAULT, Dialect::EXTENDED).unwrap();
/// let mut session = Session::new(engine).unwrap();
/// session.run("1", "xs = [1]\ndef add(x): xs.append(x)", |_, _| ()).unwrap();
/// session.run("2", "add(2)", |_, _| ()).unwrap();
/// let answer = session.run("3", "len(xs) + 40", |_, value| value.bits() >> 1);
/// assert_eq!(answer.unwrap(), Some(42));
/// ```
pub struct Session {
    engine: Engine,
    globals: Globals,
}

/// What a text may be completed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completions {
    /// Where in the text the word begins that is to be completed.
    pub start: usize,
    /// The whole words, sorted.
    pub words: Vec<String>,
}

impl Session {
    /// Begins one. Its engine's dialect should allow to bind globals again
    /// ([`global_reassign`](crate::syntax::Dialect::global_reassign)).
    ///
    /// # Errors
    /// Memory ran out.
    pub fn new(mut engine: Engine) -> Result<Session, Error> {
        let machine = engine.machine_mut();
        let globals = machine.begin_session();
        let globals = globals.map_err(|failure| machine.diagnose(*failure))?;
        Ok(Session { engine, globals })
    }

    /// The interpreter.
    pub fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Runs a piece; errors show `name` as its file. If it ends with an expression whose value is not None, `look` is
    /// given the value, and `_` is bound to it.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run. What was bound before that stays bound.
    pub fn run<R>(
        &mut self,
        name: &str,
        text: &str,
        look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R,
    ) -> Result<Option<R>, Vec<Diagnostic>> {
        let source = SourceFile::new(name, text);
        self.engine.machine_mut().run_piece(&mut self.globals, &source, look)
    }

    /// What the word at the end of a text may be completed to: a known name, or, behind a dot, an attribute of the
    /// value that the names before it lead to. Nothing is run to find out.
    pub fn complete(&self, text: &str) -> Completions {
        let in_word = |c: char| c == '_' || c == '.' || c.is_alphanumeric();
        let path = &text[text.trim_end_matches(in_word).len()..];
        let (owner, word) = match path.rsplit_once('.') {
            Some((owner, word)) => (Some(owner), word),
            None => (None, path),
        };
        let mut words = match owner {
            Some(owner) => self.attributes(owner).unwrap_or_default(),
            None => self.engine.machine().session_names(&self.globals),
        };
        words.retain(|known| known.starts_with(word));
        words.sort_unstable();
        words.dedup();
        Completions { start: text.len() - word.len(), words }
    }

    /// The attributes of what a dotted path of names leads to, if it leads to anything.
    fn attributes(&self, path: &str) -> Option<Vec<String>> {
        let machine = self.engine.machine();
        let cx = machine.cx();
        let mut parts = path.split('.');
        let mut owner = machine.session_value(&self.globals, parts.next()?)?;
        for name in parts {
            owner = attr::find(cx, owner, cx.str(name).ok()?).ok()??;
        }
        attr::names(cx, owner).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::Dialect;

    fn session() -> Session {
        let engine = Engine::new(crate::CONFIG, Dialect::EXTENDED).expect("a heap");
        Session::new(engine).expect("room")
    }

    fn shown(session: &mut Session, text: &str) -> Result<Option<String>, String> {
        let ran = session.run("t", text, crate::ops::repr::repr);
        ran.map_err(|errors| errors[0].to_string())
    }

    #[test]
    fn globals_live_on() {
        let mut session = session();
        assert_eq!(shown(&mut session, "xs = [1]; f = lambda: xs"), Ok(None));
        assert_eq!(shown(&mut session, "xs.append(2)"), Ok(None));
        assert_eq!(shown(&mut session, "f()"), Ok(Some("[1, 2]".to_owned())));
        assert_eq!(shown(&mut session, "xs = 'new'"), Ok(None));
        assert_eq!(shown(&mut session, "f()"), Ok(Some("\"new\"".to_owned())));
        assert_eq!(shown(&mut session, "_ * 2"), Ok(Some("\"newnew\"".to_owned())));
        assert_eq!(shown(&mut session, "'documentation'"), Ok(Some("\"documentation\"".to_owned())));
    }

    #[test]
    fn an_error_leaves_the_session_usable() {
        let mut session = session();
        assert_eq!(
            shown(&mut session, "a = 1; b = 1 // 0; c = 2"),
            Err("t:1:14: floored division by zero".to_owned())
        );
        assert_eq!(shown(&mut session, "a"), Ok(Some("1".to_owned())));
        let unbound = "t:1:1: global variable c referenced before assignment".to_owned();
        assert_eq!(shown(&mut session, "c"), Err(unbound));
        assert!(shown(&mut session, "len = 1 // 0").is_err());
        assert_eq!(shown(&mut session, "len([a])"), Ok(Some("1".to_owned())));
        assert_eq!(shown(&mut session, "lem"), Err("t:1:1: undefined: lem (did you mean len?)".to_owned()));
    }

    #[test]
    fn collections_keep_the_globals_of_a_session() {
        let mut session = session();
        assert_eq!(shown(&mut session, "xs = [str(i) * 20 for i in range(1000)]"), Ok(None));
        for _ in 0..3 {
            session.engine().collect(frazil::Request::Complete).expect("room");
            assert_eq!(shown(&mut session, "xs = [x + '' for x in xs]"), Ok(None));
        }
        assert_eq!(shown(&mut session, "len(xs), xs[999][:3]"), Ok(Some("(1000, \"999\")".to_owned())));
    }

    #[test]
    fn a_piece_that_was_cancelled_is_followed_by_others() {
        let mut session = session();
        session.engine().canceller().cancel();
        assert_eq!(
            shown(&mut session, "[x for x in range(9)]"),
            Err("t:1:8: the program was cancelled".to_owned())
        );
        assert_eq!(shown(&mut session, "[x for x in range(2)]"), Ok(Some("[0, 1]".to_owned())));
    }

    #[test]
    fn words_are_completed() {
        let mut session = session();
        assert_eq!(shown(&mut session, "point = struct(x = 1, inner = struct(yes = 2))"), Ok(None));
        let completed = |text: &str| session.complete(text).words.join(" ");
        assert_eq!(completed("1 + poi"), "point");
        assert_eq!(completed("point.i"), "inner");
        assert_eq!(completed("f(point.inner."), "yes");
        assert_eq!(completed("point.x."), "");
        assert_eq!(completed("rever"), "reversed");
        assert_eq!(session.complete("1 + poi").start, 4);
    }
}
