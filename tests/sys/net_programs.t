#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real programs over a job's network, on both paths: curl, git, apt, dig, ping, ssh, iperf3, a WebSocket;
# and apt-get of a Debian root.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
export PATH=$PATH:/usr/sbin:/sbin
www=$T/www
mkdir -p "$www/apt" "$T/p"

# What the world has: files, a repository of git's and one of apt's, by HTTP; a resolver; ssh; iperf3.
head -c 3000000 /dev/urandom >"$www/big"
git_quiet() {
    git -c user.name=t -c user.email=t@example.org -c init.defaultBranch=main -c safe.directory='*' "$@" >"$T/git.log" 2>&1 ||
        bail "git: $(cat "$T/git.log")"
}
mkdir "$T/work"
git_quiet init "$T/work"
(cd "$T/work" && seq 2000 >numbers && git_quiet add numbers && git_quiet commit -m one)
git_quiet clone --bare "$T/work" "$www/repo.git"
git_quiet -C "$www/repo.git" update-server-info
printf 'Package: seen\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.org>\nFilename: ./seen.deb\nSize: 1\nSHA256: %064d\nDescription: x\n' 0 >"$www/apt/Packages"
cat >"$T/web.py" <<'PY'
import functools, http.server, socket, sys
class V6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
http.server.SimpleHTTPRequestHandler.log_message = lambda *a: None
V6(("::", 80), handler).serve_forever()
PY
outside python3 "$T/web.py" "$www" >"$T/web.log" 2>&1 &
lab_pids="$lab_pids $!"
cat >"$T/zone" <<'ZONE'
www.example.org A 198.51.100.1
www.example.org AAAA 2001:db8:2::1
four.example.org A 198.51.100.1
six.example.org AAAA 2001:db8:2::1
text.example.org TXT 1500
ZONE
lab_dns 127.0.0.1 53 "$T/zone"
lab_resolv "nameserver 127.0.0.1"
dropbearkey -t ed25519 -f "$T/hostkey" >/dev/null 2>&1 || bail "no host key"
dropbearkey -t ed25519 -f "$T/p/key" >"$T/key.pub" 2>/dev/null || bail "no key"
outside iperf3 --forceflush -s -B 198.51.100.1 -p 5201 >"$T/iperf.log" 2>&1 &
lab_pids="$lab_pids $!"
# ssh's server, as an ordinary user: root would have to change its groups
mkdir -p "$T/home/.ssh"
chmod 700 "$T/home" "$T/home/.ssh"
grep '^ssh-' "$T/key.pub" >"$T/home/.ssh/authorized_keys"
chmod 600 "$T/home/.ssh/authorized_keys"
echo "t:x:1000:1000::$T/home:/bin/sh" >"$T/passwd"
outside unshare --mount -- bash -c 'mount --bind "$1/passwd" /etc/passwd
    exec unshare --user --map-user=1000 --map-group=1000 -- \
        dropbear -F -E -s -r "$1/hostkey" -p 198.51.100.1:2222 -p "[2001:db8:2::1]:2222" -P "$1/dropbear.pid"' _ "$T" >"$T/ssh.log" 2>&1 &
lab_pids="$lab_pids $!"
cp "$SRC/tests/helpers/websocket.py" "$T/p/"
outside python3 "$SRC/tests/helpers/websocket.py" serve 8765 >"$T/ws.log" 2>&1 &
lab_pids="$lab_pids $!"
outside iperf3 --forceflush -s -B 2001:db8:2::1 -p 5202 >"$T/iperf6.log" 2>&1 &
lab_pids="$lab_pids $!"
echo "0 0" >/proc/sys/net/ipv4/ping_group_range
up() {
    outside curl -sf -o /dev/null http://198.51.100.1/big && grep -q listening "$T/iperf.log" &&
        grep -q listening "$T/iperf6.log" && grep -q ready "$T/ws.log"
}
wait_for 20 up || bail "the servers do not start: $(cat "$T/web.log" "$T/iperf.log")"

