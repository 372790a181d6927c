//! The forms that statements and expressions of random programs have.
//!
//! A form is Starlark with holes in it:
//!
//! ```text
//! <int>         any expression of the type
//! <a=ints>      a variable of the type;  <a!ints>  one that may be changed;  <a^ints>  one that may be rebound;
//!               <a~ints>  one that is frozen
//! <a>           the same variable again
//! @x            a fresh name
//! @x:int        the same, and it is a variable of this type from here on
//! <int+x:int>   any expression of the type, in which @x is a variable of that other type
//! ```
//!
//! Nothing grows without bound: texts and lists that may have become longer than their parts are cut, and what
//! is appended to is appended to once a step. Every form succeeds, unless a value is frozen or being iterated over
//! where that could not be foreseen.

use Type::{Bool, Float, Fn, Int, Ints, Knot, Pair, Pairs, Record, Rows, Set, Shelf, Table, Text, Texts};

/// What the generator knows of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// An int of any size.
    Int,
    /// A string.
    Text,
    /// A truth value.
    Bool,
    /// A float.
    Float,
    /// A list of ints.
    Ints,
    /// A list of strings.
    Texts,
    /// A list of lists of ints, which it may share with others.
    Rows,
    /// An int and a string.
    Pair,
    /// A list of pairs.
    Pairs,
    /// A dict from strings to ints.
    Table,
    /// A dict from strings to lists of ints.
    Shelf,
    /// A set of ints.
    Set,
    /// A list of anything, itself included.
    Knot,
    /// A struct with `size` and `name`.
    Record,
    /// A function from an int to an int.
    Fn,
}

impl Type {
    /// Every type.
    pub const ALL: [Type; 15] =
        [Int, Text, Bool, Float, Ints, Texts, Rows, Pair, Pairs, Table, Shelf, Set, Knot, Record, Fn];

    /// Its name in forms.
    pub fn name(self) -> &'static str {
        match self {
            Int => "int",
            Text => "text",
            Bool => "bool",
            Float => "float",
            Ints => "ints",
            Texts => "texts",
            Rows => "rows",
            Pair => "pair",
            Pairs => "pairs",
            Table => "table",
            Shelf => "shelf",
            Set => "set",
            Knot => "knot",
            Record => "record",
            Fn => "fn",
        }
    }

    /// The type of this name.
    pub fn named(name: &str) -> Type {
        let found = Type::ALL.into_iter().find(|is| is.name() == name);
        found.unwrap_or_else(|| panic!("no type is called {name:?}"))
    }

    /// A copy of a value, of which only the outermost object is new.
    pub fn copied(self, value: &str) -> String {
        match self {
            Ints | Texts | Rows | Pairs | Knot => format!("list({value})"),
            Table | Shelf => format!("dict({value})"),
            Set => format!("set({value})"),
            Int | Text | Bool | Float | Pair | Record | Fn => value.to_owned(),
        }
    }

    /// An expression to print of a value.
    pub fn shown(self, value: &str) -> String {
        match self {
            Knot => format!("walk({value})"),
            Fn => format!("{value}(5)"),
            Int => format!("{value} % 1000003"),
            _ => value.to_owned(),
        }
    }
}

