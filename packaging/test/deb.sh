#!/bin/sh
# The Debian package through its whole life, handled by the oldest dpkg it meets.
set -eu
. "$(dirname "$0")/lib.sh"
. "$here/life.sh"

name=billmanager-plugin-pmvmmanager6
two=$work/two.deb
rm -f "$two"
one=$(ls "$signed"/*_amd64.deb)
released=$(find "$last" -name '*_amd64.deb')

make_version_two() {
    make -C "$repository" --no-print-directory --old-file=stage deb \
        OUTPUT="$two" DEB_OPTIONS="--deb-version 99.0-1"
}

# Packages under the names that we depend on; one brings the files of the stand-in panel.
install_billmanager() {
    for dependency in coremanager billmanager; do
        directory=$work/$dependency
        rm -rf "$directory"
        mkdir -p "$directory/DEBIAN"
        printf '%s\n' "Package: $dependency" "Version: 6.100" "Architecture: all" "Maintainer: test <test@example.com>" \
            "Description: stand-in" >"$directory/DEBIAN/control"
        [ "$dependency" = billmanager ] || lay_out_panel "$directory"
        dpkg-deb --root-owner-group --build "$directory" "$root/$dependency.deb" >/dev/null
        in_root dpkg --install "/$dependency.deb" >/dev/null
        rm "$root/$dependency.deb"
    done
}

bring() {
    cp "$1" "$root/package.deb"
}

install_package() {
    in_root dpkg --install /package.deb
}

install_older_package() {
    in_root dpkg --install /package.deb
}

install_by_force() {
    in_root dpkg --force-depends --install /package.deb
}

remove_package() {
    in_root dpkg --remove "$name"
}

forget_package() {
    in_root dpkg --purge "$name"
}

package_files() {
    dpkg-deb --contents "$one" | awk '$1 !~ /^d/ { print $1, substr($6, 2) }' | LC_ALL=C sort -k 2
}

purged() {
    forget_package
    same_tree
}

purged_under_way() {
    bring "$one"
    install_package
    leave_state
    operate
    patience=1 && forget_package >"$work/said" 2>&1
    state_is_there
    end_operation
    says "$work/said" "operations still run; their state stays"
}

check "it obeys Debian's rules" lintian --fail-on error,warning "$packages"/*_amd64.deb
check "a second version is built" make_version_two
life
check "purge leaves nothing" purged
check "purge keeps the state while an operation runs" purged_under_way
reborn
finish
