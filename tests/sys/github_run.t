#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The action "run" in a runner's environment: inputs, outputs, annotation, summary, cancellation.
# timeout: 240
# once
# cgroup
. "$(dirname "$0")/../helpers/lib.sh"
# shellcheck source=tests/helpers/github.sh
. "$(dirname "$0")/../helpers/github.sh"
shared_store
command -v jq >/dev/null || bail "no jq (ci/deps.sh test)"

runner() { # NAME=VALUE...: the action with these inputs
    env -C "$T/work" "${runner_env[@]}" "$@" "$SRC/ci/github/run"
}
yml=$SRC/.github/actions/run/action.yml

# --- a script, its inputs and outputs -----------------------------------------------------------------
fresh_runner
run_ok "a script runs" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN=$'echo one\necho two >two.txt; pwd'
like "$out" "one"$'\n'"$T/work" "its output is the step's, and it starts in the workspace"
is "$(cat "$T/work/two.txt")" two "where its files stay"
is "$(output exit-code)" 0 "output exit-code"
is "$(output outcome)" exited "output outcome"
is "$(output rootfs-digest)" "$(sha256sum <"$ROOTFS_TAR" | cut -d' ' -f1)" "output rootfs-digest"
is "$(output oom)" false "output oom"
like "$(output wall-seconds)" '^[0-9]+\.[0-9]{3}$' "output wall-seconds"
like "$(output cpu-seconds)" '^[0-9]+\.[0-9]{3}$' "output cpu-seconds"
like "$(output peak-memory)" '^[0-9]{4,}$' "output peak-memory"
ok "output result-file is JSON" jq -e .outcome "$(output result-file)"
like "$(cat "$T/files/summary")" '\| exited \| 0 \|' "the summary has a table"
like "$out" '::group::bryo: root file system' "bryo's own phase is a group"
is "$(grep -c '^::group::' <<<"$out")" "$(grep -c '^::endgroup::' <<<"$out")" "that is closed"

fresh_runner
run_ok "inputs reach the job" runner SECRET=s3 KEPT=out BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_SHELL=bash \
    BRYO_IN_ENV=$'A=1\n  B=two words  ' BRYO_IN_ENV_PASS=SECRET BRYO_IN_VOLUMES="$T/files:/files:ro" \
    BRYO_IN_WORKDIR=/tmp BRYO_IN_OPTIONS=$'--hostname\nci-box' \
    BRYO_IN_RUN='[[ $A = 1 ]] && echo "$B|$SECRET|${KEPT:-none}|$PWD|$(hostname)"; ls /files >/dev/null; : >/files/x || echo ro'
like "$out" 'two words\|s3\|none\|/tmp\|ci-box' "env, env-pass, workdir, options"
like "$out" $'\nro' "volumes"
is "$(output cache-hit)" true "the root file system was there"

fresh_runner
fresh_runner
run_ok "the runner's files can be written" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" \
    BRYO_IN_VOLUMES="$T/files:$T/files" BRYO_IN_RUN='echo "got=yes" >>"$GITHUB_OUTPUT"; echo hello >>"$GITHUB_STEP_SUMMARY"'
is "$(grep -x got=yes "$T/files/output")" got=yes "GITHUB_OUTPUT"
like "$(cat "$T/files/summary")" hello "GITHUB_STEP_SUMMARY"

# --- failures ------------------------------------------------------------------------------------------
fresh_runner
expect_status 7 "a script that fails" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN='echo before; exit 7'
like "$out" '::error title=bryo%3A exit status 7::.*status 7' "is annotated"
is "$(output exit-code)" 7 "its status is an output"
fresh_runner
expect_status 3 "sh stops at the first failure" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN=$'(exit 3)\necho never'
unlike "$out" never "and not later"
fresh_runner
expect_status 124 "a timeout" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN='sleep 60' BRYO_IN_TIMEOUT=1s
is "$(output outcome)" timeout "is told from others"
like "$out" '::error title=.*timeout' "with its reason"
fresh_runner
expect_status 9 "annotations can be switched off" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN='exit 9' \
    BRYO_IN_ANNOTATIONS=false BRYO_IN_SUMMARY=false
unlike "$out" '::error' "no annotation"
is "$(cat "$T/files/summary")" "" "no summary"
fresh_runner
expect_status 125 "a wrong digest" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN=true BRYO_IN_SHA256="$(printf '%064d' 1)"
like "$out" 'SHA-256' "is refused before anything is unpacked"
for wrong in "BRYO_IN_RUN=" "BRYO_IN_KEEP=maybe" "BRYO_IN_SUMMARY=maybe" "BRYO_IN_SHELL=python" \
    "BRYO_IN_ENV_PASS=A=B" "BRYO_IN_ROOTFS=$T/none" "BRYO_IN_ROOTFS=https://example.org/x"; do
    fresh_runner
    expect_status 125 "$wrong is refused" runner BRYO_IN_RUN=true "$wrong"
    like "$out" '^::error title=bryo::' "in one line"
