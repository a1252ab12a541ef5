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
    trap 'rm -rf "$memory"' EXIT
    XDG_CACHE_HOME=$memory
fi
# A file of several chunks and parts, in blocks that several threads decode, one of them large; and
# else small, since an import is made some two thousand times.
mkdir -p "$T/tree/a/b"
echo hello >"$T/tree/a/file"
ln "$T/tree/a/file" "$T/tree/a/b/hard"
ln -s ../file "$T/tree/a/b/link"
mkfifo "$T/tree/fifo"
(head -c 300000 /dev/urandom && head -c 2200000 /dev/zero) >"$T/tree/a/b/data"
tar -C "$T/tree" -cf - --sort=name . | xz -0 -T0 --block-size=512KiB >"$T/in.tar.xz"
import=("$BRYO" image import -q --userns single "$T/in.tar.xz")
shopt -s nullglob

errors=(28 122 5 24 12) # ENOSPC EDQUOT EIO EMFILE ENOMEM
# shellcheck disable=SC2054 # one word each
names=(ENOSPC EDQUOT EIO EMFILE ENOMEM)
workers=$(($(nproc) > 4 ? 4 : $(nproc)))

# Below, in the current directory, of one worker: out, err, count, wrong, hits.

wrong() { # TEXT...
    printf 'call %d (system call %d, error %d): %s\n' "$n" "$hit" "$error" "$*" >>wrong
}

# one: call $n gets $error; sets $hit
one() {
    local st=0 entry left
    rm -rf "$store"
    "$PROGS/failat" "$n" "$error" "${import[@]}" >out 2>err 3>count || st=$?
    hit=-2
    read -r _ hit <count
    # 137: bryo itself was killed
    case $st in
    0) ;;
    125) [ -s err ] || wrong "no word about the failure" ;;
    137) [ "$error" = 0 ] || wrong "it was killed by nobody" ;;
    142) wrong "it hangs" ;;
    # before main() libc and the dynamic linker have their own ways to give up
    *) [ "$error" = 0 ] || [ ! -e "$store" ] || [ -s err ] || wrong "status $st" ;;
    esac
    entry=("$store"/store/*)
    if [ ${#entry[@]} -gt 0 ]; then
        "$BRYO" image verify "$(cut -c1-64 <<<"${entry[0]##*/}")" >verdict 2>&1 ||
            wrong "status $st, and the store is not sound: $(head -3 verdict) $(head -2 err)"
    elif [ $st = 0 ]; then
        wrong "status 0, and nothing is stored"
    fi
    "${import[@]}" >out 2>err2 || wrong "the next import fails: $(head -2 err2)"
    "$BRYO" image verify "$T/in.tar.xz" >verdict 2>&1 ||
        wrong "the next import is not sound: $(head -3 verdict)"
    left=("$store"/tmp/* "$store"/locks/*)
    [ ${#left[@]} -eq 0 ] || wrong "it leaves ${left[*]}"
}

# work NUMBER ERROR...: every $workers-th call
work() {
    local n=$1 error hit hits=0 misses=0
    shift
    mkdir -p "$T/work/$n"
    cd "$T/work/$n" || exit
    export XDG_CACHE_HOME=$XDG_CACHE_HOME/$n
    local store=$XDG_CACHE_HOME/bryo
    mkdir -p "$XDG_CACHE_HOME"
    : >wrong
    # the count differs a little from run to run: a thread may wait or not
    while [ $misses -lt 3 ]; do
        error=${*:1 + n % $#:1}
        one
        if [ "$hit" = -1 ]; then
            misses=$((misses + 1))
        else
            misses=0
            hits=$((hits + 1))
        fi
        n=$((n + workers))
    done
    echo $hits >hits
}

# sweep ERROR...: the N-th call gets the N-th of these errors, from the beginning again and again
sweep() {
    local i said
    rm -rf "$T/work"
    for ((i = 1; i <= workers; i++)); do
        work "$i" "$@" &
    done
    wait
    hits=$(awk '{ n += $1 } END { print n }' "$T"/work/*/hits)
    said=$(cat "$T"/work/*/wrong)
    is "$said" "" "each of $hits calls, and the store was sound and the next import worked each time"
}

run_ok "an import" "${import[@]}"
if [ "${FULL:-0}" = 1 ]; then
    for i in "${!errors[@]}"; do
        sweep "${errors[i]}"
        ok "failed with ${names[i]}" [ "$hits" -gt 300 ]
    done
fi
if has_subids || [ "${FULL:-0}" = 1 ]; then
    sweep "${errors[@]}"
    ok "failed with one of ${names[*]}" [ "$hits" -gt 300 ]
fi
if ! has_subids || [ "${FULL:-0}" = 1 ]; then
    sweep 0
    ok "was the last of its process" [ "$hits" -gt 300 ]
fi
export XDG_CACHE_HOME=$XDG_CACHE_HOME/1
run_ok "the last one is removed" "$BRYO" image rm "$T/in.tar.xz"
is "$(find "$XDG_CACHE_HOME/bryo" -mindepth 2)" "" "and nothing is left"
done_testing
