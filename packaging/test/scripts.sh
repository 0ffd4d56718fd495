#!/bin/sh
# Every shell script, also as assembled for the packages, under shellcheck; the log's rotation as logrotate reads it; the
# units as systemd reads them.
set -eu
. "$(dirname "$0")/lib.sh"

clean() {
    cd "$repository"
    grep -lrE '^#!/bin/(ba)?sh' packaging .ci target/package/deb target/package/rpm | sort | xargs shellcheck -x -P SCRIPTDIR
}

rotates() {
    logrotate --debug --state "$work/logrotate.state" "$repository/packaging/files/logrotate"
}

# Only the program is not there.
starts() {
    units=$work/units
    rm -rf "$units"
    mkdir -p "$units"
    for unit in "$repository"/packaging/files/*.service "$repository"/packaging/files/*.timer; do
        sed 's,/usr/sbin/pmvmmanager6 ,/bin/true ,' "$unit" >"$units/${unit##*/}"
    done
    systemd-analyze verify --man=no "$units"/* >"$work/said" 2>&1
    fails grep -F pmvmmanager6-audit "$work/said"
}

checks_only_ours() {
    dash -n "$1"
    bash --posix -n "$1"
}

check "shellcheck finds nothing" clean
check "logrotate understands its file" rotates
check "systemd understands the audit's units" starts
for script in "$packages"/deb/* "$packages"/rpm/*; do
    check "$(basename "$script") is for every shell" checks_only_ours "$script"
done
finish
