#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The ways to a cgroup, each where all the others are closed: by mounts in a namespace of its own.
# alone
# timeout: 200
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
me=$(id -un)
uid=$(id -u)
runtime=/run/user/$uid
top=/sys/fs/cgroup
mkdir "$T/run" "$T/run/systemd"
chmod 0700 "$T/run"
: >"$T/bus"
as_me=(setpriv "--reuid=$me" "--regid=$me" --init-groups --inh-caps=-all
    env -i "PATH=$PATH" "HOME=$HOME" "XDG_CACHE_HOME=$XDG_CACHE_HOME" "TMPDIR=$TMPDIR")

# shut SCRIPT COMMAND...: as this account, after root ran SCRIPT in a mount namespace
# shellcheck disable=SC2016 # the inner shell expands them
shut() {
    local script=$1
    shift
    run sudo env uid="$uid" runtime="$runtime" T="$T" unshare -m --propagation private \
        sh -ec "$script"'
            exec "$@"' - "${as_me[@]}" "$@"
}
holds() { # DESCRIPTION
    is "$status $out" "0 52428800" "$1" || diag "$err"
}
finding() { # NAME: of bryo doctor --json
    jq -r --arg n "$1" '.findings[] | select(.name == $n) | "\(.status) \(.found) \(.remedy)"' <<<"$out"
}
job=("$BRYO" run --no-workspace -m 50m -- cat /sys/fs/cgroup/memory.max)
# shellcheck disable=SC2016
closed='mount -t tmpfs -o mode=0700,uid=$uid none $runtime'

# --- the user's systemd ----------------------------------------------------------------------------------
# shellcheck disable=SC2016
shut "mount --bind \$runtime/bus \$T/bus; $closed" DBUS_SESSION_BUS_ADDRESS="unix:path=$T/bus" "${job[@]}"
holds "by \$DBUS_SESSION_BUS_ADDRESS"
: >"$T/run/bus"
# shellcheck disable=SC2016
shut "mount --bind \$runtime/bus \$T/run/bus; $closed" XDG_RUNTIME_DIR="$T/run" "${job[@]}"
holds "by \$XDG_RUNTIME_DIR/bus"
rm -r "$T/run/bus"
: >"$T/run/systemd/private"
# shellcheck disable=SC2016
shut "mount --bind \$runtime/systemd/private \$T/run/systemd/private; $closed" XDG_RUNTIME_DIR="$T/run" "${job[@]}"
holds "by \$XDG_RUNTIME_DIR/systemd/private"
shut : "${job[@]}"
holds "by /run/user/$uid, without a variable"
shut "$closed" "${job[@]}"
is "$status" 125 "by none: refused"
like "$err" "^bryo: --memory cannot be held: nothing grants the controller memory: .*no systemd of this user runs \(there is no $runtime/bus\)" "with what was tried"
like "$err" "bryo: as root: loginctl enable-linger $me" "and what mends it"
shut "$closed" "$BRYO" doctor --json
like "$(finding limits)" "^missing .*no systemd of this user runs .*loginctl enable-linger $me" "bryo doctor says the same"
shut "$closed" "$BRYO" run --no-workspace --result /dev/stderr -- echo ran
is "$status $out" "0 ran" "without a limit the job runs"
is "$(jq '[.peak_memory_bytes == null, .user_us + .system_us > 0] | all' <<<"$err")" true "accounted by rusage"
rm -r "$T/run" "$T/bus"

# --- without systemd: delegated by hand ------------------------------------------------------------------
hand=$top/bryo-hand
# shellcheck disable=SC2016
sudo sh -ec 'mkdir "$2"; chown "$1" "$2" "$2"/cgroup.procs "$2"/cgroup.threads "$2"/cgroup.subtree_control' - "$me" $hand
none='mount -t tmpfs none /run'
# shellcheck disable=SC2016
shut "$none; echo \$\$ >$hand/cgroup.procs" "${job[@]}"
holds "no systemd, in a cgroup that was delegated by hand"
# shellcheck disable=SC2016
shut "$none; mkdir $hand/shell; echo \$\$ >$hand/shell/cgroup.procs" BRYO_CGROUP=$hand "${job[@]}"
holds "or beside one, with BRYO_CGROUP"
shut "$none" "${job[@]}"
is "$status" 125 "in one that is not: refused"
like "$err" "nothing grants the controller memory: the launcher's own cgroup .* is not delegated to this user, and no systemd of this user runs" "with what was tried"
like "$err" "^bryo: .*
bryo: as root: echo '\+memory' >$top/cgroup.subtree_control; mkdir $top/bryo; chown -R $uid " "and how to delegate one"
sudo find $hand -depth -type d -exec rmdir {} +

# --- other machines --------------------------------------------------------------------------------------
# (mounts of version 1 are real ones: hugetlb is in use by nobody on version 2)
v1='mkdir -p $T/v1; mount -t cgroup -o hugetlb none $T/v1'
free() { shut "$v1" true && [ "$status" = 0 ]; }
ok "a controller of version 1" wait_for 60 free # (it may take a moment to be no longer of version 2)
shut "$v1" "$BRYO" run --no-workspace --hugetlb 2MB=4m -- true
is "$status" 125 "a hybrid of v1 and v2: refused"
like "$err" "--hugetlb cannot be held: this machine is a hybrid of cgroup v1 and v2: the controller hugetlb is on version 1, which cannot be delegated to a user" "with its name"
like "$err" "boot with systemd.unified_cgroup_hierarchy=1" "and what mends it"
shut "$v1; umount -l $top" "${job[@]}"
is "$status" 125 "v1 alone: refused"
like "$err" "--memory cannot be held: this machine has cgroup v1 only" "with its name"
shut "$v1; umount -l $top" "$BRYO" run --no-workspace --best-effort -m 50m -- echo ran
is "$status $out" "0 ran" "--best-effort runs it"
like "$err" "^bryo: --memory is not held: this machine has cgroup v1 only" "and says so"
shut "$v1; umount -l $top" "$BRYO" doctor --json
like "$(finding limits)" "^missing .*this machine has cgroup v1 only" "bryo doctor says the same"
shut "umount -l $top" "${job[@]}"
is "$status" 125 "no cgroups at all: refused"
like "$err" "--memory cannot be held: no cgroup file system is mounted: there is no controller memory
bryo: as root: mount -t cgroup2 cgroup2 /sys/fs/cgroup" "and what mends it"
rmdir "$T/v1"
is "$(leaves)" "" "nothing is left"
done_testing
