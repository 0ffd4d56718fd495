# shellcheck shell=sh disable=SC2034,SC2154 # lib.sh and the sourcing scripts set the variables
# Sourced by deb.sh and rpm.sh, which say how to install, remove and so on: what must hold for both formats.
# Uses $one and $two, two versions of the package, the first as it is published, and $released, that of the last
# release or nothing.

mgr=usr/local/mgr5
module=$mgr/processing/pmvmmanager6
state=$mgr/var/pmvmmanager6
runtime=run/pmvmmanager6
timer=pmvmmanager6-audit.timer
switch=etc/systemd/system/timers.target.wants/$timer
stamp=var/lib/systemd/timers/stamp-$timer
format=$(basename "$0" .sh)

life() {
    check "every file is the declared one, with its mode" declared
    check "every command has its man page and its completions" documented
    fresh "$format-alone"
    remember
    check "without BILLmanager it is refused and nothing is left" refused
    check "without BILLmanager, by force, it lies there and can be removed again" inert
    fresh "$format-life"
    install_billmanager
    panel up
    remember
    check "it installs, restarts BILLmanager and works on an old system" installed
    check "an upgrade waits for the operation that runs, then restarts BILLmanager; the audit's timer stays on" upgraded_under_way
    check "an upgrade does not wait for ever" upgraded_impatiently
    check "a panel that is down does not fail it" upgraded_without_panel
    check "without the vendor's helpers mgrctl restarts the panel" upgraded_without_helpers
    check "a full disk during an upgrade leaves the old program working" upgraded_on_full_disk
    check "the installed program serves the demo's services, upgraded in the middle" demonstrated
    check "removal leaves the journal and the log, and nothing else" removed
}

# The last life of all: it has a root of its own.
reborn() {
    [ -n "$released" ] || return 0
    fresh "$format-released"
    install_billmanager
    panel up
    check "the last release is upgraded while an operation runs, and goes back to its journal" upgraded_from_release
}

# The files of the stand-in panel.
lay_out_panel() {
    install -D -m 0755 "$here/panel/mgrctl" "$1/$mgr/sbin/mgrctl"
    install -D -m 0644 "$here/panel/core_pkg_funcs.sh" "$1/$mgr/lib/pkgsh/core_pkg_funcs.sh"
    mkdir -p "$1/$mgr/etc/xml" "$1/$mgr/processing" "$1/$mgr/skins/common/plugin-logo" "$1/$mgr/var/logs"
}

works() {
    in_root /usr/sbin/pmvmmanager6 --version >"$work/version" &&
        in_root "/$module" --command features | grep -q '<feature name="open"'
}

# Man pages of commands come and go with the commands: documented() has them.
declared() {
    package_files | grep -v '/man8/pmvmmanager6-' | diff "$here/$format.files" -
}

documented() {
    stage=$packages/root
    "$stage/$module" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | grep -vx help >"$work/commands"
    says "$work/commands" doctor
    package_files >"$work/files"
    while read -r command; do
        says "$work/files" "-rw-r--r-- /usr/share/man/man8/pmvmmanager6-$command.8.gz"
        for shell in bash-completion/completions/pmvmmanager6 zsh/site-functions/_pmvmmanager6 \
            fish/vendor_completions.d/pmvmmanager6.fish; do
            grep -qw -- "$command" "$stage/usr/share/$shell"
        done
    done <"$work/commands"
    sed -n 's,.*/man8/pmvmmanager6-\([a-z]*\)\.8\.gz,\1,p' "$work/files" >"$work/pages"
    fails grep -vxFf "$work/commands" "$work/pages"
}

refused() {
    bring "$one"
    fails install_package
    fails test -e "$root/$mgr"
    same_tree
}

inert() {
    install_by_force >"$work/said" 2>&1
    says "$work/said" "there is no BILLmanager in /usr/local/mgr5"
    works
    forget_package
    same_tree
}

installed() {
    bring "$one"
    install_package
    [ "$(panel_calls)" = "ReloadMgr billmgr" ]
    cmp "$repository/xml/billmgr_mod_pmvmmanager6.xml" "$root/$mgr/etc/xml/billmgr_mod_pmvmmanager6.xml"
    works
    leave_state
}

# What operations leave behind.
leave_state() {
    install -d -m 0700 "$root/$state" "$root/$runtime"
    echo journal >"$root/$state/journal.db"
    echo answers >"$root/$state/verify-3.json"
    echo log >"$root/$mgr/var/pmvmmanager6.log"
}

state_is_there() {
    [ "$(cat "$root/$state/journal.db")" = journal ]
    [ "$(cat "$root/$state/verify-3.json")" = answers ]
    [ "$(cat "$root/$mgr/var/pmvmmanager6.log")" = log ]
}

