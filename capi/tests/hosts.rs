//! The hosts in `examples`, built and run: a Lisp in C, generated code, a document from Python, and a program that does
//! everything wrong. Skipped, with a word about it, where there is no C compiler or whatever else is wanted.

#[path = "c/mod.rs"]
mod c;

use std::process::Command;

use c::{build, compiles, file, folder, is_there, libraries, run, run_lisp};

/// Small nurseries, short collections, checking mode.
const SETTINGS: [&[&str]; 4] = [
    &[],
    &["--nursery", "16384"],
    &["--short", "--nursery", "16384"],
    &["--short", "--nursery", "16384", "--check", "1000"],
];

/// Megabytes of allocation for each of the Lisp's programs, a hundred or more.
const LARGE: [u32; 4] = [200, 400, 600, 1500];

#[test]
fn the_header_is_plain_c_and_cpp() {
    let source = folder("header").join("all.c");
    std::fs::write(&source, "#include <frazil.h>\nint main(void) { return 0; }\n").expect("a file");
    let include = format!("-I{}", file("include").display());
    let strict = ["-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror", "-fsyntax-only", &include];
    let source = source.display().to_string();
    if compiles(&[]) {
        for standard in ["-std=c99", "-std=c11"] {
            run("cc", [&strict[..], &[standard, &source]].concat());
        }
    }
    if is_there("c++", &["--version"]) {
        run("c++", [&strict[..], &["-x", "c++", "-std=c++11", &source]].concat());
    }
}

#[test]
fn every_misuse_has_its_status() {
    if compiles(&[]) {
        let misuse = build("misuse", "misuse", &[]);
        for arguments in [&[][..], &["plain"]] {
            assert!(run(&misuse, arguments).ends_with(" refusals, 0 mistakes\n"));
        }
        if cfg!(target_os = "linux") {
            assert_eq!(run(&misuse, ["starved"]), "4 refusals, 0 mistakes\n");
        }
    }
}

#[test]
fn the_lisp_runs_its_programs() {
    if !compiles(&[]) {
        return;
    }
    let lisp = build("lisp", "lisp", &[]).display().to_string();
    for options in SETTINGS {
        run_lisp(&[&lisp], options, [2, 2, 2, 2]);
    }
    let wrong = Command::new(&lisp).arg(file("examples/lisp/wrong.lisp")).output().expect("it runs");
    assert_eq!(String::from_utf8_lossy(&wrong.stdout), "0\n");
    assert_eq!(String::from_utf8_lossy(&wrong.stderr), "lisp: FRAZIL_FROZEN: the object is frozen\n");
    assert_eq!(wrong.status.code(), Some(1));
}

#[test]
fn generated_code_allocates() {
    if compiles(&[]) {
        let said = run(build("emit", "emit", &[]), ["50000"]);
        let expected =
            ["50000 conses, 1000 kept, and nothing else\n", "skipped: the code is for x86-64 and Unix\n"];
        assert!(expected.contains(&said.as_str()), "{said}");
    }
}

/// The bump that a compiler makes of `frazil_alloc_fast`: load, add, compare, branch, store.
#[test]
#[cfg(target_arch = "x86_64")]
fn inline_allocation_takes_five_instructions() {
    if !compiles(&[]) {
        return;
    }
    let source = folder("five").join("five.c");
    let text =
        "#include <frazil.h>\nfrazil_value made(frazil_raw *raw) { return frazil_alloc_fast(raw, 7, 32); }\n";
    std::fs::write(&source, text).expect("a file");
    let include = format!("-I{}", file("include").display());
    let source = source.display().to_string();
    let assembly = run("cc", ["-O2", "-fno-asynchronous-unwind-tables", &include, "-S", "-o", "-", &source]);
    let is_instruction = |line: &&str| line.starts_with('\t') && !line.starts_with("\t.");
    let lines: Vec<&str> = assembly.lines().filter(is_instruction).map(str::trim).collect();
    let is_bump = |line: &&&str| !line.starts_with("endbr") && !line.ends_with("(%rax)");
    let path = lines.iter().take_while(|line| !line.starts_with("ret"));
    let bump: Vec<_> = path.filter(is_bump).collect();
    assert_eq!(bump.len(), 5, "{lines:#?}");
    assert!(bump.iter().any(|line| line.contains("104(%rdi)")), "{lines:#?}");
}

#[test]
fn python_builds_a_frozen_document() {
    let library =
        libraries().join(if cfg!(target_os = "macos") { "libfrazil_c.dylib" } else { "libfrazil_c.so" });
    if is_there("python3", &["--version"]) {
        let said = run("python3", [file("examples/document.py"), library]);
        assert_eq!(said, "507 objects frozen, 2520 in the heap, 0 traced\n");
    }
}

