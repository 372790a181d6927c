//! What the parser makes of correct programs: each case is a text and its tree, written as nested lists.

use frazil_starlark::syntax::ast::*;
use frazil_starlark::syntax::{Dialect, Names, SourceFile, parse};

/// Writes trees as nested lists.
struct Tree<'a>(&'a Names);

impl Tree<'_> {
    fn list<'a, T: 'a>(
        &self,
        items: impl IntoIterator<Item = &'a T>,
        show: impl Fn(&'a T) -> String,
    ) -> String {
        items.into_iter().map(show).collect::<Vec<_>>().join(" ")
    }

    fn block(&self, body: &[Stmt]) -> String {
        self.list(body, |stmt| self.stmt(stmt))
    }

    fn stmt(&self, stmt: &Stmt) -> String {
        match &stmt.kind {
            StmtKind::Expr(expr) => self.expr(expr),
            StmtKind::Assign(a) => format!("(= {} {})", self.target(&a.target), self.expr(&a.value)),
            StmtKind::AugAssign(a) => {
                format!("({}= {} {})", a.op.as_str(), self.target(&a.target), self.expr(&a.value))
            }
            StmtKind::Def(def) => {
                let (params, body) = (self.params(&def.function.params), self.block(&def.function.body));
                format!("(def {} ({params}) {body})", &self.0[def.name.name])
            }
            StmtKind::If(if_) => {
                let branches =
                    self.list(&if_.branches, |b| format!("({} {})", self.expr(&b.cond), self.block(&b.body)));
                format!("(if {branches} else {})", self.block(&if_.otherwise))
            }
            StmtKind::For(f) => {
                let (target, iterable) = (self.target(&f.target), self.expr(&f.iterable));
                format!("(for {target} {iterable} {})", self.block(&f.body))
            }
            StmtKind::While(w) => format!("(while {} {})", self.expr(&w.cond), self.block(&w.body)),
            StmtKind::Return(Some(value)) => format!("(return {})", self.expr(value)),
            StmtKind::Return(None) => "return".into(),
            StmtKind::Break => "break".into(),
            StmtKind::Continue => "continue".into(),
            StmtKind::Pass => "pass".into(),
            StmtKind::Load(load) => {
                let symbol =
                    |s: &LoadSymbol| format!("{}={}", &self.0[s.local.name], &self.0[s.remote.symbol]);
                format!("(load {:?} {})", load.module, self.list(&load.symbols, symbol))
            }
        }
    }

    fn target(&self, target: &Target) -> String {
        match &target.kind {
            TargetKind::Ident(ident) => self.0[ident.name].to_string(),
            TargetKind::Attr(a) => format!("(. {} {})", self.expr(&a.object), &self.0[a.name.symbol]),
            TargetKind::Index(i) => format!("([] {} {})", self.expr(&i.object), self.expr(&i.index)),
            TargetKind::Sequence(targets) => format!("<{}>", self.list(targets, |t| self.target(t))),
        }
    }

    fn params(&self, params: &Params) -> String {
        let param = |p: &Param| match &p.default {
            Some(default) => format!("{}={}", &self.0[p.name.name], self.expr(default)),
            None => self.0[p.name.name].to_string(),
        };
        let mut parts: Vec<String> = params.positional.iter().map(param).collect();
        if !params.keyword_only.is_empty() {
            parts.push("|".into());
        }
        parts.extend(params.keyword_only.iter().map(param));
        parts.extend(params.args.iter().map(|ident| format!("*{}", &self.0[ident.name])));
        parts.extend(params.kwargs.iter().map(|ident| format!("**{}", &self.0[ident.name])));
        parts.join(" ")
    }

    fn exprs(&self, exprs: &[Expr]) -> String {
        self.list(exprs, |expr| self.expr(expr))
    }

    fn entry(&self, entry: &DictEntry) -> String {
        format!("{}:{}", self.expr(&entry.key), self.expr(&entry.value))
    }

    fn clauses(&self, clauses: &[Clause]) -> String {
        self.list(clauses, |clause| match clause {
            Clause::For { target, iterable } => {
                format!("for {} {}", self.target(target), self.expr(iterable))
            }
            Clause::If(cond) => format!("if {}", self.expr(cond)),
        })
    }

    fn expr(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Ident(ident) => self.0[ident.name].to_string(),
            ExprKind::Int(value) => value.to_string(),
            ExprKind::BigInt(value) => format!("{value}n"),
            ExprKind::Float(value) => format!("{value:?}"),
            ExprKind::Str(value) => format!("{value:?}"),
            ExprKind::Bytes(value) => format!("b{:?}", value.escape_ascii().to_string()),
            ExprKind::Tuple(items) => format!("(tuple {})", self.exprs(items)),
            ExprKind::List(items) => format!("[{}]", self.exprs(items)),
            ExprKind::Dict(entries) => format!("{{{}}}", self.list(entries, |e| self.entry(e))),
            ExprKind::ListComp(c) => format!("[{} {}]", self.expr(&c.element), self.clauses(&c.clauses)),
            ExprKind::DictComp(c) => format!("{{{} {}}}", self.entry(&c.entry), self.clauses(&c.clauses)),
            ExprKind::Unary(u) => format!("({:?} {})", u.op, self.expr(&u.operand)),
            ExprKind::Binary(binary) => {
                let tail = |t: &BinaryTail| format!("{} {}", t.op.as_str(), self.expr(&t.operand));
                format!("({} {})", self.expr(&binary.first), self.list(&binary.tails, tail))
            }
            ExprKind::And(items) => format!("(and {})", self.exprs(items)),
            ExprKind::Or(items) => format!("(or {})", self.exprs(items)),
            ExprKind::Conditional(c) => {
                format!("(? {} {} {})", self.expr(&c.cond), self.expr(&c.then), self.expr(&c.otherwise))
            }
            ExprKind::Lambda(f) => format!("(lambda ({}) {})", self.params(&f.params), self.block(&f.body)),
            ExprKind::Primary(p) => {
                format!("({} {})", self.expr(&p.operand), self.list(&p.suffixes, |s| self.suffix(s)))
            }
        }
    }

    fn suffix(&self, suffix: &Suffix) -> String {
        let optional = |operand: &Option<Expr>| operand.as_ref().map_or("_".into(), |expr| self.expr(expr));
        match &suffix.kind {
            SuffixKind::Attr(name) => format!(".{}", &self.0[name.symbol]),
            SuffixKind::Index(index) => format!("[{}]", self.expr(index)),
            SuffixKind::Slice(s) => {
                format!("[{}:{}:{}]", optional(&s.start), optional(&s.stop), optional(&s.step))
            }
            SuffixKind::Call(args) => {
                let mut parts: Vec<String> = args.positional.iter().map(|arg| self.expr(arg)).collect();
                let named =
                    |arg: &NamedArg| format!("{}={}", &self.0[arg.name.symbol], self.expr(&arg.value));
                parts.extend(args.named.iter().map(named));
                parts.extend(args.args.iter().map(|arg| format!("*{}", self.expr(arg))));
                parts.extend(args.kwargs.iter().map(|arg| format!("**{}", self.expr(arg))));
                format!("({})", parts.join(" "))
            }
        }
    }
}

