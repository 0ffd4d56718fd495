# Put by the Makefile in front of the maintainer scripts of both package formats, under `set -e`.
#
# What holds: a panel that is missing, down or hanging never fails the package; operations that run are never stopped,
# they end with the program they were started from; nothing is deleted while one of them may still write it.

root=/usr/local/mgr5
state=$root/var/pmvmmanager6
runtime=/run/pmvmmanager6
# Seconds that operations get to end before BILLmanager is restarted over them or their state is deleted; 0 for none.
patience=${PMVMMANAGER6_PATIENCE:-60}

say() {
    echo "pmvmmanager6: $*" >&2
}

# Sleeps until no operation runs or waits: each shares a lock on the runtime directory while it lives. Fails when time
# is up.
operations_ended() {
    [ ! -d "$runtime" ] || flock --exclusive --timeout "$patience" "$runtime" true
}

# BILLmanager reads the features and texts of modules only when it starts. Vendor's way first [protocol 1.3, 1.4].
restart_panel() {
    helpers=$root/lib/pkgsh/core_pkg_funcs.sh
    # shellcheck disable=SC2016 # "$1" is for the inner shell
    if [ -r "$helpers" ] &&
        timeout 120 bash -c '. "$1" && ReloadMgr billmgr' bash "$helpers" </dev/null >/dev/null 2>&1; then
        return
    fi
    [ -x "$root/sbin/mgrctl" ] || return 0
    timeout 120 "$root/sbin/mgrctl" -m billmgr -R </dev/null >/dev/null 2>&1 ||
        say "BILLmanager could not be restarted; it reads the change at its next start ($root/sbin/mgrctl -m billmgr -R)"
}

# systemd reads the units of the audit again, where it runs.
reload_systemd() {
    if [ -d /run/systemd/system ] && command -v systemctl >/dev/null; then
        systemctl daemon-reload >/dev/null 2>&1 || say "systemd could not be reloaded (systemctl daemon-reload)"
    fi
}

# Before the files go: the administrator may have switched the audit's timer on. An image that is being built has a
# systemctl at most, and a link left by a systemd that is gone would be nobody's.
switched_off() {
    if command -v systemctl >/dev/null; then
        now=
        [ ! -d /run/systemd/system ] || now=--now
        # shellcheck disable=SC2086 # nothing or one word
        systemctl disable $now pmvmmanager6-audit.timer >/dev/null 2>&1 || say "the timer of the audit was not switched off"
    fi
    rm -f /etc/systemd/system/timers.target.wants/pmvmmanager6-audit.timer
    # When it last ran.
    rm -f /var/lib/systemd/timers/stamp-pmvmmanager6-audit.timer
}

# After the files are in place; $1 is not empty in an upgrade.
installed() {
    reload_systemd
    if command -v systemd-tmpfiles >/dev/null; then
        systemd-tmpfiles --create pmvmmanager6.conf || say "$runtime was not made now; the first operation makes it"
    fi
    if [ ! -x "$root/sbin/mgrctl" ]; then
        say "there is no BILLmanager in $root: the module is installed, and BILLmanager finds it once it is there too"
        return
    fi
    if [ -n "$1" ] && ! operations_ended; then
        say "operations still run; they end with the old program and wait for BILLmanager while it restarts"
    fi
    restart_panel
}

# After the files are gone. The journal and the log stay: VMs made by the module exist, and another installation of it
# must know them. Queue, sessions and metrics go, unless an operation still needs them.
removed() {
    reload_systemd
    if [ -d "$runtime" ]; then
        flock --exclusive --nonblock "$runtime" rm -rf "$runtime" || say "operations still run; $runtime stays"
    fi
    restart_panel
    [ ! -d "$state" ] || say "the journal of the VMs that the module made stays in $state"
}

# The administrator wants nothing to stay.
purged() {
    if ! operations_ended; then
        say "operations still run; their state stays. Delete it later: $state $root/var/pmvmmanager6.log*"
        return
    fi
    rm -rf "$state" "$runtime" "$root"/var/pmvmmanager6.log* "$root"/var/logs/pmvmmanager6.log*
}
