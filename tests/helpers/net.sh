# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A machine with a network around it, made without root: what tests of a job's network run in.
#
#   #!/bin/bash
#   . "$(dirname "$0")/../helpers/net.sh"     # before lib.sh: starts the test again, inside
#   . "$(dirname "$0")/../helpers/lib.sh"
#   lab_start
#   outside "$SRC/tests/helpers/serve.py" tcp 0.0.0.0 7 echo &
#   run_ok "reached" lab_bryo run --network slirp -- ...
#
# The test is root in a user and network namespace of its own ("the machine"), beside a second
# network namespace ("outside") that a veth pair leads to:
#
#   the machine  m0: 203.0.113.1/24, 2001:db8:1::1/64; default routes to outside; lo is up
#   outside      o0: 203.0.113.5/24, 2001:db8:1::5/64
#                lo: $LAB_NAMES_V4 and $LAB_NAMES_V6 (any address of the world is one of outside's),
#                and what is closed to a job by default: 169.254.169.254, 100.100.100.200,
#                fd00:ec2::254
#
# The machine's /etc/resolv.conf is one of its own too: see lab_resolv.
#
# lab_bryo runs bryo as an ordinary user of the machine (uid 1000, no capability), as which it is
# what a job's network comes from in real life. "outside CMD" runs a command out there.

LAB_V4="198.51.100.1 198.51.100.2 198.51.100.3 198.51.100.4 192.0.2.1"
LAB_V6="2001:db8:2::1 2001:db8:2::2 2001:db8:2::3"
LAB_CLOSED_V4="169.254.169.254 100.100.100.200 168.63.129.16"
LAB_CLOSED_V6="fd00:ec2::254"

if [ -z "${LAB_INSIDE:-}" ]; then
    LAB_UID=$(id -u) LAB_INSIDE=1 exec unshare --user --map-root-user --net --mount -- bash "$0" "$@"
fi

lab_pids=

# lab_start: makes both; to be called once. Fails the whole test when it cannot.
lab_start() {
    ip link set lo up || bail "no loopback interface"
    unshare --net -- sleep infinity &
    lab_out=$!
    lab_pids="$lab_pids $lab_out"
    # lib.sh may have one of its own
    local ends
    ends=$(trap -p EXIT | sed "s/^trap -- '//; s/' EXIT$//")
    # shellcheck disable=SC2064 # as it is now
    trap "lab_stop; $ends" EXIT
    wait_for 10 lab_is_apart || bail "no second network namespace"
    ip link add m0 type veth peer name o0 netns "$lab_out" || bail "no veth pair"
    : >"$T/resolv.conf"
    mount --bind "$T/resolv.conf" "$(realpath -m /etc/resolv.conf)" || bail "no resolv.conf"
    lab_outside_up || bail "the outside cannot be set up"
    lab_machine_up || bail "the machine's side cannot be set up"
    # shellcheck disable=SC2034 # of lib.sh: what is mounted here is not left behind
    test_mounts_before=$(test_mounts)
}

lab_machine_up() {
    ip addr add 203.0.113.1/24 dev m0 && ip addr add 2001:db8:1::1/64 dev m0 nodad &&
        ip link set m0 up && ip route add default via 203.0.113.5 &&
        ip -6 route add default via 2001:db8:1::5
}

lab_is_apart() {
    [ "$(readlink "/proc/$lab_out/ns/net")" != "$(readlink /proc/self/ns/net)" ] &&
        [ "$(cat "/proc/$lab_out/comm")" = sleep ]
}

outside() {
    # a function in the background is a shell that waits, unless it is replaced
    [ "$BASHPID" = "$$" ] || exec nsenter --net="/proc/$lab_out/ns/net" -- "$@"
    nsenter --net="/proc/$lab_out/ns/net" -- "$@"
}

lab_outside_up() {
    # shellcheck disable=SC2016 # expanded out there
    outside bash -c '
        ip link set lo up && ip addr add 203.0.113.5/24 dev o0 &&
            ip addr add 2001:db8:1::5/64 dev o0 nodad && ip link set o0 up || exit
        for a in $1; do ip addr add "$a/32" dev lo || exit; done
        for a in $2; do ip addr add "$a/128" dev lo nodad || exit; done
        ' _ "$LAB_V4 $LAB_CLOSED_V4" "$LAB_V6 $LAB_CLOSED_V6"
}

# lab_resolv LINE...: what the machine's resolv.conf says from now on
lab_resolv() {
    printf '%s\n' "$@" >"$T/resolv.conf"
}

# lab_run COMMAND...: as an ordinary user of the machine
lab_run() {
    unshare --user --map-user=1000 --map-group=1000 -- "$@"
}

lab_bryo() {
    lab_run "$BRYO" "$@"
}

# lab_serve KIND ADDRESS PORT [outside|here]: a server of tests/helpers/serve.py; returns when it
# listens. What it printed is in $T/serve.KIND.PORT.
lab_serve() {
    local log="$T/serve.$1.$3" place=${4:-outside}
    : >"$log"
    if [ "$place" = outside ]; then
        outside python3 "$SRC/tests/helpers/serve.py" "$1" "$2" "$3" >>"$log" 2>&1 &
    else
        python3 "$SRC/tests/helpers/serve.py" "$1" "$2" "$3" >>"$log" 2>&1 &
    fi
    lab_pids="$lab_pids $!"
    wait_for 10 grep -q '^ready$' "$log" || bail "the server $* does not start: $(cat "$log")"
}

# lab_dns ADDRESS PORT ZONEFILE [outside|here]: a resolver of tests/helpers/stubdns.py; the
# questions that it got are in $T/dns.ADDRESS.PORT, a line each.
lab_dns() {
    local log="$T/dns.$1.$2" place=${4:-here}
    : >"$log"
    if [ "$place" = outside ]; then
        outside python3 "$SRC/tests/helpers/stubdns.py" "$1" "$2" "$3" >>"$log" 2>&1 &
    else
        python3 "$SRC/tests/helpers/stubdns.py" "$1" "$2" "$3" >>"$log" 2>&1 &
    fi
    # shellcheck disable=SC2034 # for tests that end it
    lab_dns_pid=$!
    lab_pids="$lab_pids $!"
    wait_for 10 grep -q '^ready$' "$log" || bail "the resolver $* does not start: $(cat "$log")"
}

lab_stop() {
    # shellcheck disable=SC2086 # one word a process
    kill $lab_pids 2>/dev/null
    wait 2>/dev/null
    lab_pids=
}