/// The tree of a program in the language with all extensions.
fn tree(text: &str) -> String {
    let parsed = parse(&SourceFile::new("test.star", text), &Dialect::EXTENDED);
    let errors = parsed.syntax_errors.iter().chain(&parsed.check_errors);
    let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{text:?}: {errors:?}");
    Tree(&parsed.file.names).block(&parsed.file.body)
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(&tree(text), expected, "for {text:?}");
    }
}

#[test]
fn numbers() {
    check(&[
        ("0", "0"),
        ("00", "0"),
        ("0x7fffffffffffffff", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808n"),
        ("0XffFFffFFffFFffFFff", "4722366482869645213695n"),
        ("0o17 + 0O7", "(15 + 7)"),
        ("0b101 + 0B1", "(5 + 1)"),
        ("1.5e3", "1500.0"),
        ("0.", "0.0"),
        (".5", "0.5"),
        ("1E-2", "0.01"),
        ("007.5", "7.5"),
        ("1.e1", "10.0"),
        ("0in x", "(0 in x)"),
    ]);
}

#[test]
fn strings() {
    check(&[
        ("\"it's\"", "\"it's\""),
        (r"'a\n\t\\\'\x41\101\0\u00e9\U0001F600'", r#""a\n\t\\'AA\0é😀""#),
        ("'a\\\nb'", "\"ab\""),
        ("'a\\\r\nb'", "\"ab\""),
        (r"r'a\n\''", r#""a\\n\\'""#),
        ("'''a\nb'c''d\\''''", "\"a\\nb'c''d'\""),
        ("\"\"\"a\r\nb\rc\"\"\"", "\"a\\nb\\nc\""),
        ("r'''\r\n'''", "\"\\n\""),
        ("''", "\"\""),
        ("''''''", "\"\""),
        (r"'\7\07\007\1011'", "\"\\u{7}\\u{7}\\u{7}A1\""),
        (r"b'\xff\377é\u00e9'", r#"b"\\xff\\xff\\xc3\\xa9\\xc3\\xa9""#),
        (r#"rb"\x00" + br'\x00'"#, r#"(b"\\\\x00" + b"\\\\x00")"#),
        ("b'''a\nb'''", r#"b"a\\nb""#),
    ]);
}

#[test]
fn precedence_and_chains() {
    check(&[
        ("a + b - c", "(a + b - c)"),
        ("a + b * c - d", "(a + (b * c) - d)"),
        ("a * b + c * d", "((a * b) + (c * d))"),
        ("(a + b) + c", "((a + b) + c)"),
        ("a + (b + c)", "(a + (b + c))"),
        ("a or b and c or d", "(or a (and b c) d)"),
        ("not a == b", "(Not (a == b))"),
        ("not not a and b", "(and (Not (Not a)) b)"),
        ("a not in b and c in d", "(and (a not in b) (c in d))"),
        ("a < b or c >= d", "(or (a < b) (c >= d))"),
        ("a | b ^ c & d << e + f", "(a | (b ^ (c & (d << (e + f)))))"),
        ("a + b << c & d ^ e | f", "(((((a + b) << c) & d) ^ e) | f)"),
        ("a << b >> c", "(a << b >> c)"),
        ("a // b % c / d", "(a // b % c / d)"),
        ("-a.b + ~c[0]", "((Minus (a .b)) + (Invert (c [0])))"),
        ("- + -1", "(Minus (Plus (Minus 1)))"),
        ("a if b else c if d else e", "(? b a (? d c e))"),
        ("(a if b else c) if d else e", "(? d (? b a c) e)"),
        ("a == b if c else d", "(? c (a == b) d)"),
    ]);
}

#[test]
fn primaries() {
    check(&[
        ("a.b.c", "(a .b .c)"),
        ("a.b(c)[d](e)", "(a .b (c) [d] (e))"),
        ("(a.b).c", "((a .b) .c)"),
        ("f()", "(f ())"),
        ("f(a, b, c=d, *e, **g)", "(f (a b c=d *e **g))"),
        ("f(a,)", "(f (a))"),
        ("f(x in y)", "(f ((x in y)))"),
        ("a[b, c]", "(a [(tuple b c)])"),
        ("a[:]", "(a [_:_:_])"),
        ("a[b:]", "(a [b:_:_])"),
        ("a[:b]", "(a [_:b:_])"),
        ("a[::b]", "(a [_:_:b])"),
        ("a[b:c:d]", "(a [b:c:d])"),
        ("a[b::]", "(a [b:_:_])"),
        ("a[1, 2:]", "(a [(tuple 1 2):_:_])"),
    ]);
}

#[test]
fn displays_and_comprehensions() {
    check(&[
        ("()", "(tuple )"),
        ("(a)", "a"),
        ("(a,)", "(tuple a)"),
        ("a, b", "(tuple a b)"),
        ("[]", "[]"),
        ("[a, (b, c),]", "[a (tuple b c)]"),
        ("{}", "{}"),
        ("{a: b, c: d,}", "{a:b c:d}"),
        ("[x for x in y]", "[x for x y]"),
        ("[x for x, y in z if x if y for u in v]", "[x for <x y> z if x if y for u v]"),
        ("[x for (x,) in y]", "[x for <x> y]"),
        ("{k: v for k, v in z}", "{k:v for <k v> z}"),
        ("[x for x in y if lambda: z]", "[x for x y if (lambda () (return z))]"),
        ("[x for x in (y if a else b)]", "[x for x (? a y b)]"),
        ("[a for b.c in d]", "[a for (. b c) d]"),
    ]);
}

#[test]
fn functions() {
    let typed = "def f(a: int, *b: list[str], c: int = 1, **d: x) -> y:\n  e: int = a\n  g: int\n";
    check(&[
        ("lambda: 0", "(lambda () (return 0))"),
        ("lambda x, y=1, *a, z, **k: x", "(lambda (x y=1 | z *a **k) (return x))"),
        ("lambda: a if b else c", "(lambda () (return (? b a c)))"),
        ("def f(): pass", "(def f () pass)"),
        ("def f(a, b=c, *, d, e=g, **h): return", "(def f (a b=c | d e=g **h) return)"),
        ("def f(*a, b): return b, 1", "(def f (| b *a) (return (tuple b 1)))"),
        ("def f(a,\n  b,\n):\n  'doc'\n  pass\n", "(def f (a b) \"doc\" pass)"),
        (typed, "(def f (a | c=1 *b **d) (= e a) pass)"),
    ]);
}

#[test]
fn docstrings_are_noted() {
    let source = SourceFile::new("test.star", "def f():\n  '''what f does'''\ndef g():\n  b'no'\n");
    let parsed = parse(&source, &Dialect::STANDARD);
    let docs = parsed.file.body.iter().map(|stmt| match &stmt.kind {
        StmtKind::Def(def) => def.function.doc.as_deref(),
        _ => None,
    });
    let docs: Vec<Option<&str>> = docs.collect();
    assert_eq!(docs, [Some("what f does"), None]);
}

#[test]
fn assignments() {
    check(&[
        ("a = b", "(= a b)"),
        ("a, b = c", "(= <a b> c)"),
        ("(a, [b, c.d]), e[f] = g, h", "(= <<a <b (. c d)>> ([] e f)> (tuple g h))"),
        ("[] = ()", "(= <> (tuple ))"),
        ("(a) = b", "(= a b)"),
        ("(a.b).c = d", "(= (. (a .b) c) d)"),
        ("f(x).y[z] = 1", "(= ([] (f (x) .y) z) 1)"),
        ("a += 1; b.c -= 2; d[e] *= 3", "(+= a 1) (-= (. b c) 2) (*= ([] d e) 3)"),
        ("a /= b; a //= b; a %= b; a &= b", "(/= a b) (//= a b) (%= a b) (&= a b)"),
        ("a |= b; a ^= b; a <<= b; a >>= b;", "(|= a b) (^= a b) (<<= a b) (>>= a b)"),
    ]);
}

#[test]
fn compound_statements() {
    check(&[
        ("if a: b", "(if (a b) else )"),
        ("if a:\n  b\nelif c: d\nelif e:\n  f\nelse:\n  g", "(if (a b) (c d) (e f) else g)"),
        ("for x in y, z: break", "(for x (tuple y z) break)"),
        ("for x, (y, z) in w:\n  continue\n  pass", "(for <x <y z>> w continue pass)"),
        ("while a:\n\tb\n        c", "(while a b c)"),
        ("def f():\n  if a:\n    b\n\n # comment\n  c\n", "(def f () (if (a b) else ) c)"),
        ("load('m', 'a', b='c',)", "(load \"m\" a=a b=c)"),
    ]);
}

#[test]
fn lines() {
    check(&[
        ("a\r\nb\rc", "a b c"),
        ("\n\n  # indented comment\na # comment\n\n", "a"),
        ("a + \\\n  b", "(a + b)"),
        ("a + \\\r\n  b", "(a + b)"),
        ("f(a,\n# comment\n  b\n)\nc", "(f (a b)) c"),
        ("if a:\n  b\n   \n  c\n# at the margin\n  d", "(if (a b c d) else )"),
        ("if a:\n  if b:\n    c", "(if (a (if (b c) else )) else )"),
        ("é1 = ñ_", "(= é1 ñ_)"),
        ("", ""),
    ]);
}

#[test]
fn spans_cover_their_text() {
    let source = SourceFile::new("test.star", "xé = (a + b).c(d)  # end\nif x:\n  y\nz\n");
    let body = parse(&source, &Dialect::EXTENDED).file.body;
    let texts: Vec<&str> = body.iter().map(|stmt| source.slice(stmt.span)).collect();
    assert_eq!(texts, ["xé = (a + b).c(d)", "if x:\n  y", "z"]);
    let StmtKind::Assign(assign) = &body[0].kind else { panic!("{body:?}") };
    let ExprKind::Primary(primary) = &assign.value.kind else { panic!("{body:?}") };
    assert_eq!(source.slice(assign.op_span), "=");
    assert_eq!(source.slice(primary.operand.span), "(a + b)");
    let suffixes: Vec<&str> = primary.suffixes.iter().map(|suffix| source.slice(suffix.span)).collect();
    assert_eq!(suffixes, [".c", "(d)"]);
    assert_eq!(source.position(primary.suffixes[1].span.start), "test.star:1:15");
}
