#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# systemd, as process 1 of a PID namespace inside a job, arranges the job's own cgroup: it makes its
# units there, which the job's limit holds.
# cgroup
# alone
# timeout: 200
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
mkdir "$T/w"
cat >"$T/w/eat.service" <<'EOF2'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/bin/sh -c 'touch WORK/up; exec dd if=/dev/zero of=/dev/null bs=200M count=1'
MemoryMax=50M
MemorySwapMax=0
EOF2
sed -i "s|WORK|$T/w|" "$T/w/eat.service"
cat >"$T/w/start" <<'EOF2'
mount -t tmpfs run /run && mkdir -p /run/systemd/system && cp eat.service /run/systemd/system/ &&
    exec env container=bryo /lib/systemd/systemd --unit=eat.service --log-target=console
EOF2
# shellcheck disable=SC2016 # the job's shell
run_ok "systemd in a job" "$BRYO" run "${PLACE[@]}" --workspace "$T/w" -m 150m --memory-swap 150m --timeout 150s --result "$T/result" -- sh -c '
    unshare -Urpfm --kill-child --mount-proc sh ./start >log 2>&1 &
    i=0
    until [ -e up ] && grep -q "^oom_kill [1-9]" /sys/fs/cgroup/memory.events || [ $i -gt 1000 ]; do sleep 0.1; i=$((i + 1)); done
    ls -d /sys/fs/cgroup/init.scope /sys/fs/cgroup/system.slice
    sed -n "s/^\(oom_kill\|max\) //p" /sys/fs/cgroup/system.slice/memory.events /sys/fs/cgroup/memory.events.local
    kill %1; exit 0'
is "$(head -n 2 <<<"$out")" "/sys/fs/cgroup/init.scope
/sys/fs/cgroup/system.slice" "makes its cgroups in the job's"
is "$(jq '.oom_kills >= 1 and .peak_memory_bytes <= 157286400' "$T/result")" true "and its unit is held to the limit of the job"
[ "$tap_failed" = 0 ] || diag "$out" "$(cat "$T/w/log" 2>/dev/null)" "$(cat "$T/result")"
is "$(leaves)" "" "nothing of it is left"
rm -rf "$T/w" "$T/result"
done_testing
