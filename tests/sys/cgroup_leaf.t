#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job's own cgroup, which needs no controller: where it lies, that nothing leaves it, that nothing
# of it stays, and that the job may divide it.
#
# Shown able to fail: without CLONE_INTO_CGROUP (internal/sandbox/host_clone.c) the job is outside;
# without host_cgroup_sweep() (internal/run/job_cgroup.c) killed ones' leaves stay.
# cgroup
# timeout: 240
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
need_cgroup
R=(run --no-workspace "${PLACE[@]}")

# --- inside --------------------------------------------------------------------------------------------
run_ok "a job in a cgroup of its own" "$BRYO" "${R[@]}" -- sh -c 'sed -n s/^0:://p /proc/self/cgroup /proc/1/cgroup; ls -d /sys/fs/cgroup/bryo* 2>/dev/null; grep " /sys/fs/cgroup cgroup2 rw" /proc/mounts | wc -l'
is "$out" "/
/
1" "sees it as the root, with its init in it, and may write to it"
run_ok "which it divides" "$BRYO" "${R[@]}" -- sh -ec 'cd /sys/fs/cgroup
    mkdir a a/b; echo $$ >a/b/cgroup.procs; sed -n s/^0:://p /proc/self/cgroup; echo $$ >cgroup.procs; echo 1 >a/cgroup.freeze; rmdir a/b a'
is "$out" "/a/b" "into groups of its own"
run_ok "a new mount shows no more" "$BRYO" "${R[@]}" -- unshare -UrmC sh -c 'mount -t cgroup2 none /mnt && ls -d /mnt/../mnt/bryo* /mnt/job 2>/dev/null; ls /mnt/cgroup.procs'
is "$out" "/mnt/cgroup.procs" "in a namespace below it"
run_ok "a user who is not root" "$BRYO" "${R[@]}" -u 1000 -- sh -c 'sed -n s/^0:://p /proc/self/cgroup'
is "$out" "/" "is in it too"

# --- the account ---------------------------------------------------------------------------------------
run_ok "the account" "$BRYO" "${R[@]}" --result "$T/result" -- sh -c 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done'
json() {
    jq -r "$1" "$T/result"
}
is "$(json '.user_us > 0 and .cpu_stall_us >= 0')" true "has processor time and stalls"
if ! has_controller memory; then # a hybrid, or a shell's own cgroup, from which nobody is moved without need
    is "$(json '[.peak_memory_bytes, .peak_processes, .throttled_us, .read_bytes, .oom_kills] | map(. == null) | all')" true \
        "what the kernel has no file for is null"
else
    is "$(json '.peak_memory_bytes > 0 and .peak_processes >= 2 and .throttled_us >= 0 and .oom_kills == 0')" true "memory and processes too"
fi
"$BRYO" run --no-workspace --cgroup-parent none --result "$T/result" -- true
is "$(json '[.cpu_stall_us, .peak_memory_bytes] | map(. == null) | all')" true "without a cgroup these are null"
is "$(json '.user_us + .system_us > 0')" true "and processor time is still told"
rm "$T/result"
is "$(leaves)" "" "no cgroup is left"

# --- its end -------------------------------------------------------------------------------------------
mkdir "$T/w"
run_ok "a job that leaves daemons, groups and a frozen one" "$BRYO" run "${PLACE[@]}" --workspace "$T/w" -- sh -c '
    mkdir -p /sys/fs/cgroup/a/b /sys/fs/cgroup/c
    (setsid sleep 3600 & echo $! >/sys/fs/cgroup/a/b/cgroup.procs)
    (setsid sleep 3600 & echo $! >/sys/fs/cgroup/c/cgroup.procs; echo 1 >/sys/fs/cgroup/c/cgroup.freeze)
    (setsid setsid sleep 3600 &)'
is "$(leaves)" "" "leaves no cgroup behind"
expect_status 124 "a frozen command" "$BRYO" "${R[@]}" --timeout 1s --grace 200ms -- sh -c 'sleep 0.3; echo 1 >/sys/fs/cgroup/cgroup.freeze; sleep 3600'
is "$(leaves)" "" "is ended as well"
expect_status 127 "a command that is not there" "$BRYO" "${R[@]}" -- no-such-command
is "$(leaves)" "" "leaves no cgroup behind"
expect_status 125 "a failure of bryo" "$BRYO" "${R[@]}" -w /proc/nothing -- true
is "$(leaves)" "" "leaves no cgroup behind"

