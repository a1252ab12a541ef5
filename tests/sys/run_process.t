#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job's life: exit codes, signals, deadlines, standard input and output, what it leaves behind.
. "$(dirname "$0")/../helpers/lib.sh"

B() {
    "$BRYO" run --no-workspace "$@"
}
json() { # FILE FIELD
    python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"
}

# --- exit codes ----------------------------------------------------------------------------------
for code in 0 1 7 124 125 126 127 128 255; do
    expect_status $code "a job's own $code" B --result "$T/r" -- sh -c "exit $code"
    is "$err" "" "with no word of bryo's"
    is "$(json "$T/r" outcome) $(json "$T/r" exit_status)" "exited $code" "and --result tells it from bryo's own"
    rm -f "$T/r"
done
for sig in TERM KILL SEGV USR1; do
    expect_status $((128 + $(kill -l $sig))) "ended by SIG$sig" B --result "$T/r" -- sh -c "ulimit -c 0; kill -$sig \$\$"
    is "$(json "$T/r" outcome) $(json "$T/r" signal)" "signal $(kill -l $sig)" "and --result names it"
    rm -f "$T/r"
done
expect_status 127 "a command that is not there" B -- no-such-command
like "$err" "^bryo: command not found: no-such-command" "is named"
expect_status 127 "a path that is not there" B -- /no/such/command
expect_status 126 "a file that is no program" B -- /etc/passwd
like "$err" "chmod \+x" "says what would make it one"
expect_status 126 "a directory" B -- /usr
printf '#!/no/such/interpreter\n' >"$T/script"
chmod +x "$T/script"
expect_status 126 "a script without its interpreter" "$BRYO" run --workspace "$T" -- "$T/script"
like "$err" "interpreter" "is told apart from one that is not there"
rm -f "$T/script"

# --- init ----------------------------------------------------------------------------------------
run_ok "orphans" B -- sh -c '(sh -c "sleep 0.05 & exit 0"); for i in 1 2 3 4 5; do sh -c "true & exit 0"; done
    for try in $(seq 200); do [ "$(grep -l "^State:.Z" /proc/[0-9]*/status 2>/dev/null | wc -l)" = 0 ] && exit 0; sleep 0.02; done; exit 1'
run_ok "a process that outlives the command" B -- sh -c 'setsid sleep 3600 >/dev/null 2>&1 & exit 0'
leftovers "dies with the job"
run_ok "and also when it holds the job's output" timeout 20 "$BRYO" run -- sh -c 'setsid sleep 3600 & exit 0'
run_ok "and also with pipes between" timeout 20 "$BRYO" run --stall-timeout 1h -- sh -c 'echo out; setsid sleep 3600 & exit 0'
is "$out" out "whose output has come"
run_ok "SIGTERM to PID 1 from inside does nothing" B -- sh -c 'kill -KILL 1; kill -STOP 1; echo alive'
is "$out" alive "the kernel keeps the init of a namespace from what is inside of it"

# --- signals -------------------------------------------------------------------------------------
# start SCRIPT OPTION...: runs it in the background, sets $pid, returns when it has said "up"
start() {
    local script=$1
    shift
    : >"$T/log"
    "$BRYO" run --no-workspace --result "$T/r" "$@" -- python3 -u -c "$script" >"$T/log" 2>"$T/errors" &
    pid=$!
    wait_for 20 grep -q up "$T/log" || diag "did not start: $(cat "$T/log" "$T/errors")"
}
end_of() { # sets $status, and $seconds that it took
    local from=$SECONDS
    status=0
    wait "$pid" || status=$?
    seconds=$((SECONDS - from))
}
catch='
import signal, sys, time
def got(n, frame):
    print("got", signal.Signals(n).name)
    if n in (1, 2, 3, 15): sys.exit(40 + n)
for s in (1, 2, 3, 10, 12, 15, 28): signal.signal(s, got)
print("up")
while True: time.sleep(60)'
for sig in INT TERM HUP QUIT; do
    # (bash starts background jobs with SIGINT and SIGQUIT ignored, and bryo respects that)
    case $sig in INT | QUIT) set -m ;; esac
    start "$catch"
    set +m
    kill -$sig $pid
    end_of
    is "$status $(sed -n 's/got //p' "$T/log")" "$((40 + $(kill -l $sig))) SIG$sig" "SIG$sig reaches the command, whose status counts"
done
start "$catch"
for sig in USR1 USR2 WINCH; do
    kill -$sig $pid
    ok "SIG$sig reaches the command" wait_for 10 grep -q "got SIG$sig" "$T/log"
done
kill -TERM $pid
end_of
is $status 55 "which goes on"
ignore='
import signal, time
for s in (1, 2, 3, 15): signal.signal(s, lambda n, f: print("asked"))
print("up")
while True: time.sleep(60)'
start "$ignore" --grace 300ms
kill -TERM $pid
end_of
is "$status" 137 "a command that will not end is killed after the grace"
like "$(cat "$T/log")" asked "it was asked first"
ok "at once after it" test $seconds -le 4
is "$(json "$T/r" outcome) $(json "$T/r" signal)" "signal 9" "--result says so"
start 'import os, time
for i in range(3):
    if os.fork() == 0: os.setsid(); time.sleep(3600)
