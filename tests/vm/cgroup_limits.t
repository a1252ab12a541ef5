#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits that hold, with real controllers: by a scope of the account's systemd, or (run by root) in a
# cgroup that was delegated by hand.
#
# Shown able to fail: with set_one() (internal/cgroup/host_leaf.c) writing nothing, no limit holds.
# cgroup
# alone
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
R=(run --no-workspace "${PLACE[@]}" --result "$T/result")

json() {
    jq -r "$1" "$T/result"
}
ok "jobs get memory, processes and processors" bash -c '"$@" | grep -w memory | grep -w pids | grep -qw cpu' - \
    "$BRYO" "${R[@]}" -m 1g -- cat /sys/fs/cgroup/cgroup.controllers

# --- memory ----------------------------------------------------------------------------------------------
oom_kills() { # of the whole machine
    sed -n 's/^oom_kill //p' /proc/vmstat
}
sleep 600 &
beside=$!
before=$(oom_kills)
expect_status 137 "300 MB under -m 100m" "$BRYO" "${R[@]}" -m 100m --memory-swap 100m -- dd if=/dev/zero of=/dev/null bs=300M count=1
is "$(($(oom_kills) - before))" 1 "one process of the machine is killed"
ok "nothing beside it is" kill -0 $beside
kill $beside
like "$err" "out of memory: the kernel killed 1 process of the job, which had reached its limit of 100 MiB \(--memory\)" "the verdict says so"
like "$err" "set --memory to at least 150m" "and what to set"
is "$(json .verdict.cause)" out-of-memory "in JSON too"
is "$(json '.oom_kills == 1 and .peak_memory_bytes > 90000000 and .peak_memory_bytes <= 104857600')" true "with the peak"
diag "$err"
run_ok "the same under -m 500m" "$BRYO" "${R[@]}" -m 500m -- dd if=/dev/zero of=/dev/null bs=300M count=1
is "$(json '.verdict == null and .peak_memory_bytes > 300000000')" true "has a peak and no verdict"
expect_status 137 "a part of the job" "$BRYO" "${R[@]}" -m 100m --memory-swap 100m -- sh -c 'dd if=/dev/zero of=/dev/null bs=300M count=1; exit $?'
is "$(json .verdict.cause)" out-of-memory "the verdict is the same"
run_ok "--memory-high" "$BRYO" "${R[@]}" --memory-high 60m -m 100m --memory-swap 100m -- sh -c 'dd if=/dev/zero of=/dev/null bs=20M count=1 2>&1; cat /sys/fs/cgroup/memory.max'
is "$(tail -n 1 <<<"$out")" 104857600 "and a job reads its limit where programs look for it"

# --- processes -------------------------------------------------------------------------------------------
"$BRYO" "${R[@]}" --pids-limit 64 --grace 0s -- bash -c 'b() { b | b & }; b; while :; do sleep 1; done' >/dev/null 2>&1 &
pid=$!
sleep 5
start=$(date +%s%N)
kill -TERM $pid
wait $pid
took=$((($(date +%s%N) - start) / 1000000))
limit=$((1000 * ${BRYO_SLOW:-1})) # a second of a processor that is not emulated
ok "a fork bomb under --pids-limit 64 is killed within $limit ms (took $took ms)" test "$took" -le $limit
is "$(json '.peak_processes')" 64 "and was held at 64"
is "$(leaves)" "" "nothing is left of it"
run "$BRYO" "${R[@]}" --pids-limit 16 -- bash -c 'for i in {1..40}; do sleep 5 & done; exit 3'
like "$err" "out of processes: the kernel refused a new process or thread [0-9]+ times?, at the limit of 16 \(--pids-limit\)" "the verdict on one that cannot fork"
is "$(json .verdict.cause)" out-of-processes "in JSON too"

# --- processors ------------------------------------------------------------------------------------------
# shellcheck disable=SC2016 # the job's shell
spin='read -r t0 _ </proc/uptime; u0=$(sed -n "s/^usage_usec //p" /sys/fs/cgroup/cpu.stat)
    timeout 5 sh -c "while :; do :; done"
    read -r t1 _ </proc/uptime; u1=$(sed -n "s/^usage_usec //p" /sys/fs/cgroup/cpu.stat)
    echo "$t0 $t1 $u0 $u1" | awk "{ printf \"%.3f\n\", (\$4 - \$3) / 1e6 / (\$2 - \$1) }"'
run_ok "--cpus 0.5" "$BRYO" "${R[@]}" --cpus 0.5 -- sh -c "$spin"
ok "gives 0.45 to 0.55 of a processor over 5 s ($out)" awk -v x="$out" 'BEGIN { exit !(x >= 0.45 && x <= 0.55) }'
is "$(json '.throttled_us > 1000000')" true "the account says how long it was held back"
run_ok "without a limit" "$BRYO" "${R[@]}" -- sh -c "$spin"
ok "it is more ($out)" awk -v x="$out" 'BEGIN { exit !(x > 0.6) }'