# Stands for an operation: shares the lock that every one shares, until something is written to the gate.
operate() {
    rm -f "$work/ready" "$work/gate"
    mkfifo "$work/ready" "$work/gate"
    flock --shared --no-fork "$root/$runtime" \
        sh -c "echo >'$work/ready'; read -r _ <'$work/gate'; echo 'operation ended' >>'$root/panel.log'" >/dev/null 2>&1 &
    operation=$!
    # A check that fails must not leave it behind.
    trap 'kill "$operation" 2>/dev/null || true' EXIT
    read -r _ <"$work/ready"
}

end_operation() {
    echo 1<>"$work/gate"
    wait "$operation"
}

upgraded_under_way() {
    bring "$two"
    fails test -L "$root/$switch"
    switch_on
    operate
    (sleep 3 && echo 1<>"$work/gate") >/dev/null 2>&1 &
    install_package
    wait "$operation"
    [ "$(panel_calls)" = "$(printf 'operation ended\nReloadMgr billmgr')" ]
    test -L "$root/$switch"
    state_is_there
    works
}

# The journal of the last release is carried on. The way back is its package and the journal that was kept.
upgraded_from_release() {
    bring "$released"
    install_package
    install -d -m 0700 "$root/$state" "$root/$runtime"
    install -m 0600 "$repository/tests/data/compat/journal-2.db" "$root/$state/journal.db"
    reads_journal
    panel_calls >/dev/null
    bring "$one"
    operate
    (sleep 3 && echo 1<>"$work/gate") >/dev/null 2>&1 &
    install_package
    wait "$operation"
    [ "$(panel_calls)" = "$(printf 'operation ended\nReloadMgr billmgr')" ]
    works
    reads_journal
    cmp "$repository/tests/data/compat/journal-2.db" "$root/$state/journal.db.version-2"
    bring "$released"
    install_older_package
    fails reads_journal
    mv "$root/$state/journal.db.version-2" "$root/$state/journal.db"
    reads_journal
}

reads_journal() {
    in_root /usr/sbin/pmvmmanager6 doctor >"$work/said" 2>&1 || true
    grep -q '^ok  *journal .*can be read' "$work/said" || {
        cat "$work/said"
        return 1
    }
}

upgraded_impatiently() {
    again
    operate
    patience=1 && install_package >"$work/said" 2>&1
    [ "$(panel_calls)" = "ReloadMgr billmgr" ]
    end_operation
    says "$work/said" "operations still run"
}

upgraded_without_panel() {
    again
    panel down
    install_package >"$work/said" 2>&1
    panel up
    says "$work/said" "BILLmanager could not be restarted"
    [ "$(panel_calls)" = "$(printf 'ReloadMgr billmgr\nmgrctl -m billmgr -R')" ]
}

upgraded_without_helpers() {
    again
    mv "$root/$mgr/lib/pkgsh/core_pkg_funcs.sh" "$work/helpers"
    install_package
    mv "$work/helpers" "$root/$mgr/lib/pkgsh/core_pkg_funcs.sh"
    [ "$(panel_calls)" = "mgrctl -m billmgr -R" ]
}

# Back to the first version, so that the next installation is an upgrade.
again() {
    panel up
    remove_package >/dev/null 2>&1
    bring "$one"
    install_package >/dev/null
    install -d -m 0700 "$root/$runtime"
    panel_calls >/dev/null
    bring "$two"
}

# The directory of the program on a filesystem of its own, on which a second copy has no place.
upgraded_on_full_disk() {
    again
    size=$(stat -c %s "$root/$module")
    cp -a "$root/$module" "$work/old"
    mount -t tmpfs -o "size=$((size + size / 2))" none "$root/$mgr/processing"
    trap 'umount "$root/$mgr/processing"; cp -a "$work/old" "$root/$module"' EXIT
    cp -a "$work/old" "$root/$module"
    fails install_package
    cmp "$work/old" "$root/$module"
    works
    mount -o "remount,size=$((size * 4))" "$root/$mgr/processing"
    install_package
    works
}

demonstrated() {
    again
    : >"$work/demo"
    "$target/debug/demo" "$root/$module" >"$work/demo" 2>&1 &
    demo=$!
    (tail -n +1 -f --pid="$demo" "$work/demo" || true) | grep -q -m 1 'done in'
    install_package
    wait "$demo"
    works
    says "$work/demo" "Both sides agree with every order."
}

# The administrator's own `systemctl enable`, and the timer's first run, in a root that need not have systemd.
switch_on() {
    mkdir -p "$root/${switch%/*}" "$root/${stamp%/*}"
    ln -sf "/usr/lib/systemd/system/$timer" "$root/$switch"
    touch "$root/$stamp"
}

removed() {
    panel_calls >/dev/null
    fails test -L "$root/$switch"
    switch_on
    remove_package >"$work/said" 2>&1
    [ "$(panel_calls)" = "ReloadMgr billmgr" ]
    says "$work/said" "the journal of the VMs that the module made stays in /usr/local/mgr5/var/pmvmmanager6"
    fails test -e "$root/$runtime"
    fails test -e "$root/$module"
    fails test -L "$root/$switch"
    fails test -e "$root/$stamp"
    state_is_there
}
