#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits that are nonsense, or that this machine cannot hold: refused before anything is made, with
# what is wrong and what mends it.
. "$(dirname "$0")/../helpers/lib.sh"
R=(run --no-workspace)

refused() { # REGEX OPTION...
    local regex=$1
    shift
    run "$BRYO" "${R[@]}" "$@" -- touch /dev/shm/ran
    [ "$status" = 125 ] && [[ $err =~ $regex ]]
    tap_result $? "refused: $*" || diag "status: $status" "stderr: $err" "expected: $regex"
}

# --- nonsense --------------------------------------------------------------------------------------------
refused '--memory: "lots" is not a size' -m lots
refused '--memory: "5m" is too little: at least 6m' --memory 5m
refused '--memory-swap needs --memory' --memory-swap 1g
refused '--memory-swap is less than --memory' -m 1g --memory-swap 512m
refused '--memory-high is more than --memory' -m 100m --memory-high 200m
refused '--cpus: "0" is too little' --cpus 0
refused '--cpus: "two" is not a number of processors' --cpus two
refused '--cpu-weight: "0" is not a weight from 1 to 10000' --cpu-weight 0
refused '--cpuset-cpus: "1-" is not a list' --cpuset-cpus 1-
refused '8191 is not among those that may be used here: 0' --cpuset-cpus 0,8191
refused '--cpuset-mems 1023: 1023 is not among' --cpuset-mems 1023
refused '--pids-limit: "many" is not a number' --pids-limit many
refused '--io-max: "sda" is not of the form' --io-max sda
refused '--io-max: /dev/no-such-disk: No such file' --io-max /dev/no-such-disk:rbps=1m
refused '--io-max: /dev/null is not a disk' --io-max /dev/null:rbps=1m
refused '--io-weight: "-5" is not a weight' --io-weight -5
refused '--hugetlb: "2M" is not of the form' --hugetlb 2M
refused '--cgroup-set: "memory.low" is not of the form' --cgroup-set memory.low
refused '--cgroup-set: "\.\./memory.max=5" is not of the form' --cgroup-set ../memory.max=5
refused '--cgroup-set: cgroup.procs is not to be set' --cgroup-set cgroup.procs=1
refused '--cgroup-parent: "here" is neither an absolute path' --cgroup-parent here
refused '--cgroup-parent /no-such-place: No such file' --cgroup-parent /no-such-place
refused "--cgroup-parent $T is no cgroup" --cgroup-parent "$T"
top=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
if [ -n "$top" ] && [ ! -w "$top/cgroup.procs" ]; then
    refused "--cgroup-parent $top is not delegated to this user" --cgroup-parent "$top"
    like "$err" "as root: chown" "and what would mend it"
fi
v1=$(awk '$3 == "cgroup" { print $2; exit }' /proc/mounts)
[ -z "$v1" ] || refused "--cgroup-parent $v1 is a cgroup of version 1" --cgroup-parent "$v1"

# --- what no place grants --------------------------------------------------------------------------------
# With --cgroup-parent none there is no place on any machine.
for option in "-m 100m" "--cpus 0.5" "--pids-limit 20" "--cpu-weight 50" "--io-weight 50" "--hugetlb 2MB=2m" "--cgroup-set memory.low=1M"; do
    # shellcheck disable=SC2086 # two words
    refused "cannot be held: " --cgroup-parent none $option
    # shellcheck disable=SC2086
    run "$BRYO" "${R[@]}" --cgroup-parent none --best-effort $option -- echo ran
    is "$status $out" "0 ran" "$option, --best-effort: the job runs"
    like "$err" "is not held: " "and what does not hold is said"
done
run_ok "--cpuset-cpus without a controller" "$BRYO" "${R[@]}" --cgroup-parent none --cpuset-cpus 0 -- sed -n 's/^Cpus_allowed_list:.//p' /proc/self/status
is "$out" 0 "is held by sched_setaffinity(2)"
like "$err" "set by sched_setaffinity" "which is said"
run_ok "--cpuset-mems without one" "$BRYO" "${R[@]}" --cgroup-parent none --cpuset-mems 0 -- cat /proc/self/numa_maps
unlike "$out" " default " "is held by set_mempolicy(2)"
if [ -n "$v1" ] && [ -n "$top" ] && grep -q ' cgroup .*memory' /proc/mounts; then
    expect_status 125 "a hybrid of v1 and v2" "$BRYO" "${R[@]}" -m 100m -- true
    like "$err" "hybrid of cgroup v1 and v2: the controller memory is on version 1" "is recognised and named"
    like "$err" "systemd.unified_cgroup_hierarchy=1" "with what mends it"
fi
is "$(find "$XDG_CACHE_HOME" -path '*scratch/*')" "" "nothing was made"
done_testing
