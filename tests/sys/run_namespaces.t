#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The namespaces of a job: which are its own, and what is seen and what is not from inside.
. "$(dirname "$0")/../helpers/lib.sh"

ns_of() { # NAME...: its number outside
    readlink "/proc/self/ns/$1"
}
inside() { # all of them, lines NAME NUMBER
    "$BRYO" run "$@" -- sh -c 'for n in user pid mnt uts ipc net cgroup time; do
        echo $n $(readlink /proc/self/ns/$n); done'
}

for mode in auto single; do
    list=$(inside --userns "$mode")
    for name in user pid mnt uts ipc net cgroup; do
        number=$(awk -v n=$name '$1 == n { print $2 }' <<<"$list")
        like "$number" "^$name:\[[0-9]+\]$" "userns $mode: $name is there"
        isnt "$number" "$(ns_of $name)" "userns $mode: $name is not the machine's"
    done
done
like "$(inside)" "time $(ns_of time | sed 's/[][]/\\&/g')" "the time namespace stays, unless offsets ask for one"
isnt "$(inside --time-offset boottime=1h | sed -n 's/^time //p')" "$(ns_of time)" \
    "--time-offset gives a time namespace of the job's own"
is "$(inside --network host | sed -n 's/^net //p')" "$(ns_of net)" "--network host is the machine's"

# --- pid -----------------------------------------------------------------------------------------
run_ok "processes of the job" "$BRYO" run -- sh -c 'for p in /proc/[0-9]*; do cat $p/comm; done'
is "$out" "bryo-init
sh" "nobody else's are seen: PID 1 and the command"
run_ok "PID 1" "$BRYO" run -e SECRET=abc -- sh -c 'tr -d "\0" </proc/1/cmdline; echo; echo $PPID'
is "$out" "bryo-init
1" "is bryo's init, and shows none of the launcher's arguments"
for link in exe cwd root; do
    expect_status 1 "/proc/1/$link is closed to the job's root" \
        "$BRYO" run -- sh -c "readlink /proc/1/$link || exit 1"
done
expect_status 1 "/proc/1/fd is" "$BRYO" run -- sh -c 'ls /proc/1/fd/ || exit 1'
expect_status 1 "/proc/1/environ is" "$BRYO" run -- sh -c 'cat /proc/1/environ || exit 1'
expect_status 1 "/proc/1/mem is" "$BRYO" run -- sh -c 'head -c 1 /proc/1/mem || exit 1'
run_ok "a process outside cannot be signalled" "$BRYO" run -- sh -c "! kill -0 $$ 2>&1"

# --- uts, ipc, net -------------------------------------------------------------------------------
run_ok "host name" "$BRYO" run -- hostname
is "$out" bryo "the default host name"
run_ok "host name" "$BRYO" run -h box.example -- sh -c 'hostname; cat /etc/hostname /proc/sys/kernel/hostname'
is "$out" "box.example
box.example
box.example" "--hostname, in the kernel and in /etc"
run_ok "network none" "$BRYO" run --network none -- sh -c 'ls /sys/class/net; tail -n +3 /proc/net/dev | wc -l'
is "$out" "lo
1" "there is lo, and nothing else, also in /sys"
run_ok "lo is up" "$BRYO" run -- python3 -c '
import socket
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    if family == socket.AF_INET6 and not socket.has_ipv6:
        continue
    s = socket.socket(family); s.bind((address, 0)); s.listen()
    c = socket.create_connection(s.getsockname()[:2], 5); c.sendall(b"x")
    assert s.accept()[0].recv(1) == b"x"'
expect_status 1 "and nothing else is reached" "$BRYO" run --network none -- python3 -c '
import socket, sys
try: socket.create_connection(("192.0.2.1", 9), 3)
except OSError as e: sys.exit(1 if e.errno == 101 else 2)'
python3 - "$T/up" "$UID" <<'PY' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind("\0bryo-test-" + sys.argv[2]); s.listen()
t = socket.socket(); t.bind(("127.0.0.1", 0)); t.listen()
open(sys.argv[1] + ".new", "w").write(str(t.getsockname()[1]))
import os; os.rename(sys.argv[1] + ".new", sys.argv[1])
time.sleep(100)
PY
server=$!
wait_for 20 test -e "$T/up" || bail "no server"
port=$(cat "$T/up")
expect_status 1 "the machine's 127.0.0.1 is out of reach" \
    "$BRYO" run -- python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 3)"
expect_status 1 "and so are its abstract sockets" "$BRYO" run -- \
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("\0bryo-test-'"$UID"'")'
run_ok "both are in reach with --network host" "$BRYO" run --network host -- \
    python3 -c "import socket; socket.create_connection(('127.0.0.1', $port), 3)
socket.socket(socket.AF_UNIX).connect('\0bryo-test-$UID')"
kill $server
wait $server 2>/dev/null
if command -v ipcmk >/dev/null; then
    id=$(ipcmk -M 4096 | sed 's/.*: //')
    run_ok "System V memory of the machine" "$BRYO" run -- sh -c 'ipcs -m | grep -c 0x || true'
    is "$out" 0 "is not seen"
    ipcrm -m "$id"
else
    skip 2 "no ipcmk"
fi

# --- keys ----------------------------------------------------------------------------------------
# keys.py: puts a key into a session keyring, then runs what follows; or looks for it.
mkdir "$T/keys"
cat >"$T/keys/keys.py" <<'PY'
import ctypes, os, platform, sys
add_key, keyctl = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
call = ctypes.CDLL(None).syscall
JOIN, SEARCH, SESSION = 1, 10, -3
if len(sys.argv) > 1:
    assert call(keyctl, JOIN, None) > 0
    assert call(add_key, b"user", b"bryo:test", b"secret", 6, SESSION) > 0
    os.execvp(sys.argv[1], sys.argv[1:])
print("found" if call(keyctl, SEARCH, SESSION, b"user", b"bryo:test", 0) > 0 else "none")
PY
is "$(python3 "$T/keys/keys.py" python3 "$T/keys/keys.py")" found "a key in the session keyring is found outside"
is "$(python3 "$T/keys/keys.py" "$BRYO" run -v "$T/keys:/k" -- python3 /k/keys.py)" none "and not by a job"
rm -r "$T/keys"

# --- cgroup, time --------------------------------------------------------------------------------
run_ok "cgroup" "$BRYO" run -- sh -c 'sed "s/.*://" /proc/self/cgroup | sort -u'
is "$out" / "a job sees its own cgroup as the root"
before=$(cut -d. -f1 /proc/uptime)
run_ok "boottime" "$BRYO" run --time-offset boottime=10d -- cut -d. -f1 /proc/uptime
ok "the clock since boot is shifted by ten days" test $((out - before)) -ge 864000 -a $((out - before)) -le 864100
run_ok "monotonic" "$BRYO" run --time-offset monotonic=3h -- python3 -c 'import time; print(int(time.monotonic()))'
ok "the monotonic clock by three hours" test $((out - before)) -ge 10700 -a $((out - before)) -le 10960
expect_status 125 "a clock cannot become negative" "$BRYO" run --time-offset boottime=-30000d -- true
like "$err" "would become negative" "and the error says so"

done_testing
