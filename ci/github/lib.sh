# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the scripts of the actions: words for the log of GitHub Actions, and its files.
# https://docs.github.com/actions: "Workflow commands", "Environment files".

# What follows "::name::" has %, CR and LF escaped; a property also : and ,
escape_data() {
    local s=${1//'%'/%25}
    s=${s//$'\r'/%0D}
    printf '%s' "${s//$'\n'/%0A}"
}
escape_property() {
    local s
    s=$(escape_data "$1")
    s=${s//:/%3A}
    printf '%s' "${s//,/%2C}"
}

on_github() { [ "${GITHUB_ACTIONS:-}" = true ]; }
group() {
    in_group=1
    ! on_github || printf '::group::%s\n' "$(escape_data "$1")"
}
endgroup() {
    in_group=
    ! on_github || echo "::endgroup::"
}
annotate() { # error|warning|notice TITLE TEXT
    if on_github; then
        printf '::%s title=%s::%s\n' "$1" "$(escape_property "$2")" "$(escape_data "$3")"
    else
        echo "$1: $2: $3" >&2
    fi
}
die() { # TEXT: the action itself cannot go on; 125 as bryo says it
    [ -z "${in_group:-}" ] || endgroup # what is in a group is folded away
    annotate error bryo "$1"
    exit 125
}

# set_output NAME VALUE, set_variable NAME VALUE: a random delimiter, since a value may hold any line
put_in() { # FILE NAME VALUE
    [ -n "$1" ] || return 0
    local mark
    mark=bryo-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s<<%s\n%s\n%s\n' "$2" "$mark" "$3" "$mark" >>"$1"
}
set_output() { put_in "${GITHUB_OUTPUT:-}" "$1" "$2"; }
set_variable() { put_in "${GITHUB_ENV:-}" "$1" "$2"; }

truth() { # NAME VALUE: an input that is true or false
    case $2 in
    true | yes | on | 1) return 0 ;;
    false | no | off | 0 | '') return 1 ;;
    *) die "the input $1 is \"$2\": expected true or false" ;;
    esac
}

# each_line TEXT FUNCTION...: calls it with every line that is not empty, blanks around it removed
each_line() {
    local text=$1 line
    shift
    while IFS= read -r line; do
        line=${line#"${line%%[![:space:]]*}"}
        line=${line%"${line##*[![:space:]]}"}
        [ -z "$line" ] || "$@" "$line"
    done <<<"$text"
}

# supervised COMMAND...: in the background, since bash hears a signal only then; sets $status. The first
# signal asks the command to end, the second kills it: what sent them will not wait for long.
supervised() {
    local child word=TERM # (not INT: what bash starts in the background ignores that)
    "$@" &
    child=$!
    trap 'kill -"$word" "$child" 2>/dev/null || true; word=KILL' INT TERM HUP
    while :; do
        status=0
        # shellcheck disable=SC2034 # the caller's
        wait "$child" || status=$?
        kill -0 "$child" 2>/dev/null || break
    done
    trap - INT TERM HUP
}

human_bytes() {
    awk -v n="$1" 'BEGIN {
        if (n !~ /^[0-9]+$/) { printf "-"; exit }
        split("B KiB MiB GiB TiB", unit); i = 1
        while (n >= 1024 && i < 5) { n /= 1024; i++ }
        printf i == 1 ? "%d %s" : "%.1f %s", n, unit[i] }'
}
human_seconds() { # of microseconds
    awk -v n="$1" 'BEGIN { if (n !~ /^[0-9]+$/) printf "-"; else printf "%.2f s", n / 1e6 }'
}
