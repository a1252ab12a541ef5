#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The forms in which options may be written, and what they do to a job; its environment.
. "$(dirname "$0")/../helpers/lib.sh"

mkdir -p "$T/src/sub" && echo text >"$T/src/file"
cd "$T/src" || exit 99

# job WANT DESCRIPTION ARG...: bryo run --no-workspace ARG... prints WANT and ends with 0
job() {
    local want=$1 what=$2 st=0
    shift 2
    run env -u TERM -u LANG -u CI "$BRYO" run --no-workspace "$@" </dev/null
    # shellcheck disable=SC2154 # run sets them
    [ "$status" = 0 ] && [ "$out" = "$want" ] && [ -z "$err" ] || st=1
    tap_result $st "$what" || diag "command: bryo run $*" "status: $status" "got: $out" \
        "wanted: $want" "stderr: $err"
}

# --- how options are written ----------------------------------------------------------------------

job 1 "-e VALUE" -e A=1 -- sh -c 'echo $A'
job 1 "-eVALUE" -eA=1 -- sh -c 'echo $A'
job 1 "-e=VALUE, as docker has it" -e=A=1 -- sh -c 'echo $A'
job 1 "--env VALUE" --env A=1 -- sh -c 'echo $A'
job 1 "--env=VALUE" --env=A=1 -- sh -c 'echo $A'
job 1 "a cluster of letters whose last has a value" -ie A=1 -- sh -c 'echo $A'
job 1 "or has it at once" -ieA=1 -- sh -c 'echo $A'
job yes "the first word that is no option is the command" echo yes
job "x -e --help" "what follows is the command's" echo x -e --help
job "-- -x" "-- ends the options once" -- echo -- -x
job two "the last of an option that can be once only wins" -h one --hostname two hostname
job 'a b "c" $d' "words arrive as they were" -- sh -c 'echo "$1"' sh 'a b "c" $d'
job "" "an empty word too" -- sh -c 'printf "%s" "$1"; [ $# = 1 ]' sh ''
job yes "an alias" --net none echo yes

# --- the environment ------------------------------------------------------------------------------

path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
clean() { # VAR=VALUE...: what env(1) prints in the job; PWD and the like are a shell's
    printf '%s\n' "PATH=$path" "HOME=/root" "USER=root" "$@"
}
job "$(clean)" "the environment is clean" env
run env -u LANG -u TERM -u CI TOKEN=secret AWS_KEY=secret "$BRYO" run --no-workspace env
is "$out" "$(clean)" "nothing of the launcher's comes in by itself"
run env LANG=de_DE.UTF-8 TERM=screen CI=woodpecker "$BRYO" run --no-workspace env
is "$out" "$(clean TERM=screen LANG=de_DE.UTF-8 CI=true)" "but TERM, LANG, and CI as true"
run env -u LANG -u TERM CI=false "$BRYO" run --no-workspace env
is "$out" "$(clean)" "not where CI says no"
run env -u LANG -u TERM -u CI TOKEN=secret "$BRYO" run --no-workspace -e TOKEN -e MISSING env
is "$out" "$(clean TOKEN=secret)" "-e NAME takes over, and makes nothing up"
job "$(clean A=3 B=)" "the last assignment wins" -e A=1 -e B= -e A=3 env
job /x "HOME may be set" -e HOME=/x -- sh -c 'echo $HOME'
printf '# comment\n\nA=from file\r\n  B="q" \nTOKEN\n' >list
run env -u LANG -u TERM -u CI TOKEN=secret "$BRYO" run --no-workspace --env-file list -e A=later env
is "$out" "$(clean A=later 'B="q" ' TOKEN=secret)" "--env-file, then -e"
job 1 "--env-file from a pipe" --env-file <(echo A=1) -- sh -c 'echo $A'

# --- what options do ------------------------------------------------------------------------------

job text "-v with a relative path" -v ./file:/mnt/f:ro cat /mnt/f
job text "-v with options for other machines" -v ./file:/mnt/f:ro,Z,cached cat /mnt/f
job "$(printf 'file\nlist\nsub')" "-v of ." -v .:/mnt/here -w /mnt/here/sub/.. ls
job 0007 "--umask" --umask 7 -- sh -c umask
job 99 "--ulimit, where the last of a name wins" --ulimit nofile=50 --ulimit nofile=99:100 -- \
    sh -c 'ulimit -n'
job "64m 1750" "--tmpfs" --tmpfs /mnt/t:size=64m,mode=1750 -- \
    sh -c 'echo "$(($(stat -f -c "%b * %S / 1048576" /mnt/t)))m $(stat -c %a /mnt/t)"'

# --- the report -----------------------------------------------------------------------------------

expect_status 7 "a command's status" "$BRYO" run --no-workspace --result "$T/r" -- sh -c 'exit 7'
is "$(jq -c '[.outcome, .exit_status, .status, .signal, .started, .error]' "$T/r")" \
    '["exited",7,7,null,true,null]' "is in the report"
run_ok "with times" jq -e '.wall_us > 0 and .launch_us > 0 and .launch_us < 60000000' "$T/r"
expect_status 125 "a command's own 125" "$BRYO" run --no-workspace --result "$T/r" -- sh -c 'exit 125'
is "$(jq -c '[.outcome, .status]' "$T/r")" '["exited",125]' "is told from bryo's"
expect_status 137 "a signal" "$BRYO" run --no-workspace --result "$T/r" -- sh -c 'kill -9 $$'
is "$(jq -c '[.outcome, .exit_status, .status, .signal]' "$T/r")" '["signal",137,null,9]' "is named"
expect_status 124 "--timeout" "$BRYO" run --no-workspace --timeout 200ms --grace 200ms \
    --result "$T/r" -- sleep 60
is "$(jq -r .outcome "$T/r")" timeout "is told"
like "$err" '^bryo: the job was ended: it ran longer than --timeout' "and said"
expect_status 127 "a command that is not there" "$BRYO" run --no-workspace --result "$T/r" nonexistent
is "$(jq -c '[.outcome, .started, .error.stage, .error.errno]' "$T/r")" \
    '["bryo-error",false,"exec","ENOENT"]' "is bryo's failure, at the stage exec"
expect_status 126 "one that cannot be executed" "$BRYO" run --no-workspace /etc/passwd

done_testing
