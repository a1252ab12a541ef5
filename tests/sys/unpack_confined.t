#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What reads a stranger's bytes has shut itself in: seen from outside, while it runs.
# timeout: 120
#
# Shown able to fail: tests/defences.
. "$(dirname "$0")/../helpers/lib.sh"

# An archive that takes a while.
(python3 -S "$SRC/tests/helpers/craft.py" big=1500000000 f zeros "" && head -c 1500000000 /dev/zero &&
    head -c $(((512 - 1500000000 % 512) % 512)) /dev/zero && head -c 1024 /dev/zero) |
    xz -0 -T2 >"$T/slow.tar.xz"

# said WORD PID: a field of its status
said() {
    awk -v key="$1:" '$1 == key { print $2 }' "/proc/$2/status" 2>/dev/null
}

# find_helper MODE: sets $helper to the pid of "bryo-unpack MODE" below $launcher, confined already
find_helper() {
    local pid
    for pid in $(pgrep -P "$launcher"); do
        [ "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | cut -d' ' -f2)" = "$1" ] || continue
        [ "$(said Seccomp "$pid")" = 2 ] || continue
        helper=$pid
        return 0
    done
    return 1
}

ulimit -Sc hard # or none would leave a core
"$BRYO" image import "$T/slow.tar.xz" >/dev/null 2>&1 &
launcher=$!
if ok "bryo-unpack runs with a list of system calls" wait_for 20 find_helper unpack; then
    is "$(said NoNewPrivs "$helper")" 1 "it can gain no privileges"
    is "$(said CapEff "$helper")" 000000000000001b "it has four capabilities (owners and modes)"
    is "$(said CapPrm "$helper")" 000000000000001b "and may have no others"
    is "$(said CapBnd "$helper")" 000000000000001b "nor gain them by an exec"
    is "$(said CapAmb "$helper")" 0000000000000000 "and hands none on"
    is "$(stat -L -c %d:%i "/proc/$helper/root/.")" "$(stat -c %d:%i "$XDG_CACHE_HOME"/bryo/tmp/*/rootfs)" \
        "its root is the destination"
    is "$(awk '{ print $5 }' "/proc/$helper/mountinfo")" / "and the only mount it sees"
    is "$(sed 1,2d "/proc/$helper/net/dev" | cut -d: -f1 | tr -d ' ')" lo "it has no network but its own loopback"
    for ns in mnt net ipc uts user; do
        isnt "$(readlink "/proc/$helper/ns/$ns")" "$(readlink "/proc/self/ns/$ns")" "a namespace of its own: $ns"
    done
    is "$(awk '/Max core file size/ { print $5 }' "/proc/$helper/limits")" 0 "it leaves no core"
    is "$(awk '/Max data size/ { print $4 }' "/proc/$helper/limits")" $((320 * 1024 * 1024)) \
        "its memory is bounded"
    is "$(awk '/Max cpu time/ { print $4 }' "/proc/$helper/limits")" 3600 "and its time"
    threads=$(cat /proc/"$helper"/task/*/status | awk '/^Seccomp:/ && $2 != 2')
    is "$threads" "" "every thread is under the list"
    [ "$(said VmHWM "$helper")" -lt $((256 * 1024)) ] && small=yes
    is "${small:-no}" yes "it holds less than 256 MiB ($(said VmHWM "$helper") kB)"
    kill -9 "$launcher"
    wait "$launcher" 2>/dev/null
    gone() { ! kill -0 "$helper" 2>/dev/null; }
    ok "it dies with the launcher" wait_for 5 gone
else
    kill "$launcher"
fi
"$BRYO" image prune >/dev/null
is "$(find "$XDG_CACHE_HOME/bryo/tmp" "$XDG_CACHE_HOME/bryo/store" -mindepth 1 2>/dev/null | wc -l)" 0 \
    "and what it had written is swept"
done_testing
