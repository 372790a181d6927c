//! Types and functions of an embedding program.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{
    Args, Cx, Engine, ErrorKind, FromValue, Handle, HostType, Hosted, IntoValue, Key, Member, Res, Value,
    function, members,
};

thread_local! {
    static ALIVE: Cell<usize> = const { Cell::new(0) };
}

/// A name, and the number of those that live.
struct Name(String);

impl Name {
    fn new(text: &str) -> Name {
        ALIVE.set(ALIVE.get() + 1);
        Name(text.to_owned())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

impl HostType for Name {
    const NAME: &'static str = "name";
    const MEMBERS: &'static [Member] = members! { Name:
        get text(this, cx) -> &str { &this.0 }
        fn plus(this, cx, more: &str, times: usize = 1) -> Name { Name::new(&format!("{}{}", this.0, more.repeat(times))) }
    };

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "name({:?})", self.0)
    }

    fn write_str(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(&self.0)
    }

    fn key(&self) -> Option<Key> {
        Some(Key::Text(self.0.clone()))
    }

    fn truth(&self) -> bool {
        !self.0.is_empty()
    }

    fn operator<'s>(
        this: &Hosted<'s, Name>,
        cx: Cx<'s>,
        operator: &str,
        other: Value<'s>,
        left: bool,
    ) -> Res<Option<Value<'s>>> {
        match (operator, left, Hosted::<Name>::of(cx, other)) {
            ("+", true, Some(other)) => {
                Ok(Some(Name::new(&format!("{}{}", this.0, other.0)).into_value(cx)?))
            }
            _ => Ok(None),
        }
    }
}

/// A mutable box for one value, and how often it was changed; it is iterated over as what is in it.
#[derive(Default)]
struct Slot(RefCell<usize>);

impl HostType for Slot {
    const NAME: &'static str = "slot";
    const MUTABLE: bool = true;
    const MEMBERS: &'static [Member] = members! { Slot:
        get changes(this, cx) -> usize { *this.0.borrow() }
        get content(this, cx) -> Option<Value<'_>> { this.part(0) }
        mut fn put(this, cx, value: Value<'_>) -> Res<()> {
            *this.0.borrow_mut() += 1;
            this.set_part(cx, 0, value)
        }
    };

    fn elements<'s>(this: &Hosted<'s, Slot>) -> Option<Value<'s>> {
        this.part(0)
    }

    fn call<'s>(this: &Hosted<'s, Slot>, cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
        let [scale] = args.bind(["scale?"])?;
        let scale = scale.map_or(Ok(1), |scale| FromValue::from_value(cx, scale))?;
        (*this.0.borrow() * scale).into_value(cx)
    }
}

