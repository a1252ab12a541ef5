#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# shell: bryo-sh {0}: the steps of a workflow's job share one root file system, and talk to the runner.
. "$(dirname "$0")/../helpers/lib.sh"
shared_store
command -v jq >/dev/null || bail "no jq (ci/deps.sh test)"
mkdir -p "$T/temp/_runner_file_commands" "$T/work"
step_env=()
step() { # SCRIPT: a step with this text
    local files=$T/temp/_runner_file_commands name
    printf '%s\n' "$1" >"$T/temp/step.sh"
    for name in output env path summary; do
        : >"$files/$name"
    done
    env -C "$T/work" GITHUB_ACTIONS=true CI=true RUNNER_TEMP="$T/temp" GITHUB_WORKSPACE="$T/work" \
        GITHUB_OUTPUT="$files/output" GITHUB_ENV="$files/env" GITHUB_PATH="$files/path" \
        GITHUB_STEP_SUMMARY="$files/summary" BRYO="$BRYO" BRYO_SH_ROOTFS="$ROOTFS_TAR" \
        BRYO_SH_BASE_PATH="$PATH" ACTIONS_RUNTIME_TOKEN=machine-secret "${step_env[@]}" \
        "$SRC/ci/github/bryo-sh" "$T/temp/step.sh"
    local st=$?
    # what the runner does between steps
    while IFS='=' read -r name value; do
        step_env+=("$name=$value")
    done <"$files/env"
    while read -r name; do
        step_env+=("PATH=$name:$PATH")
    done <"$files/path"
    return "$st"
}
run_ok "the first step" step 'echo installed >/usr/local/bin/tool-note; echo FOO=from-env >>"$GITHUB_ENV"
mkdir -p /opt/t/bin; printf "#!/bin/sh\necho tool runs\n" >/opt/t/bin/tool; chmod +x /opt/t/bin/tool
echo /opt/t/bin >>"$GITHUB_PATH"; echo "x=1" >>"$GITHUB_OUTPUT"; echo "# done" >>"$GITHUB_STEP_SUMMARY"; pwd; id -u'
like "$out" "$T/work"$'\n'"0" "starts in the workspace, as root of the root file system"
is "$(cat "$T/temp/_runner_file_commands/output")" x=1 "GITHUB_OUTPUT reaches the runner"
is "$(cat "$T/temp/_runner_file_commands/summary")" "# done" "so does GITHUB_STEP_SUMMARY"
run_ok "the second step" step 'cat /usr/local/bin/tool-note; echo "$FOO"; tool; echo "${ACTIONS_RUNTIME_TOKEN:-no token}"; echo "$RUNNER_TEMP"'
is "$out" "installed
from-env
tool runs
no token
$T/temp" "finds what the first installed, GITHUB_ENV, GITHUB_PATH; the runner's own token stays outside"
expect_status 6 "a step that fails" step $'sh -c "exit 6"\necho never'
unlike "$out" never "stops there"
run_ok "and the root is still that of the steps before" step 'cat /usr/local/bin/tool-note'
expect_status 125 "no script" env BRYO="$BRYO" RUNNER_TEMP="$T/temp" "$SRC/ci/github/bryo-sh"
id=$(cat "$T/temp/bryo-sh/id")
"$BRYO" run --quiet --rm --reuse "$id" --no-workspace -- true
rm -rf "$T/temp" "$T/work"
done_testing
