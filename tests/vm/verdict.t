#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a verdict can say where a user may read the kernel's log, and what it says where not.
# alone
# timeout: 120
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
R=(run --no-workspace --cgroup-parent scope --result "$T/result")
trap 'sudo sysctl -q -w kernel.dmesg_restrict=1; rm -f "$T/result" "$T/profile"' EXIT
says() { # STATUS CAUSE REGEX DESCRIPTION -- ARGUMENT... of bryo run
    local want=$1 cause=$2 regex=$3 what=$4
    shift 5
    run "$BRYO" "${R[@]}" "$@"
    local text
    text=$(jq -r .verdict.text "$T/result")
    [ "$status" = "$want" ] && [ "$(jq -r .verdict.cause "$T/result")" = "$cause" ] && [[ $text =~ $regex ]]
    tap_result $? "$what" || diag "status $status" "verdict: $text" "expected: $regex" "stderr: $err"
}
hungry=(-m 100m --memory-swap 100m -- dd if=/dev/zero of=/dev/null bs=300M count=1)
cat >"$T/profile" <<'EOF'
{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}
EOF
forbidden=(--seccomp "$T/profile" -- mkdir /tmp/x)
# shellcheck disable=SC2016 # the job's shell
in_shell=(--seccomp "$T/profile" -- sh -c 'mkdir /tmp/x; exit $?')

sudo sysctl -q -w kernel.dmesg_restrict=0
says 137 out-of-memory 'It was dd, of [0-9]+ MiB\.' "out of memory: the victim's name and size, from the kernel's log" -- "${hungry[@]}"
says 159 crash "names the call: mkdir \(number 83\)" "SIGSYS: the name of the call" -- "${forbidden[@]}"
says 159 crash "status 159.*names the call: mkdir \(number 83\)" "what a shell ran" -- "${in_shell[@]}"
# another's call, while the job runs, is not taken for the job's
mkdir "$T/w"
"$BRYO" run --workspace "$T/w" --result "$T/result" -- sh -c 'touch up; until [ -e go ]; do sleep 0.1; done; kill -SYS $$' 2>/dev/null &
pid=$!
wait_for 60 test -e "$T/w/up"
expect_status 159 "root's call is forbidden meanwhile" sudo "$BRYO" run --no-workspace --seccomp "$T/profile" -- mkdir /tmp/x
touch "$T/w/go"
wait $pid
like "$(jq -r .verdict.text "$T/result")" "ended by SIGSYS .* as root: dmesg" "a SIGSYS that no filter sent has no call made up for it"
rm -r "$T/w"

sudo sysctl -q -w kernel.dmesg_restrict=1
says 137 out-of-memory '(largest process at the limit was dd \(pid [0-9]+ in the job\), of [0-9]+ MiB|job.s command, dd, was ended by SIGKILL)\.' \
    "where the log is closed: what was seen" -- "${hungry[@]}"
says 159 crash "as root: dmesg \| grep type=1326" "and where the call would be found" -- "${forbidden[@]}"
like "$(sudo dmesg | grep type=1326 | tail -n 1)" "syscall=83 " "where it is"
done_testing
