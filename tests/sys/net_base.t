#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job's network through libslirp alone: TCP, UDP of every size, IPv4 and IPv6, and what is refused.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
lab_serve tcp 0.0.0.0 7007
lab_serve udp 198.51.100.1 7008
lab_serve tcp :: 7009
lab_serve udp 2001:db8:2::2 7010
lab_serve tcp 127.0.0.1 7011 here
lab_serve tcp ::1 7012 here
lab_serve udp 127.0.0.1 7013 here
lab_serve tcp 0.0.0.0 7014 here
lab_serve tcp :: 7015 here

mkdir "$T/p"
cat >"$T/p/try.py" <<'PY'
"""try.py KIND ADDRESS PORT [SIZE]: what happened, in one word or line."""
import errno, os, socket, sys, time
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
size = int(sys.argv[4]) if len(sys.argv) > 4 else 0
family = socket.AF_INET6 if ":" in address else socket.AF_INET
begin = time.monotonic()
try:
    if kind == "tcp":
        with socket.create_connection((address, port), 10) as c:
            print(c.makefile().readline().strip())
    elif kind == "stream":
        with socket.create_connection((address, port), 10) as c:
            f = c.makefile("rwb", 0)
            f.readline()
            data = os.urandom(size)
            import threading
            threading.Thread(target=lambda: (c.sendall(data), c.shutdown(socket.SHUT_WR))).start()
            back = b""
            while len(back) < size:
                back += c.recv(65536) or sys.exit("cut off")
            print("same" if back == data else "different")
    elif kind == "udp":
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(2)
        s.connect((address, port))
        data = os.urandom(size)
        s.send(data)
        print("same" if s.recv(65536) == data else "different")
    elif kind == "many":
        for i in range(size):
            with socket.create_connection((address, port), 10) as c:
                c.recv(10)
        print("all")
except TimeoutError:
    print("TIMEOUT")
except OSError as e:
    print(errno.errorcode.get(e.errno, str(e)))
if kind in ("tcp", "udp") and time.monotonic() - begin > 5:
    print("slow")
PY
job() { # [OPTION...] -- COMMAND...
    lab_bryo run --network "${MODE:-slirp:fast=off}" -v "$T/p:/p" "$@"
}
try() { # OPTIONS -- KIND ADDRESS PORT [SIZE]
    job "${opts[@]}" -- python3 /p/try.py "$@"
}
opts=()

run_ok "the job's network stands" job -- sh -c 'cat /sys/class/net/tap0/operstate; ls /sys/class/net; cat /proc/net/if_inet6'
like "$out" "lo
tap0" "with its interface"
unlike "$out" "fe80" "and no address but its own"
run_ok "TCP" try tcp 198.51.100.1 7007
is "$out" "hello from 198.51.100.1 to 203.0.113.1" "over IPv4"
run_ok "TCP" try tcp 2001:db8:2::1 7009
is "$out" "hello from 2001:db8:2::1 to 2001:db8:1::1" "over IPv6"
run_ok "ten megabytes there and back" try stream 198.51.100.1 7007 10000000
is "$out" same "the same"
for size in 0 1 64 1400 1472 1500 8192 30000 60000 65000; do
    for to in "198.51.100.1 7008" "2001:db8:2::2 7010"; do
        # shellcheck disable=SC2086 # two words
        run try udp $to $size
        is "$out" same "UDP of $size bytes, $to"
    done
done
opts=(--mtu 1500)
for size in 1472 1473 9000 60000; do
    for to in "198.51.100.1 7008" "2001:db8:2::2 7010"; do
        # shellcheck disable=SC2086 # two words
        run try udp $to $size
        is "$out" same "UDP of $size bytes with an MTU of 1500, $to"
    done
done
run try stream 198.51.100.1 7007 3000000
is "$out" same "and TCP"
opts=()
run try many 198.51.100.2 7007 2000
like "$out" "^all" "two thousand connections, one after another"

# --- ping ----------------------------------------------------------------------------------------------
cat >"$T/p/ping.py" <<'PY'
"""ping.py ADDRESS: an echo request from the kind of socket that needs no capability."""
import errno, socket, struct, sys
address = sys.argv[1]
v6 = ":" in address
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM, 58 if v6 else 1)
s.settimeout(5)
s.connect((address, 0))
try:
    s.send(struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, 1) + b"payload")
    answer = s.recv(999)
    print("pong" if answer[:1] == (b"\x81" if v6 else b"\0") and answer[8:] == b"payload" else answer)
except TimeoutError:
    print("TIMEOUT")
except OSError as e:
    print(errno.errorcode[e.errno])
PY
run job -- python3 /p/ping.py 10.0.2.2
is "$out" pong "the gateway answers an echo request"
run job -- python3 /p/ping.py 198.51.100.1
isnt "$out" pong "where the machine grants no ping, nothing comes back"
echo "0 0" >/proc/sys/net/ipv4/ping_group_range || bail "no ping"
run job -- python3 /p/ping.py 198.51.100.1
is "$out" pong "where it does, the world answers"
run job -- python3 /p/ping.py fd00::2
is "$out" pong "the gateway by IPv6 too"
run job -- python3 /p/ping.py 169.254.169.254
is "$out" EHOSTUNREACH "what is closed is closed to ping too"
run_ok "not root" job -u 1 -- python3 /p/ping.py 198.51.100.1
is "$out" pong "whoever the job is"

