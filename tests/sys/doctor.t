#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bryo doctor: each diagnosis on a machine where it is true, made of namespaces, mounts and filters.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
DENY=$PROGS/deny
export T

# doctor COMMAND...: the command has "doctor --json" appended; $out is the JSON
doctor() {
    run "$@" doctor --json
}
of() { # NAME FIELD: of a finding in $out
    jq -r --arg n "$1" ".findings[] | select(.name == \$n) | .$2" <<<"$out" 2>&1
}
status_is() { # NAME STATUS DESCRIPTION
    is "$(of "$1" status)" "$2" "$3" || diag "$(of "$1" found)"
}
# as root of a user namespace with mounts of its own: what root of a machine could do to it
machine() { # SCRIPT COMMAND...
    local script=$1
    shift
    unshare --user --map-root-user --mount bash -euc "$script"'
        exec "$@"' - "$@"
}
export -f machine

# --- this machine ----------------------------------------------------------------------------------
run_ok "the table" "$BRYO" doctor
like "$out" "works +user namespace" "has a line for each thing"
like "$out" "works +a job +bryo run -- true" "and jobs run here"
is "$(find "$XDG_CACHE_HOME/bryo" -name 'doctor.*')" "" "nothing of it stays in the cache"
run_ok "--json" "$BRYO" doctor --json
is "$(jq -r '.fit, (.findings | length > 12), ([.findings[].status] - ["works", "degraded", "missing"] | length)' <<<"$out" | paste -sd ' ')" \
    "true true 0" "is one object"
is "$(jq -r '.kernel' <<<"$out")" "$(uname -r)" "that names the kernel"
for thing in namespaces nesting disk seccomp "a job"; do
    status_is "$thing" works "$thing: works"
done
if has_subids; then
    status_is "subordinate ids" works "this account has subordinate ids"
elif has_range; then
    status_is "subordinate ids" degraded "the range of this account cannot be used here"
else
    status_is "subordinate ids" degraded "this account has none"
    like "$(of "subordinate ids" remedy)" "usermod --add-subuids [0-9]+-[0-9]+ --add-subgids|uidmap|/etc/subuid" \
        "and is told how to get some"
    is "$(jq -r .fit <<<"$out")" true "without which jobs run"
fi
expect_status 125 "an argument" "$BRYO" doctor patient
expect_status 125 "an option that is none" "$BRYO" doctor --cure

# --- user namespaces -------------------------------------------------------------------------------
doctor "$DENY" userns "$BRYO"
is "$status" 1 "docker's seccomp profile: exit status 1"
is "$(jq -r .fit <<<"$out")" false "no job can run"
status_is "user namespace" missing "user namespaces are missing"
like "$(of "user namespace" remedy)" "seccomp" "and the remedy names seccomp"
like "$(of namespaces found)" "not tried: it needs a user namespace" "what needs them was not tried"
doctor env container=oci "$DENY" userns "$BRYO"
like "$(of "user namespace" remedy)" "docker run --security-opt seccomp=unconfined|securityContext" \
    "in a container, it is the option to start that with"

doctor machine 'echo 0 >/proc/sys/user/max_user_namespaces' "$BRYO"
is "$status" 1 "user.max_user_namespaces=0: exit status 1"
status_is "user namespace" missing "user namespaces are missing"
is "$(of "user namespace" remedy)" "sysctl -w user.max_user_namespaces=28633" "the remedy is the sysctl"
is "$(of "user namespace" 'fix[0]')" "sysctl -w user.max_user_namespaces=28633" "which --fix would run"

# sysctls that this kernel may not have
sysctl_is='mount -t tmpfs tmpfs /proc/sys/kernel; echo "$VALUE" >/proc/sys/kernel/$NAME'
doctor env NAME=unprivileged_userns_clone VALUE=0 bash -c 'machine "$@"' - "$sysctl_is" "$DENY" userns "$BRYO"
is "$(of "user namespace" status) $(of "user namespace" remedy)" \
    "missing sysctl -w kernel.unprivileged_userns_clone=1" "kernel.unprivileged_userns_clone=0: the remedy"
doctor env NAME=apparmor_restrict_unprivileged_userns VALUE=1 bash -c 'machine "$@"' - "$sysctl_is" "$DENY" userns "$BRYO"
status_is "user namespace" missing "AppArmor's restriction: user namespaces are missing"
like "$(of "user namespace" remedy)" "AppArmor.*Ubuntu 23.10" "it is recognised"
is "$(of "user namespace" 'fix[1]')" "apparmor_parser -r /etc/apparmor.d/bryo" "--fix loads a profile"
sh -c "$(of "user namespace" 'fix[0]' | sed "s,/etc/apparmor.d/bryo,$T/profile,")"
is "$(cat "$T/profile")" "abi <abi/4.0>,
profile bryo \"${BRYO%/bin/bryo}/{bin/bryo,libexec/bryo/*}\" flags=(unconfined) {
  userns,
}" "for this bryo and its helpers, and nobody else"
if [ -e /etc/apparmor.d/abi/4.0 ] && command -v apparmor_parser >/dev/null; then
    run_ok "AppArmor's parser takes it" apparmor_parser --skip-kernel-load --skip-cache "$T/profile"
