#!/bin/sh
# Every shell script, also as assembled for the packages, under shellcheck; the log's rotation as logrotate reads it.
set -eu
. "$(dirname "$0")/lib.sh"

clean() {
    cd "$repository"
    grep -lrE '^#!/bin/(ba)?sh' packaging .ci target/package/deb target/package/rpm | sort | xargs shellcheck -x -P SCRIPTDIR
}

rotates() {
    logrotate --debug --state "$work/logrotate.state" "$repository/packaging/files/logrotate"
}

checks_only_ours() {
    dash -n "$1"
    bash --posix -n "$1"
}

check "shellcheck finds nothing" clean
check "logrotate understands its file" rotates
for script in "$packages"/deb/* "$packages"/rpm/*; do
    check "$(basename "$script") is for every shell" checks_only_ours "$script"
done
finish
