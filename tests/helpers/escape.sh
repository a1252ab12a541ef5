# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What tests/sys/escape_*.t share. Sourced after lib.sh.
#
# Each attempt is made twice: in a job, where it must fail, and with the defence that stops it taken
# away, where it must work. Taken away means an option of bryo's own, or no bryo at all: the same
# program as an ordinary process of the user, or in a bare user namespace by unshare(1).
# shellcheck disable=SC2034

cp "$SRC/tests/helpers/escape.py" "$T/escape.py"
PY=$(command -v python3)

# job OPTION... -- NAME ARGUMENT...: an attempt in a job
job() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    timeout 60 "$BRYO" run -q --no-workspace -v "$T/escape.py:/escape.py:ro" "${options[@]}" -- \
        "$PY" /escape.py "$@" 2>&1
}
plain() { # NAME ARGUMENT...: the same, outside
    "$PY" "$T/escape.py" "$@" 2>&1
}
bare() { # OPTIONS-OF-UNSHARE NAME ARGUMENT...
    local flags=$1
    shift
    unshare "$flags" "$PY" "$T/escape.py" "$@" 2>&1
}

# stopped DESCRIPTION COMMAND...: the attempt fails, by an answer and not by an accident
stopped() {
    local what=$1
    shift
    like "$("$@")" "^stopped: " "$what: stopped"
}
# works DESCRIPTION COMMAND...: with the defence off
works() {
    local what=$1
    shift
    is "$("$@" | tail -n 1)" escaped "  ... and works $what"
}
