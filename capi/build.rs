//! The name by which programs ask for the shared library when they start. It has the part of the version that says what is
//! compatible, so that an installed program does not meet a library that is not; `install.sh` makes a file of that name.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let of = |name: &str| env::var(name).unwrap_or_default();
    let [major, minor, patch] =
        ["MAJOR", "MINOR", "PATCH"].map(|part| of(&format!("CARGO_PKG_VERSION_{part}")));
    // As Cargo sees it: 1.2.3 by 1, 0.1.2 by 0.1, 0.0.1 by all of it.
    let compatible = match (major.as_str(), minor.as_str()) {
        ("0", "0") => format!("0.0.{patch}"),
        ("0", minor) => format!("0.{minor}"),
        (major, _) => major.to_owned(),
    };
    if of("CARGO_CFG_TARGET_VENDOR") == "apple" {
        let name = format!("@rpath/libfrazil_c.{compatible}.dylib");
        let version = format!("-compatibility_version,{compatible},-current_version,{major}.{minor}.{patch}");
        println!("cargo::rustc-cdylib-link-arg=-Wl,-install_name,{name},{version}");
    } else if env::var_os("CARGO_CFG_UNIX").is_some() {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libfrazil_c.so.{compatible}");
    }
}