fi
rm "$T/profile"

doctor machine 'echo 0 >/proc/sys/user/max_net_namespaces' "$BRYO"
is "$status" 1 "user.max_net_namespaces=0: exit status 1"
status_is namespaces missing "a namespace is missing"
like "$(of namespaces found)" "^network: No space left on device" "it is the network's"
like "$(of namespaces remedy)" "/proc/sys/user" "and the limit is named"
status_is "tap device" missing "there can be no tap device then"

# --- ids -------------------------------------------------------------------------------------------
if has_subids; then
    doctor setpriv --no-new-privs "$BRYO"
    status_is "subordinate ids" degraded "no_new_privs: the ranges cannot be used"
    like "$(of "subordinate ids" remedy)" "no_new_privs" "and why"
    is "$status" 0 "jobs run, with one id"
fi

# --- mounts ----------------------------------------------------------------------------------------
doctor machine 'mount --bind /dev/null /proc/version' "$BRYO"
like "$(of mounts found)" "proc: Operation not permitted" "a masked /proc: no new one can be mounted"
like "$(of mounts remedy)" "/proc" "and the masks are named"
status_is mounts missing "without which no job runs"
doctor "$DENY" pivot "$BRYO"
status_is mounts degraded "an initramfs for a root: pivot_root is impossible"
like "$(of mounts found)" "pivot_root: Invalid argument" "said so"

# --- /dev/net/tun ----------------------------------------------------------------------------------
doctor machine 'mount -t tmpfs tmpfs /dev/net' "$BRYO"
status_is "tap device" missing "no /dev/net/tun"
like "$(of "tap device" found)" "is not there" "said so"
like "$(of "tap device" 'fix | join(";")')" "modprobe tun.*mknod /dev/net/tun c 10 200.*chmod 0666" \
    "and how it is made"
is "$(jq -r .fit <<<"$out")" true "jobs run, without a network of their own"
doctor machine 'touch "$T/tun"; chmod 0600 "$T/tun"; mount --bind "$T/tun" /dev/net/tun' "$BRYO"
status_is "tap device" missing "a closed /dev/net/tun"
like "$(of "tap device" found)" "mode 0600" "said so"
is "$(of "tap device" 'fix[0]')" "chmod 0666 /dev/net/tun" "and how it is opened"
rm -f "$T/tun"

# --- what a job's network has of the machine -------------------------------------------------------
doctor unshare --user --map-current-user --net "$BRYO"
status_is ping degraded "nobody may ping in a new network namespace"
like "$(of ping found)" "ping from a job gets no answer" "said so"
is "$(of ping 'fix[0]')" "sysctl -w net.ipv4.ping_group_range='0 2147483647'" "and who is to be let"
doctor unshare --user --map-root-user --net sh -c \
    'echo 0 0 >/proc/sys/net/ipv4/ping_group_range && exec "$@"' - "$BRYO"
status_is ping works "where the group is let, it works"
doctor "$BRYO"
status_is "fast path" works "a job's TCP takes the fast path"
doctor "$DENY" netfilter "$BRYO"
status_is "fast path" degraded "without netfilter it does not"
like "$(of "fast path" found)" "libslirp, at a third of the speed: .*netfilter.*not supported" "with what that costs"
is "$(of "fast path" 'fix[0]')" "modprobe -a nf_tables nft_tproxy" "and what may help"

# --- disk ------------------------------------------------------------------------------------------
doctor env XDG_CACHE_HOME=/proc "$BRYO"
is "$status" 1 "a cache that cannot be written: exit status 1"
status_is disk missing "the disk is missing"
like "$(of disk remedy)" "XDG_CACHE_HOME" "and the variable is named"
like "$(of overlay found)" "not tried: it needs a directory in the cache" "the overlay was not tried"
mkdir "$T/small"
doctor machine 'mount -t tmpfs -o size=8m tmpfs "$T/small"' env XDG_CACHE_HOME="$T/small" "$BRYO"
status_is disk degraded "a small disk"
like "$(of disk found)" "0\.0 GiB" "its size is told"
mkdir "$T/o" "$T/o/lower" "$T/o/upper" "$T/o/work" "$T/o/merged"
doctor machine 'cd "$T/o"; mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work none merged' \
    env XDG_CACHE_HOME="$T/o/merged" "$BRYO"