# --- refused, at once --------------------------------------------------------------------------------
run try tcp 198.51.100.1 1
is "$out" ECONNREFUSED "a closed port out there is refused"
for to in "127.0.0.1 7011" "10.0.2.2 7011" "10.0.2.2 7014" "10.0.2.99 80" "203.0.113.1 7014" \
    "169.254.169.254 7007" "100.100.100.200 7007" "0.0.0.1 80" "168.63.129.16 7007" \
    "fd00::2 7012" "fd00::99 80" "2001:db8:1::1 7015" "fd00:ec2::254 7009" "::ffff:203.0.113.1 7014"; do
    # shellcheck disable=SC2086 # two words
    run try tcp $to
    like "$out" "^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EINVAL)$" "TCP to ${to% *} is refused, and at once"
done
for to in "10.0.2.2 7013" "203.0.113.1 7013" "169.254.169.254 7008" "fd00:ec2::254 7010"; do
    # shellcheck disable=SC2086 # two words
    run try udp $to 10
    like "$out" "^(ECONNREFUSED|EHOSTUNREACH|EACCES)$" "UDP to ${to% *} is refused, and at once"
done
run try tcp 203.0.113.1 7014
is "$(grep -c -F 'tcp 203.0.113.1:7014 refused' <<<"$err")" 1 "the user is told, in one line"

# A job that has root inside routes the loopback's addresses into the tap.
cat >"$T/p/route.sh" <<'SH'
ip link set lo down && sysctl -qw net.ipv4.conf.all.route_localnet=1 net.ipv4.conf.tap0.route_localnet=1
ip route flush table local 2>/dev/null
ip route add local 10.0.2.100 dev tap0 table local
ip route add 127.0.0.0/8 via 10.0.2.2 dev tap0 src 10.0.2.100 onlink
ip -6 route flush table local 2>/dev/null
ip -6 route add local fd00::100 dev tap0 table local
ip -6 route add ::1/128 via fd00::2 dev tap0 src fd00::100 onlink 2>/dev/null
python3 /p/try.py tcp 127.0.0.1 7011
python3 /p/try.py udp 127.0.0.1 7013 5
python3 /p/try.py tcp 127.0.0.1 7014
python3 /p/try.py tcp ::1 7012
SH
# And what is link-local, which has no route either.
cat >"$T/p/link.sh" <<'SH'
ip route add 169.254.0.0/16 dev tap0 src 10.0.2.100
ip neigh add 169.254.9.9 lladdr "$(ip neigh show 10.0.2.2 | sed 's/.*lladdr \([^ ]*\).*/\1/')" dev tap0
ip -6 route add fe80::/10 dev tap0 src fd00::100
ip -6 neigh add fe80::9 lladdr "$(ip neigh show 10.0.2.2 | sed 's/.*lladdr \([^ ]*\).*/\1/')" dev tap0
python3 /p/try.py tcp 169.254.9.9 7007
python3 /p/try.py tcp fe80::9%tap0 7009
python3 /p/try.py udp 169.254.9.9 7008 5
SH
for MODE in slirp slirp:fast=off; do
    run job -- sh /p/route.sh
    is "$(grep -cE '^(ECONNREFUSED|EHOSTUNREACH|EACCES|ENETUNREACH)$' <<<"$out")" 4 \
        "$MODE: the machine's loopback is not reached by routes of the job's own, and refused" || diag "$out"
    unlike "$out" "hello|same" "not by any"
    run job -- sh /p/link.sh
    is "$out" "ECONNREFUSED
ECONNREFUSED
EHOSTUNREACH" "$MODE: link-local addresses are refused, at once" || diag "$err"
    is "$(grep -c 'refused: link-local' <<<"$err")" 3 "as what they are"
done
unset MODE
for port in 7011 7012 7013 7014 7015; do
    is "$(grep -c -E '^(tcp|udp) ' "$T"/serve.*.$port)" 0 "nothing has come to the machine's port $port"
done

# --- --allow-host ------------------------------------------------------------------------------------
opts=("--allow-host=7011,7013")
run try tcp 10.0.2.2 7011
is "$out" "hello from 127.0.0.1 to 127.0.0.1" "--allow-host opens a port of the machine at the gateway"
run try udp 10.0.2.2 7013 100
is "$out" same "for UDP too"
run try tcp 10.0.2.2 7014
is "$out" ECONNREFUSED "and no other port"
run try tcp 203.0.113.1 7014
is "$out" ECONNREFUSED "and no other address"
opts=(--allow-host)
run try tcp 10.0.2.2 7014
like "$out" "^hello" "without ports, all of them"
run try tcp fd00::2 7012
is "$out" "hello from ::1 to ::1" "over IPv6 too"

# --- the job's own addresses -------------------------------------------------------------------------
opts=(--net-addr 10.77.0.0/24)
run try tcp 198.51.100.1 7007
like "$out" "^hello" "--net-addr gives another network"
run_ok "resolv.conf" job --net-addr 10.77.0.0/24 --dns-search example.org -- cat /etc/resolv.conf
is "$out" "nameserver 10.77.0.3
search example.org" "names the resolver there, and --dns-search"
run_ok "hosts" job --add-host db.example:198.51.100.9 -- sh -c 'grep db.example /etc/hosts'
like "$out" "^198.51.100.9.db.example$" "--add-host is in /etc/hosts"

rm -r "$T/p"
done_testing
