#!/bin/sh
# The RPM package through its whole life. There is no AlmaLinux here: RPM installs into a clean Debian, whose files it
# does not know, so the stand-in panel's package provides what the distribution would.
set -eu
. "$(dirname "$0")/lib.sh"
. "$here/life.sh"

two=$work/two.rpm
rm -f "$two"
one=$(ls "$signed"/*.x86_64.rpm)
released=$(find "$last" -name '*.x86_64.rpm')
incoming=$work/package.rpm

# Debian's RPM asks for a word of consent and keeps its database elsewhere.
in_rpm() {
    PMVMMANAGER6_PATIENCE="${patience:-60}" rpm --root "$root" --dbpath /var/lib/rpm --force-debian "$@"
}

make_version_two() {
    make -C "$repository" --no-print-directory --old-file=stage rpm \
        OUTPUT="$two" RPM_OPTIONS="--set-metadata 'version = \"99.0\"'"
}

install_billmanager() {
    directory=$work/rpmbuild
    rm -rf "$directory"
    lay_out_panel "$directory/root"
    cat >"$directory/spec" <<SPEC
Name: billmanager
Version: 6.100
Release: 1
Summary: stand-in
License: none
BuildArch: noarch
Provides: coremanager, glibc = 2.28, util-linux, coreutils, bash, /bin/sh
%description
stand-in
%install
mkdir -p %{buildroot}
cp -a $directory/root/. %{buildroot}/
%files
/usr/local/mgr5
SPEC
    rpmbuild --quiet --define "_topdir $directory" -bb "$directory/spec"
    in_rpm --nodeps --install "$directory"/RPMS/*/*.rpm
}

bring() {
    cp "$1" "$incoming"
}

install_package() {
    in_rpm --upgrade "$incoming"
}

install_older_package() {
    in_rpm --upgrade --oldpackage "$incoming"
}

install_by_force() {
    in_rpm --nodeps --upgrade "$incoming"
}

remove_package() {
    in_rpm --erase billmanager-plugin-pmvmmanager6
}

forget_package() {
    remove_package
}

package_files() {
    rpm -qp --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' "$one" | LC_ALL=C sort -k 2
}

whole() {
    rpm --checksig --nosignature "$one" | grep -i 'digests.*ok'
    [ "$(rpm -qp --queryformat '%{NAME} %{LICENSE} %{ARCH}' "$one")" = \
        "billmanager-plugin-pmvmmanager6 MIT OR Apache-2.0 x86_64" ]
}

check "it is whole and says what it is" whole
check "a second version is built" make_version_two
life
reborn
finish
