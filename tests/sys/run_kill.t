#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bryo itself is killed (SIGKILL), at every moment of its life: the job dies with it, and the next
# run takes away what it left, beside jobs that run.
#
# Shown able to fail: with PR_SET_PDEATHSIG taken from guest_die_with()
# (internal/sandbox/guest_userns.c) processes survive; without sweep_start() (internal/run/run.c) the
# scratch stays.
# timeout: 200
. "$(dirname "$0")/../helpers/lib.sh"

mark=bryo-kill-$$-$RANDOM
# Processes of the jobs below, by a word in their environment that no other process has; zombies are
# gone but for their parent's wait.
survivors() {
    grep -lzxF "MARK=$mark" /proc/[0-9]*/environ 2>/dev/null
}
children() { # direct children of this shell and orphans that fell to the test's reaper, by name
    ps -e -o pid=,ppid=,stat=,comm= | awk -v a="$$" -v b="$PPID" '($2 == a || $2 == b) && $3 !~ /^Z/ && $4 ~ /^bryo/ { print }'
}
none_left() {
    [ -z "$(survivors)$(children)" ]
}
no_survivor() {
    [ -z "$(survivors)" ]
}
scratches() {
    store_scratch "$XDG_CACHE_HOME" | wc -l
}

"$BRYO" run --no-workspace -- true # the init layer is there
job='setsid sh -c "exec sleep 3600" & sh -c "sleep 3600 & wait" & echo up >&3; wait'

# kill_at MILLISECONDS OPTION...: starts a job, kills bryo that long after
kill_at() {
    local delay=$1
    shift
    python3 - "$delay" "$BRYO" run --no-workspace -e "MARK=$mark" "$@" -- sh -c "exec 3>/dev/null; $job" <<'PY'
import os, signal, sys, time
delay = float(sys.argv[1]) / 1000
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
end = time.monotonic() + delay
while time.monotonic() < end:
    pass
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
PY
}
modes=("--userns single")
has_subids && modes+=("--userns subids")
for mode in "${modes[@]}"; do
    bad=
    for delay in 0 0.2 0.4 0.6 0.8 1 1.2 1.4 1.6 1.8 2 2.3 2.6 3 3.5 4 4.5 5 5.5 6 7 8 9 10 12 14 17 20 25 30 40 60 100; do
        # shellcheck disable=SC2086 # two words
        kill_at $delay $mode
        wait_for 10 none_left || bad+=" ${delay}ms: $(survivors) $(children)"
    done
    is "$bad" "" "$mode: killed at 33 moments of its start and run, nothing is alive"
done
for options in "-t" "-i" "-t -i" "--stall-timeout 1h" "--timeout 1h" "--time-offset boottime=1h" "--network host" "--keep"; do
    bad=
    for delay in 2 5 10 50; do
        # shellcheck disable=SC2086
        kill_at $delay $options </dev/null >/dev/null 2>&1
        wait_for 10 none_left || bad+=" ${delay}ms: $(survivors) $(children)"
    done
    is "$bad" "" "$options: the same"
done
ok "something was left behind, to be swept" test "$(scratches)" -gt 0

# --- a sweep, beside running jobs ------------------------------------------------------------------------
# Two jobs run and have written something; another was killed with files that are hard to remove.
for n in 1 2; do
    "$BRYO" run --workspace "$T" -- sh -c "echo mine >/root/mine; touch '$T/up$n'; until [ -e '$T/go' ]; do sleep 0.02; done; cat /root/mine" >"$T/out$n" 2>&1 &
    jobs[n]=$!
done
wait_for 30 test -e "$T/up1" -a -e "$T/up2" || diag "did not start: $(cat "$T"/out*)"
"$BRYO" run -e "MARK=$mark" --workspace "$T" -- sh -c 'mkdir -p /root/a/b/c; touch /root/a/b/c/f; ln -s /etc /root/a/l; mkfifo /root/p
    chown -R 33:33 /root/a 2>/dev/null; chmod 0 /root/a/b; touch "$0/dirty"; sleep 3600' "$T" >/dev/null 2>&1 &
pid=$!
wait_for 30 test -e "$T/dirty"
kill -KILL $pid
wait $pid 2>/dev/null
wait_for 10 no_survivor
before=$(scratches)
run_ok "the next run" "$BRYO" run --no-workspace -- true
is "$(scratches)" 2 "sweeps what killed ones left ($before with the two that run)"
is "$err" "" "without a word"
touch "$T/go"
wait "${jobs[1]}" "${jobs[2]}"
is "$(cat "$T/out1" "$T/out2")" "mine
mine" "and the two that ran have lost nothing"
is "$(scratches)" 0 "nothing is left at the end"
rm -f "$T"/{out1,out2,up1,up2,go,dirty}

# --- killed while it sweeps, and by signals of others ----------------------------------------------------
kill_at 60
mkdir -p "$XDG_CACHE_HOME/bryo/scratch/0123456789ab/upper" # a large one
(cd "$XDG_CACHE_HOME/bryo/scratch/0123456789ab/upper" && for d in $(seq 50); do mkdir "$d" && (cd "$d" && seq 100 | xargs touch); done)
for delay in 4 6 10; do
    kill_at $delay
done
wait_for 10 none_left
run_ok "a run after one that was killed while sweeping" "$BRYO" run --no-workspace -- true
is "$(scratches)" 0 "finishes it"
ok "what is no scratch is not touched" bash -c 'mkdir "$XDG_CACHE_HOME/bryo/scratch/not-an-id" && "$BRYO" run --no-workspace -- true && rmdir "$XDG_CACHE_HOME/bryo/scratch/not-an-id"'

# PID 1 of the job is killed from outside: bryo cannot know how the command would have ended.
"$BRYO" run --no-workspace -e "MARK=$mark" -- sleep 3600 2>"$T/errors" &
pid=$!
init_of() {
    ps -o pid=,comm= --ppid $pid | awk '$2 == "bryo-init" { print $1 }'
}
running() {
    [ -n "$(survivors)" ]
}
wait_for 20 running
is "$(init_of | wc -l)" 1 "the job's init is a child of bryo"
kill -KILL "$(init_of)"
status=0
wait $pid || status=$?
is "$status" 125 "the job's init is killed by another: bryo fails"
like "$(cat "$T/errors")" "init was killed" "and says why"
rm -f "$T/errors"
wait_for 10 none_left
is "$(scratches)" 0 "and takes everything away"
done_testing
