# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every tests/sys/*.t and tests/meta/*.t sources: TAP, temporary places, a look for leftovers.
#
#   #!/bin/bash
#   # what this file shows, in one line
#   . "$(dirname "$0")/../helpers/lib.sh"
#   run_ok "true runs" "$BRYO" run -- true
#   is "$out" "" "and prints nothing"
#   done_testing
#
# Optional comment lines near the top of a test tell the runner more:
#   # timeout: 300     seconds, instead of 120
#   # alone            nothing else runs at the same time (it measures, or counts processes)
#   # once             what it shows has nothing to do with ids: it runs as the first account alone
#   # cgroup           it starts in a cgroup that is delegated to its account, where root runs the
#                      suite (tests/helpers/cgroup.sh)
#
# $T       a fresh directory of this test; HOME, TMPDIR and XDG_CACHE_HOME lie in it
# $SRC     the source tree (readable, not writable)      $BRYO        the program under test
# $PROGS   programs built from tests/helpers/*.c, static  $ROOTFS_TAR  a Debian root, .tar.xz
#
# done_testing adds one test of its own: that no process, mount or file was left behind.

set -u

tap_ran=0
tap_failed=0
tap_plan=

SRC=${SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
BRYO=${BRYO:-$SRC/build/bin/bryo}
PROGS=${PROGS:-$SRC/build/tests/helpers}
ROOTFS_TAR=${ROOTFS_TAR:-$SRC/build/debian.tar.xz}
export BRYO ROOTFS_TAR

if [ -z "${T:-}" ] || [ -z "${XDG_CACHE_HOME:-}" ]; then # started by hand, without the runner
    T=$(mktemp -d "${TMPDIR:-/tmp}/bryo-t.XXXXXX")
    trap 'rm -rf "$T" 2>/dev/null || unshare -r --map-auto rm -rf "$T"' EXIT
    export T HOME=$T/home TMPDIR=$T/tmp XDG_CACHE_HOME=$T/cache
    mkdir -p "$HOME" "$TMPDIR"
    unset XDG_RUNTIME_DIR
fi
cd "$T" || exit 99

# --- TAP ----------------------------------------------------------------------------------------

diag() { # TEXT...: each may have several lines
    printf '%s\n' "$@" | sed 's/^/#   /'
}

caller_line() { # where in the test's own file we are
    local i
    for ((i = 1; i < ${#BASH_SOURCE[@]} - 1; i++)); do
        [ "${BASH_SOURCE[i]}" = "${BASH_SOURCE[0]}" ] || break
    done
    printf '%s line %s' "$(basename "${BASH_SOURCE[i]}")" "${BASH_LINENO[i - 1]}"
}

# tap_result STATUS DESCRIPTION: one line of the protocol; passes when STATUS is 0
tap_result() {
    tap_ran=$((tap_ran + 1))
    # a "#" would start a directive
    local what=${2//'#'/No.}
    if [ "$1" -eq 0 ]; then
        printf 'ok %d - %s\n' "$tap_ran" "${what//$'\n'/ }"
    else
        tap_failed=$((tap_failed + 1))
        printf 'not ok %d - %s\n' "$tap_ran" "${what//$'\n'/ }"
        diag "$(caller_line)"
    fi
    return "$1"
}

pass() {
    tap_result 0 "$1"
}

fail() {
    tap_result 1 "$1"
}

# ok DESCRIPTION COMMAND...: the command succeeds
ok() {
    local what=$1 st=0
    shift
    "$@" || st=1
    tap_result $st "$what"
}

# nok DESCRIPTION COMMAND...: the command does not succeed
nok() {
    local what=$1 st=1
    shift
    "$@" || st=0
    tap_result $st "$what"
}

# is GOT WANT DESCRIPTION
is() {
    local st=0
    [ "$1" = "$2" ] || st=1
    tap_result $st "$3" || diag "got:      $1" "expected: $2"
}

isnt() {
    local st=0
    [ "$1" != "$2" ] || st=1
    tap_result $st "$3" || diag "got, and not expected: $1"
}

# like GOT REGEX DESCRIPTION: an extended regular expression matches
like() {
    local st=0
    [[ $1 =~ $2 ]] || st=1
    tap_result $st "$3" || diag "got:            $1" "does not match: $2"
}

unlike() {
    local st=0
    [[ ! $1 =~ $2 ]] || st=1
    tap_result $st "$3" || diag "got:     $1" "matches: $2"
}

# run COMMAND...: sets $status, $out and $err (trailing newlines cut); always succeeds.
# The bytes themselves are in the files $T/.out and $T/.err.
run() {
    status=0
    "$@" >"$T/.out" 2>"$T/.err" || status=$?
    out=$(tr -d '\0' <"$T/.out")
    err=$(tr -d '\0' <"$T/.err")
}

# run_ok DESCRIPTION COMMAND...
run_ok() {
    expect_status 0 "$@"
}

# expect_status N DESCRIPTION COMMAND...: as run, and the command's status is N
expect_status() {
    local want=$1 what=$2 st=0
    shift 2
    run "$@"
    # shellcheck disable=SC2154 # run sets them
    [ "$status" -eq "$want" ] || st=1
    tap_result $st "$what" || diag "command:  $*" "status:   $status, expected $want" \
        "stdout:   $(head -c 2000 <<<"$out")" "stderr:   $(head -c 2000 <<<"$err")"
}

# skip N REASON: instead of N tests. CI accepts only the reasons of tests/skips.txt.
skip() {
    local i
    for ((i = 0; i < $1; i++)); do
        tap_ran=$((tap_ran + 1))
        printf 'ok %d # SKIP %s\n' "$tap_ran" "$2"
    done
}

# skip_all REASON: ends the test file
skip_all() {
    printf '1..0 # SKIP %s\n' "$1"
    exit 0
}

bail() {
    printf 'Bail out! %s\n' "$1"
    exit 99
}

# plan N: how many tests, without the one that done_testing adds. May be left out.
plan() {
    tap_plan=$(($1 + ${tap_leftovers:-1}))
    printf '1..%d\n' "$tap_plan"
}

done_testing() {
    [ "${tap_leftovers:-1}" -eq 0 ] || leftovers "nothing is left behind"
    [ -n "$tap_plan" ] || printf '1..%d\n' "$tap_ran"
    [ "$tap_failed" -eq 0 ] && [ "$tap_ran" -eq "${tap_plan:-$tap_ran}" ] && [ "$tap_ran" -gt 0 ]
    exit $?
}

# --- this machine, this account -----------------------------------------------------------------

# has_range: whether /etc/subuid and /etc/subgid grant this account subordinate ids
has_range() {
    local me
    me=$(id -un)
    grep -qE "^($me|$(id -u)):[0-9]+:[0-9]{5,}" /etc/subuid 2>/dev/null &&
        grep -qE "^($me|$(id -u)):[0-9]+:[0-9]{5,}" /etc/subgid 2>/dev/null
}

# has_subids: whether it can also use them: the helpers are there, and may have privilege, which
# no_new_privs takes from them (inside a job)
has_subids() {
    command -v newuidmap >/dev/null && command -v newgidmap >/dev/null &&
        grep -q '^NoNewPrivs:.0$' /proc/self/status && has_range
}

# root_is_overlay: whether this is itself a container or a job, so that an overlay on it is the second
# of the two that the kernel stacks, and a third is impossible
root_is_overlay() {
    [ "$(stat -f -c %T /)" = overlayfs ]
}

# shared_store: this test uses the account's store in which other tests have unpacked $ROOTFS_TAR
# before, instead of an empty one. Not for tests that look at or damage the store itself.
shared_store() {
    [ -z "${BRYO_SHARED_CACHE:-}" ] || export XDG_CACHE_HOME=$BRYO_SHARED_CACHE
}

# wait_for SECONDS COMMAND...: until the command succeeds; fails when it never does
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -le "$end" ] || return 1
        sleep 0.02
    done
}

# --- what a run must not leave behind -----------------------------------------------------------

# Processes that come from this test: all that descend from the runner's hold(1), which is the
# reaper of orphans too, without this shell and what it runs at this moment.
test_processes() {
    [ "$(ps -o comm= -p "$PPID")" = hold ] || return 0 # started by hand, below anything
    # shellcheck disable=SC2009 # pgrep cannot walk a tree
    ps -e -o pid=,ppid=,stat=,comm= | awk -v root="$PPID" -v me="$$" '
        { parent[$1] = $2; line[$1] = $0; state[$1] = $3 }
        function below(p, top) { while (p in parent && p != top && p > 1) p = parent[p]; return p == top }
        END {
            for (p in parent)
                if (p != root && p != me && below(p, root) && !below(p, me) && state[p] !~ /^Z/)
                    print line[p]
        }'
}

# But for those of ci/rootfs.sh, which root may be running beside the tests.
test_mounts() {
    grep -F -e "$T" -e bryo /proc/self/mountinfo | grep -vF /bryo-rootfs. || true
}

# Files outside of what a store keeps: everything in HOME and TMPDIR, and scratch layers.
test_files() {
    find "$HOME" "$TMPDIR" -mindepth 1 2>/dev/null
    [ "$XDG_CACHE_HOME" = "${BRYO_SHARED_CACHE:-}" ] || store_scratch "$XDG_CACHE_HOME"
}

# store_scratch CACHE: what running jobs have in a store, and nothing else may
store_scratch() {
    find "$1/bryo/scratch" "$1/bryo/tmp" -mindepth 1 -maxdepth 1 2>/dev/null
}

test_mounts_before=$(test_mounts)

# leftovers DESCRIPTION: one test, also in the midst of others
leftovers() {
    local what=$1 i found=
    for ((i = 0; i < 100; i++)); do # a killed process takes a moment to go
        found=$(test_processes)
        [ -n "$found" ] || break
        sleep 0.02
    done
    local mounts files
    mounts=$(diff <(echo "$test_mounts_before") <(test_mounts) | grep '^>')
    files=$(test_files)
    local st=0
    [ -z "$found$mounts$files" ] || st=1
    tap_result $st "$what" || diag "processes: $found" "mounts: $mounts" "files: $files"
}