done
fresh_runner
expect_status 5 "keep: on-failure" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN='echo kept >/root/kept; exit 5' BRYO_IN_KEEP=on-failure
kept=$(output kept-path)
ok "output kept-path is there" test -d "$kept"
is "$(cat "$kept/upper/root/kept" 2>/dev/null)" kept "and holds what the job wrote"
"$BRYO" run --quiet --rm --reuse "$(basename "$kept")" -- true

# --- each input, and what it does ---------------------------------------------------------------------------
# bryo that writes down its words instead of running a job
cat >"$T/bryo" <<END
#!/bin/bash
[ "\$1" = run ] && [ "\$2" != --help ] || exec '$BRYO' "\$@"
printf '%s\n' "\$@" >'$T/words'
END
chmod +x "$T/bryo"
asked='' words=() given=()
input() { # NAME VALUE WORD: the value is to give bryo run this word
    asked+=" $1"
    given+=("$(variable_of "$1")=$2")
    words+=("$3")
}
input rootfs "$ROOTFS_TAR" "$ROOTFS_TAR"
input shell 'env -i sh {0}' env
input env A=1 A=1
input env-pass HOME HOME
input volumes /etc:/mnt:ro /etc:/mnt:ro
input workdir /tmp --workdir=/tmp
input user 12:13 --user=12:13
input network none --network=none
input allow $'example.org\n10.0.0.0/8:443\n' --allow=example.org,10.0.0.0/8:443
input memory 512m --memory=512m
input cpus 0.5 --cpus=0.5
input pids 50 --pids-limit=50
input timeout 5m --timeout=5m
input stall-timeout 4m --stall-timeout=4m
input keep on-failure --keep-on-failure
input options $'--hostname\nbox' box
input summary true --stats-log
fresh_runner
run runner BRYO_IN_RUN=true BRYO="$T/bryo" BRYO_IN_SUMMARY=false
for i in "${!words[@]}"; do
    nok "without it there is no ${words[i]}" grep -qxF -e "${words[i]}" "$T/words"
done
run runner BRYO_IN_RUN=true BRYO="$T/bryo" "${given[@]}"
for i in "${!words[@]}"; do
    ok "${given[i]%%=*} gives ${words[i]}" grep -qxF -e "${words[i]}" "$T/words"
done
# the others go no such way; what they do is shown above and below
elsewhere="run sha256 setup cache annotations"
names=$(action_names "$yml" inputs | sort | paste -sd' ')
is "$(tr -s ' ' '\n' <<<"${asked# } $elsewhere" | sort | paste -sd' ')" "$names" "these are the inputs of action.yml"
is "$(action_env "$yml" | sort)" "$(for name in $names; do echo "$(variable_of "$name") $name"; done | sort)" "each goes to the script by env"
is "$(cat "$SRC"/ci/github/{run,inputs.sh} | grep -oE 'BRYO_IN_[A-Z0-9_]+' | sort -u)" \
    "$(for name in $names; do variable_of "$name"; done | sort)" "which reads these and no others"
names=$(action_names "$yml" outputs | sort)
is "$(cat "$SRC"/ci/github/{run,report.sh} | grep -oE 'set_output [a-z-]+' | cut -d' ' -f2 | sort -u)" "$names" \
    "the outputs of action.yml are those that the script sets"
is "$(grep -oE 'steps\.run\.outputs\.[a-z-]+' "$yml" | sed 's/.*\.//' | sort)" "$names" "and each is handed on"

# What stands in an input is data, for every shell on its way; and a line end in it makes no further
# word for bryo where the input is not a list. The script itself is code, and setup: they are for the job.
cat >"$T/bryo-quoted" <<END
#!/bin/bash
[ "\$1" = run ] && [ "\$2" != --help ] || exec '$BRYO' "\$@"
printf '%q\n' "\$@" >'$T/words'
END
chmod +x "$T/bryo-quoted"
evil='$(touch '"$T"'/pwned)`touch '"$T"'/pwned`"; touch '"$T"'/pwned; '"' touch $T/pwned; '"
for name in $(action_names "$yml" inputs | grep -vxE 'run|setup'); do
    fresh_runner
    rm -f "$T/words"
    for value in "$evil" $'1g\n--rootfs=/evil\n;touch '"$T/pwned"; do
        run runner BRYO_IN_RUN=true BRYO="$T/bryo-quoted" "$(variable_of "$name")=$value"
    done
    case $name in
    env | env-pass | volumes | options | allow) ;;
    *) nok "$name: a line end makes no word" grep -qx -e '--rootfs=/evil' "$T/words" ;;
    esac
    nok "$name is never executed" test -e "$T/pwned"
done
ok "the look can fail" grep -qx -e '--rootfs=/evil' <<<"$(runner BRYO_IN_RUN=true BRYO="$T/bryo-quoted" BRYO_IN_OPTIONS=$'1g\n--rootfs=/evil' >/dev/null; cat "$T/words")"
fresh_runner
expect_status 125 "what makes no sense" runner BRYO_IN_ROOTFS=host BRYO_IN_RUN=true BRYO_IN_TIMEOUT="$evil" BRYO_IN_MEMORY="$evil"

