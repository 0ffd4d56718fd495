#!/bin/sh
# What is published can be checked, and whatever was changed on the way is found: with a key that is thrown away.
set -eu
. "$(dirname "$0")/lib.sh"

release=$work/release
GNUPGHOME=$(mktemp -d)
export GNUPGHOME
trap 'gpgconf --kill all; rm -rf "$GNUPGHOME"' EXIT
"$here/../need" gpg gnupg

new_key() {
    gpg --batch --quiet --passphrase '' --quick-generate-key "$1" default default 1d 2>/dev/null
    gpg --armor --export "$1" >"$work/$1.asc"
}

release() {
    rm -rf "$signed"
    "$repository/packaging/release" "$release" release-test
    cp -a "$release" "$signed"
}

verify() {
    "$repository/packaging/verify-release" "$release" "$work/$1.asc"
}

# changed COMMAND...: the command changes the folder; that is found. Then all is as before.
changed() {
    (cd "$release" && "$@")
    if verify release-test; then
        echo "nobody has noticed: $*"
        return 1
    fi
    rm -rf "$release"
    cp -a "$signed" "$release"
}

# One byte in the middle of a file, and its checksum made right.
flip() {
    middle=$(($(stat -c %s "$1") / 2))
    byte=$(od -An -tu1 -j "$middle" -N 1 "$1")
    # shellcheck disable=SC2059 # the byte is the format
    printf "\\$(printf %o $(((byte + 1) % 256)))" | dd of="$1" bs=1 seek="$middle" conv=notrunc status=none
}

every_byte_counts() {
    for file in "$signed"/*; do
        changed flip "$(basename "$file")"
    done
}

sum_again() {
    flip "$1"
    sha256sum -- *.deb *.rpm *.gz *.json >SHA256SUMS
}

unsigned_package() {
    cp "$packages"/*."$1" .
    sign_again
}

sign_again() {
    sha256sum -- *.deb *.rpm *.gz *.json >SHA256SUMS
    gpg --batch --yes --local-user release-test --armor --detach-sign SHA256SUMS
}

other_parts() {
    sed -i s/rustls/russls/ -- *.json
    sign_again
}


sources_are_whole() {
    tar --list --gzip --file "$release"/*.tar.gz | sed 's,^[^/]*/,,' | grep -v '/$' | grep . | LC_ALL=C sort >"$work/archived"
    git -C "$repository" ls-tree -r --name-only HEAD | LC_ALL=C sort | diff - "$work/archived"
}

check "a key is made" new_key release-test
check "the release is put together and signed" release
check "it is as it was released" verify release-test
check "its sources are those of the commit" sources_are_whole
check "another key has not signed it" eval 'new_key somebody-else && fails verify somebody-else'
check "one changed byte in any file is found" every_byte_counts
check "a changed byte with its checksum is found" changed sum_again "$(basename "$packages"/*.deb)"
check "a file too many is found" changed cp SHA256SUMS more.txt
check "a missing file is found" changed eval 'rm *.rpm'
check "a package without a signature inside is found" eval 'changed unsigned_package deb && changed unsigned_package rpm'
check "a list of parts of another program is found" changed other_parts
finish
