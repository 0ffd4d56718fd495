# shellcheck shell=sh disable=SC2034 # the sourcing scripts use the variables
# Sourced by the package tests: checks with a count, and clean roots in which packages are installed.

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
packages=$repository/target/package
# Where cargo puts programs.
target=${TARGET:-$repository/target}
work=$repository/target/package/test
# What release.sh has signed.
signed=$work/release.good
# Packages of the last release, if they could be built.
last=$repository/target/tools/released
mkdir -p "$work" "$last"
passed=0
failed=0

# check WHAT COMMAND...: runs the command in a shell of its own that stops at the first failure, and counts; shows what
# it printed when it fails.
check() {
    what=$1
    shift
    set +e
    output=$(set -e; "$@" 2>&1)
    status=$?
    set -e
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        echo "ok    $what"
    else
        failed=$((failed + 1))
        echo "FAIL  $what"
        printf '%s\n' "$output" | sed 's/^/      /'
    fi
}

# fails COMMAND...: succeeds when the command does not.
fails() {
    ! "$@"
}

# says FILE TEXT: the file has a line with the text.
says() {
    grep -qF -- "$2" "$1" || {
        echo "\"$2\" is not in:"
        cat "$1"
        return 1
    }
}

# The oldest Debian that BILLmanager runs on, made once.
pristine() {
    system=$repository/target/tools/bullseye
    if [ ! -d "$system" ]; then
        rm -rf "$system.new"
        debootstrap --variant=minbase bullseye "$system.new" http://deb.debian.org/debian >"$work/debootstrap.log" 2>&1 ||
            { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
        mv "$system.new" "$system"
    fi
    echo "$system"
}

# fresh NAME: a clean root; its path is in $root.
fresh() {
    system=$(pristine)
    root=$work/$1
    rm -rf "$root"
    cp -a "$system" "$root"
}

# Every path below the root that a package could leave, with its mode.
tree() {
    (cd "$root" && find . -xdev \( -path ./var/lib -o -path ./var/cache -o -path ./var/log -o -path ./dev \
        -o -path ./proc -o -path ./panel.log -o -path ./package.deb \) -prune -o -printf '%m %p\n' | LC_ALL=C sort -k 2)
}

remember() {
    tree >"$root.before"
}

same_tree() {
    tree | diff "$root.before" -
}

# in_root COMMAND...: runs it inside.
in_root() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin PMVMMANAGER6_PATIENCE="${patience:-60}" "$@"
}

# panel up|down: how the stand-in BILLmanager behaves.
panel() {
    echo "$1" >"$root/panel.state"
}

# What the stand-in BILLmanager was asked since the last time.
panel_calls() {
    cat "$root/panel.log" 2>/dev/null || true
    rm -f "$root/panel.log"
}

finish() {
    echo "$(basename "$0"): $passed passed, $failed failed"
    [ "$failed" = 0 ]
}
