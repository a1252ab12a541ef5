# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests of cgroups. A test with the line "# cgroup" near its top starts, where root runs the
# suite, in a cgroup that was delegated to its account by hand: $TEST_CGROUP. Elsewhere the account's
# systemd is asked for scopes. $PLACE are the options that get a job a cgroup here.

PLACE=()
[ -n "${TEST_CGROUP:-}" ] || PLACE=(--cgroup-parent scope)

# need_cgroup: ends the test file where no cgroup can be had
need_cgroup() {
    "$BRYO" run --no-workspace "${PLACE[@]}" -- test -w /sys/fs/cgroup/cgroup.procs 2>"$T/.why" ||
        skip_all "no cgroup is delegated to this account"
    rm -f "$T/.why"
}

# own_cgroup: this shell's, as a directory
own_cgroup() {
    local top
    top=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    printf '%s%s' "$top" "$(sed -n 's/^0:://p' /proc/self/cgroup)"
}

# leaves: what jobs have in cgroups, as directories
leaves() {
    find "${TEST_CGROUP:-$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)}" -type d \
        -name 'bryo-????????????' 2>/dev/null
}

# has_controller NAME: whether jobs here get this controller
has_controller() {
    "$BRYO" run --no-workspace "${PLACE[@]}" -- grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
}
