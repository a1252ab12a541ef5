# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# For tests of ci/github: what the runner gives a step, namely files to write, a temporary directory,
# the workspace; and a reader of an action.yml.

fresh_runner() {
    rm -rf "$T/temp" "$T/files"
    mkdir -p "$T/temp" "$T/files" "$T/work"
    touch "$T/files/output" "$T/files/env" "$T/files/path" "$T/files/summary"
}
# shellcheck disable=SC2034 # the tests use it
runner_env=(GITHUB_ACTIONS=true CI=true RUNNER_TEMP="$T/temp" GITHUB_WORKSPACE="$T/work"
    GITHUB_OUTPUT="$T/files/output" GITHUB_ENV="$T/files/env" GITHUB_PATH="$T/files/path"
    GITHUB_STEP_SUMMARY="$T/files/summary" BRYO="$BRYO")

# in_file FILE NAME: a value that the step wrote, as the runner reads the file
in_file() {
    awk -v name="$2" '
        end == "" { i = index($0, "<<"); key = substr($0, 1, i - 1); end = substr($0, i + 2); text = ""; n = 0; next }
        $0 == end { if (key == name) value = text; end = ""; next }
        { text = text (n++ ? "\n" : "") $0 }
        END { print value }' "$1"
}
output() { # NAME: of the step
    in_file "$T/files/output" "$1"
}

# action_names FILE inputs|outputs: the names that an action.yml declares there
action_names() {
    awk -v section="$2:" '/^[^ #]/ { on = ($0 == section) } on && /^  [a-z0-9-]+:$/ { sub(/:$/, ""); print $1 }' "$1"
}

# action_env FILE: "BRYO_IN_X input-name" for each variable of its steps' env:
action_env() {
    sed -n 's/^ *\(BRYO_IN_[A-Z0-9_]*\): \${{ inputs\.\([a-z0-9-]*\) }}$/\1 \2/p' "$1"
}

# variable_of INPUT: what the scripts read it as
variable_of() {
    local name=${1//-/_}
    echo "BRYO_IN_${name^^}"
}