# --- what else is written --------------------------------------------------------------------------------
mkdir "$T/w"
"$BRYO" run "${PLACE[@]}" --workspace "$T/w" -m 200m --memory-swap 300m --memory-high 150m --cpus 1.5 --cpu-weight 50 \
    --pids-limit 99 --cgroup-set memory.low=10M --cgroup-set cgroup.max.depth=7 -- sh -c 'echo max >/sys/fs/cgroup/memory.max; echo max >/sys/fs/cgroup/pids.max; cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max >seen 2>&1; mv seen up; until [ -e go ]; do sleep 0.1; done' &
pid=$!
wait_for 120 test -e "$T/w/up"
leaf=$(leaves)
is "$(cd "$leaf" && cat memory.max memory.swap.max memory.high cpu.max cpu.weight pids.max memory.low cgroup.max.depth | paste -sd ' ')" \
    "209715200 104857600 157286400 150000 100000 50 99 10485760 7" "every limit stands in the job's cgroup"
diag "the job sees, after it wrote \"max\": $(paste -sd ' ' "$T/w/up")"
is "$(cat "$leaf/memory.max")" 209715200 "and is out of the job's reach"
touch "$T/w/go"
wait $pid
rm -r "$T/w"

# --- samples ---------------------------------------------------------------------------------------------
run_ok "--stats and --stats-log" "$BRYO" run --no-workspace "${PLACE[@]}" -m 200m --stats --stats-log "$T/csv" --stats-interval 500ms -- sh -c 'dd if=/dev/zero of=/dev/shm/x bs=1M count=50; sleep 3'
like "$err" "stats: [0-9.]+ s wall, [0-9.]+ s user, [0-9.]+ s system, [0-9.]+ s throttled, [0-9.]+ MiB peak memory.*processes at once.*stalled for cpu" "one line"
ok "a row each time" test "$(wc -l <"$T/csv")" -ge 6
is "$(awk -F, 'NR > 1 && $6 != 209715200' "$T/csv" | wc -l)" 0 "with the limit"
ok "and the memory" awk -F, '$5 > 52428800 { seen = 1 } END { exit !seen }' "$T/csv"
run_ok "bryo plot" "$BRYO" plot "$T/csv" -o "$T/svg"
ok "draws it" grep -q 'limit 200 MiB' "$T/svg"
rm -f "$T/csv" "$T/svg"

# --- at rest ---------------------------------------------------------------------------------------------
mkdir "$T/w"
"$BRYO" run "${PLACE[@]}" --workspace "$T/w" -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >n; mv n count; sleep 0.05; done' &
pid=$!
wait_for 120 test -e "$T/w/count"
id=$(basename "$(leaves)")
id=${id#bryo-}
run_ok "bryo pause" "$BRYO" pause "$id"
first=$(cat "$T/w/count")
sleep 2
is "$(cat "$T/w/count")" "$first" "the counter stands"
is "$(cat "$(leaves)/cgroup.freeze")" 1 "by the freezer"
run_ok "bryo unpause" "$BRYO" unpause "${id:0:6}"
goes_on() { [ "$(cat "$T/w/count")" -gt "$first" ]; }
ok "it goes on" wait_for 60 goes_on
"$BRYO" pause "$id" >/dev/null
kill -TERM $pid
wait $pid
is $? 143 "a paused job hears SIGTERM"
rm -r "$T/w"

# --- two levels ------------------------------------------------------------------------------------------
mkdir "$T/b"
cp "$BRYO" "$T/b/bryo"
N=(-v "$T/b:/opt/b:ro" -e BRYO_CGROUP=)
inner=(/opt/b/bryo run --no-workspace --result /dev/stderr)
run "$BRYO" "${R[@]}" -m 300m --memory-swap 300m --pids-limit 50 "${N[@]}" -- sh -c '"$@"; echo "outer: $?"; dd if=/dev/zero of=/dev/null bs=150M count=1 && echo lives' - \
    "${inner[@]}" -m 100m --memory-swap 100m --pids-limit 20 -- dd if=/dev/zero of=/dev/null bs=200M count=1
is "$out" "outer: 137
lives" "a limit of the inner job kills the inner job only"
like "$err" "reached its limit of 100 MiB" "whose verdict says so"
run "$BRYO" "${R[@]}" -m 100m --memory-swap 100m "${N[@]}" -- "${inner[@]}" -m 400m -- dd if=/dev/zero of=/dev/null bs=300M count=1
is "$status" 137 "a limit of the outer job counts for the inner one"
like "$err" "not for a limit of the job's own: a cgroup above it" "whose bryo says that it was not its own"
like "$(json .verdict.text)" "reached its limit of 100 MiB" "and the outer one that it was"
run "$BRYO" "${R[@]}" --pids-limit 30 "${N[@]}" -- "${inner[@]}" --pids-limit 10 -- bash -c 'for i in {1..40}; do sleep 2 & done; exit 1'
like "$err" "at the limit of 10 \(--pids-limit\)" "processes: the inner limit"
is "$(leaves)" "" "nothing is left"
rm -r "$T/b"
rm -f "$T/result"
done_testing
