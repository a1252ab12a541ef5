#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits by the controllers that systemd does not hand on: disks, processors by number, huge pages; in
# a cgroup that root delegated by hand with all of them.
#
# Shown able to fail: with set_one() (internal/cgroup/host_leaf.c) writing nothing, no limit holds.
# alone
# timeout: 200
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
top=/sys/fs/cgroup
hand=$top/bryo-all
# shellcheck disable=SC2016 # the inner shell expands them
give() {
    sudo sh -ec 'echo "+cpuset +io +hugetlb +memory +pids +cpu" >"$3"/cgroup.subtree_control
        mkdir -p "$2/shell"; echo "$4" >"$2/shell/cgroup.procs"
        echo "+cpuset +io +hugetlb +memory +pids +cpu" >"$2"/cgroup.subtree_control
        chown "$1" "$2" "$2"/cgroup.procs "$2"/cgroup.threads "$2"/cgroup.subtree_control "$2/shell" "$2/shell/cgroup.procs"' - \
        "$(id -un)" "$hand" "$top" $$ 2>"$T/why"
}
home=$(own_cgroup)
was=$(cat $top/cgroup.subtree_control)
take() {
    sudo sh -c 'echo "$1" >"$2/cgroup.procs"' - $$ "$home"
    sudo find "$hand" -depth -type d -exec rmdir {} + 2>/dev/null
    for one in cpuset io hugetlb; do
        [[ " $was " == *" $one "* ]] || sudo sh -c "echo -$one >$top/cgroup.subtree_control"
    done
    sudo sysctl -q -w vm.nr_hugepages=0
    rm -rf "$T/w" "$T/why" "$T/result"
}
trap take EXIT
ok "all controllers are delegated by hand" wait_for 60 give || diag "$(cat "$T/why")"
export BRYO_CGROUP=$hand
R=(run --no-workspace --result "$T/result")
mkdir "$T/w"
# held COMMAND FILE...: what a running job's cgroup has in these files; the options are in $options
held() {
    local leaf pid
    rm -f "$T/w"/*
    "$BRYO" run --workspace "$T/w" "${options[@]}" -- sh -c 'touch up; until [ -e go ]; do sleep 0.1; done' 2>"$T/w/err" &
    pid=$!
    wait_for 60 test -e "$T/w/up" || diag "$(cat "$T/w/err")"
    leaf=$(find $hand -maxdepth 1 -name 'bryo-????????????')
    (cd "$leaf" && cat "$@" 2>&1 | paste -sd ' ')
    touch "$T/w/go"
    wait $pid
}

# --- processors and memory nodes by number ---------------------------------------------------------------
options=(--cpuset-cpus 1 --cpuset-mems 0)
is "$(held cpuset.cpus cpuset.mems)" "1 0" "--cpuset-cpus and --cpuset-mems stand in the job's cgroup"
run_ok "a job there" "$BRYO" "${R[@]}" --cpuset-cpus 1 -- sh -c 'sed -n "s/^Cpus_allowed_list:.//p" /proc/self/status; taskset -pc 0 $$; true'
is "$(head -n 1 <<<"$out")" 1 "runs on that processor"
unlike "$out" "new affinity list: 0" "and cannot leave it"
unlike "$err" "sched_setaffinity" "so that nothing has to be said"

# --- disks -----------------------------------------------------------------------------------------------
disk=$(findmnt -n -o SOURCE -T "$T")
number=$(stat -c '%Hr:%Lr' "$disk")
options=(--io-max "$disk:rbps=5m,wbps=1m,riops=1000")
is "$(held io.max)" "$number rbps=5242880 wbps=1048576 riops=1000 wiops=max" "--io-max stands in the job's cgroup"
# shellcheck disable=SC2016 # the job's shell
write='read -r t0 _ </proc/uptime; dd if=/dev/zero of=f bs=64k count=64 oflag=direct 2>/dev/null; read -r t1 _ </proc/uptime
    rm f; echo "$t0 $t1" | awk "{ print (\$2 - \$1) * 1000 }"'
run_ok "4 MiB at 1 MiB a second" "$BRYO" run --workspace "$T/w" --result "$T/result" --io-max "$disk:wbps=1m" -- sh -c "$write"
ok "take 3 s at least ($out ms)" test "${out%.*}" -ge 3000
is "$(jq '.write_bytes >= 4194304 and .write_ops >= 64' "$T/result")" true "and are in the account"
is "$(jq .io_stall_us "$T/result" | awk '{ print ($1 > 1000000) }')" 1 "with the time that the job stood for them"
if [ -e $hand/io.weight ] || [ -e $hand/io.bfq.weight ]; then
    options=(--io-weight 50)
    like "$(held io.weight io.bfq.weight)" "default 50|^50" "--io-weight stands in the job's cgroup"
else
    expect_status 125 "--io-weight on a kernel that has none" "$BRYO" "${R[@]}" --io-weight 50 -- true
    like "$err" '--io-weight: cannot write "50" to io.weight of the job.s cgroup.*this kernel, or this machine.s device, has no such control' "is refused, and says why"
fi

# --- huge pages ------------------------------------------------------------------------------------------
sudo sysctl -q -w vm.nr_hugepages=8
options=(--hugetlb 2MB=4m)
is "$(held hugetlb.2MB.max)" 4194304 "--hugetlb stands in the job's cgroup"
cat >"$T/w/huge.py" <<'EOF'
import mmap, sys
HUGE = 2 << 20
m = mmap.mmap(-1, 4 * HUGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
for i in range(int(sys.argv[1])):
    m[i * HUGE] = 1
EOF
run_ok "two huge pages below a limit of two" "$BRYO" run --workspace "$T/w" --hugetlb 2MB=4m -- python3 huge.py 2
expect_status 135 "three are one too many" "$BRYO" run --workspace "$T/w" --hugetlb 2MB=4m -- python3 huge.py 3
run_ok "which there are without the limit" "$BRYO" run --workspace "$T/w" -- python3 huge.py 3
expect_status 125 "a size that this processor has not" "$BRYO" "${R[@]}" --hugetlb 3MB=3m -- true
like "$err" "hugetlb.3MB.max" "is refused"

# --- any other file --------------------------------------------------------------------------------------
options=(--cgroup-set memory.oom.group=1 --cgroup-set cpu.max.burst=1000 --cgroup-set cgroup.max.depth=5)
is "$(held memory.oom.group cpu.max.burst cgroup.max.depth)" "1 1000 5" "--cgroup-set"
expect_status 125 "of a file that is not there" "$BRYO" "${R[@]}" --cgroup-set memory.none=1 -- true
like "$err" '--cgroup-set: cannot write "1" to memory.none of the job' "is refused"
expect_status 125 "or a value that it does not take" "$BRYO" "${R[@]}" --cgroup-set memory.oom.group=many -- true
like "$err" "Invalid argument" "is refused"
is "$(find $hand -mindepth 1 -type d -name 'bryo-*' ! -name bryo-launcher)" "" "nothing is left"
rm -rf "$T/w" "$T/result" "$T/why"
done_testing
