#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Published ports: who the job sees, both families, ranges, a port that is chosen, what cannot be had.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
mkdir "$T/p"
cat >"$T/p/serve.py" <<'PY'
"""serve.py PORT... : on each port, TCP and UDP, IPv4 and IPv6, says who came and echoes"""
import socket, sys, threading
def tcp(s):
    s.listen(4096)
    while True:
        c, a = s.accept()
        threading.Thread(target=one, args=(c, a, s.getsockname()[1]), daemon=True).start()
def one(c, a, port):
    with c:
        c.sendall(f"{a[0]} {a[1]} {port}\n".encode())
        while d := c.recv(65536):
            c.sendall(d)
def udp(s):
    while True:
        d, a = s.recvfrom(65536)
        s.sendto(f"{a[0]} {a[1]} {s.getsockname()[1]} {len(d)}".encode() if len(d) < 100 else d, a)
for port in map(int, sys.argv[1:]):
    for f, any_ in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        for kind, fn in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp)):
            s = socket.socket(f, kind)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if f == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            s.bind((any_, port))
            threading.Thread(target=fn, args=(s,), daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
PY
cat >"$T/p/ask.py" <<'PY'
"""ask.py KIND ADDRESS PORT [N]: what the job's server says of us; "me" stands for our own port"""
import errno, hashlib, os, socket, sys, threading
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
n = int(sys.argv[4]) if len(sys.argv) > 4 else 0
f = socket.AF_INET6 if ":" in address else socket.AF_INET
try:
    if kind == "tcp":
        with socket.create_connection((address, port), 10) as c:
            own = c.getsockname()[1]
            print(c.makefile().readline().strip().replace(f" {own} ", " me "))
    elif kind == "many":
        cs = [socket.create_connection((address, port), 30) for _ in range(n)]
        print(sum(c.getsockname()[1] == int(c.makefile().readline().split()[1]) for c in cs))
    elif kind == "bulk":
        with socket.create_connection((address, port), 10) as c:
            r = c.makefile("rb")
            r.readline()
            data = os.urandom(n)
            def out():
                c.sendall(data)
                c.shutdown(socket.SHUT_WR)
            threading.Thread(target=out).start()
            print("same" if r.read() == data else "different")
    elif kind == "udp":
        s = socket.socket(f, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.connect((address, port))
        data = os.urandom(n)
        s.send(data)
        got = s.recv(65536)
        own = s.getsockname()[1]
        print("same" if got == data else got.decode().replace(f" {own} ", " me "))
except TimeoutError:
    print("TIMEOUT")
except OSError as e:
    print(errno.errorcode.get(e.errno, str(e)))
PY
# serve PUBLISH... -- PORT...: a job that serves; $served is its process
serve() {
    local opts=()
    while [ "$1" != -- ]; do
        opts+=(-p "$1")
        shift
    done
    shift
    : >"$T/job.out"
    # as lab_run does; not by it: the signal is for bryo itself
    unshare --user --map-user=1000 --map-group=1000 -- \
        "$BRYO" run --network "${MODE:-slirp}" "${opts[@]}" -v "$T/p:/p" -- \
        python3 /p/serve.py "$@" >"$T/job.out" 2>"$T/job.err" &
    served=$!
    wait_for 20 grep -q ready "$T/job.out" || bail "the job does not serve: $(cat "$T/job.err")"
}
stop() {
    kill "$served"
    wait "$served" 2>/dev/null
}
ask() {
    run outside python3 "$T/p/ask.py" "$@"
}
ask_here() {
    run python3 "$T/p/ask.py" "$@"
}

serve 7000:8000 7001-7003:8001-8003 203.0.113.1:7010:8000 127.0.0.1:7011:8000 7000:8000/udp \
    7020:8009 '[2001:db8:1::1]:7012:8000' -- 8000 8001 8002 8003
ask tcp 203.0.113.1 7000
is "$out" "203.0.113.5 me 8000" "the job sees the client's address and port"
ask tcp 2001:db8:1::1 7000
is "$out" "2001:db8:1::5 me 8000" "over IPv6 too"
ask_here tcp 203.0.113.1 7000
is "$out" "203.0.113.1 me 8000" "the machine itself, by its address"
ask_here tcp 127.0.0.1 7000
is "$out" "10.0.2.2 me 8000" "by its loopback: as the gateway, not as the job's own loopback"
ask_here tcp ::1 7000
is "$out" "fd00::2 me 8000" "likewise over IPv6"
for i in 1 2 3; do
    ask tcp 203.0.113.1 700$i
    is "$out" "203.0.113.5 me 800$i" "a range: port $i"
done
ask tcp 203.0.113.1 7010
is "$out" "203.0.113.5 me 8000" "on one address"
ask tcp 2001:db8:1::1 7010
is "$out" ECONNREFUSED "and not on another"
ask tcp 203.0.113.1 7011
is "$out" ECONNREFUSED "on the loopback: not from outside"
ask_here tcp 127.0.0.1 7011
is "$out" "10.0.2.2 me 8000" "but from here"
ask tcp 2001:db8:1::1 7012
is "$out" "2001:db8:1::5 me 8000" "on one address of IPv6"
ask tcp 203.0.113.1 7020
like "$out" "^(ECONNRESET|)$" "where nothing listens in the job, the client is cut off"
ask bulk 203.0.113.1 7000 20000000
is "$out" same "twenty megabytes there and back"
ask many 203.0.113.1 7000 300
is "$out" 300 "three hundred at once, each with its own port"
ask udp 203.0.113.1 7000 10
is "$out" "203.0.113.5 me 8000 10" "UDP: the client's address"
ask udp 2001:db8:1::1 7000 10
is "$out" "2001:db8:1::5 me 8000 10" "over IPv6"
ask_here udp 127.0.0.1 7000 10
is "$out" "10.0.2.2 me 8000 10" "the loopback as the gateway"
for size in 1400 8000 60000; do
    ask udp 203.0.113.1 7000 $size
    is "$out" same "a datagram of $size bytes"
done
expect_status 125 "a port that is taken" lab_bryo run --network slirp -p 7000:1 -- echo ran
is "$out" "" "nothing is run"
is "$err" "bryo: cannot publish TCP port 0.0.0.0:7000: Address already in use
bryo: give another port, or 0 to have a free one chosen and printed" "and the reason is told"
expect_status 125 "an address that the machine does not have" \
    lab_bryo run --network slirp -p 198.51.100.77:7050:1 -- echo ran
like "$err" "198.51.100.77:7050: Cannot assign requested address" "is told"
expect_status 125 "a privileged port" lab_bryo run --network slirp -p 81:1 -- echo ran
like "$err" "port from 1024 on" "is told, with what to do"
stop
wait_for 10 bash -c '! echo >/dev/tcp/203.0.113.1/7000' 2>/dev/null
ask tcp 203.0.113.1 7000
is "$out" ECONNREFUSED "the ports go with the job"

serve 0:8000 0:8000/udp -- 8000
like "$(cat "$T/job.err")" "the machine's port [0-9]+ leads to the job's 8000/tcp" "a port is chosen, and printed"
port=$(sed -n "s/.*port \([0-9]*\) leads to the job's 8000.tcp/\1/p" "$T/job.err")
ask tcp 203.0.113.1 "$port"
is "$out" "203.0.113.5 me 8000" "and works"
ask tcp 2001:db8:1::1 "$port"
is "$out" "2001:db8:1::5 me 8000" "for both families"
port=$(sed -n "s/.*port \([0-9]*\) leads to the job's 8000.udp/\1/p" "$T/job.err")
ask udp 203.0.113.1 "$port" 10
is "$out" "203.0.113.5 me 8000 10" "UDP likewise"
stop

MODE=slirp:fast=off serve 7100:8000 7100:8000/udp -- 8000
ask tcp 203.0.113.1 7100
like "$out" " me 8000$|^[0-9a-f.:]+ [0-9]+ 8000$" "without the fast path: TCP through libslirp"
ask bulk 203.0.113.1 7100 3000000
is "$out" same "whole"
ask udp 203.0.113.1 7100 10
is "$out" "203.0.113.5 me 8000 10" "UDP as ever"
stop

done_testing
