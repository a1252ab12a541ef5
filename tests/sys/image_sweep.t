#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad disks and bad luck: every system call of an import in turn fails, or is the last of its
# process. What is left is a store that is sound, and the next import works and leaves nothing else.
# timeout: 600
#
# The calls of bryo and all its children are counted as they come (tests/helpers/failat.c). An account
# with subordinate ids lets each call fail, with one of the errors in turn; one without lets each be
# the last; FULL=1 does both, with each of the errors. The single id is mapped, since a program that
# is traced gets no rights from newuidmap's set-user-ID bit.
. "$(dirname "$0")/../helpers/lib.sh"

[ "$(uname -m)" = x86_64 ] || {
    skip 1 "the sweep knows how to change system calls on x86_64 only"
    done_testing
    exit
}

# In memory where there is room: each import waits for the disk, and for all that others write there.
if memory=$(mktemp -d /dev/shm/bryo-sweep.XXXXXX 2>/dev/null); then
    trap 'rm -rf "$memory" "$T"' EXIT
    export XDG_CACHE_HOME=$memory
fi
store=$XDG_CACHE_HOME/bryo
mkdir -p "$T/tree/a/b"
echo hello >"$T/tree/a/file"
ln "$T/tree/a/file" "$T/tree/a/b/hard"
ln -s ../file "$T/tree/a/b/link"
mkfifo "$T/tree/fifo"
head -c 5000000 /dev/urandom >"$T/tree/a/b/data"
tar -C "$T/tree" -cf - --sort=name . | xz -0 -T0 --block-size=1MiB >"$T/in.tar.xz"
import=("$BRYO" image import -q --userns single "$T/in.tar.xz")

errors=(28 122 5 24 12) # ENOSPC EDQUOT EIO EMFILE ENOMEM
# shellcheck disable=SC2054 # one word each
names=(ENOSPC EDQUOT EIO EMFILE ENOMEM)

# one N ERROR: sets $hit; prints what is wrong
one() {
    local st=0 entry
    rm -rf "$store"
    timeout 60 "$PROGS/failat" "$1" "$2" "${import[@]}" >"$T/out" 2>"$T/err" 3>"$T/count" || st=$?
    [ $st != 124 ] || echo "it hangs"
    read -r _ hit <"$T/count"
    # 137: bryo itself was killed
    case $st in
    0) ;;
    125) [ -s "$T/err" ] || echo "no word about the failure" ;;
    137) [ "$2" = 0 ] || echo "it was killed by nobody" ;;
    # before main() libc and the dynamic linker have their own ways to give up
    *) [ "$2" = 0 ] || [ ! -e "$store" ] || [ -s "$T/err" ] || echo "status $st" ;;
    esac
    entry=$(find "$store/store" -mindepth 1 -maxdepth 1 2>/dev/null)
    if [ -n "$entry" ]; then
        "$BRYO" image verify "$(basename "$entry" | cut -c1-64)" >"$T/verdict" 2>&1 ||
            echo "the store is not sound: $(head -3 "$T/verdict")"
    elif [ $st = 0 ]; then
        echo "status 0, and nothing is stored"
    fi
    "${import[@]}" >"$T/out" 2>"$T/err2" || echo "the next import fails: $(head -2 "$T/err2")"
    "$BRYO" image verify "$T/in.tar.xz" >"$T/verdict" 2>&1 || echo "the next import is not sound"
    entry=$(find "$store/tmp" "$store/locks" -mindepth 1 -maxdepth 1)
    [ -z "$entry" ] || echo "it leaves $entry"
}

# sweep ERROR...: the N-th call gets the N-th of these errors, from the beginning again and again
sweep() {
    local n=0 misses=0 bad=0 wrong call
    hits=0
    # the count differs a little from run to run: a thread may wait or not
    while [ $misses -lt 3 ]; do
        n=$((n + 1))
        wrong=$(one $n "${@:1 + n % $#:1}"; echo "hit $hit")
        call=${wrong##*hit }
        if [ "$call" = -1 ]; then
            misses=$((misses + 1))
        else
            misses=0
            hits=$((hits + 1))
        fi
        wrong=${wrong%hit *}
        [ -z "$wrong" ] || { bad=$((bad + 1)) && diag "call $n (system call $call, error ${*:1 + n % $#:1}): $wrong"; }
    done
    is "$bad" 0 "each of $hits calls"
}

run_ok "an import" "${import[@]}"
if [ "${FULL:-0}" = 1 ]; then
    for i in "${!errors[@]}"; do
        sweep "${errors[i]}"
        ok "failed with ${names[i]}, and the store was sound each time" [ "$hits" -gt 300 ]
    done
fi
if has_subids || [ "${FULL:-0}" = 1 ]; then
    sweep "${errors[@]}"
    ok "failed with one of ${names[*]}, and the store was sound each time" [ "$hits" -gt 300 ]
fi
if ! has_subids || [ "${FULL:-0}" = 1 ]; then
    sweep 0
    ok "was the last of its process, and the store was sound each time" [ "$hits" -gt 300 ]
fi
run_ok "the last one is removed" "$BRYO" image rm "$T/in.tar.xz"
is "$(find "$store" -mindepth 2 | wc -l)" 0 "and nothing is left"
done_testing