function! { fn name(cx, text: &str) -> Name { Name::new(text) } }
function! { fn slot(cx, value: Value<'_>) -> Res<Hosted<'_, Slot>> { Hosted::new(cx, Slot::default(), &[value]) } }
function! { fn length(cx, of: Hosted<'_, Name>) -> usize { of.0.len() } }

/// Engines with these types: an ordinary one, and one that collects at each step and checks everything.
fn with_types() -> [Engine; 2] {
    [frazil_starlark::CONFIG, Config { check: true, ..Config::STRESS }].map(|config| {
        let mut engine =
            Engine::new(config, Dialect { top_level_control: true, ..Dialect::STANDARD }).unwrap();
        engine.function("name", name).unwrap();
        engine.function("slot", slot).unwrap();
        engine.function("length", length).unwrap();
        engine
            .function("freeze", |cx, args| {
                args.exactly().map(|[value]| {
                    cx.freeze(value);
                    value
                })
            })
            .unwrap();
        engine
    })
}

#[test]
fn host_values_are_values() {
    let cases = [
        ("type(name('a'))", "\"name\""),
        ("name('a')", "name(\"a\")"),
        ("str(name('a')) + '%s %r' % (name('b'), name('c'))", "\"ab name(\\\"c\\\")\""),
        ("name('a') == name('a'), name('a') != name('b'), name('a') == 'a'", "(True, True, False)"),
        ("name('a') < name('b'), max([name('a'), name('c'), name('b')])", "(True, name(\"c\"))"),
        ("{name('a'): 1}[name('a')], name('b') in [name('b')]", "(1, True)"),
        ("{(name('a'), 1): 2}[(name('a'), 1)]", "2"),
        ("bool(name('')), bool(name('x'))", "(False, True)"),
        ("name('a').plus('b', times = 2).plus('c').text", "\"abbc\""),
        ("[f('x') for f in [name('a').plus, name('b').plus]]", "[name(\"ax\"), name(\"bx\")]"),
        ("name('a') + name('b')", "name(\"ab\")"),
        (
            "dir(name('a')), hasattr(name('a'), 'text'), getattr(name('a'), 'more', 5)",
            "([\"plus\", \"text\"], True, 5)",
        ),
        ("name('a').plus", "<built-in method plus of name value>"),
        ("length(name('abc')), length(of = name(''))", "(3, 0)"),
        ("slot([1, 2])", "<slot>"),
        (
            "[x for x in slot([1, 2])], len(slot('abc')), slot('abc')[1], 2 in slot([1, 2])",
            "([1, 2], 3, \"b\", True)",
        ),
        ("[list(slot([1])), sorted(slot([3, 2])), slot([1]) == slot([1])]", "[[1], [2, 3], False]"),
        (
            "[(s, s.put(1), s.put(2), s(), s(scale = 10), s.changes, s.content)[1:] for s in [slot(0)]]",
            "[(None, None, 2, 20, 2, 2)]",
        ),
        (
            "[(len({s: 1, t: 2}), s in {s: 1}, s in {t: 1}) for s, t in [(slot(0), slot(0))]]",
            "[(2, True, False)]",
        ),
        ("json_free(name('a'))", "!undefined: json_free"),
        ("name(1)", "!error in name: for parameter text: got int, want string"),
        ("length(slot(0))", "!error in length: for parameter of: got slot, want name"),
        ("name('a').txt", "!name has no .txt field or method (did you mean .text?)"),
        (
            "name('a').plus(mroe = 'x')",
            "!error in plus: unexpected keyword argument \"mroe\" (did you mean more?)",
        ),
        ("name('a') < slot(0)", "!name < slot not implemented"),
        ("name('a') - name('b')", "!unknown binary op: name - name"),
        ("name('a')()", "!error in name: invalid call of non-function (name)"),
        ("[x for x in name('a')]", "!name value is not iterable"),
        ("len(name('a'))", "!error in len: value of type name has no len"),
        ("name('a')[0]", "!unhandled index operation name[int]"),
        ("freeze(slot(0)).put(1)", "!error in put: cannot put frozen slot"),
        ("freeze([slot(0)])[0].put(1)", "!error in put: cannot put frozen slot"),
    ];
    for mut engine in with_types() {
        for (text, expected) in cases {
            let outcome = engine.evaluate("e", format!("repr(({text}))"));
            let outcome = match outcome {
                Ok(shown) => engine.get::<String>(&shown).unwrap(),
                Err(error) => format!("!{}", error.message()),
            };
            assert_eq!(outcome, expected, "{text}");
        }
    }
}

#[test]
fn the_data_of_host_values_goes_with_them() {
    let mut engines = with_types();
    for engine in &mut engines {
        let before = ALIVE.get();
        let kept = engine.evaluate("k", "[name(str(i)) for i in range(100)]").unwrap();
        engine
            .run(
                "m",
                "many = [name(str(i)) for i in range(100)]\nfor i in range(5000):\n  name('x').plus('y')",
            )
            .unwrap();
        engine.collect(Request::Complete).unwrap();
        assert_eq!(ALIVE.get() - before, 200);
        engine.unload("m");
        (0..2).for_each(|_| engine.collect(Request::Complete).unwrap());
        assert_eq!(ALIVE.get() - before, 100);
        let texts = engine.get::<Vec<Handle>>(&kept).unwrap();
        assert_eq!(engine.look(&texts[42], |cx, name| Hosted::<Name>::of(cx, name).unwrap().0.clone()), "42");
        drop((texts, kept));
        (0..2).for_each(|_| engine.collect(Request::Complete).unwrap());
        assert_eq!(ALIVE.get(), before);
    }
    drop(engines);
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn functions_share_state() {
    let lines = Rc::new(RefCell::new(Vec::<String>::new()));
    let mut engine = Engine::default();
    engine.set_state(Rc::clone(&lines));
    function! {
        fn log(cx, line: String) -> Res<()> {
            cx.state::<Rc<RefCell<Vec<String>>>>()?.borrow_mut().push(line);
            Ok(())
        }
    }
    engine.function("log", log).unwrap();
    engine.run("m", "log('one')\nlog('two')").unwrap();
    assert_eq!(*lines.borrow(), ["one", "two"]);
    let mut other = Engine::default();
    other.function("log", log).unwrap();
    assert_eq!(other.run("m", "log('')").unwrap_err().kind(), ErrorKind::Program);
}
