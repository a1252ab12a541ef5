#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job that has routes, links and addresses of its own: its TCP goes where they lead, and by the fast path
# where they lead to the tap.
# timeout: 120
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
lab_serve tcp 0.0.0.0 7007
lab_serve tcp :: 7009

mkdir "$T/p"
cat >"$T/p/say.py" <<'PY'
"""say.py PORT...: a server that says "inner" on each port, after the line "ready"."""
import socket, sys, threading
def serve(s):
    while True:
        with s.accept()[0] as c:
            c.sendall(b"inner\n")
listening = [socket.create_server(("::", int(p)), family=socket.AF_INET6, dualstack_ipv6=True) for p in sys.argv[1:]]
print("ready", flush=True)
for s in listening:
    threading.Thread(target=serve, args=(s,)).start()
PY
cat >"$T/p/try.py" <<'PY'
"""try.py ADDRESS PORT [device=NAME] [mark=N] [size] [again]: which server it was, or what happened."""
import errno, socket, sys, time
address, port, more = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
s.settimeout(5)
for word in more:
    name, _, value = word.partition("=")
    if name == "device":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, value.encode())
    if name == "mark":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(value))
begin = time.monotonic()
try:
    s.connect((address, port))
    who = s.makefile().readline().strip()
    print("inner" if who == "inner" else "outside")
    if "size" in more: # less the twelve bytes of the time stamps (RFC 7323)
        print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG) + 12)
    if "again" in more: # tcpi_rto of struct tcp_info, whose least is 200 ms elsewhere (TCP_RTO_MIN)
        us = int.from_bytes(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 12)[8:], sys.byteorder)
        print("soon" if us < 200000 else us)
except TimeoutError:
    print("TIMEOUT")
except OSError as e:
    print(errno.errorcode.get(e.errno, str(e)), "slow" if time.monotonic() - begin > 2 else "at once")
PY
# A second namespace in the job, and a link to it.
cat >"$T/p/link.sh" <<'SH'
unshare --user --map-root-user --net -- sleep 60 &
inner=$!
until [ "$(readlink /proc/$inner/ns/net)" != "$(readlink /proc/self/ns/net)" ] &&
    [ "$(cat /proc/$inner/comm)" = sleep ]; do sleep 0.01; done
ip link add v0 type veth peer name v1 netns $inner
ip addr add 172.31.0.1/24 dev v0
ip addr add fd01::1/64 dev v0 nodad
ip link set v0 up
in_it() { nsenter --target $inner --user --net --preserve-credentials -- "$@"; }
in_it sh -c 'ip link set lo up; ip addr add 172.31.0.2/24 dev v1; ip addr add fd01::2/64 dev v1 nodad
    ip addr add 198.51.100.1/32 dev lo; ip addr add 2001:db8:2::1/128 dev lo nodad; ip link set v1 up
    ip route add default via 172.31.0.1; ip -6 route add default via fd01::1'
mkfifo /tmp/said
in_it python3 /p/say.py 7007 7009 >/tmp/said &
exec 4</tmp/said
read -r _ <&4
SH

# How many connections the job's last --net-log tells of.
connections() {
    jq -s '[.[] | select(.type == "connection" and .protocol == "tcp")] | length' "$T/log"
}

# job COMMANDS: as root of the job's network, with "try" at hand
job() {
    rm -f "$T/log"
    run lab_bryo run --network slirp --net-log "$T/log" --cap-add NET_ADMIN -v "$T/p:/p" -- \
        sh -c "try() { python3 /p/try.py \"\$@\"; }
$1"
}

job 'try 198.51.100.1 7007 size; try 2001:db8:2::1 7009 size
    ip route get 198.51.100.1 ipproto tcp; ip -6 route get 2001:db8:2::1 ipproto tcp
    ip route get 198.51.100.1 ipproto udp'
is "$(sed -n 1,4p <<<"$out")" "outside
1460
outside
1460" "segments are as large as on an Ethernet"
like "$(grep '^local' <<<"$out" | tr '\n' ' ')" "^local 198.51.100.1 .*local 2001:db8:2::1 " "TCP is routed to the listener at once"
like "$(tail -n 2 <<<"$out")" "^198.51.100.1 .*dev tap0" "UDP to the tap"

job 'try 198.51.100.1 7007 again; try 2001:db8:2::1 7009 again'
is "$out" "outside
soon
outside
soon" "a segment that the kernel loses on the way to the listener is repeated soon"

job 'try 198.51.100.1 7007 device=tap0; try 198.51.100.1 7007 mark=7
    try 2001:db8:2::1 7009 device=tap0; try 2001:db8:2::1 7009 mark=7'
is "$out" "outside
outside
outside
outside" "a socket of the tap only, and one with a mark of its own"

job '. /p/link.sh
    try 172.31.0.2 7007; try fd01::2 7009
    try 198.51.100.1 7007; try 2001:db8:2::1 7009
    ip route add 198.51.100.0/24 via 172.31.0.2; ip -6 route add 2001:db8:2::/64 via fd01::2
    try 198.51.100.1 7007; try 2001:db8:2::1 7009
    ip route del 198.51.100.0/24; ip -6 route del 2001:db8:2::/64
    try 198.51.100.1 7007; try 2001:db8:2::1 7009
    ip route replace default via 172.31.0.2; ip -6 route replace default via fd01::2
    try 198.51.100.1 7007; try 2001:db8:2::1 7009'
is "$(tr '\n' ' ' <<<"$out")" "inner inner outside outside inner inner outside outside inner inner " \
    "links and routes of the job's own lead to where they lead"
is "$(connections)" 4 "and only what goes outside is in the log"

job 'ip addr add 10.99.0.1/32 dev lo; ip addr add fd02::1/128 dev lo nodad
    mkfifo /tmp/said; python3 /p/say.py 7007 7009 >/tmp/said & exec 4</tmp/said; read -r _ <&4
    try 10.99.0.1 7007; try fd02::1 7009; try 10.99.0.1 7008; try fd02::1 7008'
is "$out" "inner
inner
ECONNREFUSED at once
ECONNREFUSED at once" "addresses of the job's own are the job's"
is "$(connections)" 0 "and nobody outside is asked"

# BIG TCP: of both families since Linux 6.3, see guest_out.h.
IFS=. read -r major minor _ < <(uname -r)
job 'ip -d link show lo'
if [ $((major * 1000 + ${minor%%[!0-9]*})) -ge 6003 ]; then
    like "$out" "gso_max_size 262144" "packets over the loopback may be larger than 64 KiB"
else
    skip 1 "Linux $major.$minor has no larger packets of both families"
fi

job 'ip link set tap0 down; try 198.51.100.1 7007; try 2001:db8:2::1 7009'
unlike "$out" "outside" "nothing is reached when the tap is down"
job 'ip route del default; ip -6 route del default; try 198.51.100.1 7007; try 2001:db8:2::1 7009'
unlike "$out" "outside" "nor without a default route"
is "$(connections)" 0 "and nobody is asked"

rm -r "$T/p"
done_testing