print("up")
time.sleep(3600)' --grace 1h
kill -TERM $pid
end_of
is "$status" 143 "a command that is ended by SIGTERM"
leftovers "takes its whole job along"
rm -f "$T/log" # or "up" of the job before is taken for this one's
nohup bash -c 'trap "" HUP; exec "$@"' - "$BRYO" run --no-workspace -- sh -c 'echo up; sleep 0.5; exit 3' >"$T/log" 2>&1 &
pid=$!
wait_for 20 grep -q up "$T/log"
kill -HUP $pid
end_of
is "$status" 3 "SIGHUP that nohup ignores stays ignored"
rm -f "$T/log" "$T/r" "$T/errors"

# Before the command runs: nothing is started any more, whichever moment it is.
for delay in 0 1 2 3 5 8 13; do
    env -u X "$BRYO" run --no-workspace -- sleep 3600 &
    pid=$!
    python3 -c "import time; time.sleep($delay / 1000)"
    kill -TERM $pid
    end_of
    is "$status" 143 "SIGTERM $delay ms after the start ends the run"
done
leftovers "and nothing of those stays"

# --- deadlines -----------------------------------------------------------------------------------
from=$SECONDS
expect_status 124 "--timeout" B --timeout 300ms --result "$T/r" -- sleep 3600
ok "comes in time" test $((SECONDS - from)) -le 4
is "$(json "$T/r" outcome)" timeout "--result says what it was"
expect_status 124 "a job that ends well when asked is late all the same" B --timeout 300ms -- \
    sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done'
expect_status 124 "one that will not end is killed" B --timeout 200ms --grace 200ms -- sh -c 'trap "" TERM; while :; do sleep 0.05; done'
expect_status 5 "one that is in time is not touched" B --timeout 1h -- sh -c 'exit 5'
expect_status 124 "--stall-timeout" B --stall-timeout 400ms --result "$T/r" -- sh -c 'echo one; sleep 3600'
is "$out" one "what came before is there"
is "$(json "$T/r" outcome)" stall-timeout "--result says what it was"
run_ok "a job that goes on talking is not stalled" B --stall-timeout 2s -- sh -c 'for i in 1 2 3 4 5 6; do echo $i; sleep 0.5; done'
run_ok "nor one that talks on stderr" B --stall-timeout 2s -- sh -c 'for i in 1 2 3 4 5 6; do echo $i >&2; sleep 0.5; done'
is "$err" "1
2
3
4
5
6" "which arrives there"
run_ok "much output passes whole" sh -c '"$BRYO" run --stall-timeout 1m -- seq 200000 | sha256sum'
is "$out" "$(seq 200000 | sha256sum)" "byte by byte"
expect_status 141 "a reader that goes away ends the writer by SIGPIPE" bash -c '"$BRYO" run --stall-timeout 1m -- yes | head -n 1; exit ${PIPESTATUS[0]}'
rm -f "$T/r"

# --- descriptors ---------------------------------------------------------------------------------
run_ok "standard input" bash -c 'echo typed | "$BRYO" run -- cat'
is "$out" "" "is empty without -i"
run_ok "standard input" bash -c 'echo typed | "$BRYO" run -i -- cat'
is "$out" typed "and bryo's own with it"
run_ok "the descriptors of the command" bash -c 'exec 7</etc/passwd 9>/dev/null 200</etc/group; "$BRYO" run -- ls /proc/self/fd'
is "$out" "0
1
2
3" "are 0, 1, 2 (and what ls opened)"
: >"$T/direct"
"$BRYO" run -- readlink /proc/self/fd/1 /proc/self/fd/2 >"$T/direct" 2>&1
is "$(sort -u "$T/direct" | wc -l)" 1 "the job writes straight to bryo's own descriptors"
ok "which are the files themselves" test "$(stat -L -c %i "$T/direct")" = "$("$BRYO" run -- sh -c 'stat -L -c %i /proc/self/fd/2' 2>>"$T/direct")"
rm -f "$T/direct"
run_ok "closed descriptors" bash -c '"$BRYO" run -- sh -c "exec 3</etc/passwd; cat <&0 | wc -c; [ -e /proc/self/fd/2 ]" 0<&- 2>&-'
is "$out" 0 "are /dev/null inside"
expect_status 0 "the same for output" bash -c '"$BRYO" run -- sh -c "echo x; echo y >&2" >&- 2>&-'
run_ok "ignored signals and masks are not inherited" bash -c 'trap "" PIPE TERM USR1; exec python3 -c "
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
os.execv(os.environ[\"BRYO\"], [\"bryo\", \"run\", \"--\", \"grep\", \"-E\", \"^Sig(Blk|Ign)\", \"/proc/self/status\"])"'
is "$(tr '\t' ' ' <<<"$out")" "SigBlk: 0000000000000000
SigIgn: 0000000000000000" "by the command"
run_ok "a launcher whose SIGCHLD is ignored" bash -c 'trap "" CHLD; exec "$BRYO" run -- sh -c "exit 0"'

# --- limits, umask, result --------------------------------------------------------------------------
run_ok "--ulimit and --umask" B --ulimit nofile=123:456 --ulimit core=0 --umask 077 -- sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c; umask'
is "$out" "123
456
0
0077" "are in force"
is "$(umask 077; B -- sh -c umask)" 0022 "the umask is 022 whatever it is outside"
run_ok "a job that works" B --result "$T/r" -- python3 -c '
x = bytearray(50 << 20)
import time; end = time.process_time() + 0.2
while time.process_time() < end: pass'
ok "--result counts its time and memory" python3 - "$T/r" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
u = r["rusage"] if "rusage" in r else r
flat = json.dumps(r)
assert r["outcome"] == "exited", flat
import re
assert any(k in flat for k in ("user", "rss")), flat
PY
rm -f "$T/r"

done_testing
