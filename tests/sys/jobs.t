#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Jobs in the background and what is done to them: run -d, ps, logs, exec, attach, pause, stop, kill,
# wait, inspect, rm. A dead job never shows as alive.
# timeout: 240
. "$(dirname "$0")/../helpers/lib.sh"
export XDG_RUNTIME_DIR=$T/run
mkdir -m 0700 "$XDG_RUNTIME_DIR"
run_d() { "$BRYO" run --no-workspace --network none -d "$@"; }
state() { "$BRYO" ps -a --format json | jq -r --arg id "$1" '.[] | select(.id == $id or .name == $id) | .state'; }
loop='echo begins; trap "echo asked; exit 3" TERM; while :; do sleep 0.05; done'

# --- one that runs ----------------------------------------------------------------------------------------
run_ok "run -d" run_d --name web -- sh -c "$loop"
like "$out" '^[0-9a-f]{12}$' "prints the job's id and is done"
id=$out
# by what is read from it: a pipe that any process of the job held would not end before the job
run_ok "run -d in \$( )" timeout 60 bash -c \
    'one=$("$0" run --no-workspace -d -- sleep 1000 2>&1) && [ "$("$0" ps -q | grep -c "$one")" = 1 ] && "$0" rm -f "$one"' "$BRYO"
is "$("$BRYO" ps -q)" "$id" "ps -q lists it"
like "$("$BRYO" ps)" "$id +host +sh -c echo begins.* Up (Less than a|[0-9]+) seconds? +web" "ps tells what it is"
is "$(state web)" running "its state is running"
wait_for 10 grep -q begins "$XDG_RUNTIME_DIR/bryo/jobs/$id/log"
is "$("$BRYO" logs web)" begins "logs has what it printed"
expect_status 125 "its name is taken" run_d --name web -- true
like "$err" "a job called web, $id" "says by whom"
is "$("$BRYO" ps -aq)" "$id" "and leaves nothing"
for ref in web "$id" "${id:0:5}"; do
    run_ok "it is found as $ref" "$BRYO" inspect "$ref"
    is "$(jq -r '.[0].id' <<<"$out")" "$id" "by name, id, beginning of the id"
done
is "$(jq -r '.[0] | [.state, .detached, .command[0], .exit_status] | @csv' <<<"$out")" '"running",true,"sh",' "inspect is JSON"
expect_status 125 "no such job" "$BRYO" logs nosuch
like "$err" 'no job nosuch' "is said"
is "$("$BRYO" ps -q -f name=web -f status=running)" "$id" "filters"
is "$("$BRYO" ps -q -f status=paused)" "" "that do not match"

# --- exec ---------------------------------------------------------------------------------------------------
run_ok "exec" "$BRYO" exec web sh -c 'echo in; echo err >&2; cat /proc/1/comm; id -u'
is "$out" "in
bryo-init
0" "runs in the job"
is "$err" err "its errors are apart"
expect_status 9 "its exit status" "$BRYO" exec web sh -c 'exit 9'
expect_status 9 "the same behind a --, as bryo run has it" "$BRYO" exec web -- sh -c 'exit 9'
expect_status 137 "or the signal's" "$BRYO" exec web sh -c 'kill -KILL $$'
expect_status 127 "a command that is not there" "$BRYO" exec web no-such-command
like "$err" 'command not found: no-such-command' "is said so"
run_ok "-e, -w" "$BRYO" exec -e A=1 -w /tmp web sh -c 'echo $A $PWD'
is "$out" "1 /tmp" "environment and directory"
is "$(echo typed | "$BRYO" exec -i web cat)" typed "-i lets it read"
is "$(echo typed | "$BRYO" exec web cat)" "" "without it there is nothing to read"
is "$("$BRYO" exec web sh -c 'grep -E "^(NoNewPrivs|Seccomp|CapEff|CapBnd):" /proc/self/status')" \
    "$("$BRYO" exec web sh -c 'grep -E "^(NoNewPrivs|Seccomp|CapEff|CapBnd):" /proc/2/status')" "it has no more privilege than the job's command"
