#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ways out of a job by processes: namespaces, memory, signals, descriptors, environment, leftovers;
# from the job's root with all its capabilities, and with all there are.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/escape.sh"

# Somebody outside to get at: an ordinary process of the same user, with a secret in its memory.
"$PY" -c '
import ctypes, os, sys, time
secret = ctypes.create_string_buffer(b"bryo-mem")
import signal
signal.signal(signal.SIGUSR1, lambda *a: open(sys.argv[1] + ".hit", "w").close())
open(sys.argv[1] + ".new", "w").write("%d" % ctypes.addressof(secret))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True: time.sleep(1)' "$T/victim" &
victim=$!
wait_for 20 test -s "$T/victim" || bail "no victim"
address=$(cat "$T/victim")

for caps in "" "--cap-add ALL"; do
    # shellcheck disable=SC2206 # words are wanted
    options=($caps)
    with=${caps:+ (with every capability)}
    stopped "a signal to a process outside$with" job "${options[@]}" -- kill $victim
    stopped "a pidfd of it$with" job "${options[@]}" -- pidfd $victim
    stopped "its memory$with" job "${options[@]}" -- memory $victim "$address"
    stopped "its memory by /proc$with" job "${options[@]}" -- memory_file $victim "$address"
    stopped "tracing it$with" job "${options[@]}" -- attach $victim
    # PID 1 is bryo's, the only process of the machine's that the job can name
    for kind in mnt net uts ipc user pid cgroup; do
        stopped "PID 1's $kind namespace$with" job "${options[@]}" -- join 1 $kind
    done
    stopped "PID 1's memory$with" job "${options[@]}" -- memory_file 1 0x1000
    stopped "tracing PID 1$with" job "${options[@]}" -- attach 1
    for file in environ auxv maps stack syscall; do
        stopped "/proc/1/$file$with" job "${options[@]}" -- proc_file 1 $file
    done
    for link in exe cwd root; do
        stopped "/proc/1/$link$with" job "${options[@]}" -- proc_link 1 $link
    done
    for dir in fd map_files fdinfo; do
        stopped "/proc/1/$dir$with" job "${options[@]}" -- proc_dir 1 $dir
    done
    stopped "changing bryo's own program by /proc/1/exe$with" job "${options[@]}" -- exe_write 1
done
# its own program, by a link of the kernel's that leads past all mounts
cp "$(command -v sleep)" "$T/prog"
"$T/prog" 100 &
prog=$!
works "outside, on another program" plain exe_write $prog
kill $prog
wait $prog 2>/dev/null
works "outside" plain kill $victim
ok "  (the signal arrived)" wait_for 10 test -e "$T/victim.hit"
works "outside" plain pidfd $victim
works "from a user namespace that shares the PID namespace" bare -Ur kill $victim
works "outside" plain proc_file $victim environ
works "outside" plain proc_link $victim exe
works "outside" plain proc_dir $victim fd
# PID 1 that is no bryo: everything above is open to root of its namespace
in_pidns() {
    unshare -Urpfu --mount-proc sh -c '"$@"; exit' sh "$PY" "$T/escape.py" "$@" 2>&1
}
for try in "join 1 uts" "proc_file 1 environ" "proc_link 1 root" "proc_dir 1 fd" "attach 1"; do
    # shellcheck disable=SC2086
    works "on a PID 1 that is no bryo: $try" in_pidns $try
done

works "on memory of a PID 1 that is no bryo" unshare -Urpf --mount-proc "$PY" -c '
import ctypes, subprocess, sys
secret = ctypes.create_string_buffer(b"bryo-mem")
sys.exit(subprocess.call(sys.argv[1:] + ["memory", "1", str(ctypes.addressof(secret))]))' "$PY" "$T/escape.py"
works "  by /proc" unshare -Urpf --mount-proc "$PY" -c '
import ctypes, subprocess, sys
secret = ctypes.create_string_buffer(b"bryo-mem")
sys.exit(subprocess.call(sys.argv[1:] + ["memory_file", "1", str(ctypes.addressof(secret))]))' "$PY" "$T/escape.py"

