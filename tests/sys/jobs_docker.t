#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What somebody who knows docker types first works, or is refused with what to type instead.
. "$(dirname "$0")/../helpers/lib.sh"
export XDG_RUNTIME_DIR=$T/run
mkdir -m 0700 "$XDG_RUNTIME_DIR"
run_d() { "$BRYO" run --quiet --no-workspace --network none -d "$@"; }
column() { "$BRYO" ps -a -f "name=$1" --format json | jq -r '.[0].status'; }
# a client of bryo that has its signalfd: before, a signal ends it the hard way
listens() { grep -qs sigmask "/proc/$1/fdinfo/"*; }
has() { "$BRYO" exec "$1" sh -c "[ -e $2 ]"; }

# --- ps: its words and filters ---------------------------------------------------------------------------
long='while :; do sleep 0.05; done; : something long enough to be cut'
run_ok "run -d -l" run_d --name one -l build=7 --label keep -l build=8 -- sh -c "$long"
run_d --name two --label build=9 -- sleep 1000 >/dev/null
run_d --name three -- sh -c 'exit 3' >/dev/null
"$BRYO" wait three >/dev/null
names() { "$BRYO" ps --names "$@" | grep -E '^(one|two|three)$' | sort | paste -sd ' '; }
run_ok "ps -a" "$BRYO" ps -a
like "$out" '^JOB ID +ROOT FILE SYSTEM +COMMAND +CREATED +STATUS +PORTS +NAMES' "has docker's columns"
like "$out" ' (Less than a second|[0-9]+ seconds?) ago +Up (Less than a second|[0-9]+ seconds?) +one' "and words for what runs"
like "$out" ' Exited \(3\) (Less than a second|[0-9]+ seconds?) ago +three' "and for what has ended"
like "$(grep ' one' <<<"$out")" '\.\.\. ' "a long command is cut"
like "$("$BRYO" ps --no-trunc)" 'long enough to be cut' "not with --no-trunc"
"$BRYO" pause two >/dev/null
like "$(column two)" '^Up .* \(Paused\)$' "what is paused"
is "$(names)" "one two" "ps: what has not ended"
is "$(names -f status=running)" one "a state"
is "$(names -f status=running -f status=exited)" "one three" "two of them: either"
is "$(names -f status=exited -f name=two)" "" "two keys: both"
is "$(names -f exited=3)" three "an exit status"
is "$(names -f exited=4)" "" "another"
is "$(names -f label=build)" "one two" "a label"
is "$(names -f label=build=8)" one "with its value, the last that was given"
is "$(names -f label=buil)" "" "not the beginning of one"
is "$(names --latest)" "$(names -n 1)" "--latest is -n 1"
is "$("$BRYO" ps -n 2 -q | wc -l)" 2 "-n: so many of all"
is "$("$BRYO" inspect one | jq -c '.[0] | [.labels, .ended]')" '[{"build":"8","keep":""},null]' "inspect has the labels"
like "$("$BRYO" inspect three | jq -r '.[0].ended')" '^20[0-9-]+T[0-9:]+Z$' "and when a job ended"
for bad in status=stopped exited=three exited=300 nosuch=x; do
    expect_status 125 "--filter $bad" "$BRYO" ps --filter "$bad"
    like "$err" '^bryo: --filter: "[^"]*" is no' "is refused"
done
for what in "ps" "stats" "image ls"; do
    # shellcheck disable=SC2086 # words
    expect_status 125 "$what --format with a template" "$BRYO" $what --format '{{.ID}}'
    like "$err" 'template.*jq' "says what to take"
done
run_ok "stats --no-stream" "$BRYO" stats --no-stream one
expect_status 125 "--label without a name" run_d --label =x -- true
like "$err" 'NAME\[=VALUE\]' "is refused"
# the time of its result is when it ended
while read -r seconds words; do
    touch -d "@$(($(date +%s) - seconds))" "$XDG_RUNTIME_DIR/bryo/jobs/$("$BRYO" ps -aq -f name=three)/result"
    is "$(column three)" "Exited (3) $words ago" "$seconds seconds ago, in words"
done <<END
90 About a minute
200 3 minutes
3700 About an hour
90000 25 hours
260000 3 days
1900000 3 weeks
8000000 3 months
80000000 2 years
END
"$BRYO" rm three >/dev/null
"$BRYO" rm -f two >/dev/null

# --- exec -d, attach ---------------------------------------------------------------------------------------
run_ok "exec -d" timeout 60 "$BRYO" exec -d one sh -c 'echo lost; echo lost >&2; : >/tmp/made; exec sleep 1000'
is "$out$err" "" "returns without a word"
ok "the command runs" wait_for 10 has one /tmp/made
expect_status 127 "exec -d of what is not there" "$BRYO" exec -d one no-such-command
like "$err" 'command not found' "says so"
for how in "SIGTERM --sig-proxy=false" "SIGUSR1 --no-stdin --sig-proxy=false"; do
    read -ra words <<<"$how"
    "$BRYO" attach "${words[@]:1}" one 2>"$T/said" &
    client=$!
    wait_for 10 listens $client
    kill -s "${words[0]}" $client
    wait $client
    is "$?" 0 "attach ${words[*]:1}: a signal leaves the job"
    like "$(cat "$T/said")" 'goes on' "which goes on"
done
run_d -i --name reader -- sh -c 'read -r x; echo "got $x"; exit 5' >/dev/null
echo typed | "$BRYO" attach --no-stdin reader >"$T/out" &
client=$!
wait_for 10 listens $client
echo more | "$BRYO" attach reader >/dev/null
is "$?" 5 "attach types"
wait $client
is "$(grep -v ^bryo: "$T/out")" "got more" "attach --no-stdin does not"
expect_status 125 "attach --sig-proxy=maybe" "$BRYO" attach --sig-proxy=maybe one
"$BRYO" rm reader >/dev/null
"$BRYO" rm -f one >/dev/null

