#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two hundred runs in a row, and many at once: no process, mount, file or descriptor is left behind.
#
# Shown able to fail: with scratch_remove() not called in run_end() (internal/run/run.c) scratch
# layers pile up.
# alone
# timeout: 200
. "$(dirname "$0")/../helpers/lib.sh"
shared_store

count() { # what there is now: processes of this test, mounts, entries of the store, files, descriptors
    test_processes
    wc -l </proc/self/mountinfo
    find "$XDG_CACHE_HOME/bryo" "$HOME" "$TMPDIR" -mindepth 1 -maxdepth 2 2>/dev/null | sort
    ls /proc/$$/fd
}
# (long enough to be listed: the directory for that stays)
"$BRYO" run --no-workspace -- sleep 0.3 || bail "nothing runs here"
before=$(count)

# In one process that runs them one after another, so that a descriptor that a run leaves in its
# parent, or a zombie, would show there.
cat >"$T/many.py" <<'PY'
import os, subprocess, sys
bryo, n = os.environ["BRYO"], int(sys.argv[1])
fds = sorted(os.listdir("/proc/self/fd"))
bad = []
for i in range(n):
    r = subprocess.run([bryo, "run", "--no-workspace", *sys.argv[2:], "--", "sh", "-c",
                        "echo x >/root/f; ls /proc/self/fd; setsid sleep 3600 >/dev/null 2>&1 & exit 7"],
                       capture_output=True, text=True)
    if (r.returncode, r.stdout, r.stderr) != (7, "0\n1\n2\n3\n", ""):
        bad.append((i, r))
assert not bad, bad[:3]
assert sorted(os.listdir("/proc/self/fd")) == fds
try:
    print(os.waitpid(-1, os.WNOHANG)); sys.exit("a child is left")
except ChildProcessError:
    pass
PY
run_ok "two hundred runs in a row" python3 "$T/many.py" 200
is "$(count)" "$before" "leave no process, no mount, no file and no descriptor"

# --- at once --------------------------------------------------------------------------------------------
at_once() { # N OPTION...: how many of N runs at once print what they should
    local n=$1 i pids=() good=0
    shift
    for ((i = 0; i < n; i++)); do
        "$BRYO" run --no-workspace "$@" -- sh -c 'echo $0 >/root/mine; sleep 0.1; cat /root/mine' "$i" >"$T/out.$i" 2>"$T/err.$i" &
        pids+=($!)
    done
    for ((i = 0; i < n; i++)); do
        if wait "${pids[i]}" && [ "$(cat "$T/out.$i")" = "$i" ] && [ ! -s "$T/err.$i" ]; then
            good=$((good + 1))
        else
            diag "run $i: $(head -c 300 "$T/out.$i" "$T/err.$i")"
        fi
    done
    rm -f "$T"/out.* "$T"/err.*
    echo $good
}
is "$(at_once 32 | tail -n 1)" 32 "32 at once, host root: each has a root of its own"
is "$(count)" "$before" "nothing is left"
if [ -r "$ROOTFS_TAR" ]; then
    export XDG_CACHE_HOME=$T/cache # a store that has it not yet
    is "$(at_once 32 --rootfs "$ROOTFS_TAR" -q | tail -n 1)" 32 "32 at once on a tarball that nobody has unpacked yet: all succeed"
    is "$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 1 -maxdepth 1 -type d | wc -l)" 1 "and it was unpacked once"
else
    bail "no $ROOTFS_TAR"
fi
rm -f "$T/many.py"
done_testing
