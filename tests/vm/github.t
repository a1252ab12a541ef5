#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The action "run" with limits that are held, by a scope of the user's systemd: what it reports.
# timeout: 120
. "$(dirname "$0")/../helpers/lib.sh"
# shellcheck source=tests/helpers/github.sh
. "$SRC/tests/helpers/github.sh"
runner() { # NAME=VALUE...: the action with these inputs
    fresh_runner
    run env -C "$T/work" "${runner_env[@]}" BRYO_IN_ROOTFS=host BRYO_IN_NETWORK=none "$@" "$SRC/ci/github/run"
}
M=1048576

runner BRYO_IN_MEMORY=100m BRYO_IN_CPUS=1.5 BRYO_IN_PIDS=40 \
    BRYO_IN_RUN="cd /sys/fs/cgroup; cat memory.max cpu.max pids.max; dd if=/dev/zero of=/dev/null bs=50M count=1 2>/dev/null"
is "$status" 0 "limits"
like "$out" $'104857600\n150000 100000\n40' "are those of the job's cgroup"
is "$(output oom)" false "none was met"
peak=$(output peak-memory)
ok "peak-memory is what its cgroup counted" [ "$peak" -ge $((50 * M)) -a "$peak" -lt $((100 * M)) ]
like "$(cat "$T/files/summary")" "\| ([5-9][0-9](\.[0-9])? MiB) \|" "so the summary has it"

runner BRYO_IN_MEMORY=100m BRYO_IN_OPTIONS='--memory-swap=100m' \
    BRYO_IN_RUN='dd if=/dev/zero of=/dev/null bs=300M count=1'
is "$status" 137 "a job that wants more memory is ended"
is "$(output oom)" true "oom tells"
is "$(output outcome) $(output exit-code)" "exited 137" "beside outcome and exit-code"
ok "peak-memory has come near to the limit" [ "$(output peak-memory)" -gt $((90 * M)) ]
like "$out" '::error title=bryo%3A [^:]*::.*memory' "the annotation says why"

runner BRYO_IN_PIDS=20 BRYO_IN_RUN='for i in $(seq 40); do sleep 5 & done; wait'
isnt "$status" 0 "a job that wants more processes cannot have them"
like "$out" '::error title=.*(process|pids)' "the annotation names them"
rm -rf "$T/temp" "$T/files" "$T/work"
done_testing