if root_is_overlay; then
    pass "(an overlay cannot be mounted on this machine's root to begin with)"
    pass "(nor named)"
    pass "(nor told from another)"
    pass "(nor avoided)"
else
    status_is overlay degraded "an overlay as the disk carries no other"
    like "$(of overlay found)" "which is an overlay itself" "it is named"
    # NFS refuses in the same place; here statfs says that it is one (NFS_SUPER_MAGIC)
    doctor machine 'cd "$T/o"; mount -t overlay -o userxattr,lowerdir=lower,upperdir=upper,workdir=work none merged' \
        env -u XDG_CACHE_HOME HOME="$T/o/merged" \
        strace -f -qq -o /dev/null -e inject=statfs:poke_exit=@arg2=6969000000000000 "$BRYO"
    like "$(of overlay status) $(of overlay found)" "^degraded .*$T/o/merged/\.cache, which is NFS" "a home on NFS"
    like "$(of overlay remedy)" "XDG_CACHE_HOME=/var/tmp/" "and where the cache could be instead"
fi
chmod -R u+rwX "$T/o" && rm -rf "$T/o" "$T/small"

# --- limits ----------------------------------------------------------------------------------------
doctor machine 'mount -t tmpfs tmpfs /sys/fs/cgroup' "$BRYO"
status_is limits missing "a machine without cgroups"
like "$(of limits found)" "cannot be limited: .*no cgroup file system is mounted" "said so"
is "$(jq -r .fit <<<"$out")" true "jobs run, without limits"
# Those of version 1 are real ones, where this machine has any.
v2=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
export v2
doctor "$BRYO"
if grep -q '^[^ ]* [^ ]* cgroup .*memory' /proc/mounts && [ -n "$v2" ]; then
    like "$(of limits found)" "this machine is a hybrid of cgroup v1 and v2" "a hybrid of cgroup v1 and v2 is recognised"
    like "$(of limits remedy)" "systemd\.unified_cgroup_hierarchy=1" "with the kernel's option"
    doctor machine 'mount -t tmpfs tmpfs "$v2"' "$BRYO"
    like "$(of limits found)" "this machine has cgroup v1 only" "so is one with version 1 alone"
    like "$(of limits remedy)" "systemd\.unified_cgroup_hierarchy=1" "with the same"
else
    unlike "$(of limits found)" "cgroup v1" "a machine with cgroup v2 is not taken for one of version 1"
    # (its cgroup in the root of a namespace: delegated to nobody)
    doctor machine 'mount -t tmpfs tmpfs /run' env -u XDG_RUNTIME_DIR -u DBUS_SESSION_BUS_ADDRESS "$BRYO"
    like "$(of limits status) $(of limits found)" "^works|no systemd of this user runs \(there is no /run/user/0/bus\)" \
        "without the user's bus, limits need a cgroup that is delegated by hand"
fi

# --- filters and quotas ----------------------------------------------------------------------------
doctor "$DENY" landlock "$BRYO"
status_is Landlock degraded "a kernel without Landlock"
doctor "$DENY" keyctl "$BRYO"
status_is keyring degraded "docker's profile keeps keyrings"
doctor "$DENY" seccomp "$BRYO"
status_is seccomp missing "no filters"
is "$status" 1 "which every job needs"
doctor machine 'echo 0 >/proc/sys/user/max_inotify_instances' "$BRYO"
status_is inotify degraded "no inotify instance left"
like "$(of inotify remedy)" "sysctl -w fs.inotify" "the remedy is a sysctl"

# --- --fix -----------------------------------------------------------------------------------------
# (with a network of its own, where its one group may ping already: it has no more to give)
# shellcheck disable=SC2016 # expanded there
run unshare --user --map-root-user --mount --net bash -euc 'ip link set lo up
    echo 0 0 >/proc/sys/net/ipv4/ping_group_range
    echo 0 >/proc/sys/user/max_user_namespaces
    mount -t tmpfs tmpfs /etc/sysctl.d || mount -t tmpfs tmpfs /etc
    mkdir -p /etc/sysctl.d
    exec "$@"' - "$BRYO" doctor --fix
is "$status" 0 "--fix as root of a machine without user namespaces: jobs run afterwards"
like "$err" "user namespace: sysctl -w user.max_user_namespaces=28633" "what it does is shown first"
like "$out" "works +user namespace" "the table is the new one"
doctor "$BRYO"
if jq -e 'any(.findings[]; (.fix | length) > 0)' <<<"$out" >/dev/null && [ "$(id -u)" != 0 ] &&
    ! command -v sudo >/dev/null; then
    expect_status 125 "--fix without sudo" "$BRYO" doctor --fix
    like "$err" "as root, run the lines shown above" "leaves it to the user"
fi
done_testing