/// What every module begins with: a look at a value that may contain itself, and a function that remembers.
pub const BEGINNING: &str = "\
def walk(knot):
    way = []
    for step in range(3):
        way.append((type(knot), len(knot)))
        inner = [x for x in knot if type(x) == \"list\"]
        if not inner:
            break
        knot = inner[step % len(inner)]
    return way
def counting(seen):
    def next(n):
        seen.append(n)
        return len(seen) + seen[0]
    return next
";

/// Literals.
pub const LITERALS: &[(Type, &[&str])] = &[
    (
        Int,
        &[
            "0",
            "1",
            "2",
            "3",
            "7",
            "10",
            "255",
            "1000003",
            "4611686018427387903",
            "4611686018427387904",
            "-1",
        ],
    ),
    (
        Text,
        &[
            "\"\"",
            "\"a\"",
            "\"be\"",
            "\"sea\"",
            "\"a b\"",
            "\"Dee\"",
            "\"e1\"",
            "\"\\u00e4\"",
            "\"line\\nend\"",
        ],
    ),
    (Bool, &["True", "False"]),
    (Float, &["0.5", "1.25", "-3.0", "1e10"]),
    (Ints, &["[]", "[1, 2, 3]", "[5]"]),
    (Texts, &["[]", "[\"a\", \"be\"]", "[\"sea\"]"]),
    (Rows, &["[]", "[[1], [2, 3]]", "[[]]"]),
    (Pair, &["(1, \"a\")", "(2, \"be\")"]),
    (Pairs, &["[]", "[(1, \"a\"), (2, \"be\")]"]),
    (Table, &["{}", "{\"a\": 1, \"be\": 2}"]),
    (Shelf, &["{}", "{\"a\": [1], \"sea\": []}"]),
    (Set, &["set()", "set([1, 2, 3])"]),
    (Knot, &["[]", "[[], [[]]]", "[1, \"a\", [2]]"]),
    (Record, &["struct(size = 1, name = \"a\")"]),
    (Fn, &["abs", "(lambda n: n + 1)"]),
];

/// Expressions.
pub const EXPRESSIONS: &[(Type, &str)] = &[
    (Int, "(<int> + <int>)"),
    (Int, "(<int> - <int>)"),
    (Int, "(<int> * <int> % 100003)"),
    (Int, "(<int> // 7)"),
    (Int, "(<int> % 13)"),
    (Int, "(<int> & <int>)"),
    (Int, "(<int> | 5)"),
    (Int, "(<int> ^ <int>)"),
    (Int, "(~<int>)"),
    (Int, "(-<int>)"),
    (Int, "(<int> % 1000 << 66)"),
    (Int, "(<int> >> 3)"),
    (Int, "(<int> if <bool> else <int>)"),
    (Int, "abs(<int>)"),
    (Int, "int(str(<int>))"),
    (Int, "len(<ints>)"),
    (Int, "len(<text>)"),
    (Int, "len(<table>)"),
    (Int, "len(<set>)"),
    (Int, "hash(<text>)"),
    (Int, "ord(chr(97 + <int> % 20))"),
    (Int, "max(<int>, <int>)"),
    (Int, "min(<ints> + [<int>])"),
    (Int, "max(<ints> + [0], key = <fn>)"),
    (Int, "min(<pairs> + [<pair>], key = lambda @x: <int+x:pair>)[0]"),
    (Int, "(<a=ints>[<int> % len(<a>)] if <a> else <int>)"),
    (Int, "([<int>] + <ints>)[0]"),
    (Int, "<table>.get(<text>, <int>)"),
    (Int, "<text>.find(\"e\")"),
    (Int, "<text>.rfind(<text>)"),
    (Int, "<text>.count(\"a\")"),
    (Int, "<fn>(<int>)"),
    (Int, "<record>.size"),
    (Int, "getattr(<record>, \"size\")"),
    (Int, "<pair>[0]"),
    (Int, "walk(<knot>)[0][1]"),
    (Text, "(<text> + <text>)[:60]"),
    (Text, "(<text> * 3)[:60]"),
    (Text, "(<text> if <bool> else <text>)"),
    (Text, "str(<int>)[:40]"),
    (Text, "str(<ints>)[:60]"),
    (Text, "str(<table>)[:60]"),
    (Text, "str(<float>)"),
    (Text, "repr(<text>)[:60]"),
    (Text, "repr(<rows>)[:60]"),
    (Text, "(\"%s-%d\" % (<text>, <int>))[:60]"),
    (Text, "(\"%r/%x\" % (<pair>, abs(<int>)))[:60]"),
    (Text, "\"{} and {x}\".format(<int>, x = <text>)[:60]"),
    (Text, "\", \".join(<texts>)[:60]"),
    (Text, "\"\".join([str(@x)[:5] for @x in <ints>])[:60]"),
    (Text, "\"\".join(list(<text>.elems()))"),
    (Text, "<text>[<int> % 5:]"),
    (Text, "<text>[::-1]"),
    (Text, "<text>.upper()[:60]"),
    (Text, "<text>.lower()[:60]"),
    (Text, "<text>.title()[:60]"),
    (Text, "<text>.capitalize()[:60]"),
    (Text, "<text>.strip()"),
    (Text, "<text>.lstrip(\"a\")"),
    (Text, "<text>.rstrip(\"e\")"),
    (Text, "<text>.replace(\"a\", <text>)[:60]"),
    (Text, "<text>.partition(\"a\")[0]"),
    (Text, "<text>.rpartition(\"e\")[2]"),
    (Text, "<text>.removeprefix(\"a\")"),
    (Text, "<text>.removesuffix(<text>)"),
    (Text, "(<a=texts>[<int> % len(<a>)] if <a> else <text>)"),
    (Text, "chr(97 + <int> % 26)"),
    (Text, "type(<knot>)"),
    (Text, "<record>.name"),
    (Text, "<pair>[1]"),
    (Bool, "(<int> < <int>)"),
    (Bool, "(<int> >= <int>)"),
    (Bool, "(<int> == <int>)"),
    (Bool, "(<text> != <text>)"),
    (Bool, "(<text> < <text>)"),
    (Bool, "(not <bool>)"),
    (Bool, "(<bool> and <bool>)"),
    (Bool, "(<bool> or <bool>)"),
    (Bool, "(<int> in <ints>)"),
    (Bool, "(<text> not in <texts>)"),
    (Bool, "(<text> in <table>)"),
    (Bool, "(<int> in <set>)"),
    (Bool, "(\"a\" in <text>)"),
    (Bool, "(<ints> == <ints>)"),
    (Bool, "(<pairs> <= <pairs>)"),
    (Bool, "any(<ints>)"),
    (Bool, "all(<ints>)"),
    (Bool, "bool(<table>)"),
    (Bool, "hasattr(<record>, \"more\")"),
    (Bool, "<text>.startswith(\"a\")"),
    (Bool, "<text>.endswith((\"a\", <text>))"),
    (Bool, "<text>.isalnum()"),
    (Bool, "<set>.issubset(<ints>)"),
    (Bool, "<set>.issuperset(<ints>)"),
    (Float, "float(<int> % 1000)"),
    (Float, "(<float> / 2)"),
    (Float, "(<float> + <int> % 8)"),
    (Float, "(<float> * 0.5 - <float>)"),
    (Ints, "[<int>, <int>]"),
    (Ints, "[<int>, <int>, <int>, <int>, <int>]"),
    (Ints, "(<ints> + <ints>)[:16]"),
    (Ints, "(<ints> * 2)[:16]"),
    (Ints, "<ints>[::-1]"),
    (Ints, "<ints>[1:]"),
    (Ints, "list(<ints>)"),
    (Ints, "sorted(<ints>)"),
    (Ints, "sorted(<ints>[:5], key = <fn>)"),
    (Ints, "sorted(<ints>[:5], key = lambda @x: <int+x:int>, reverse = <bool>)"),
    (Ints, "reversed(<ints>)"),
    (Ints, "list(range(<int> % 6))"),
    (Ints, "list(range(9, <int> % 7, -2))"),
    (Ints, "[<int+x:int> for @x in <ints>[:5]]"),
    (Ints, "[@x for @x in <ints>[:5] if <bool+x:int>]"),
    (Ints, "[@x * @y % 97 for @x in <ints>[:3] for @y in <ints>[:3]]"),
    (Ints, "[len(@x) for @x in <texts>[:5]]"),
    (Ints, "[@x[0] for @x in <pairs>[:5]]"),
    (Ints, "[@n for @n, @s in zip(<ints>, <texts>)]"),
    (Ints, "<table>.values()"),
    (Ints, "list(<set>)"),
    (Ints, "(<a=rows>[<int> % len(<a>)] if <a> else <ints>)"),
    (Ints, "<shelf>.get(<text>, <ints>)"),
    (Ints, "<a!shelf>.setdefault(<text>, <ints>)"),
    (Texts, "[<text>, <text>]"),
    (Texts, "(<texts> + <texts>)[:12]"),
    (Texts, "<texts>[:-1]"),
    (Texts, "<text>.split(\"a\")"),
    (Texts, "<text>.split()"),
    (Texts, "<text>.rsplit(\"e\", 1)"),
    (Texts, "<text>.splitlines()"),
    (Texts, "list(<text>.elems())[:12]"),
    (Texts, "<table>.keys()"),
    (Texts, "list(<shelf>)"),
    (Texts, "sorted(<texts>)"),
    (Texts, "sorted(<texts>[:5], key = lambda @x: <int+x:text>)"),
    (Texts, "[<text+x:text> for @x in <texts>[:5]]"),
    (Texts, "[str(@x)[:20] for @x in <ints>[:8]]"),
    (Texts, "[@x[1] for @x in <pairs>]"),
    (Texts, "dir(<record>)"),
    (Rows, "[<ints>, <ints>]"),
    (Rows, "([<ints>] * 2)"),
    (Rows, "(<rows> + <rows>)[:8]"),
    (Rows, "<rows>[1:]"),
    (Rows, "[[@x, <int+x:int>] for @x in <ints>[:5]]"),
    (Rows, "[@x for @x in <rows>[:5] if <bool+x:ints>]"),
    (Rows, "<shelf>.values()"),
    (Rows, "sorted(<rows>[:5], key = lambda @x: <int+x:ints>)"),
    (Pair, "(<int>, <text>)"),
    (Pair, "(<a=pairs>[<int> % len(<a>)] if <a> else <pair>)"),
    (Pair, "min(<pairs> + [<pair>])"),
    (Pair, "max((<pairs> + [<pair>])[-4:], key = lambda @x: <int+x:pair>)"),
    (Pairs, "[<pair>, <pair>]"),
    (Pairs, "(<pairs> + <pairs>)[:12]"),
    (Pairs, "list(zip(<ints>, <texts>))"),
    (Pairs, "enumerate(<texts>)"),
    (Pairs, "enumerate(<texts>, <int> % 9)"),
    (Pairs, "[(@x, str(@x)[:20]) for @x in <ints>[:5]]"),
    (Pairs, "[(<int+x:text>, @x) for @x in <texts>[:5]]"),
    (Pairs, "[(@v, @k) for @k, @v in <table>.items()]"),
    (Pairs, "sorted(<pairs>)"),
    (Table, "{<text>: <int>}"),
    (Table, "{\"a\": <int>, \"be\": <int>, \"sea\": <int>}"),
    (Table, "{@x: <int+x:text> for @x in <texts>[:5]}"),
    (Table, "{@k: @v + <int> for @k, @v in <table>.items()[:8]}"),
    (Table, "dict(a = <int>, dee = <int>)"),
    (Table, "dict(<table>, e1 = <int>)"),
    (Table, "dict([(@y, @x) for @x, @y in <pairs>])"),
    (Table, "(<table> | <table>)"),
    (Shelf, "{<text>: <ints>}"),
    (Shelf, "{@x: <ints+x:text> for @x in <texts>[:5]}"),
    (Shelf, "dict([(@x, [<int+x:text>]) for @x in <texts>[:5]])"),
    (Shelf, "(<shelf> | {\"a\": <ints>})"),
    (Set, "set(<ints>)"),
    (Set, "(<set> | <set>)"),
    (Set, "(<set> & <set>)"),
    (Set, "(<set> - <set>)"),
    (Set, "(<set> ^ <set>)"),
    (Set, "<set>.union(<ints>)"),
    (Set, "<set>.intersection(<ints>)"),
    (Set, "<set>.difference(<ints>)"),
    (Set, "<set>.symmetric_difference(<ints>)"),
    (Knot, "[<int>, <knot>]"),
    (Knot, "[<knot>, <knot>, <float>]"),
    (Knot, "[<ints>, <text>, <rows>]"),
    (Knot, "[<fn>, <record>, <pair>, [<set>]]"),
    (Knot, "[[<shelf>, <table>], <knot>]"),
    (Knot, "list(<knot>)"),
    (Knot, "<knot>[1:]"),
    (Record, "struct(size = <int>, name = <text>)"),
    (Record, "struct(more = <ints>, size = <int>, name = <text>)"),
    (Fn, "(lambda @x: <int+x:int>)"),
    (Fn, "counting([<int>])"),
    (Fn, "counting([<int>, <int>])"),
    (Fn, "(lambda @x, by = <int>: @x + by)"),
    (Fn, "(lambda *rest: len(rest) + <int>)"),
    (Fn, "(lambda @x, **named: @x + len(named))"),
];

/// Statements without a block, or with one that is part of the form.
pub const STATEMENTS: &[&str] = &[
    "@x:int = <int>",
    "@x:text = <text>",
    "@x:float = <float>",
    "@x:ints = <ints>",
    "@x:texts = <texts>",
    "@x:rows = <rows>",
    "@x:pairs = <pairs>",
    "@x:table = <table>",
    "@x:shelf = <shelf>",
    "@x:set = <set>",
    "@x:knot = <knot>",
    "@x:record = <record>",
    "@x:fn = <fn>",
    "@x:int, @y:text = <pair>",
    "[@x:int, @y:ints] = [<int>, <ints>]",
    "(@x:int, (@y:text, @z:knot)) = (<int>, (<text>, <knot>))",
    "<a^int> = <int>",
    "<a^int> += <int>",
    "<a^int> -= <int>",
    "<a^int> //= 3",
    "<a^text> = <text>",
    "<a^text> += <text>[:2]",
    "<a^ints> = <ints>",
    "<a^rows> = <rows>",
    "<a^table> = <table>",
    "<a^knot> = <knot>",
    "<a^fn> = <fn>",
    "<a^record> = <record>",
    "<a!ints>.append(<int>)",
    "<a!ints>.extend(<ints>[:4])",
    "<a!ints>.insert(<int> % 4, <int>)",
    "<a!ints>.pop() if <a> else None",
    "<a!ints>.remove(<a>[0]) if <a> else None",
    "<a!ints>.clear()",
    "if <a!ints>:\n<a>[<int> % len(<a>)] = <int>",
    "if <a!ints>:\n<a>[-1] += <int>",
    "<a!texts>.append(<text>)",
    "if <a!texts>:\n<a>[0] = <text>",
    "<a!rows>.append(<ints>)",
    "<a!rows>.pop(0) if <a> else None",
    "if <a!rows>:\n<a>[<int> % len(<a>)] = <ints>",
    "if <a!rows>:\n<a>[0] += [<int>]",
    "<a!pairs>.append(<pair>)",
    "<a!knot>.append(<a>)",
    "<a!knot>.append(<knot>)",
    "<a!knot>.append(<record>)",
    "<a!knot>.insert(0, <fn>)",
    "<a!knot>.extend([<rows>, <shelf>])",
    "<a!knot>.pop() if <a> else None",
    "<a!knot>.clear()",
    "if <a!knot>:\n<a>[0] = <b=knot>",
    "<a!table>[<text>] = <int>",
    "<a!table>.update(<table>)",
    "<a!table>.update([(<text>, <int>)], e1 = <int>)",
    "<a!table>.setdefault(<text>, <int>)",
    "<a!table>.pop(<text>, None)",
    "<a!table>.popitem() if <a> else None",
    "<a!table>.clear()",
    "<a!shelf>[<text>] = <ints>",
    "<a!shelf>.setdefault(<text>, []).append(<int>)",
    "<a!set>.add(<int>)",
    "<a!set>.discard(<int>)",
    "<a!set>.update(<ints>)",
    "<a!set>.pop() if <a> else None",
    "<a!set>.remove(list(<a>)[0]) if <a> else None",
    "<a!set>.clear()",
    "print(<int>, <text>)",
    "print(<ints>, sep = \" \")",
    "print(<pairs>, <table>)",
    "print(\"%r %s\" % (<texts>, <set>))",
    "print(<rows>, <bool>)",
    "print(<shelf>)",
    "print(<record>)",
    "print(walk(<knot>))",
    "print(<fn>(<int>))",
];

/// Statements with a block, and about how often that is executed.
pub const BLOCKS: &[(&str, u32)] = &[
    ("if <bool>:", 1),
    ("if <int> % 3 == 0:", 1),
    ("for @x:int in range(3):", 3),
    ("for @x:int in range(<int> % 4):", 2),
    ("for @x:int in <ints>[:3]:", 3),
    ("for @x:text in <texts>[:3]:", 3),
    ("for @x:text in <text>[:3].elems():", 3),
    ("for @x:ints in <rows>[:3]:", 3),
    ("for @x:int, @y:text in <pairs>[:3]:", 3),
    ("for @x:int, @y:text in enumerate(<texts>[:3]):", 3),
    ("for @x:text, @y:int in <table>.items()[:3]:", 3),
    ("for @x:text, @y:ints in <shelf>.items()[:2]:", 2),
    ("for @x:int in sorted(<set>)[:3]:", 3),
    // These end after one round, so that what they run over may be of any length.
    ("for @x:int in <a=ints>:", ONCE),
    ("for @x:text in <a=table>:", ONCE),
    ("for @x:int in <a=set>:", ONCE),
];

/// How often the block of a loop that is left at its end is executed.
pub const ONCE: u32 = 0;

/// Statements that end a program.
pub const ERRORS: &[&str] = &[
    "fail(<text>, <int>)",
    "[][<int>]",
    "{}[<text>]",
    "<int> // 0",
    "int(\"x\" + <text>)",
    "len(<int>)",
    "<text>.index(\"no such text\")",
    "<ints>.nonesuch()",
    "[1] + <text>",
    "<fn>()",
    "<a~ints>.append(<int>)",
    "<a~table>[<text>] = <int>",
    "<a~knot>.append(<a>)",
    "for @x in <a!ints> or [1]:\n<a>.append(@x)\n(<a> or [])[9999]",
    "struct(a = <knot>).b",
    "sorted([1, <text>])",
    "sorted([3, 2], key = lambda @x: [][<int+x:int>])",
    "set([<ints>])",
    "(lambda @x: @x + 1)(<text>)",
];
