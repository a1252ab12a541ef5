#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bryo doctor on a machine whose sysctls, devices and delegation can be changed, and what --fix does.
# alone
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
me=$(id -un)
root() {
    sudo sh -c "$1"
}
of() { # NAME FIELD: of a finding in $out
    jq -r --arg n "$1" ".findings[] | select(.name == \$n) | .$2" <<<"$out" 2>&1
}
doctor() {
    run "$BRYO" doctor --json
}
status_is() { # NAME STATUS DESCRIPTION
    is "$(of "$1" status)" "$2" "$3" || diag "$(of "$1" found)"
}
# What is changed here is put back: the other account's tests come afterwards.
putback() {
    root 'sysctl -q -w user.max_user_namespaces=7000 kernel.keys.maxkeys=200 fs.inotify.max_user_instances=128 \
          kernel.unprivileged_userns_clone=1; chmod 0666 /dev/net/tun; rm -f /etc/sysctl.d/90-bryo*
          rm -rf /etc/systemd/system/user@.service.d; systemctl daemon-reload
          sed -i -e /^bryo-one:/d -e /^bryo-other:/d /etc/subuid /etc/subgid
          umount /usr/bin/newuidmap; chmod u+s /usr/bin/newuidmap' 2>/dev/null
}
trap putback EXIT

doctor
is "$status" 0 "the machine as it comes: jobs run"
like "$(of limits found)" "^memory, cpu, pids can; io cannot be limited" "systemd delegates all but io"
status_is limits degraded "so that limits are not all there"
for thing in "user namespace" namespaces mounts nesting overlay "tap device" seccomp Landlock keyring inotify; do
    status_is "$thing" works "$thing: works"
done

root 'sysctl -q -w user.max_user_namespaces=0'
doctor
is "$status" 1 "user.max_user_namespaces=0: no job can run"
status_is "user namespace" missing "user namespaces are missing"
run "$BRYO" doctor --fix
is "$status" 0 "--fix: jobs run"
like "$err" "user namespace: sysctl -w user.max_user_namespaces=28633" "what it does is shown"
is "$(cat /proc/sys/user/max_user_namespaces)" 28633 "the sysctl is set"
is "$(cat /etc/sysctl.d/90-bryo-max_user_namespaces.conf)" user.max_user_namespaces=28633 "and stays set"
is "$(cat /etc/systemd/system/user@.service.d/delegate.conf)" "[Service]
Delegate=cpu cpuset io memory pids" "io will be delegated too, when the user's systemd starts anew"
if [ "$me" = bryo-one ]; then
    doctor
    status_is "subordinate ids" works "and the account without subordinate ids has some"
fi

range=$(sed -n "s/^$me://p" /etc/subuid | head -n 1)
root "echo bryo-other:$range >>/etc/subuid"
doctor
status_is "subordinate ids" degraded "a range that another account has as well"
like "$(of "subordinate ids" found)" "also granted to bryo-other" "whose it is, too"
root 'sed -i /^bryo-other:/d /etc/subuid
      mount --bind /usr/bin/newuidmap /usr/bin/newuidmap; mount -o remount,bind,nosuid /usr/bin/newuidmap'
doctor
status_is "subordinate ids" degraded "newuidmap on a mount without set-user-ID"
like "$(of "subordinate ids" remedy)" "mounted nosuid" "said so"
root 'umount /usr/bin/newuidmap; chmod u-s /usr/bin/newuidmap'
doctor
like "$(of "subordinate ids" remedy)" "lost its privilege" "newuidmap without the bit"
run "$BRYO" doctor --fix
doctor
status_is "subordinate ids" works "--fix: it has it again"

if [ -e /proc/sys/kernel/unprivileged_userns_clone ]; then
    root 'sysctl -q -w kernel.unprivileged_userns_clone=0'
    doctor
    is "$(of "user namespace" remedy)" "sysctl -w kernel.unprivileged_userns_clone=1" \
        "kernel.unprivileged_userns_clone=0: the remedy"
    run "$BRYO" doctor --fix --yes
    is "$status" 0 "--fix: jobs run"
else
    fail "this is no kernel of Debian's: it has no kernel.unprivileged_userns_clone"
fi

root 'chmod 0600 /dev/net/tun'
doctor
like "$(of "tap device" found)" "mode 0600: Permission denied" "a closed /dev/net/tun is found"
run "$BRYO" doctor --fix
is "$(stat -c %a /dev/net/tun)" 666 "--fix: it is open"
doctor
status_is "tap device" works "and works"

root 'sysctl -q -w kernel.keys.maxkeys=10'
doctor
status_is keyring degraded "few keys"
is "$(of keyring remedy)" "sysctl -w kernel.keys.maxkeys=2000" "the remedy"
root 'sysctl -q -w fs.inotify.max_user_instances=1'
doctor
status_is inotify degraded "few inotify instances"
run "$BRYO" doctor --fix
doctor
is "$(of keyring status) $(of inotify status)" "works works" "--fix: both are as they should be"
done_testing
