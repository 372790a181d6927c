#!/bin/sh
# Installs the C interface: both libraries, the header, and a file for pkg-config.
#
#     capi/install.sh [--prefix DIR] [--libraries DIR]
#
# The prefix is /usr/local, unless it is given. Without a folder of libraries, they are built (release).
set -eu

crate=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local
libraries=
while [ $# -gt 0 ]; do
    case "$1" in
        --prefix) prefix=$2; shift 2 ;;
        --libraries) libraries=$2; shift 2 ;;
        *) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done
if [ -z "$libraries" ]; then
    cargo build --manifest-path "$crate/Cargo.toml" --release
    libraries=${CARGO_TARGET_DIR:-$crate/../target}/release
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$crate/../Cargo.toml" | head -n 1)

mkdir -p "$prefix/include" "$prefix/lib/pkgconfig"
# pkg-config is asked from anywhere.
prefix=$(cd "$prefix" && pwd)
cp "$crate/include/frazil.h" "$prefix/include/"
for library in libfrazil_c.a libfrazil_c.so libfrazil_c.dylib; do
    if [ -f "$libraries/$library" ]; then cp "$libraries/$library" "$prefix/lib/"; fi
done
cat > "$prefix/lib/pkgconfig/frazil.pc" <<END
prefix=$prefix
libdir=\${prefix}/lib
includedir=\${prefix}/include

Name: frazil
Description: a generational collector for language runtimes
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lfrazil_c
Libs.private: -lpthread -lm -ldl
END
