# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh: the inputs of the action (BRYO_IN_*) as words for "bryo run". Inputs come by
# the environment and are never part of a script's text.

BRYO=${BRYO:-bryo}
temp=${RUNNER_TEMP:-${TMPDIR:-/tmp}}
workspace=${GITHUB_WORKSPACE:-$PWD}

# fetch_rootfs NOUN: sets $rootfs to a file or directory here. A digest that was given is checked,
# also of a file that was there before.
fetch_rootfs() {
    rootfs=${BRYO_IN_ROOTFS:-host}
    local what=$1
    local want=${BRYO_IN_SHA256:-}
    want=${want,,}
    want=${want#sha256:}
    [[ -z $want || $want =~ ^[0-9a-f]{64}$ ]] || die "sha256 is \"$want\": expected 64 hex digits"
    case $rootfs in
    https://* | http://*)
        [ -n "$want" ] || die "a $what that is downloaded needs its sha256"
        local file=$temp/bryo-rootfs/$want
        if ! sha256_is "$file" "$want"; then
            mkdir -p "${file%/*}"
            curl -fsSL --retry 3 -o "$file.new" -- "$rootfs" || die "cannot download $rootfs"
            mv "$file.new" "$file"
        fi
        rootfs=$file
        ;;
    host) ;;
    *) [ -e "$rootfs" ] || die "the $what $rootfs does not exist" ;;
    esac
    if [ -n "$want" ]; then
        [ -f "$rootfs" ] || die "sha256 is for a tarball; the $what $rootfs is none"
        sha256_is "$rootfs" "$want" || die "the SHA-256 of $rootfs is not $want"
    fi
}

# use_kept: sets $kept, where the setup action keeps a copy of this tarball from one run of a workflow
# to the next; "" where it does not. A copy that is there takes the place of $rootfs, and $digest is
# that of the tarball itself. (The store cannot be kept: actions/cache packs without root, so that
# owners, set-uid bits and what only another id can read would be lost.)
use_kept() {
    kept='' digest=''
    if [ -n "${BRYO_KEPT:-}" ] && [ -f "$rootfs" ] && truth cache "${BRYO_IN_CACHE:-true}"; then
        digest=$(sha256sum <"$rootfs")
        digest=${digest%% *}
        kept=$BRYO_KEPT/$digest.tar.zst
        if [ -f "$kept" ]; then
            touch "$kept" # see keep_copy
            rootfs=$kept
        fi
    fi
}

# keep_copy: in place of those that no run has used for two weeks. Zstandard, since it decodes fast.
keep_copy() {
    [ -n "$kept" ] && [ "$rootfs" != "$kept" ] || return 0
    mkdir -p "$BRYO_KEPT"
    find "$BRYO_KEPT" -type f -mtime +14 -delete
    "$BRYO" image repack --level 3 -o "$kept" "$rootfs" || annotate warning bryo "no copy of $rootfs was kept"
}

sha256_is() { # FILE DIGEST
    [ -f "$1" ] && [ "$(sha256sum <"$1")" = "$2  -" ]
}

add() { args+=("$@"); }
add_value() { # OPTION VALUE: where there is one
    [ -z "$2" ] || args+=("$1=$2")
}
add_env() { args+=(--env "$1"); }
add_env_passed() {
    [[ $1 =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || die "env-pass: \"$1\" is no name of a variable"
    args+=(--env "$1")
}
add_volume() { args+=(--volume "$1"); }

# common_args: fills $args with what all jobs of this step share
common_args() {
    args=(--rootfs "$rootfs" --workspace "$workspace")
    [ "${temp%/}" = "" ] || [ ! -d "$temp" ] || args+=(--volume "$temp:$temp")
    each_line "${BRYO_IN_ENV:-}" add_env
    each_line "${BRYO_IN_ENV_PASS:-}" add_env_passed
    each_line "${BRYO_IN_VOLUMES:-}" add_volume
    add_value --workdir "${BRYO_IN_WORKDIR:-}"
    add_value --user "${BRYO_IN_USER:-}"
    add_value --network "${BRYO_IN_NETWORK:-}"
    add_value --allow "$(tr -s '\n' ',' <<<"${BRYO_IN_ALLOW:-}" | sed 's/^,//; s/,$//')"
    add_value --memory "${BRYO_IN_MEMORY:-}"
    add_value --cpus "${BRYO_IN_CPUS:-}"
    add_value --pids-limit "${BRYO_IN_PIDS:-}"
    each_line "${BRYO_IN_OPTIONS:-}" add
}

# The variables by which a step talks to the runner, and the files that they name: below $temp.
runner_variables=(GITHUB_ENV GITHUB_OUTPUT GITHUB_PATH GITHUB_STEP_SUMMARY GITHUB_STATE
    GITHUB_WORKSPACE GITHUB_REPOSITORY GITHUB_SHA GITHUB_REF GITHUB_REF_NAME GITHUB_EVENT_NAME
    GITHUB_JOB GITHUB_RUN_ID GITHUB_RUN_NUMBER GITHUB_RUN_ATTEMPT GITHUB_WORKFLOW GITHUB_ACTOR
    GITHUB_ACTIONS RUNNER_TEMP RUNNER_OS RUNNER_ARCH RUNNER_NAME)
add_runner() {
    local name
    for name in "${runner_variables[@]}"; do
        [ -z "${!name+set}" ] || args+=(--env "$name")
    done
}

# shell_words SHELL FILE: sets $command, as the runner reads "shell:": a name, or words with {0}
shell_words() {
    local word
    case $1 in
    '' | sh) command=(sh -e "$2") ;;
    bash) command=(bash --noprofile --norc -eo pipefail "$2") ;;
    *'{0}'*)
        command=()
        for word in $1; do
            command+=("${word//'{0}'/$2}")
        done
        ;;
    *) die "the shell is \"$1\": expected sh, bash, or a command with {0} in it" ;;
    esac
}