#[test]
fn an_installed_library_is_found_by_pkg_config() {
    if !(compiles(&[]) && is_there("sh", &["-c", ":"]) && is_there("pkg-config", &["--version"])) {
        return;
    }
    let prefix = folder("installed").display().to_string();
    let libraries = libraries().display().to_string();
    // A prefix that is named from here is found from anywhere.
    let install = file("install.sh").display().to_string();
    run("sh", ["-c", &format!("cd '{prefix}' && sh '{install}' --prefix . --libraries '{libraries}'")]);
    // What a program needs to start has the compatible version in its name; the other files are for those who build.
    let script = format!(
        "set -e
        export PKG_CONFIG_PATH='{prefix}/lib/pkgconfig'
        cc {source} -o '{prefix}/shared' $(pkg-config --cflags --libs frazil) -Wl,-rpath,'{prefix}/lib' -lpthread
        cc {source} -o '{prefix}/static' $(pkg-config --cflags frazil) \
            \"$(pkg-config --variable=libdir frazil)/libfrazil_c.a\" -lpthread -lm -ldl
        rm -f '{prefix}/lib/libfrazil_c.a' '{prefix}/lib/libfrazil_c.so' '{prefix}/lib/libfrazil_c.dylib'
        '{prefix}/shared'
        rm '{prefix}'/lib/libfrazil_c*
        '{prefix}/static'
        pkg-config --modversion frazil",
        source = file("examples/misuse.c").display(),
    );
    let said = run("sh", ["-c", &script]);
    assert_eq!(said.matches(" 0 mistakes\n").count(), 2, "{said}");
    assert!(said.ends_with(&format!(" 0 mistakes\n{}\n", env!("CARGO_PKG_VERSION"))), "{said}");
}

#[test]
fn what_is_packed_knows_nothing_of_where_it_was_packed() {
    if !is_there("sh", &["-c", ":"]) {
        return;
    }
    let (root, libraries) = (folder("packed"), libraries().display().to_string());
    let install = file("install.sh").display().to_string();
    let command =
        format!("DESTDIR='{}' sh '{install}' --prefix /usr --libraries '{libraries}'", root.display());
    run("sh", ["-c", &command]);
    let package = std::fs::read_to_string(root.join("usr/lib/pkgconfig/frazil.pc")).expect("it is installed");
    assert!(package.starts_with("prefix=/usr\n"), "{package}");
    assert!(root.join("usr/include/frazil.h").is_file() && root.join("usr/lib/libfrazil_c.a").is_file());
    for (arguments, status) in [(&["--libraries", "/"][..], 1), (&["--prefix"], 2), (&["--help"], 0)] {
        let output = Command::new("sh").arg(&install).args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
    }
}

#[test]
fn the_address_sanitizer_has_nothing_to_report() {
    if compiles(&["-fsanitize=address"]) {
        sanitized("sanitized", [1, 1, 1, 1]);
    }
}

#[test]
fn valgrind_has_nothing_to_report() {
    if compiles(&[]) && is_there("valgrind", &["--version"]) {
        under_valgrind("valgrind", [1, 1, 1, 1]);
    }
}

/// As many handles, scopes and weak references as there are numbers for.
#[test]
#[ignore = "it needs a gigabyte"]
fn every_table_is_full_one_day() {
    if compiles(&[]) {
        assert_eq!(run(build("full", "misuse", &[]), ["full"]), "4 refusals, 0 mistakes\n");
    }
}

/// As the two tests before those, with a hundred megabytes of allocation by each program.
#[test]
#[ignore = "it takes minutes"]
fn a_hundred_megabytes() {
    if compiles(&["-fsanitize=address"]) {
        sanitized("large", LARGE);
        let lisp = build("large", "lisp", &["-fsanitize=address"]).display().to_string();
        run_lisp(&[&lisp], &["--check", "20000"], LARGE);
        run_lisp(&[&lisp], &["--check", "20000", "--short"], LARGE);
    }
    if compiles(&[]) && is_there("valgrind", &["--version"]) {
        under_valgrind("large_valgrind", LARGE);
    }
}

fn sanitized(test: &str, sizes: [u32; 4]) {
    let flags = ["-fsanitize=address"];
    let misuse = build(test, "misuse", &flags);
    assert!(run(&misuse, [""; 0]).ends_with(" 0 mistakes\n"));
    let lisp = build(test, "lisp", &flags).display().to_string();
    run_lisp(&[&lisp], &[], sizes);
    run_lisp(&[&lisp], &["--short", "--nursery", "65536"], sizes);
    run(build(test, "emit", &flags), ["50000"]);
}

fn under_valgrind(test: &str, sizes: [u32; 4]) {
    let valgrind = ["valgrind", "-q", "--error-exitcode=9", "--leak-check=full"];
    let misuse = build(test, "misuse", &[]).display().to_string();
    assert!(run(valgrind[0], valgrind[1..].iter().chain([&misuse.as_str()])).ends_with(" 0 mistakes\n"));
    let lisp = build(test, "lisp", &[]).display().to_string();
    run_lisp(&[&valgrind[..], &[&lisp]].concat(), &[], sizes);
}
