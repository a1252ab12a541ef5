#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --secret and --guard: what a job prints has no power, and no secret in it.
. "$(dirname "$0")/../helpers/lib.sh"

value='s3cret-Value/of"the+day'
export TOKEN=$value
job() { # OPTION... -- COMMAND...
    "$BRYO" run --no-workspace "$@"
}

# --- files, variables -----------------------------------------------------------------------------
printf 'first line of it\nsecond line of it\n' >"$T/two-lines"
run_ok "a variable and a file" job --secret TOKEN --secret KEY="$T/two-lines" -- \
    sh -c 'cd /run/secrets && stat -c "%n %a %u:%g %s %F" . *; stat -f -c %T .; wc -c <KEY; env | grep -c -e TOKEN -e KEY; exit 0'
is "$out" ". 500 0:0 80 directory
KEY 400 0:0 35 regular file
TOKEN 400 0:0 ${#value} regular file
tmpfs
35
0" "are files in memory that the job's user may read"
run_ok "their bytes" job --secret TOKEN -- sh -c "tr 'A-Za-z' 'N-ZA-Mn-za-m' </run/secrets/TOKEN"
is "$out" "$(tr 'A-Za-z' 'N-ZA-Mn-za-m' <<<"$value")" "are the value's"
run_ok "another user" job --secret TOKEN -u 33:33 --userns single -- sh -c 'stat -c "%a %u:%g" /run/secrets/TOKEN; wc -c </run/secrets/TOKEN; rm -f /run/secrets/TOKEN 2>&1 | grep -o "Read-only"; touch /run/secrets/x 2>&1 | grep -o "Read-only"'
is "$out" "400 33:33
${#value}
Read-only
Read-only" "owns them, and may not change them"
run_ok "-e NAME" job --secret TOKEN -e TOKEN --secret KEY="$T/two-lines" -e KEY -- \
    sh -c '[ "$TOKEN" = "$(cat /run/secrets/TOKEN)" ] && [ "$KEY" = "$(cat /run/secrets/KEY)" ] && echo same'
is "$out" same "hands them on as variables as well"
run_ok "--read-only" job --read-only --secret TOKEN -- test -s /run/secrets/TOKEN
run_ok "a tmpfs on /run" job --tmpfs /run --secret TOKEN -- test -s /run/secrets/TOKEN
for wrong in NONE= NO_SUCH_VARIABLE ../x=/dev/null a/b=/dev/null TOKEN=/dev/null "X=$T/none" "X=$T"; do
    expect_status 125 "--secret $wrong" job --secret "$wrong" -- true
    like "$err" "^bryo: .*--secret" "is refused with the reason"
done
expect_status 125 "the same twice" job --secret TOKEN --secret TOKEN -- true
expect_status 125 "a mount in their place" job --secret TOKEN --tmpfs /run/secrets -- true

# --- output ---------------------------------------------------------------------------------------
show='cat /run/secrets/TOKEN; echo; cat /run/secrets/TOKEN >&2; base64 -w0 /run/secrets/TOKEN; echo'
run_ok "a job that prints it" job --secret TOKEN -- sh -c "$show"
is "$out" "***
***" "shows *** on standard output, also for its base64"
is "$err" "***" "and on standard error"
nok "none of it is there" grep -rqF "$value" "$T/.out" "$T/.err"
run_ok "a byte at a time" job --secret TOKEN -- \
    sh -c 'while IFS= read -r c; do printf %s "$c"; done <<E
$(fold -w1 /run/secrets/TOKEN)
E
echo .'
is "$out" "***." "is masked too"
run_ok "with a pause in the middle" job --secret TOKEN -- \
    sh -c 'cut -c1-12 /run/secrets/TOKEN | tr -d "\n"; sleep 0.4; cut -c13- /run/secrets/TOKEN'
is "$out" "***" "it waits for the rest"
run_ok "each line of several" job --secret KEY="$T/two-lines" -- sh -c 'tac /run/secrets/KEY; cat /run/secrets/KEY'
is "$out" "***
***
***" "is a secret of its own"
run_ok "a variable" job --secret TOKEN -e TOKEN -- env
unlike "$out" "s3cret" "is masked where env(1) prints it"
# A prompt that ends like a secret begins: shown before the job goes on.
mkfifo "$T/answer"
job --secret TOKEN -i -- sh -c 'printf "name: s3"; read -r x; echo " $x"' <"$T/answer" >"$T/prompt" &
exec 9>"$T/answer"
ok "a prompt shows before the answer is given" wait_for 20 grep -q "name: s3" "$T/prompt"
echo fine >&9
exec 9>&-
wait $!
is "$(cat "$T/prompt")" "name: s3 fine" "and stays as it was"
rm "$T/answer" "$T/prompt"
script -qec "'$BRYO' run -t --no-workspace --secret TOKEN -- cat /run/secrets/TOKEN" "$T/typescript" </dev/null >/dev/null
nok "a terminal shows nothing of it either" grep -qF "s3cret" "$T/typescript"
ok "but that something was there" grep -qF '***' "$T/typescript"
rm -f "$T/typescript"
run_ok "a MiB of text" job --secret TOKEN -- sh -c 'head -c 786432 /dev/urandom | base64 -w0 | tee /tmp/x | cksum; cksum </tmp/x >&2; cat /tmp/x >&2'
is "$(sed 1d "$T/.err" | cksum | cut -d' ' -f1)" "$(cut -d' ' -f1 "$T/.out")" "comes out as it went in"

# --- further commands --------------------------------------------------------------------------------
id=$(job -d --secret TOKEN -e TOKEN -- sleep 300)
run_ok "a further command that prints it" "$BRYO" exec "$id" sh -c "$show; env"
like "$out" "^\*\*\*" "shows *** on standard output"
is "$err" "***" "and on standard error"
nok "none of it is there" grep -rqF "s3cret" "$T/.out" "$T/.err"
expect_status 7 "its status" "$BRYO" exec "$id" sh -c 'cat /run/secrets/TOKEN; exit 7'
is "$out" "***" "comes with what it printed"
is "$("$BRYO" exec "$id" sh -c 'echo a; echo b >&2; cat /run/secrets/TOKEN; echo; echo c' 2>&1 | paste -sd " ")" "a b *** c" \
    "standard output and error in one keep their order"
is "$(echo "typed $value" | "$BRYO" exec -i "$id" cat)" "typed ***" "-i"
script -qec "'$BRYO' exec -it $id cat /run/secrets/TOKEN" "$T/typescript" </dev/null >/dev/null
nok "its terminal shows nothing of it" grep -qF "s3cret" "$T/typescript"
ok "but that something was there" grep -qF '***' "$T/typescript"
rm -f "$T/typescript"
is "$("$BRYO" exec "$id" head -c 20000000 /dev/zero | { sleep 0.3; wc -c; })" 20000000 "much output to a slow reader comes whole"
run_ok "one that leaves a process behind" timeout 60 "$BRYO" exec "$id" sh -c 'sleep 200 & cat /run/secrets/TOKEN'
is "$out" "***" "is not waited for longer than for itself"
run_ok "one that prints later" timeout 60 "$BRYO" exec "$id" \
    sh -c '{ while [ ! -e /tmp/go ]; do sleep 0.05; done; echo late; echo later >&2; : >/tmp/alive; } &'
"$BRYO" exec "$id" touch /tmp/go
ok "is not ended by it" wait_for 20 "$BRYO" exec "$id" test -e /tmp/alive
is "$(cat "$T/.out" "$T/.err")" "" "and that is not seen"
"$BRYO" rm -f "$id" >/dev/null
id=$(job -d --guard -- sleep 300)
run_ok "with --guard" "$BRYO" exec "$id" echo '::set-env name=A::b'
is "$out" ':\:set-env name=A::b' "its commands to a CI machine are none either"
"$BRYO" rm -f "$id" >/dev/null
id=$(job -d -e TOKEN -- sleep 300)
run_ok "in a job without either" "$BRYO" exec "$id" sh -c 'echo "::x::$TOKEN"'
is "$out" "::x::$value" "both show: the checks above could fail"
"$BRYO" rm -f "$id" >/dev/null

# --- the same without the defence ------------------------------------------------------------------
run_ok "without --secret" job -e TOKEN -- sh -c 'echo "$TOKEN"'
is "$out" "$value" "the value shows: the checks above could fail"

# --- where it is not -------------------------------------------------------------------------------
run_ok "in the job" job --secret TOKEN --result "$T/result" -- \
    sh -c 'cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr "\0" "\n" | tr "A-Za-z" "N-ZA-Mn-za-m" | grep -c -F "$(tr "A-Za-z" "N-ZA-Mn-za-m" </run/secrets/TOKEN)"; cat /proc/1/environ 2>&1 | grep -o denied'
is "$out" "0
denied" "no process has it in its environment or arguments"
nok "the report does not hold it" grep -qF "s3cret" "$T/result"
rm -f "$T/result"
ulimit -S -c "$(ulimit -H -c)"
env TOKEN="$value" OTHER=visible-outside "$BRYO" run --no-workspace --secret TOKEN -- sleep 60 &
pid=$!
ok "bryo runs" wait_for 20 grep -qa visible-outside "/proc/$pid/environ"
running() { # LIMIT: the job is there, and bryo may write a core of so much
     [ -n "$(pgrep -P "$pid")" ] && grep -q "^Max core file size *$1 " "/proc/$pid/limits"
}
if [ "$(ulimit -H -c)" = 0 ]; then none=0; else none=1; fi
ok "and will write no core" wait_for 20 running "$none"
nok "its own environment outside" grep -qaF "s3cret" "/proc/$pid/environ"
ok "has the other variable, but not that" grep -qa visible-outside "/proc/$pid/environ"
kill "$pid"
wait "$pid" 2>/dev/null
env TOKEN="$value" "$BRYO" run --no-workspace -e TOKEN -- sleep 60 &
pid=$!
ok "(without --secret it is there)" wait_for 20 grep -qaF "s3cret" "/proc/$pid/environ"
ok "(and so would be a core, where the limit lets it)" wait_for 20 running "$(ulimit -S -c)"
kill "$pid"
wait "$pid" 2>/dev/null
run_ok "--keep" job --secret TOKEN --keep -- true
nok "keeps no file of it" grep -rqsF "s3cret" "$XDG_CACHE_HOME"
id=$(ls "$XDG_CACHE_HOME/bryo/scratch")
"$BRYO" run --no-workspace --rm --reuse "$id" -- true

# --- --guard ---------------------------------------------------------------------------------------
hostile='printf "::set-env name=A::b\n  ::add-mask::x\ntext\r::error::y\n##[warning]z\nx ##vso[task.x]y\n"; printf "no end" >&1; printf "::add-path::/x\n" >&2'
run_ok "commands to a CI machine" job --guard -- sh -c "$hostile"
is "$out" "$(printf '%s\n' ':\:set-env name=A::b' '  :\:add-mask::x' $'text\r:\:error::y' '##\[warning]z' 'x ##vso\[task.x]y' 'no end')" \
    "are none any longer"
is "$err" ":\\:add-path::/x" "on standard error too"
run_ok "without --guard" job -- sh -c "$hostile"
like "$out" "^::set-env name=A::b" "they would be: the check above could fail"
GITHUB_ACTIONS=true run_ok "below GitHub's runner" env GITHUB_ACTIONS=true "$BRYO" run --no-workspace --guard -- \
    sh -c 'echo "in between ${GITHUB_ACTIONS:-unset}"; printf "::stop-commands::a\n::a::\nno end"'
token=$(head -1 <<<"$out" | sed -n 's/^::stop-commands::\([0-9a-f]\{32\}\)$/\1/p')
isnt "$token" "" "it is told to stop taking commands until a token comes"
is "$(sed 1d <<<"$out")" "in between unset
:\\:stop-commands::a
:\\:a::
no end
::$token::" "which is on a line of its own behind all that the job printed"
run env GITHUB_ACTIONS=true "$BRYO" run --no-workspace --guard -- true
isnt "$(head -1 <<<"$out")" "::stop-commands::$token" "and another one each time"
run env GITHUB_ACTIONS=true "$BRYO" run --no-workspace --guard -- sh -c 'kill -9 $$'
is "$(wc -l <<<"$out")" 2 "also when a signal ends the job"
run env GITHUB_ACTIONS=true "$BRYO" run --no-workspace --guard --rootfs "$T/none" -- true
is "$out" "" "a run that does not begin says nothing of it"

# --- terminals -------------------------------------------------------------------------------------
escapes='printf "\033[31mred\033[0m \033]0;title\007 \033[6n.\n"'
script -qec "'$BRYO' run --guard --no-workspace -- sh -c '$escapes'" "$T/typescript" </dev/null >/dev/null
like "$(tr -d '\r' <"$T/typescript")" $'\033\\[31mred\033\\[0m \\\\x1b\\]0;title\007 \\\\x1b\\[6n\\.' "on a terminal colours pass and nothing else"
script -qec "'$BRYO' run --no-workspace -- sh -c '$escapes'" "$T/typescript" </dev/null >/dev/null
like "$(cat "$T/typescript")" $'\033]0;title\007' "without --guard all does"
script -qec "'$BRYO' run -t --guard --no-workspace -- sh -c '$escapes'" "$T/typescript" </dev/null >/dev/null
like "$(cat "$T/typescript")" $'\033]0;title\007' "and with -t, which makes the terminal the job's"
rm -f "$T/typescript"
run_ok "into a file" job --guard -- sh -c "$escapes"
like "$out" $'\033]0;title\007' "escape sequences stay as they are"

rm -f "$T/two-lines"
done_testing
