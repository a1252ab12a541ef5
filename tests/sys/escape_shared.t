#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ways out of a job by what processes share: IPC, sockets, the network; and bombs.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/escape.sh"

# --- IPC ---------------------------------------------------------------------------------------------
# A System V segment, a POSIX queue, sockets of every kind, of an ordinary process outside.
name=bryo-escape-$UID-$$
"$PY" -c '
import ctypes, os, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
name, ready, path = sys.argv[1:]
segment = libc.shmget(0, 4096, 0o1600)
queue = libc.mq_open(("/" + name).encode(), os.O_RDWR | os.O_CREAT, 0o600, None)
a = socket.socket(socket.AF_UNIX); a.bind("\0" + name); a.listen()
p = socket.socket(socket.AF_UNIX); p.bind(path); p.listen()
t = socket.socket(); t.bind(("127.0.0.1", 0)); t.listen()
s = socket.socket(socket.AF_INET6)
try: s.bind(("::1", 0)); s.listen(); six = s.getsockname()[1]
except OSError: six = 0
open(ready + ".new", "w").write("%d %d %d %d" % (segment, queue, t.getsockname()[1], six))
os.rename(ready + ".new", ready)
try: time.sleep(200)
finally: pass' "$name" "$T/ready" "$T/socket" &
server=$!
cleanup() {
    kill $server 2>/dev/null
    wait $server 2>/dev/null
    ipcrm -m "$segment" 2>/dev/null
    "$PY" -c "import ctypes; ctypes.CDLL(None).mq_unlink(b'/$name')"
}
wait_for 20 test -s "$T/ready" || bail "nobody outside"
read -r segment queue port six <"$T/ready"
stopped "System V memory" job -- shm "$segment"
works "in the machine's IPC namespace" bare -Ur shm "$segment"
if [ "$queue" -ge 0 ]; then
    stopped "a POSIX message queue" job -- queue "/$name"
    works "in the machine's IPC namespace" bare -Ur queue "/$name"
fi
echo shared >"/dev/shm/$name"
stopped "POSIX shared memory" job -- host_file "/dev/shm/$name"
works "where /dev/shm is given" job -v /dev/shm:/dev/shm -- host_file "/dev/shm/$name"
rm "/dev/shm/$name"

# --- sockets -----------------------------------------------------------------------------------------
stopped "an abstract socket" job -- abstract "$name"
works "on the machine's network" job --network host -- abstract "$name"
stopped "  there, with --landlock" job --network host --landlock -- abstract "$name"
stopped "a socket by its path" job -- path_socket "$T/socket"
works "where its directory is given" job -v "$T:$T" -- path_socket "$T/socket"
stopped "127.0.0.1 of the machine" job -- tcp 127.0.0.1 "$port"
works "on the machine's network" job --network host -- tcp 127.0.0.1 "$port"
if [ "$six" -gt 0 ]; then
    stopped "::1 of the machine" job -- tcp ::1 "$six"
    works "on the machine's network" job --network host -- tcp ::1 "$six"
fi
stopped "169.254.169.254, where clouds keep a machine's credentials" job -- tcp 169.254.169.254 80
# a network where somebody answers there, so that nothing but the policy is in the way
in_cloud() {
    unshare -Urn "$PY" -c '
import fcntl, os, socket, struct, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
def lo(request, name, value): fcntl.ioctl(s, request, struct.pack("16s16s", name, value))
address = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton("169.254.169.254"))
lo(0x8914, b"lo", struct.pack("H14x", 1))  # SIOCSIFFLAGS, up
lo(0x8916, b"lo:1", address)  # SIOCSIFADDR
t = socket.socket(); t.bind(("169.254.169.254", 80)); t.listen()
sys.exit(subprocess.call(sys.argv[1:]))' "$@"
}
cloud_job() {
    in_cloud "$BRYO" run -q --no-workspace -v "$T/escape.py:/escape.py:ro" "$@" 2>&1
}
stopped "  where something answers" cloud_job -- "$PY" /escape.py tcp 169.254.169.254 80
works "on the machine's network" cloud_job --network host -- "$PY" /escape.py tcp 169.254.169.254 80
works "outside" in_cloud "$PY" "$T/escape.py" tcp 169.254.169.254 80
cleanup

# --- bombs: what is bounded, is; and the machine gets everything back ---------------------------------------
stopped "a thousand processes, with --ulimit nproc" job -u 1000 --ulimit nproc=50 -- forks 1000
works "without" job -u 1000 -- forks 1000
stopped "descriptors, with --ulimit nofile" job --ulimit nofile=100 -- files 200
works "without" job -- files 200
stopped "files in a --tmpfs with a size" job --tmpfs /room:size=4m -- fill /room 8
works "in a larger one" job --tmpfs /room:size=16m -- fill /room 8
stopped "names in a --tmpfs with so many" job --tmpfs /room:nr_inodes=100 -- inodes /room 200
works "in one without" job --tmpfs /room -- inodes /room 200
stopped "names anywhere, with --read-only" job --read-only -- inodes /srv 200
works "without" job -- inodes /srv 5000
is "$(find "$XDG_CACHE_HOME/bryo/scratch" -name 'escape-*' 2>/dev/null | wc -l)" 0 \
    "  ... and none of them is left in the scratch of it"
stopped "memory, with --ulimit as" job --ulimit as=300000000 -- allocate 400
works "without" job -- allocate 400
# A flood of output: bryo keeps none of it, and its own size does not grow.
run_ok "a flood of output" bash -c '"$1" run -q --no-workspace -- sh -c "yes | head -c 300000000" | wc -c' sh "$BRYO"
is "$out" 300000000 "passes whole"
run_ok "one that bryo carries" bash -c '"$1" run -q --no-workspace --stall-timeout 60 --result "$2" -- sh -c "yes | head -c 300000000" | wc -c' sh "$BRYO" "$T/result"
is "$out" 300000000 "passes whole too"
before=$(pgrep -c -u "$UID" . || true)
run timeout 60 "$BRYO" run -q --no-workspace --timeout 2 --grace 1 -u 1000 --ulimit nproc=200 -- \
    sh -c 'bomb() { bomb | bomb & }; bomb 2>/dev/null; exec sleep 30'
is "$status" 124 "a fork bomb is ended with the job"
ok "and nothing of it is left" wait_for 20 bash -c "[ \$(pgrep -c -u $UID .) -le $((before + 3)) ]"
done_testing
