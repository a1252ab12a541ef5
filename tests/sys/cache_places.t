#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Jobs run wherever the cache lies: service accounts have their homes below /var, which a host root
# shows; a cache may be on a tmpfs, and behind a symbolic link.
. "$(dirname "$0")/../helpers/lib.sh"

try_cache() { # DESCRIPTION DIRECTORY
    local what=$1
    export XDG_CACHE_HOME=$2
    run_ok "host root, $what" "$BRYO" run --no-workspace -- \
        sh -c 'touch /var/mine /etc/mine /usr/mine && echo written'
    is "$out$err" written "which can be written to"
    is "$(store_scratch "$2")" "" "and leaves no scratch"
}

below_var=$(mktemp -d /var/tmp/bryo-cache.XXXXXX)
in_memory=$(mktemp -d /dev/shm/bryo-cache.XXXXXX)
ln -s "$below_var" "$T/link"
try_cache "a cache below /var" "$below_var"
try_cache "a cache behind a link" "$T/link"
try_cache "a cache in memory" "$in_memory"
try_cache "a cache in the test's own directory" "$T/cache"

export XDG_CACHE_HOME=$below_var
# An upper layer may lie inside of its lower one (since Linux 5.8), a second lower layer may not.
run_ok "what a job wrote to /var is kept there" "$BRYO" run --no-workspace --keep -- touch /var/mine
if root_is_overlay; then
    like "$err" 'nothing is kept' "or bryo says that it is not: no overlay on an overlay"
else
    id=$(ls "$below_var/bryo/scratch")
    run_ok "and found again" "$BRYO" run --no-workspace --rm --reuse "$id" -- test -e /var/mine
fi
rm -rf "$below_var" "$in_memory" "$T/link"
export XDG_CACHE_HOME=$T/cache
done_testing