like "$("$BRYO" exec web sh -c 'cat /proc/self/status')" 'NoNewPrivs:.1' "and cannot gain any"
is "$("$BRYO" exec web sh -c 'ls /proc/self/fd | tr "\n" " "')" "0 1 2 3 " "no descriptor of bryo's"
like "$(script -qec "$BRYO exec -it web sh -c 'stty size; tty'" /dev/null </dev/null)" '/dev/pts/' "-t gives it a terminal"
run_ok "chown in it" "$BRYO" exec web sh -c ': >/tmp/f && chown 0:0 /tmp/f && if [ "$1" = one ]; then chown 7:8 /tmp/f && stat -c %u:%g /tmp/f; else echo 7:8; fi' sh "$(has_subids || echo one)"
is "$out" 7:8 "has who answers for --fake-root"
like "$("$BRYO" exec web sh -c 'unshare -m true; keyctl show 2>&1; python3 -c "import os; os.syscall" 2>&1; echo end')" end "what the filter refuses is refused, and not waited for"
"$BRYO" exec web sh -c 'echo $$ >/tmp/pid; exec sleep 1000' &
client=$!
wait_for 10 "$BRYO" exec web test -s /tmp/pid
kill -KILL $client
wait $client 2>/dev/null
ok "a command whose bryo was killed ends" wait_for 10 "$BRYO" exec web sh -c '! kill -0 $(cat /tmp/pid) 2>/dev/null'
"$BRYO" exec web sh -c 'trap "echo got int; exit 4" INT; echo ready; while :; do sleep 0.05; done' >"$T/exec.out" &
client=$!
wait_for 10 grep -q ready "$T/exec.out"
kill -TERM $client 2>/dev/null
wait $client
is $? 143 "a signal to bryo exec reaches its command"
for i in $(seq 20); do
    "$BRYO" exec web sh -c "echo $i" >>"$T/many" &
done
wait
is "$(sort -n "$T/many" | tr '\n' ' ')" "$(seq 20 | tr '\n' ' ')" "twenty at once"

# --- pause ----------------------------------------------------------------------------------------------------
run_ok "a counter" run_d --name count -- sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/n; sleep 0.01; done'
count() { "$BRYO" exec count cat /tmp/n; }
wait_for 10 count >/dev/null 2>&1
run_ok "pause" "$BRYO" pause count
is "$(state count)" paused "its state is paused"
expect_status 125 "pausing it again" "$BRYO" pause count
like "$err" 'paused already' "is refused"
for verb in "exec count true" "attach count"; do
    # shellcheck disable=SC2086 # words
    expect_status 125 "$verb" "$BRYO" $verb
    like "$err" 'is paused.*bryo unpause' "is refused, with what helps"
done
like "$("$BRYO" ps -f name=count)" 'Up [^ ].* \(Paused\)' "ps says it"
log=$XDG_RUNTIME_DIR/bryo/jobs/$(jq -r '.[0].id' <<<"$("$BRYO" inspect count)")
ok "its record is there" test -d "$log"
run_ok "unpause" "$BRYO" unpause count
first=$(count)
sleep 0.3
ok "it counts on" test "$(count)" -gt "$first"
run_ok "stats" "$BRYO" stats --format json count
ok "has figures, with a cgroup or without" jq -e '.[0] | .processes >= 2 and .memory_bytes != 0 and .cpu_us > 0' <<<"$out"
like "$("$BRYO" stats)" "count +[0-9]+\.[0-9][0-9]% " "in the table too"
expect_status 125 "stats of none" "$BRYO" stats nosuch
like "$err" 'no job nosuch' "is said"
"$BRYO" stats --follow >"$T/stats" &
follow=$!
ok "stats --follow goes on" wait_for 20 sh -c "[ \$(grep -c count '$T/stats') -ge 2 ]"
kill "$follow"
wait "$follow" 2>/dev/null
run_ok "kill" "$BRYO" kill count
is "$("$BRYO" wait count)" 137 "wait prints the status"
is "$(state count)" exited "it has ended"
expect_status 125 "nothing can be started in it" "$BRYO" exec count true
like "$err" 'does not run .exited.' "is said"
run_ok "rm" "$BRYO" rm count
is "$(state count)" "" "then it is forgotten"

