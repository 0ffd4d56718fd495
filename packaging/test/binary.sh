#!/bin/sh
# The shipped binary: what it asks of a system, and how big it and the packages are.
set -eu
. "$(dirname "$0")/lib.sh"

binary=$packages/root/usr/local/mgr5/processing/pmvmmanager6

newest_glibc() {
    newest=$(objdump -T "$binary" | grep -o 'GLIBC_[0-9.]*' | sort -V -u | tail -n 1)
    echo "$newest"
    [ "$(printf '%s\n' "$newest" GLIBC_2.28 | sort -V | tail -n 1)" = GLIBC_2.28 ]
}

only_libc() {
    objdump -p "$binary" | awk '$1 == "NEEDED" { print $2 }' >"$work/needed"
    cat "$work/needed"
    fails grep -vE '^(libc|libm|libdl|librt|libpthread|libutil|ld-linux-x86-64)\.so\.[0-9]+$' "$work/needed"
}

# at_most MIB FILE...
at_most() {
    limit=$(($1 * 1024 * 1024))
    shift
    for file in "$@"; do
        size=$(stat -c %s "$file")
        echo "$file: $size bytes"
        [ "$size" -le "$limit" ]
    done
}

no_paths() {
    strings "$binary" >"$work/strings"
    fails grep -E "^($repository|$target|${CARGO_HOME:-$HOME/.cargo})|/rustup/" "$work/strings"
}

# Every library that cargo links, and nothing else.
names_its_parts() {
    "$AUDITABLE2CDX" "$binary" | grep -o '"purl": *"pkg:cargo/[^@"]*@[^"?&]*' | sed 's,.*cargo/,,' | LC_ALL=C sort -u >"$work/parts"
    (cd "$repository" && cargo tree --locked -p pmvmmanager6 -e normal --prefix none --format '{p}' \
        --target x86_64-unknown-linux-gnu) | awk 'NF { sub("^v", "", $2); print $1 "@" $2 }' | LC_ALL=C sort -u >"$work/linked"
    says "$work/parts" rustls@
    LC_ALL=C comm -13 "$work/parts" "$work/linked"
    [ -z "$(LC_ALL=C comm -13 "$work/parts" "$work/linked")" ]
}

check "it needs no newer glibc than 2.28" newest_glibc
check "it needs the C library and nothing else" only_libc
check "the binary has at most 8 MiB" at_most 8 "$binary"
check "the packages have at most 4 MiB" at_most 4 "$packages"/*.deb "$packages"/*.rpm
check "it names the libraries in it" names_its_parts
check "it does not say where it was built" no_paths
finish