# --- killed, and swept ---------------------------------------------------------------------------------
start_job() { # N: a job that runs until it is killed, in the background; sets pid
    "$BRYO" run "${PLACE[@]}" --workspace "$T/w" -- sh -c "mkdir -p /sys/fs/cgroup/x; touch up$1; exec sleep 3600" &
    pid=$!
    wait_for 60 test -e "$T/w/up$1" || diag "job $1 did not start"
    rm -f "$T/w/up$1"
}
start_job 1
first=$pid
start_job 2
is "$(leaves | wc -l)" 2 "two jobs, two cgroups"
kill -KILL "$first"
wait "$first" 2>/dev/null
if [ -n "${TEST_CGROUP:-}" ]; then
    is "$(leaves | wc -l)" 2 "the cgroup of a killed bryo stays at first"
    run_ok "the next run" "$BRYO" "${R[@]}" -- true
    is "$(leaves | wc -l)" 1 "takes it away, and leaves that of the running one"
else
    one_left() { [ "$(leaves | wc -l)" = 1 ]; }
    ok "the scope of a killed bryo goes by itself" wait_for 60 one_left
fi
ok "which runs on" kill -0 "$pid"
kill -TERM "$pid"
wait "$pid"
is "$(leaves)" "" "at the end none is left"

# --- where -----------------------------------------------------------------------------------------------
if [ -n "${TEST_CGROUP:-}" ]; then
    mkdir "$TEST_CGROUP/here"
    "$BRYO" run --workspace "$T/w" --cgroup-parent "$TEST_CGROUP/here" -- sh -c 'touch up; until [ -e go ]; do sleep 0.05; done' &
    pid=$!
    wait_for 60 test -e "$T/w/up"
    is "$(find "$TEST_CGROUP/here" -mindepth 1 -type d | sed "s|$TEST_CGROUP||; s/bryo-............/ID/")" "/here/ID
/here/ID/job" "--cgroup-parent: the limits' cgroup and the job's are there"
    is "$(sed -n s/^0:://p "/proc/$pid/cgroup")" "$(sed -n s/^0:://p /proc/self/cgroup)" "and the launcher is where it was"
    touch "$T/w/go"
    wait "$pid"
    rm "$T/w"/*
    run_ok "BRYO_CGROUP" env BRYO_CGROUP="$TEST_CGROUP/here" "$BRYO" run --workspace "$T/w" -- true
    run_ok "the path of the cgroup, as docker takes it" "$BRYO" run --no-workspace --cgroup-parent "/$(basename "$TEST_CGROUP")/here" -- true
    expect_status 125 "BRYO_CGROUP that is none" env BRYO_CGROUP=/tmp "$BRYO" "${R[@]}" -- true
    like "$err" "BRYO_CGROUP /tmp is no cgroup" "and says so"
    is "$(find "$TEST_CGROUP/here" -mindepth 1)" "$(find "$TEST_CGROUP/here" -mindepth 1 -maxdepth 1 -type f)" "nothing is left there"
    rmdir "$TEST_CGROUP/here"
    expect_status 125 "a place that no process can be put into" "$BRYO" run --no-workspace --cgroup-parent "$(dirname "$TEST_CGROUP")" -- true
    like "$err" "is not delegated to this user" "and says so"
fi

# --- bryo in it ----------------------------------------------------------------------------------------
if ! root_is_overlay; then
    cp "$BRYO" "$T/w/bryo"
    run_ok "bryo in bryo in bryo" "$BRYO" "${R[@]}" -v "$T/w:/opt/b:ro" --network host -- /opt/b/bryo run -v /opt/b:/opt/b:ro --no-workspace --network host --result /dev/stdout -- \
        /opt/b/bryo run -v /opt/b:/opt/b:ro --no-workspace --network host --result /dev/stdout -- sh -c 'sed -n s/^0:://p /proc/self/cgroup; test -w /sys/fs/cgroup/cgroup.procs && echo writable'
    is "$(head -n 2 <<<"$out")" "/
writable" "each has a cgroup of its own in that of the one above"
    is "$(sed 1,2d <<<"$out" | jq -s 'map(.cpu_stall_us >= 0) | all')" true "and an account of its own"
    is "$(leaves)" "" "nothing is left"
fi
rm -rf "$T/w"
done_testing