job() {
    lab_bryo run --quiet --no-workspace -v "$T/p:/p" --network "$mode" -e HOME=/tmp "$@"
}
sum=$(sha256sum <"$www/big")
for mode in slirp slirp:fast=off; do
    for host in four six; do
        run job -- sh -c "curl -sf http://$host.example.org/big | sha256sum"
        is "$out" "$sum" "$mode: curl, by the name $host.example.org"
    done
    for host in four six; do
        run_ok "$mode: git clone over HTTP, from $host.example.org" job -- sh -c 'git clone -q "http://$1.example.org/repo.git" /tmp/r && tail -n 1 /tmp/r/numbers' _ $host
        is "$out" 2000 "has the files"
    done
    run_ok "$mode: apt-get update" job -- sh -c '
        mkdir -p /tmp/a/lists/partial /tmp/a/cache/archives/partial /tmp/a/etc/apt.conf.d
        echo "deb [trusted=yes] http://www.example.org/apt ./" >/tmp/a/etc/sources.list
        export APT_CONFIG=/tmp/a/conf
        printf "%s\n" "Dir::Etc \"/tmp/a/etc\";" "Dir::State::lists \"/tmp/a/lists\";" \
            "Dir::Cache \"/tmp/a/cache\";" "APT::Sandbox::User \"root\";" >$APT_CONFIG
        apt-get -q update >/tmp/a/log 2>&1 || { cat /tmp/a/log; exit 1; }
        apt-cache show seen | grep ^Version'
    is "$out" "Version: 1.0" "and the package is known"
    run_ok "$mode: dig over UDP" job -- dig +short +time=5 www.example.org A
    is "$out" 198.51.100.1 "the address"
    run_ok "$mode: dig over TCP" job -- dig +short +tcp +time=5 text.example.org TXT
    ok "a long text" test "${#out}" -ge 1500
    # without the file's capabilities, which a job may not gain
    for address in 198.51.100.1 2001:db8:2::1; do
        run_ok "$mode: ping $address" job -- sh -c 'cp "$(command -v ping)" /tmp/ping && exec /tmp/ping "$@"' _ -n -c 2 -i 0.2 -W 5 $address
        like "$out" "2 received" "twice"
        run job -- sh -c 'cp "$(command -v ping)" /tmp/ping && exec /tmp/ping "$@"' _ -n -c 1 -W 5 -s 4000 $address
        like "$out$err" "1 received" "and with more than one packet holds"
        run_ok "$mode: ssh to $address" job -- sh -c 'cp /p/key /tmp/key && chmod 600 /tmp/key &&
            dbclient -y -p 2222 -i /tmp/key "t@$1" "seq 3; cat >/dev/null" </dev/null 2>/dev/null' _ $address
        is "$out" "1
2
3" "runs a command" || diag "$(cat "$T/ssh.log")"
    done
    for to in "198.51.100.1 -p 5201" "2001:db8:2::1 -p 5202"; do
        for way in "" -R; do
            # shellcheck disable=SC2086 # empty, or an option; an address and a port
            run_ok "$mode: iperf3 $way to ${to% -p*}" job -- iperf3 -c $to -n 20M $way -J --connect-timeout 10000
            ok "moves its bytes" test "$(jq .end.sum_sent.bytes <<<"$out" 2>/dev/null || echo 0)" -ge 20000000
        done
    done
    for host in four six; do
        run_ok "$mode: a WebSocket, $host.example.org" job -- python3 /p/websocket.py talk $host.example.org 8765
        is "$out" "ok 40" "messages of all sizes, both ways at once"
    done
done

# A Debian root: its own apt-get, C library and resolver.
for mode in slirp slirp:fast=off; do
    # shellcheck disable=SC2016 # expanded in the job
    run_ok "$mode: apt-get update in a Debian root" lab_bryo run --quiet --no-workspace --network "$mode" \
        --rootfs "$ROOTFS_TAR" -- sh -c '
        rm -rf /etc/apt/sources.list.d/* && echo "deb [trusted=yes] http://www.example.org/apt ./" >/etc/apt/sources.list
        apt-get -q update >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
        apt-cache show seen | grep ^Version'
    is "$out" "Version: 1.0" "and the package is known"
done

rm -rf "${www:?}" "$T/p" "$T/work" "$T"/*.log "$T"/home/.ssh
done_testing
