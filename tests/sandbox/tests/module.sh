#!/bin/sh
# A processing module that knows its callbacks and nothing else, to test the stand-in BILLmanager without the real one.
# MODULE_DOES chooses: open (all callbacks of an opening), silent (exit 0 without a callback), fail, manual, echo.

command= item= operation=
for word; do
    case $previous in
        --command) command=$word ;;
        --item) item=$word ;;
        --runningoperation) operation=$word ;;
    esac
    previous=$word
done

panel() {
    "$PMVMMANAGER6_ROOT/sbin/mgrctl" -m billmgr -o xml "$@"
}

case $MODULE_DOES in
    open)
        export PASSWORD='s3cret & more' SSH_CONNECTION=pmvmmanager6
        panel -e 'password=$PASSWORD' service.saveparam sok=ok elid="$item" crypted=on >&2 || exit 1
        panel service.saveparam sok=ok elid="$item" name=panelid value=17 >&2 || exit 1
        panel service.ip.add sok=ok elid=1 ip=192.0.2.10 mask= gateway= domain= >&2 || exit 1
        panel service.ip.add.commit sok=ok elid=1 >&2 || exit 1
        panel vds.open sok=ok elid="$item" ip=192.0.2.10 domain=vm1.example.com username=u nonsense=x >&2
        ;;
    fail)
        panel runningoperation.edit sok=ok elid="$operation" errorxml='<doc><error type="x"/></doc>' >&2
        echo '<doc><error type="x"/></doc>'
        exit 1
        ;;
    manual)
        panel runningoperation.setmanual sok=ok elid="$operation" >&2
        panel task.edit sok=ok item="$item" runningoperation="$operation" type=1 params="look at $command" >&2
        exit 1
        ;;
    echo)
        echo "argv: $*"
        echo "cwd: $(pwd)"
        echo "input: $(cat)"
        env
        ;;
esac