fresh_runner
run_ok "network: none" runner BRYO_IN_ROOTFS=host BRYO_IN_NETWORK=none BRYO_IN_RUN='grep -c : /proc/net/dev'
like "$out" '(^|'$'\n'')1($|'$'\n'')' "leaves the loopback alone"
fresh_runner
run_ok "allow" runner BRYO_IN_ROOTFS=host BRYO_IN_ALLOW=$'192.0.2.1:443\n192.0.2.2:443' BRYO_IN_SHELL=bash \
    BRYO_IN_RUN='! (: </dev/tcp/192.0.2.3/443) 2>/dev/null'
like "$err" '192\.0\.2\.3:443 refused: no --allow names it' "refuses what it does not name"
fresh_runner
expect_status 124 "stall-timeout" runner BRYO_IN_ROOTFS=host BRYO_IN_STALL_TIMEOUT=1s BRYO_IN_RUN='sleep 60'
is "$(output outcome)" stall-timeout "ends a job that says nothing"
if has_subids; then
    fresh_runner
    run_ok "user" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_USER=daemon BRYO_IN_WORKDIR=/ BRYO_IN_RUN='id -un'
    like "$out" daemon "is who the script runs as"
fi
limits=(BRYO_IN_ROOTFS=host BRYO_IN_MEMORY=100m BRYO_IN_CPUS=1.5 BRYO_IN_PIDS=40)
if "$BRYO" run --no-workspace --network none -m 100m --cpus 1.5 --pids-limit 40 -- true 2>/dev/null; then
    fresh_runner
    run_ok "memory, cpus, pids" runner "${limits[@]}" BRYO_IN_RUN='cd /sys/fs/cgroup; cat memory.max cpu.max pids.max'
    like "$out" $'104857600\n150000 100000\n40' "are the limits of its cgroup"
    fresh_runner
    expect_status 137 "memory" runner "${limits[@]}" BRYO_IN_RUN='tail /dev/zero'
    is "$(output oom)" true "is held, and output oom tells"
    like "$out" '::error title=bryo%3A exit status 137::.*memory' "so does the annotation"
else
    fresh_runner
    expect_status 125 "memory, cpus, pids where no limit can be held" runner "${limits[@]}" BRYO_IN_RUN='echo never'
    unlike "$out" never "are refused, not forgotten"
    like "$out" '::error title=' "with an annotation"
fi

# --- setup makes a layer once ---------------------------------------------------------------------------
fresh_runner
setup=(BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_SETUP='echo made >/root/made; echo SETUP-RAN')
run_ok "setup runs before" runner "${setup[@]}" BRYO_IN_RUN='cat /root/made'
like "$out" 'SETUP-RAN.*made' "and what it leaves is there"
run_ok "a second step" runner "${setup[@]}" BRYO_IN_RUN='cat /root/made; echo more >/root/made'
unlike "$out" SETUP-RAN "does not run it again"
fresh_runner
expect_status 4 "a setup that fails" runner BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_SETUP='exit 4' BRYO_IN_RUN='echo never'
unlike "$out" never "ends the step"

# --- cancellation: SIGINT, 7.5 s, SIGTERM, 2.5 s, SIGKILL, to the process of the step alone ----------------
start_step() { # SCRIPT NAME=VALUE...: in the background, its process is $step
    local script=$1
    shift
    fresh_runner
    : >"$T/cancel.out"
    # SIGINT is not ignored there, as it would be in a background job of this shell
    env -C "$T/work" "${runner_env[@]}" BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN="$script" "$@" \
        python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execvp("bash", ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "exec " + sys.argv[1]])' \
        "$SRC/ci/github/run" >"$T/cancel.out" 2>&1 &
    step=$!
    wait_for 30 grep -q job-is-running "$T/cancel.out" || diag "$(cat "$T/cancel.out")"
}
ended() {
    ! kill -0 "$step" 2>/dev/null
}
# one SIGNAL DESCRIPTION: the signal alone ends the step and all of its job
one() {
    kill "-$1" "$step"
    ok "$2" wait_for 60 ended
    wait "$step" 2>/dev/null
    leftovers "and leaves nothing running"
}
deaf='trap "" INT TERM HUP; echo job-is-running; sh -c "trap \"\" INT TERM; sleep 1000" & sleep 1000; sleep 1000'
start_step 'echo job-is-running; sleep 1000'
one INT "the first signal ends a step"
is "$(output outcome)" signal "which says how"
start_step "$deaf" BRYO_IN_OPTIONS=--grace=1s
one INT "also when the job does not listen"
start_step "$deaf" BRYO_IN_OPTIONS=--grace=1h
kill -INT "$step"
nok "a job that was promised more time has it" wait_for 1 ended
one TERM "until the second signal"
# All three, as the runner sends them, to a job that does not listen.
start_step "$deaf"
kill -INT "$step"
wait_for 7 ended || kill -TERM "$step"
wait_for 2 ended || kill -KILL "$step"
wait "$step" 2>/dev/null
leftovers "the runner's three signals leave nothing running"
"$BRYO" run --quiet --no-workspace -- true # sweeps what bryo had to leave where it was killed
rm -rf "$T/temp" "$T/files" "$T/work"
done_testing