# --- stop, wait, logs -f ---------------------------------------------------------------------------------------
"$BRYO" logs -f web >"$T/follow" &
follow=$!
"$BRYO" wait web >"$T/wait" &
waiter=$!
run_ok "stop" "$BRYO" stop web
wait $follow $waiter
is "$(grep -vE "^(Terminated|bryo: )" "$T/follow")" "begins
asked" "logs -f goes on until the job ends, and misses nothing"
is "$(cat "$T/wait")" 3 "wait hears of it"
is "$("$BRYO" logs --tail 1 web 2>&1 | cut -c 1-35)" "bryo: signalled from outside before" "the verdict is the log's end"
# (the job's shell may say of its own child that it was terminated)
is "$("$BRYO" logs --tail 2 web 2>&1 | wc -l)" 2 "logs --tail counts lines"
is "$("$BRYO" inspect web | jq -r '.[0] | [.state, .exit_status, .result.outcome] | @csv')" '"exited",3,"exited"' "inspect has the result"
is "$("$BRYO" ps -q)" "" "ps shows only what runs"
is "$("$BRYO" ps -aq)" "$id" "ps -a all of it"
like "$("$BRYO" ps -a)" 'Exited \(3\)' "with its status"
run_ok "stop of one that has ended" "$BRYO" stop web
run_ok "rm" "$BRYO" rm web
run_d --name stubborn -- sh -c 'trap "" TERM; echo up; while :; do sleep 0.05; done' >/dev/null
wait_for 10 sh -c "\"$BRYO\" logs stubborn | grep -q up"
expect_status 125 "rm of one that runs" "$BRYO" rm stubborn
like "$err" 'is running' "is refused"
run_ok "stop -t 0.2 of one that does not listen" "$BRYO" stop -t 200ms stubborn
is "$("$BRYO" wait stubborn)" 137 "kills it"
"$BRYO" rm stubborn >/dev/null
run_d --name forced -- sleep 1000 >/dev/null
run_ok "rm -f" "$BRYO" rm -f forced
is "$("$BRYO" ps -aq)" "" "ends and forgets it"
run_ok "--rm" run_d --rm -- true
ok "a detached job with --rm forgets itself" wait_for 10 sh -c "[ -z \"\$('$BRYO' ps -aq)\" ]"

# --- attach -----------------------------------------------------------------------------------------------------
run_d -i --name reader -- sh -c 'while read -r line; do echo "got $line"; [ "$line" != quit ] || exit 5; done' >/dev/null
# held_for COMMAND...: with its input open until it has ended (see held)
held_for() {
    timeout 60 "$@"
    local st=$?
    : >"$T/over"
    return $st
}
held() {
    until [ -e "$T/over" ]; do sleep 0.05; done
    rm -f "$T/over"
}
(echo one; sleep 0.2; echo quit; held) | held_for "$BRYO" attach reader >"$T/attach"
is "${PIPESTATUS[1]}" 5 "attach has the job's status"
is "$(cat "$T/attach")" "got one
got quit" "types to it and prints what it prints"
"$BRYO" rm reader >/dev/null
run_d -it --name term -- sh -c 'tty; read -r x; echo "read $x"; exit 6' >/dev/null
wait_for 10 sh -c "'$BRYO' logs term | grep -q pts"
(sleep 0.3; echo word; held) | held_for "$BRYO" attach term >"$T/attach"
is "${PIPESTATUS[1]}" 6 "a job with a terminal"
like "$(tr -d '\r' <"$T/attach")" 'read word' "can be typed to"
"$BRYO" rm term >/dev/null
run_d -it --name back -- sh -c 'while read -r x; do echo "read $x"; done' >/dev/null
# type_to WORD LINE LAST: the line, until the job has read the word in it (what is typed before the
# terminal is raw may be lost), then the last
type_to() {
    until grep -q "read .*$1" "$T/attach"; do
        printf '%b\n' "$2"
        sleep 0.3
    done
    printf '%b' "$3"
    held
}
: >"$T/attach"
type_to one one '\020\021' | TERM=xterm held_for script -qfec "$BRYO attach back" /dev/null >"$T/attach"
like "$(tr -d '\r' <"$T/attach")" 'read one.*goes on' "Ctrl-P Ctrl-Q leaves it"
is "$(state back)" running "and it runs on"
: >"$T/attach"
type_to x '\020x' '\004' | TERM=xterm held_for script -qfec "$BRYO attach back" /dev/null >"$T/attach"
like "$(tr -d '\r' <"$T/attach")" 'read .*x' "a Ctrl-P alone is typed"
"$BRYO" rm -f back >/dev/null

