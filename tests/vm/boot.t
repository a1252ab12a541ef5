#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The test machine is what the other tests here count on, and bryo runs a job on it.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
shared_store
runtime=/run/user/$(id -u)
own=/sys/fs/cgroup/user.slice/user-$(id -u).slice/user@$(id -u).service

is "$(cat /proc/1/comm)" systemd "systemd is process 1"
is "$(stat -f -c %T /sys/fs/cgroup)" cgroup2fs "cgroup v2 is mounted alone"
is "$(findmnt -n -t cgroup)" "" "and v1 not at all"
is "$(stat -f -c %T /)" ext2/ext3 "the root is a disk's file system"
is "$(systemctl list-units --failed --plain --no-legend)" "" "no unit of the system has failed"
ok "the account's own systemd runs" test -S "$runtime/systemd/private"
ok "so does its bus" test -S "$runtime/bus"
run_ok "which starts a scope" env XDG_RUNTIME_DIR="$runtime" \
    systemd-run --user --scope --quiet -p Delegate=yes cat /proc/self/cgroup
like "$out" "^0::/user.slice/user-$(id -u).slice/user@$(id -u).service/.*\.scope$" "below its own cgroup"
is "$(stat -c %U "$own")" "$(id -un)" "that cgroup is the account's"
for controller in cpu memory pids; do
    like " $(cat "$own/cgroup.controllers") " " $controller " "$controller is delegated to it"
done

is "$(stat -c %a /dev/net/tun)" 666 "/dev/net/tun is open, as udev makes it"
run_ok "user namespaces are allowed" unshare --user --map-root-user id -u
is "$out" 0 "and map to root"
if [ "$(id -un)" = bryo-sub ]; then
    ok "this account has subordinate ids" has_subids
else
    nok "this account has no subordinate ids" has_subids
fi

run_ok "a job on a root from a tarball" "$BRYO" run --rootfs "$ROOTFS_TAR" -- \
    sh -c 'id -u; echo >/etc/new; grep ^ID= /etc/os-release'
is "$out" "0
ID=debian" "runs as root, on a root of its own that it may write"
expect_status 3 "a job on the machine's own root" "$BRYO" run -- sh -c 'exit 3'
done_testing
