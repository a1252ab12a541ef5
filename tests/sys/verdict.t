#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Why a job failed, in one paragraph on stderr and in JSON, and nothing where there is nothing to say.
# (Memory, processes and processors: tests/vm/cgroup_limits.t.)
. "$(dirname "$0")/../helpers/lib.sh"
R=(run --no-workspace --result "$T/result")

json() {
    jq -r "$1" "$T/result"
}
says() { # STATUS CAUSE REGEX OPTION... -- COMMAND...
    local want=$1 cause=$2 regex=$3
    shift 3
    run "$BRYO" "${R[@]}" "$@"
    [ "$status" = "$want" ] && [ "$(json .verdict.cause)" = "$cause" ] && [[ $err =~ $regex ]] &&
        [[ $(json .verdict.text) =~ $regex ]]
    tap_result $? "$cause: $regex" || diag "status $status" "stderr: $err" "json: $(json .verdict)"
}
for command in "true" "exit 1" "exit 77" "exit 143"; do
    run "$BRYO" "${R[@]}" -- sh -c "$command"
    is "$err $(json .verdict)" " null" "nothing to say of: $command"
done
says 139 crash "ended by SIGSEGV \(segmentation fault" -- sh -c 'kill -SEGV $$'
says 139 crash "status 139, which is what a shell reports when SIGSEGV" -- sh -c 'sh -c "kill -SEGV \$\$"; exit $?'
says 134 crash "ended by SIGABRT \(it aborted itself" -- sh -c 'kill -ABRT $$'
says 159 crash "ended by SIGSYS .*seccomp" -- sh -c 'kill -SYS $$'
says 137 killed "ended by SIGKILL, which bryo did not send" -- sh -c 'kill -KILL $$'
says 127 command-not-found "command not found: pyhton[^3]*python3?" -- pyhton
says 127 command-not-found "command not found: no-such-thing-at-all" -- no-such-thing-at-all
like "$err" "PATH in the job is /usr/local/sbin:" "with the PATH"
is "$(grep -c 'command not found' <<<"$err")" 1 "once"
says 126 command-not-executable "cannot execute /etc" -- /etc

# --- deadlines -------------------------------------------------------------------------------------------
says 124 timeout "longer than --timeout allows \(1s\)\. At that moment sleep \(pid [0-9]+ in the job\) was sleeping" --timeout 1s -- sh -c 'sleep 3600; true'
like "$err" "sleeping in [a-z_]+" "and what it waits in"
says 124 timeout "SIGTERM did not end it within --grace \(200ms\)\. What held on: sleep" --timeout 1s --grace 200ms -- sh -c 'trap "" TERM; sleep 3600'
says 124 stall-timeout "printed nothing for as long as --stall-timeout allows \(500ms\)\. At that moment sh \(pid [0-9]+ in the job\) was running" --stall-timeout 500ms -- sh -c 'while :; do :; done'

# --- a full disk -----------------------------------------------------------------------------------------
if unshare -Urm mount -t tmpfs none /mnt 2>/dev/null; then
    mkdir "$T/small"
    # shellcheck disable=SC2016 # the inner shell
    run unshare -Urm sh -c 'mount -t tmpfs -o size=8m none "$1" && XDG_CACHE_HOME=$1 "$2" run --no-workspace -- dd if=/dev/zero of=/root/x bs=1M count=50' - "$T/small" "$BRYO"
    like "$err" "no space: the file system with the job's scratch is full, [0-9]+ [a-zA-Z]+ free for this user in $T/small/bryo\\. Make room" "a full disk"
    rmdir "$T/small"
else
    skip 1 "no user namespace for a small disk"
fi

# --- from outside ----------------------------------------------------------------------------------------
mkdir "$T/w"
"$BRYO" run --workspace "$T/w" --result "$T/result" -- sh -c 'touch up; exec sleep 3600' 2>"$T/w/err" &
pid=$!
wait_for 60 test -e "$T/w/up"
bash -c 'kill -TERM '$pid'; sleep 1; true'
wait $pid
is $? 143 "SIGTERM to bryo"
like "$(cat "$T/w/err")" "ended from outside: bryo got SIGTERM, from process [0-9]+ \(bash\) of user $(id -u), and passed it on" "the verdict says who sent it"
is "$(json .verdict.cause)" signalled "in JSON too"

# by bryo kill and its like
for words in "kill/137/SIGKILL" "kill -s INT/130/SIGINT" "stop/143/SIGTERM" "stop -t 0/137/SIGKILL" "rm -f/137/SIGKILL"; do
    IFS=/ read -r verb want name <<<"$words"
    rm -f "$T/w/up"
    "$BRYO" run --workspace "$T/w" --result "$T/result" -- sh -c 'touch up; exec sleep 3600' 2>"$T/w/err" &
    pid=$!
    one_runs() { [ -e "$T/w/up" ] && [ -n "$("$BRYO" ps -q)" ]; }
    wait_for 60 one_runs
    # shellcheck disable=SC2086 # words
    run_ok "bryo $verb" "$BRYO" $verb "$("$BRYO" ps -q)"
    wait $pid
    is $? "$want" "ends it"
    like "$(json .verdict.text)" "^ended from outside: process [0-9]+ \(bryo\) of user $(id -u) had the job sent $name," "and the verdict says so"
done

# --- a line of what was used -----------------------------------------------------------------------------
run_ok "--stats" "$BRYO" run --no-workspace --stats -- sh -c 'exit 0'
like "$err" "^bryo: stats: [0-9.]+ s wall, [0-9.]+ s user, [0-9.]+ s system, .*exit 0$" "one line"
expect_status 125 "a --stats-log that cannot be written" "$BRYO" run --no-workspace --stats-log "$T/none/csv" -- true
like "$err" "stats-log: $T/none/csv: No such file" "and says so"
expect_status 125 "bryo plot of what is no log" "$BRYO" plot "$SRC/Makefile"
like "$err" "line 1 is no sample" "and says so"

# --- paused, without a cgroup ----------------------------------------------------------------------------
rm "$T/w"/*
"$BRYO" run --workspace "$T/w" --cgroup-parent none -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >n; mv n count; sleep 0.02; done' 2>/dev/null &
pid=$!
wait_for 60 test -e "$T/w/count"
listed() { [ -n "$("$BRYO" ps -q)" ]; }
wait_for 60 listed
id=$("$BRYO" ps -q)
run_ok "bryo pause" "$BRYO" pause "$id"
stands() { # by signals it takes a moment
    local was
    was=$(cat "$T/w/count")
    sleep 0.3
    [ "$(cat "$T/w/count")" = "$was" ]
}
ok "brings it to a stand" wait_for 30 stands
first=$(cat "$T/w/count")
sleep 0.5
is "$(cat "$T/w/count")" "$first" "the job stands"
run_ok "bryo unpause" "$BRYO" unpause "$id"
goes_on() { [ "$(cat "$T/w/count")" -gt "$first" ]; }
ok "it goes on" wait_for 60 goes_on
kill -KILL $pid
wait $pid 2>/dev/null
expect_status 125 "a job whose bryo was killed" "$BRYO" pause "$id"
is "$("$BRYO" ps -q)" "" "is none that runs"
rm -rf "$T/w" "$T/result"
run "$BRYO" run --no-workspace -- true # sweeps
done_testing