# --- what never ran, and what was killed ---------------------------------------------------------------------------
expect_status 127 "run -d of a command that is not there" run_d -- no-such-command
like "$err" 'command not found' "says so where it was called"
expect_status 125 "a root that is not there" run_d --rootfs "$T/none" -- true
is "$("$BRYO" ps -aq)" "" "nothing is left of either"
run_d --name victim -- sleep 1000 >/dev/null
kill -KILL "$("$BRYO" inspect victim | jq '.[0].bryo_pid')"
ok "a job whose bryo was killed is dead at once" wait_for 5 sh -c "[ \"\$('$BRYO' ps -a -q -f status=dead)\" ]"
is "$("$BRYO" ps -q)" "" "and not among those that run"
run_ok "rm" "$BRYO" rm victim
"$BRYO" run --no-workspace --network none -- sleep 1000 &
bryo=$!
ok "a job in the foreground is listed too" wait_for 10 sh -c "[ \"\$('$BRYO' ps -q)\" ]"
expect_status 125 "it has no log" "$BRYO" logs "$("$BRYO" ps -q)"
kill -KILL $bryo
wait $bryo 2>/dev/null
is "$("$BRYO" ps -q)" "" "killed, it does not show"
run_ok "the next run" run_d --name next -- true
wait_for 10 sh -c "[ \"\$('$BRYO' ps -a -q -f status=exited)\" ]"
is "$("$BRYO" ps -aq | wc -l)" 1 "sweeps it away"
"$BRYO" rm next >/dev/null
is "$(find "$XDG_RUNTIME_DIR" -type f -o -type s)" "" "nothing is left"

# --- shell -----------------------------------------------------------------------------------------------------------
is "$(echo 'echo in a shell; exit 4' | "$BRYO" shell --no-workspace --network none)" "in a shell" "bryo shell reads standard input"
like "$(script -qec "$BRYO shell --no-workspace --network none" /dev/null <<<'exit')" '\(host\)' "its prompt says where it is"
rm -rf "$T/run" "$T/over" "$T/follow" "$T/stats" "$T/wait" "$T/attach" "$T/many" "$T/exec.out"
# --- no room for the log -------------------------------------------------------------------------------
# On a file system of its own, which is full while the job prints, and then is not.
mkdir "$T/small" "$T/shared"
run_ok "a job whose log has no room" unshare -Urm bash -ec '
    mount -t tmpfs -o size=256k,mode=700 tmpfs "$2"
    export XDG_RUNTIME_DIR=$2
    head -c 131072 /dev/zero >"$2/filler"
    id=$("$1" run -d --no-workspace --network none -v "$3:/shared" -- sh -c "
        echo before; head -c 400000 /dev/zero | tr \"\\0\" x
        : >/shared/full; while [ ! -e /shared/go ]; do sleep 0.05; done; echo after; exit 7")
    for ((i = 0; i < 600; i++)); do [ -e "$3/full" ] && break; sleep 0.05; done
    rm "$2/filler"
    : >"$3/go"
    "$1" wait "$id"
    "$1" logs "$id" >"$3/log"' bash "$BRYO" "$T/small" "$T/shared"
is "$out" 7 "goes on, and ends as it does"
is "$(head -n 1 "$T/shared/log")" before "what found room is there"
like "$(tail -n 2 "$T/shared/log")" "^bryo: [0-9]+ bytes of output are missing here: No space left on device" "what did not is told"
is "$(tail -n 1 "$T/shared/log")" after "and what came later is there"

done_testing
