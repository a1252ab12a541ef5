#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --net-rate, --net-delay and --net-loss, on both paths. How near they come is tests/unit/net_shape.c's;
# a loaded machine may be later, never earlier.
# timeout: 300
# once
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
: >"$T/peer"
# shellcheck disable=SC2154 # of net.sh
nsenter --net="/proc/$lab_out/ns/net" -- python3 "$SRC/tests/helpers/fast_peer.py" \
    >>"$T/peer" 2>&1 &
lab_pids="$lab_pids $!"
wait_for 20 grep -q '^ready$' "$T/peer" || bail "the peer does not start: $(cat "$T/peer")"
lab_serve udp 198.51.100.1 7008
lab_serve udp 2001:db8:2::1 7010

mkdir "$T/p"
cp "$SRC/tests/helpers/fast_job.py" "$T/p/"
cat >"$T/p/measure.py" <<'PY'
"""measure.py WHAT ADDRESS [N]: milliseconds, or a number"""
import socket, sys, time
what, address = sys.argv[1:3]
n = int(sys.argv[3]) if len(sys.argv) > 3 else 0
f = socket.AF_INET6 if ":" in address else socket.AF_INET
if what == "up":
    c = socket.create_connection((address, 9002), 60)
    begin = time.monotonic()
    c.sendall(bytes(n))
    c.shutdown(socket.SHUT_WR)
    assert len(c.recv(100)) == 64
elif what == "down":
    c = socket.create_connection((address, 9005), 60)
    begin = time.monotonic()
    c.sendall(b"%d\n" % n)
    while c.recv(65536):
        pass
elif what == "tcp":
    c = socket.create_connection((address, 9001), 60)
    best = 1e9
    for i in range(5):
        begin = time.monotonic()
        c.sendall(b"x")
        c.recv(1)
        best = min(best, time.monotonic() - begin)
    begin = time.monotonic() - best
elif what == "udp":
    s = socket.socket(f, socket.SOCK_DGRAM)
    s.settimeout(10)
    s.connect((address, 7010 if ":" in address else 7008))
    best = 1e9
    for i in range(5):
        begin = time.monotonic()
        s.send(b"x")
        s.recv(1)
        best = min(best, time.monotonic() - begin)
    begin = time.monotonic() - best
elif what == "lost":
    s = socket.socket(f, socket.SOCK_DGRAM)
    s.connect((address, 7008))
    got = 0
    def take(patience): # as they come: the kernel keeps some hundred
        global got
        s.settimeout(patience)
        try:
            while True:
                s.recv(100)
                got += 1
        except TimeoutError:
            pass
    for i in range(n):
        s.send(b"%d" % i)
        take(0.001)
    take(1)
    print(n - got)
    sys.exit()
print(round((time.monotonic() - begin) * 1000))
PY
job() { # OPTION... -- COMMAND...
    run lab_bryo run --network "$mode" -v "$T/p:/p" "$@"
}
between() { # LOW HIGH DESCRIPTION: of $out
    local st=1
    [[ $out =~ ^[0-9]+$ ]] && [ "$out" -ge "$1" ] && [ "$out" -le "$2" ] && st=0
    tap_result $st "$3" || diag "got: $out" "expected: $1 to $2" "stderr: $err"
}

for mode in slirp slirp:fast=off; do
    for address in 198.51.100.1 2001:db8:2::1; do
        job --net-rate 8mbit -- python3 /p/measure.py up $address 2000000
        between 1950 8000 "$mode, $address: two megabytes out at 8 Mbit/s"
        job --net-rate 8mbit -- python3 /p/measure.py down $address 2000000
        between 1950 8000 "and in"
        job --net-delay 60ms -- python3 /p/measure.py tcp $address
        between 60 600 "a delay of 60 ms, TCP"
        job --net-delay 60ms -- python3 /p/measure.py udp $address
        between 60 600 "and UDP"
    done
    job --net-loss 30% -- python3 /p/measure.py lost 198.51.100.1 1000
    between 200 420 "$mode: of a thousand datagrams, three in ten are lost"
    # forty transfers at once are too much for libslirp's TCP at this loss
    lossy=(half_close small refused)
    [ "$mode" != slirp ] || lossy+=(transfers)
    job --net-loss 3% --net-delay 5ms,2ms --net-rate 50mbit -- \
        python3 /p/fast_job.py 198.51.100.1 "${lossy[@]}"
    is "$out" "$(printf '%s ok\n' "${lossy[@]}")" "$mode: slow, far and lossy at once: nothing is damaged"
done
mode=slirp
job -- python3 /p/measure.py tcp 198.51.100.1
between 0 50 "without them none of this"
job --net-delay 10ms -- python3 /p/fast_job.py 198.51.100.1 names half_close reset early epoll_first \
    dup_and_fork bind_first local_server
is "$(grep -vc ' ok$' <<<"$out")" 0 "connections are what they are without a delay" || diag "$out"

done_testing
