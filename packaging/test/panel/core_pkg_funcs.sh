# shellcheck shell=bash
# The stand-in's helpers for packages; the vendor's are for bash, too.
function ReloadMgr {
    echo "ReloadMgr $*" >>/panel.log
    [[ $(cat /panel.state) == up ]]
}
