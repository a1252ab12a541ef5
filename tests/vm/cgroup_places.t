#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where a job's cgroup is made on a machine with systemd, and what is said where it cannot be.
# cgroup
# alone
# timeout: 240
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/cgroup.sh"
R=(run --no-workspace)
uid=$(id -u)
runtime=/run/user/$uid
mkdir "$T/w"
start_job() { # OPTION...: a job that runs until it is told, in the background; sets pid
    "$BRYO" run --workspace "$T/w" "$@" -- sh -c 'touch up; until [ -e go ]; do sleep 0.1; done' &
    pid=$!
    wait_for 120 test -e "$T/w/up" || diag "it did not start"
}
end_job() {
    touch "$T/w/go"
    wait $pid
    rm -f "$T/w"/*
}
show() { # UNIT PROPERTY
    XDG_RUNTIME_DIR=$runtime systemctl --user show -P "$2" "$1"
}

# --- what the place does not grant -----------------------------------------------------------------------
expect_status 125 "--io-weight where io is not delegated" "$BRYO" "${R[@]}" --io-weight 50 -- true
if [ -n "${TEST_CGROUP:-}" ]; then
    like "$err" "--io-weight cannot be held: the cgroup $TEST_CGROUP was not granted the controller io \(it has: .*memory" "says where it is missing"
    like "$err" "as root: echo '\+io' > $TEST_CGROUP/\.\./cgroup.subtree_control" "and what mends it"
else
    like "$err" "--io-weight cannot be held: user@$uid.service, the user's systemd, was not granted the controller io \(it has: cpu memory pids\)" "says where it is missing"
    like "$err" "Delegate=cpu memory pids io.*systemctl daemon-reload" "and what mends it"
fi
run_ok "--best-effort holds the rest" "$BRYO" "${R[@]}" --best-effort --io-weight 50 -m 50m -- cat /sys/fs/cgroup/memory.max
is "$out" 52428800 "as far as it can"
like "$err" "--io-weight is not held: " "and says what it cannot"
is "$(leaves)" "" "nothing is left"

# --- no place at all: a job below one that has none --------------------------------------------------------
cp "$BRYO" "$T/w/bryo"
run "$BRYO" run --workspace "$T/w" --cgroup-parent none -- ./bryo run --no-workspace -m 50m -- true
is "$status" 125 "--memory where nothing is delegated"
like "$err" "nothing grants the controller memory: the launcher's own cgroup / is not delegated to this user, and no systemd of this user runs" "says what was tried"
like "$err" "bryo: as root: " "and what mends it"
rm "$T/w/bryo"

if [ -n "${TEST_CGROUP:-}" ]; then
    # --- by hand: the launcher, and whoever was in the place with it, make room for controllers ----------
    run_ok "a limit in a shell's own cgroup" "$BRYO" "${R[@]}" -m 50m -- true
    is "$(basename "$(own_cgroup)")" bryo-launcher "moves the shell into a leaf of its own"
    run_ok "and again" "$BRYO" "${R[@]}" -m 50m -- true
    is "$(own_cgroup)" "$TEST_CGROUP/bryo-launcher" "once"
    rm -rf "$T/w"
    done_testing
fi

# --- a scope ---------------------------------------------------------------------------------------------
start_job -m 50m
leaf=$(leaves)
scope=$(basename "$(dirname "$leaf")")
like "$leaf" "/user@$uid.service/app.slice/app-bryo.slice/bryo-[0-9a-f]{12}.scope/bryo-[0-9a-f]{12}$" "a scope in a slice of its own"
like "$(show "$scope" Description)" "^bryo job: sh -c touch up" "described as what it is"
is "$(show "$scope" Delegate) $(show "$scope" Slice)" "yes app-bryo.slice" "and delegated"
like "$(cat "/proc/$pid/cgroup")" "$scope/bryo-launcher$" "the launcher is in a leaf of it"
end_job
gone() { [ -z "$(leaves)" ] && [ "$(show "$scope" ActiveState)" = inactive ]; }
ok "which is gone when the job is" wait_for 60 gone
run_ok "without a limit no scope is asked for" "$BRYO" "${R[@]}" --result "$T/result" -- true
is "$(jq .peak_memory_bytes "$T/result")" null "and memory is not counted"
run_ok "a bus that does not answer" env DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent XDG_RUNTIME_DIR=/nonexistent "$BRYO" "${R[@]}" -m 50m -- true
sleep 300 &
pid=$!
run_ok "systemd's own socket, without a bus" "$SRC/build/libexec/bryo/bryo-scope" "bryo-test-$$.scope" "a test" app-bryo.slice $pid "bus=unix:path=/nonexistent" "private=unix:path=$runtime/systemd/private"
like "$(cat /proc/$pid/cgroup)" "/bryo-test-$$.scope$" "puts the process into its scope"
expect_status 1 "the same name again" "$SRC/build/libexec/bryo/bryo-scope" "bryo-test-$$.scope" "a test" app-bryo.slice $pid "bus=unix:path=$runtime/bus"
like "$err" "already (loaded|exists)|was already" "is refused in systemd's words"
kill $pid
expect_status 1 "nobody there" "$SRC/build/libexec/bryo/bryo-scope" x.scope "a test" app-bryo.slice 1 "bus=unix:path=/nonexistent"
like "$err" "does not answer: No such file" "is said"

# --- a cgroup that systemd delegated ---------------------------------------------------------------------
run_ok "in a delegated scope no other is made" env XDG_RUNTIME_DIR="$runtime" systemd-run --user --scope --quiet -p Delegate=yes \
    "$BRYO" run --workspace "$T/w" -m 50m -- sh -c 'cat /sys/fs/cgroup/memory.max'
is "$out" 52428800 "and the limit holds there"
is "$(XDG_RUNTIME_DIR=$runtime systemctl --user list-units --plain --no-legend 'bryo-*.scope')" "" "no scope of bryo's is left"
rm -rf "$T/w" "$T/result"
done_testing
