#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job's TCP by the fast path is what it would be on the machine: errors, ends, addresses, many at once.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
outside ip route add unreachable 198.18.0.0/16
outside ip route add blackhole 198.19.0.0/16
outside ip -6 route add unreachable 2001:db8:dead::/48
outside ip -6 route add blackhole 2001:db8:beef::/48
outside bash -c "echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding"
: >"$T/peer"
# shellcheck disable=SC2154 # of net.sh; not by "outside": the process itself is to be killed
nsenter --net="/proc/$lab_out/ns/net" -- python3 "$SRC/tests/helpers/fast_peer.py" \
    >>"$T/peer" 2>&1 &
lab_pids="$lab_pids $!"
wait_for 20 grep -q '^ready$' "$T/peer" || bail "the peer does not start: $(cat "$T/peer")"

mkdir "$T/p"
cp "$SRC/tests/helpers/fast_job.py" "$T/p/"

# checks ADDRESS CHECK...: each is one test
checks() {
    local address=$1 line name
    shift
    run lab_bryo run --network slirp -v "$T/p:/p" -- python3 /p/fast_job.py "$address" "$@"
    for name in "$@"; do
        line=$(grep "^$name " <<<"$out")
        is "$line" "$name ok" "$name, to $address"
    done
    unlike "$err" "libslirp|refused|network" "and bryo has nothing to say about it"
}

# What the errors are without bryo in between: IPv6 has its own, and the kernel decides.
on_machine() {
    lab_run python3 "$T/p/fast_job.py" "$@"
}
run on_machine 198.51.100.1 refused reset unreachable silence
is "$out" "refused ok
reset ok
unreachable EHOSTUNREACH
silence ok" "the machine itself, IPv4"
run on_machine 2001:db8:2::1 refused reset unreachable silence
is "$(grep -v unreachable <<<"$out")" "refused ok
reset ok
silence ok" "and IPv6"
unreachable6=$(grep unreachable <<<"$out")

for address in 198.51.100.1 2001:db8:2::1; do
    checks "$address" small names half_close refused reset reset_by_job urgent early epoll_first \
        dup_and_fork bind_first local_server listener_is_hidden
    checks "$address" transfers
    checks "$address" silence
done
run lab_bryo run --network slirp -v "$T/p:/p" -- python3 /p/fast_job.py 198.51.100.1 unreachable
is "$out" "unreachable EHOSTUNREACH" "unreachable as on the machine, IPv4"
run lab_bryo run --network slirp -v "$T/p:/p" -- python3 /p/fast_job.py 2001:db8:2::1 unreachable
is "$out" "$unreachable6" "unreachable as on the machine, IPv6"
run lab_bryo run --network slirp --cap-add NET_RAW -v "$T/p:/p" -- python3 /p/fast_job.py 2001:db8:2::1 nobodys
is "$out" "nobodys ok" "what overtakes the opening of its own connection is not reset"
checks 198.51.100.1 idle
checks 198.51.100.1 short
checks 2001:db8:2::1 idle short
checks 198.51.100.1 stalled
for address in 198.51.100.1 2001:db8:2::1; do
    checks "$address" crowd
done

# A reader in the job that stalls: the peer would send 150 MB.
mkfifo "$T/go"
exec 5<>"$T/go"
unshare --user --map-user=1000 --map-group=1000 -- "$BRYO" run -i --network slirp -v "$T/p:/p" -- \
    python3 /p/fast_job.py 198.51.100.1 slow_reader <&5 >"$T/slow.out" 2>&1 &
job_pid=$!
wait_for 20 grep -q asked "$T/slow.out"
sleep 2
net_pid=$(ps -o pid=,comm= --ppid "$job_pid" | awk '$2 == "bryo-net" { print $1 }')
rss=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$net_pid/status")
ok "a reader that stalls: nothing of 150 MB piles up in bryo-net ($rss kB)" test "${rss:-99999999}" -lt 20000
echo >&5
wait $job_pid
is "$(tail -n 1 "$T/slow.out")" "slow_reader ok" "and all of it arrives when it goes on"
exec 5>&-

# TCP_NODELAY and keep-alive on the machine's side: the one is seen when the server's
# acknowledgements go astray, since without it the third message waits for that of the first (the
# second goes as a probe for losses).
exec 5<>"$T/go"
unshare --user --map-user=1000 --map-group=1000 -- "$BRYO" run -i --network slirp -v "$T/p:/p" -- \
    python3 /p/fast_job.py 198.51.100.1 singly <&5 >"$T/singly.out" 2>&1 &
job_pid=$!
wait_for 20 grep -q connected "$T/singly.out"
probed() { ss -Htno state established dst 198.51.100.1:9012 | grep -q 'timer:(keepalive,'; }
ok "a connection that is silent is to be probed" wait_for 20 probed
outside ip neigh replace 203.0.113.1 lladdr 02:00:00:00:00:99 dev o0 nud permanent
singly() {
    local i
    for i in 1 2 3 4 5; do
        echo >&5
        wait_for 20 grep -q "^singly $i\$" "$T/peer" || return
    done
}
ok "small messages go out at once, each of them" singly
outside ip neigh del 203.0.113.1 dev o0
echo >&5
wait $job_pid
is "$(tail -n 1 "$T/singly.out")" "singly ok" "and the connection goes on"
exec 5>&-

# A process that gets no processor for some seconds: the job's kernel asks again meanwhile.
for address in 198.51.100.1 2001:db8:2::1; do
    before=$(grep -c '^tally' "$T/peer")
    exec 5<>"$T/go"
    unshare --user --map-user=1000 --map-group=1000 -- "$BRYO" run -i --network slirp -v "$T/p:/p" -- \
        python3 /p/fast_job.py $address repeated <&5 >"$T/repeated.out" 2>&1 &
    job_pid=$!
    wait_for 20 grep -q asking "$T/repeated.out"
    net_pid=$(ps -o pid=,comm= --ppid "$job_pid" | awk '$2 == "bryo-net" { print $1 }')
    kill -STOP "$net_pid"
    echo >&5
    wait_for 20 grep -q asked "$T/repeated.out"
    sleep 2
    kill -CONT "$net_pid"
    wait $job_pid
    exec 5>&-
    is "$(tail -n 1 "$T/repeated.out")" "repeated ok" "SYNs that were sent twice, to $address: each connection works"
    is $(($(grep -c '^tally' "$T/peer") - before)) 200 "and the server sees each of them once"
done

for mode in slirp slirp:fast=off; do
    for address in 198.51.100.1 2001:db8:2::1; do
        before=$(grep -c '^late' "$T/peer")
        run_ok "last words by $mode, to $address" lab_bryo run --network "$mode" -v "$T/p:/p" -- \
            python3 /p/fast_job.py "$address" last_words
        heard() { [ "$(grep -c '^late' "$T/peer")" -gt "$before" ]; }
        wait_for 20 heard
        is "$(tail -n 1 "$T/peer")" "late 200000 in order" "all that was sent before the job's end arrives"
    done
done

done_testing