# --- ids that the job was not given ------------------------------------------------------------------
# What the job's root is, and what its map ends with: the next id is somebody else's.
last=$("$BRYO" run -q --no-workspace -- awk '{ end = $1 + $3 } END { print end }' /proc/self/uid_map)
for caps in "" "--cap-add ALL"; do
    # shellcheck disable=SC2206
    options=($caps)
    stopped "an id behind the last of the job's${caps:+ (with every capability)}" job "${options[@]}" -- map_ids "$last" 1
    stopped "all ids there are" job "${options[@]}" -- map_ids 0 4294967295
    stopped "another map for PID 1's namespace" job "${options[@]}" -- remap 1
done
works "with an id of the job's own" job -- map_ids 0 1

# --- bryo's own program (CVE-2019-5736) ------------------------------------------------------------
mkdir -p "$T/root/proc" "$T/root/usr"
for name in bin lib lib64; do
    [ ! -L /$name ] || ln -s usr/$name "$T/root/$name"
done
ln -s /proc/self/exe "$T/root/link"
printf '#!/proc/self/exe\n' >"$T/root/script"
chmod +x "$T/root/script"
for name in link script; do
    expect_status 125 "an image whose program is /proc/self/exe ($name)" \
        "$BRYO" run --no-workspace --rootfs "$T/root" -v /usr:/usr:ro -- /$name run -- true
    like "$err" "started by way of /proc" "is refused by the program itself"
done
cp "$BRYO" "$T/bryo-by-name"
run_ok "while by a name it runs" "$T/bryo-by-name" --version

# --- descriptors, environment, arguments -------------------------------------------------------------
echo secret-in-a-file >"$T/secret"
exec 7<"$T/secret" 8</
stopped "a descriptor that bryo was started with" job -- descriptor 7
works "without bryo" bare -Ur descriptor 7
for fd in 3 4 5 6 7 8 9 10 11; do
    out=$("$BRYO" run -q --no-workspace -w /proc/self/fd/$fd -- pwd 2>&1)
    unlike "$out" "^$T|unreachable" "-w /proc/self/fd/$fd leads to nothing outside (CVE-2024-21626)"
done
is "$(bash -c 'cd /proc/self/fd/8 && ls -d etc' 8</)" etc "  ... and works without bryo"
exec 7<&- 8<&-
run_ok "descriptors of a job" "$BRYO" run --no-workspace -- sh -c 'echo /proc/self/fd/*'
is "$out" "/proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 /proc/self/fd/3" \
    "are 0, 1, 2 (and the one that lists them)"
export BRYO_TEST_SECRET=hunter2
stopped "a variable of bryo's environment" job -- variable BRYO_TEST_SECRET
works "where -e names it" job -e BRYO_TEST_SECRET -- variable BRYO_TEST_SECRET
works "without bryo" bare -Ur variable BRYO_TEST_SECRET
unset BRYO_TEST_SECRET
stopped "bryo's command line and paths of the machine" job -- see "$T/root"
stopped "arguments of a process outside" job -- see "$T/victim"
works "outside" plain see "$T/victim"

# --- who stays --------------------------------------------------------------------------------------
job -- daemon /tmp/late >/dev/null
mkdir "$T/late"
works "as an attempt" job -v "$T/late:/late" -- daemon /late/job
works "without bryo" plain daemon "$T/late/plain"
ok "a daemon of a plain process lives on" wait_for 20 test -e "$T/late/plain"
nok "one of a job does not" test -e "$T/late/job"

# --- debugging one's own ------------------------------------------------------------------------------
if command -v strace >/dev/null; then
    run_ok "strace in a job" "$BRYO" run --no-workspace -- strace -f -o /tmp/log sh -c true
    run_ok "and of a child that runs already" "$BRYO" run --no-workspace -- \
        sh -c 'sleep 30 & timeout 10 strace -o /tmp/log -p $! & sleep 1; kill %1; wait $! 2>/dev/null; grep -q . /tmp/log'
fi
if command -v gdb >/dev/null; then
    run_ok "gdb in a job" "$BRYO" run --no-workspace -- \
        gdb -q -batch -ex 'catch syscall exit_group' -ex run -ex 'info proc' /bin/true
    like "$out" "Catchpoint 1 .*exit_group" "stops the program that it debugs"
    unlike "$out$err" "Operation not permitted" "and is refused nothing"
fi

kill $victim
wait $victim 2>/dev/null
done_testing
