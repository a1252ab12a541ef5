#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The action "run" in a runner's environment: inputs, outputs, annotation, summary, cancellation.
# timeout: 240
. "$(dirname "$0")/../helpers/lib.sh"
shared_store
command -v jq >/dev/null || bail "no jq (ci/deps.sh test)"

# What the runner gives a step: files to write, a temporary directory, the workspace.
mkdir -p "$T/temp" "$T/work"
fresh_runner() {
    rm -rf "$T/temp" "$T/files"
    mkdir -p "$T/temp" "$T/files"
    touch "$T/files/output" "$T/files/env" "$T/files/path" "$T/files/summary"
}
runner() { # NAME=VALUE...: the action with these inputs
    env -C "$T/work" "${runner_env[@]}" "$@" "$SRC/ci/github/run"
}
runner_env=(GITHUB_ACTIONS=true CI=true RUNNER_TEMP="$T/temp" GITHUB_WORKSPACE="$T/work"
    GITHUB_OUTPUT="$T/files/output" GITHUB_ENV="$T/files/env" GITHUB_PATH="$T/files/path"
    GITHUB_STEP_SUMMARY="$T/files/summary" BRYO="$BRYO")

output() { # NAME: of the step, as the runner reads the file
    awk -v name="$1" '
        end == "" { i = index($0, "<<"); key = substr($0, 1, i - 1); end = substr($0, i + 2); text = ""; next }
        $0 == end { if (key == name) value = text; end = ""; next }
        { text = text (text == "" ? "" : "\n") $0 }
        END { print value }' "$T/files/output"
}

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
# What stands in an input is data, for every shell on its way.
evil='$(touch '"$T"'/pwned)`touch '"$T"'/pwned`"; touch '"$T"'/pwned; "'
run runner BRYO_IN_ROOTFS=host BRYO_IN_RUN=true BRYO_IN_ENV="X=$evil" BRYO_IN_WORKDIR="$evil" BRYO_IN_USER="$evil" \
    BRYO_IN_VOLUMES="$evil" BRYO_IN_TIMEOUT="$evil" BRYO_IN_MEMORY="$evil"
nok "an input is never executed" test -e "$T/pwned"
is "$status" 125 "and what makes no sense is refused"

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
cancel() { # SCRIPT: as the runner does it
    fresh_runner
    # SIGINT is not ignored there, as it would be in a background job of this shell
    env -C "$T/work" "${runner_env[@]}" BRYO_IN_ROOTFS="$ROOTFS_TAR" BRYO_IN_RUN="$1" \
        python3 -c '
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
os.execvp("bash", ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", "exec " + sys.argv[1]])' \
        "$SRC/ci/github/run" >"$T/cancel.out" 2>&1 &
    step=$!
    wait_for 30 grep -q job-is-running "$T/cancel.out" || diag "$(cat "$T/cancel.out")"
    kill -INT "$step"
    wait_for 8 sh -c "! kill -0 $step 2>/dev/null"
    gone=$?
    kill -TERM "$step" 2>/dev/null && sleep 2.5
    kill -KILL "$step" 2>/dev/null
    wait "$step" 2>/dev/null
}
cancel 'echo job-is-running; sleep 1000'
is "$gone" 0 "a cancelled step ends before the second signal"
leftovers "and leaves nothing running"
cancel 'trap "" INT TERM HUP; echo job-is-running; sh -c "trap \"\" INT TERM; sleep 1000" & sleep 1000; sleep 1000'
is "$gone" 0 "also when the job does not listen"
leftovers "nothing is left running then"
rm -rf "$T/temp" "$T/files" "$T/work"
done_testing