# --- ports, where a network can be had ----------------------------------------------------------------------
if "$BRYO" run --quiet --no-workspace --network slirp -- true 2>/dev/null; then
    run_ok "run -d -p" "$BRYO" run -d --no-workspace --name web -p 127.0.0.1:0:80 -p 127.0.0.1:0:53/udp -- sleep 1000
    port=$(grep -oE 'port [0-9]+ leads to the job.s 80/tcp' <<<"$err" | cut -d' ' -f2)
    isnt "$port" "" "says which port of the machine it took"
    like "$("$BRYO" ps)" " 127\.0\.0\.1:$port->80/tcp, 127\.0\.0\.1:[0-9]+->53/udp +web" "ps has it"
    is "$("$BRYO" inspect web | jq -r '.[0].ports[0]')" "127.0.0.1:$port->80/tcp" "and inspect"
    "$BRYO" kill web >/dev/null && "$BRYO" wait web >/dev/null
    unlike "$("$BRYO" ps -a)" "$port->" "no more when it has ended"
    "$BRYO" rm web >/dev/null
fi

# --- logs ----------------------------------------------------------------------------------------------------
# "> /dev/stderr" opens the file that stands behind it, and empties it where that is a file
run_d --name talk -- sh -c 'echo first; echo second >/dev/stderr; sleep 0.3; printf th; sleep 0.1; echo ird; echo fourth >/dev/stdout' >/dev/null
"$BRYO" wait talk >/dev/null
is "$("$BRYO" logs talk)" "first
second
third
fourth" "what a job writes to /dev/stderr empties no log"
like "$(od -An -t u8 -N 16 "$XDG_RUNTIME_DIR"/bryo/jobs/*/times)" '^ *[0-9]{16} +0$' "the times begin where the log does"
run_ok "logs -t" "$BRYO" logs -t talk
stamp='20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z'
is "$(grep -cE "^$stamp (first|second|third|fourth)$" <<<"$out")" 4 "has a time before each line"
read -r third _ < <(grep third <<<"$out")
is "$("$BRYO" logs --since "$third" talk | head -n 1)" third "--since a time"
ok "lines that came later have later times" [ "$(head -n 1 <<<"$out" | cut -d' ' -f1)" "<" "$third" ]
is "$("$BRYO" logs --until "$(head -n 1 <<<"$out" | cut -d' ' -f1 | sed 's/Z$/999Z/')" talk)" "first
second" "--until one"
is "$("$BRYO" logs --since 1h talk | wc -l)" 4 "--since a while"
is "$("$BRYO" logs --until 1h talk)" "" "--until a while ago"
is "$("$BRYO" logs --until 1h -f talk)" "" "with -f too"
is "$("$BRYO" logs --since 1h --tail 1 -t talk | cut -d' ' -f2)" fourth "--tail with them"
is "$(TZ=UTC "$BRYO" logs --since "${third%Z}" talk)" "$("$BRYO" logs --since "$third" talk)" "a time of the machine's zone"
expect_status 125 "--since yesterday" "$BRYO" logs --since yesterday talk
like "$err" '"yesterday" is no time: expected 10m' "is refused"
rm "$XDG_RUNTIME_DIR"/bryo/jobs/*/times
expect_status 125 "logs -t where nothing tells the times" "$BRYO" logs -t talk
like "$err" 'is not known' "says so"
is "$("$BRYO" logs --tail 1 talk)" fourth "without a time nothing else is missing"
"$BRYO" rm talk >/dev/null

# --- what bryo has other words for --------------------------------------------------------------------------
words_of() { # lines "PATH WORD" of the table
    awk '/^static const struct word [a-z_]+\[\]/ { table = $5; sub(/\[\]/, "", table) }
        /^    \{"/ && table && !/"bryo/ { n = split($0, q, "\""); split(q[2], w, " "); for (i in w) print table, w[i] }
        /^    \{"bryo/ { split($0, q, "\""); t = $0; gsub(/.*", |\},?$/, "", t); paths[q[2]] = t }
        END { for (p in paths) print "path", paths[p], p }' "$SRC/cmd/bryo/docker_words.c"
}
words_of >"$T/words"
ok "there are many" test "$(grep -vc ^path "$T/words")" -gt 100
odd=
while read -r _ table path; do
    # one verb of those that share a table stands for all, but for an option that a verb does have
    while read -r word; do
        # shellcheck disable=SC2086 # words
        said=$("$BRYO" ${path#bryo} "$word" 2>&1)
        if [ $? -ne 125 ] || ! grep -q "has no .* \"$word\"" <<<"$said" || grep -q "did you mean" <<<"$said" ||
            [ "$(wc -l <<<"$said")" -ne 2 ]; then
            odd+="$path $word: $said"$'\n'
        fi
    done < <(sed -n "s/^$table //p" "$T/words")
done < <(grep -E '^path .* bryo( (run|exec|ps|stop|inspect))?$' "$T/words")
is "$odd" "" "each is refused in two lines, of which the second says what to type"
is "$("$BRYO" images 2>&1 | tail -n 1)" "bryo: bryo image ls lists the unpacked root file systems" "as for docker images"
for words in "debian:12 bash" "$ROOTFS_TAR bash"; do
    # shellcheck disable=SC2086 # words
    run "$BRYO" run --no-workspace --network none $words
    like "$err" 'bryo run --rootfs FILE' "run ${words##*/}: says where the root file system goes"
done
rm -rf "$T/run" "$T/said" "$T/out" "$T/words"
done_testing
