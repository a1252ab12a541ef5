#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The attempts of tests/sys/escape_*.t that nothing stops but the kernel, which asks for root of the
# machine. That cannot be switched off; so here root of the machine makes them, and they work: where
# they fail in a job, it is for that and not because they were badly made. Nothing of bryo runs here.
# What is written to a setting is what it holds.
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/escape.sh"

works "for root of the machine: writing core_pattern" plain setting /proc/sys/kernel/core_pattern
works "  through a /proc of a namespace's own" bare -m fresh_proc setting /proc/sys/kernel/core_pattern
for file in /proc/sys/kernel/modprobe /proc/sys/vm/swappiness /proc/sys/kernel/hostname \
    /sys/class/net/lo/mtu /sys/kernel/rcu_expedited; do
    [ ! -w "$file" ] || works "writing $file" plain setting "$file"
done
# a letter that means nothing, to which the kernel's log says which do
[ ! -w /proc/sysrq-trigger ] || works "writing /proc/sysrq-trigger" plain setting /proc/sysrq-trigger x
[ ! -r /proc/kcore ] || works "reading /proc/kcore" plain readable /proc/kcore
[ ! -r /proc/timer_list ] || works "reading /proc/timer_list" plain readable /proc/timer_list
works "opening /proc/kmsg" plain open_device /proc/kmsg

# --- mounts that somebody made read-only, and whose owner takes that back ------------------------------
works "making /proc/sys writable" unshare -m sh -c 'mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && exec "$0" "$@"' \
    "$PY" "$T/escape.py" remount_rw /proc/sys /proc/sys/kernel/core_pattern
works "binding it elsewhere, writable" bare -m bind_rw /proc/sys kernel/core_pattern
works "unmounting /sys" unshare -m sh -c 'mount --bind /sys /sys && exec "$0" "$@"' "$PY" "$T/escape.py" unmount /sys
works "a cgroup v1 hierarchy and its release_agent" bare -m cgroup_v1

# --- devices, ids --------------------------------------------------------------------------------------
works "a node of device 1 5" bare -m device 1 5
rm -f /tmp/escape-node
works "any id in a map" plain map_ids 1000 1
works "all ids there are" plain map_ids 0 4294967295
# (A namespace that has a map gets no other, whoever asks: user_namespaces(7). It has no "off".)
like "$(plain remap self)" "^stopped: " "another map for a namespace that has one is nobody's to write"
rmdir /tmp/escape-cgroup /tmp/escape-bind 2>/dev/null
done_testing
