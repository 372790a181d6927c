#!/bin/sh
# Installs the C interface: both libraries, the header, and a file for pkg-config.
#
#     capi/install.sh [--prefix DIR] [--libraries DIR]
#
# The prefix is /usr/local, unless it is given. Without a folder of libraries, they are built (release). With DESTDIR in the
# environment, files go below it, as if it were the root: for those who make packages. Programs are linked by
#
#     cc host.c $(pkg-config --cflags --libs frazil)            # with the shared library
#     cc host.c $(pkg-config --cflags frazil) "$(pkg-config --variable=libdir frazil)/libfrazil_c.a" -lpthread -lm -ldl
set -eu

usage() { sed -n '2,10s/^# \{0,1\}//p' "$0"; }
crate=$(cd "$(dirname "$0")" && pwd)
prefix=/usr/local
libraries=
while [ $# -gt 0 ]; do
    case "$1" in
        --help) usage; exit ;;
        --prefix | --libraries)
            if [ $# -lt 2 ]; then usage >&2; exit 2; fi
            if [ "$1" = --prefix ]; then prefix=$2; else libraries=$2; fi
            shift 2 ;;
        *) usage >&2; exit 2 ;;
    esac
done
if [ -z "$libraries" ]; then
    cargo build --manifest-path "$crate/Cargo.toml" --release
    target=$(cargo metadata --manifest-path "$crate/Cargo.toml" --format-version 1 --no-deps |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    libraries=$target/release
fi
if ! [ -f "$libraries/libfrazil_c.a" ]; then
    echo "install.sh: there is no libfrazil_c.a in $libraries" >&2
    exit 1
fi
# That of the package, or of the workspace it belongs to.
version=$(cat "$crate/Cargo.toml" "$crate/../Cargo.toml" 2>/dev/null |
    sed -n 's/^version = "\(.*\)"$/\1/p' | head -n 1)
# What build.rs calls compatible.
case "$version" in
    0.0.*) compatible=$version ;;
    0.*) compatible=${version%.*} ;;
    *) compatible=${version%%.*} ;;
esac

# pkg-config is asked from anywhere.
case "$prefix" in /*) ;; *) mkdir -p "$prefix" && prefix=$(cd "$prefix" && pwd) ;; esac
to=${DESTDIR:-}$prefix
mkdir -p "$to/include" "$to/lib/pkgconfig"
cp "$crate/include/frazil.h" "$to/include/"
cp "$libraries/libfrazil_c.a" "$to/lib/"

# shared FILE WHOLE COMPATIBLE: the shared library by its whole version, the name that programs ask for when they start, and
# the one by which they are linked.
shared() {
    if [ -f "$libraries/$1" ]; then
        # A library that is in use keeps its file.
        rm -f "$to/lib/$2"
        cp "$libraries/$1" "$to/lib/$2"
        ln -sf "$2" "$to/lib/$3"
        ln -sf "$3" "$to/lib/$1"
    fi
}
shared libfrazil_c.so "libfrazil_c.so.$version" "libfrazil_c.so.$compatible"
shared libfrazil_c.dylib "libfrazil_c.$version.dylib" "libfrazil_c.$compatible.dylib"

cat > "$to/lib/pkgconfig/frazil.pc" <<END
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
