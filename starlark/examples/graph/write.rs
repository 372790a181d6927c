//! The modules: each is a package of a repository, with targets that depend on those of the packages it loads, functions to
//! work with them, and something to compute: which targets each needs, in which order they are built, what that costs.

use std::fmt::Write as _;
use std::path::Path;

/// The module that loads all others, directly or not.
pub const MAIN: &str = "main.star";

/// A program that calls `parallel_map`, with this many elements.
pub const MAP: &str = "map.star";
pub const ELEMENTS: usize = 64;

/// The module with the function, which computes and allocates, and gives back a number and a small table.
const WORK: &str = r#""""Collatz sequences."""

def longest(block):
    best, steps = 0, 0
    seen = {}
    for first in range(block * 500 + 1, block * 500 + 501):
        n, count = first, 0
        for _ in range(1 << 30):
            if n == 1:
                break
            n = n // 2 if n % 2 == 0 else 3 * n + 1
            count += 1
        seen[str(first)] = [first, count]
        if count > steps:
            best, steps = first, count
    return (best, steps, sorted(seen.items())[:3])
"#;

/// Packages are loaded from among so many before. Larger: a wider graph, more to be done at the same time.
const NEAR: usize = 60;
/// The most that a module loads.
const LOADS_MAX: usize = 5;

/// What every package does; `NAME`, `SIZE`, `SEED` and `LOADED` are its own.
const BODY: &str = r#"
def label(name):
    return "//%s:%s" % (NAME, name)

def random(state):
    return (state * 1103515245 + 12345) % 2147483648

def make_targets():
    """The targets of this package, by label: each has sources, and needs some before it, here or in another package."""
    state = SEED
    targets = {}
    outer = []
    for package in LOADED:
        outer.extend([name for name in package.exported])
    for i in range(SIZE):
        state = random(state)
        name = label("t%d" % i)
        deps = []
        for k in range(state // 64 % 4):
            state = random(state)
            if i and state // 256 % 3:
                deps.append(label("t%d" % (i - 1 - state // 1024 % min(i, 12))))
            elif outer:
                deps.append(outer[state // 1024 % len(outer)])
        sources = ["src/%s/%d_%d.c" % (NAME, i, k) for k in range(1 + state // 512 % 6)]
        targets[name] = struct(
            name = name,
            kind = "library" if state // 128 % 4 else "binary",
            sources = sources,
            deps = sorted(set(deps)),
            flags = {"-D" + NAME.upper(): str(i), "-O": state // 64 % 4, "-I": [s.rsplit("/", 1)[0] for s in sources]},
        )
    return targets

def needed_by(name):
    """All targets of this package that one needs, and those of others that these need directly."""
    seen = {name: None}
    pending = [name]
    for _ in range(1 << 30):
        if not pending:
            return sorted(seen)
        target = targets.get(pending.pop())
        if target == None:
            continue
        for dep in target.deps:
            if dep not in seen:
                seen[dep] = None
                pending.append(dep)

def cost(target):
    """What it takes to build one target, with nothing there."""
    words = " ".join(["%s=%s" % (flag, value) for flag, value in target.flags.items()])
    return len(words) + sum([len(source.split("/")) * 10 for source in target.sources])

def sum(xs):
    total = 0
    for x in xs:
        total += x
    return total

def plan():
    """What each target costs with all that it needs: a table by label."""
    costs = {name: cost(target) for name, target in targets.items()}
    for package in LOADED:
        costs.update(package.costs)
    table = {}
    for name in targets:
        needed = needed_by(name)
        table[name] = struct(needs = needed, cost = sum([costs.get(need, 1) for need in needed]))
    return table

targets = make_targets()
table = plan()
package = struct(
    name = NAME,
    exported = [name for name in targets][:8],
    costs = {name: table[name].cost for name in targets},
    cost_of = lambda name: table[name].cost,
)

def tell():
    dearest = sorted(table, key = lambda name: (-table[name].cost, name))[:3]
    from_others = sum([p.cost_of(p.exported[0]) for p in LOADED])
    print(NAME, len(targets), sum([len(row.needs) for row in table.values()]), from_others, dearest)

tell()
"#;

/// Numbers that are the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// Writes so many modules, one that loads what nobody else does, and the program that calls `parallel_map`. Says what the
/// graph looks like.
///
/// # Errors
/// A file cannot be written.
pub fn write(folder: &Path, modules: usize) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    let mut random = Random(5);
    let mut is_loaded = vec![false; modules];
    let (mut loads, mut height) = (0, vec![1; modules]);
    for number in 0..modules {
        let mut loaded: Vec<usize> = Vec::new();
        for _ in 0..random.below(LOADS_MAX + 1).min(number) {
            loaded.push(number - 1 - random.below(number.min(NEAR)));
        }
        loaded.sort_unstable();
        loaded.dedup();
        for &other in &loaded {
            is_loaded[other] = true;
            height[number] = height[number].max(height[other] + 1);
        }
        loads += loaded.len();
        std::fs::write(folder.join(file(number)), module(number, &loaded, &mut random))?;
    }
    std::fs::write(folder.join("work.star"), WORK)?;
    let map = format!("load(\"work.star\", \"longest\")\nprint(parallel_map(longest, range({ELEMENTS})))\n");
    std::fs::write(folder.join(MAP), map)?;
    let tops: Vec<usize> = (0..modules).filter(|&number| !is_loaded[number]).collect();
    std::fs::write(folder.join(MAIN), main(&tops))?;
    let longest = height.iter().max().unwrap_or(&0);
    Ok(format!("{modules} modules with {loads} loads, at most {longest} on top of each other"))
}

fn file(number: usize) -> String {
    format!("p{number:03}.star")
}

fn module(number: usize, loaded: &[usize], random: &mut Random) -> String {
    let mut text = format!("\"\"\"Package {number} of a generated repository.\"\"\"\n\n");
    let mut names = Vec::new();
    for &other in loaded {
        let _ = writeln!(text, "load(\"{}\", p{other} = \"package\")", file(other));
        names.push(format!("p{other}"));
    }
    let (size, seed) = (120 + random.below(120), random.below(1 << 30));
    let _ = writeln!(
        text,
        "\nNAME = \"p{number:03}\"\nSIZE = {size}\nSEED = {seed}\nLOADED = [{}]",
        names.join(", ")
    );
    text + BODY
}

fn main(tops: &[usize]) -> String {
    let mut text = String::new();
    let mut names = Vec::new();
    for &top in tops {
        let _ = writeln!(text, "load(\"{}\", p{top} = \"package\")", file(top));
        names.push(format!("p{top}"));
    }
    let all = names.join(", ");
    let _ = writeln!(text, "print(len([{all}]), sorted([p.cost_of(p.exported[-1]) for p in [{all}]]))");
    text
}
