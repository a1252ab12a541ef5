#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bad disks and bad luck: every system call of an import in turn fails, or is the last of its
# process. What is left is a store that is sound, and the next import works and leaves nothing else.
# timeout: 600
#
# The calls of bryo and all its children are counted by their number (tests/helpers/failat.c), and the
# first, second ... of each number is hit. An account with subordinate ids lets each call fail, with one
# of the errors in turn; one without lets each be the last. By hand, each call with each of the errors,
# and as the last, or with some of these (a minute each):
#
#   FULL=1 [ERRORS="ENOSPC SIGKILL"] tests/sys/image_sweep.t
#
# The single id is mapped, since a program that is traced gets no rights from newuidmap's set-user-ID bit.
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

declare -A number=([ENOSPC]=28 [EDQUOT]=122 [EIO]=5 [EMFILE]=24 [ENOMEM]=12 [SIGKILL]=0)
workers=$(($(nproc) > 4 ? 4 : $(nproc)))

# Below, in the current directory, of one worker: out, err, hit, wrong, hits.

wrong() { # TEXT...
    printf 'system call %d, number %d, error %d: %s\n' "$call" "$n" "$error" "$*" >>wrong
}

# one: the $n-th system call $call gets $error
one() {
    local st=0 entry left
    rm -rf "$store"
    "$PROGS/failat" "$call" "$n" "$error" "${import[@]}" >out 2>err 3>hit || st=$?
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

# work WORKER ERROR...: every $workers-th of the calls
work() {
    local i=0 worker=$1 call n error hits=0
    shift
    mkdir -p "$T/work/$worker"
    cd "$T/work/$worker" || exit
    export XDG_CACHE_HOME=$XDG_CACHE_HOME/$worker
    local store=$XDG_CACHE_HOME/bryo
    mkdir -p "$XDG_CACHE_HOME"
    : >wrong
    while read -r call n; do
        i=$((i + 1))
        [ $((i % workers)) = $((worker - 1)) ] || continue
        error=${*:1 + i % $#:1}
        one
        hits=$((hits + $(cat hit)))
    done <"$T/calls"
    echo $hits >hits
}

# sweep ERROR...: one call after another gets one of these errors, from the beginning again and again
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
"$BRYO" image rm "$T/in.tar.xz"
run_ok "its calls are counted" "$PROGS/failat" all "${import[@]}" 3>"$T/counts"
# (one more of each than there were, since that differs a little)
awk '{ for (i = 1; i <= $2 + 1; i++) print $1, i }' "$T/counts" >"$T/calls"
enough=$(awk '{ n += $2 } END { print int(n * 0.8) }' "$T/counts")
if [ "${FULL:-0}" = 1 ]; then
    for name in ${ERRORS:-ENOSPC EDQUOT EIO EMFILE ENOMEM SIGKILL}; do
        sweep "${number[$name]}"
        ok "hit by $name" [ "$hits" -gt "$enough" ]
    done
elif has_subids; then
    sweep 28 122 5 24 12
    ok "failed with one of ENOSPC EDQUOT EIO EMFILE ENOMEM" [ "$hits" -gt "$enough" ]
else
    sweep 0
    ok "was the last of its process" [ "$hits" -gt "$enough" ]
fi
export XDG_CACHE_HOME=$XDG_CACHE_HOME/1
run_ok "the last one is removed" "$BRYO" image rm "$T/in.tar.xz"
is "$(find "$XDG_CACHE_HOME/bryo" -mindepth 2)" "" "and nothing is left"
done_testing
