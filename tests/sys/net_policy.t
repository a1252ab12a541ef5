#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where a job may connect to, on both paths; what is written about it: --net-log, --net-lock, --pcap.
# Each refused thing is also shown open: from the machine itself, or without the rule.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

lab_start
cat >"$T/zone" <<'ZONE'
www.example.org A 198.51.100.1
www.example.org AAAA 2001:db8:2::1
alias.example.org CNAME cdn.example.net
cdn.example.net A 198.51.100.2
other.example.com A 198.51.100.3
rebind.example.org A 127.0.0.1
metadata.example.org A 169.254.169.254
self.example.org A 203.0.113.1
ZONE
lab_dns 127.0.0.1 53 "$T/zone"
lab_dns 198.51.100.4 53 "$T/zone" outside
lab_resolv "nameserver 127.0.0.1"
lab_serve tcp 0.0.0.0 80
lab_serve tcp 0.0.0.0 443
lab_serve tcp :: 80
lab_serve udp 198.51.100.1 81
lab_serve udp 2001:db8:2::1 82
lab_serve udp 169.254.169.254 83
lab_serve tcp 0.0.0.0 90 here
lab_serve tcp 0.0.0.0 91 here
lab_serve tcp :: 90 here
lab_serve udp 0.0.0.0 92 here
skeleton "$T/root"
mkdir "$T/p"
cp "$SRC/tests/helpers/ask.py" "$T/p/"

job() { # [OPTION...] -- WORD...: ask.py in a job; $got: its lines as one
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    run lab_bryo run --no-workspace --rootfs "$T/root" "${WITH_USR[@]}" -v "$T/p:/p:ro" \
        --network "$network" "${options[@]}" -- python3 /p/ask.py "$@"
    got=$(paste -sd ' ' <<<"$out")
}

closed_tcp="127.0.0.1:90 203.0.113.1:90 169.254.169.254:80 100.100.100.200:80 168.63.129.16:80
    10.0.2.2:90 [::1]:90 [2001:db8:1::1]:90 [fd00:ec2::254]:80 [fd00::2]:90
    [::ffff:198.51.100.1]:80"
# All of them answer, to somebody else.
run lab_run python3 "$SRC/tests/helpers/ask.py" connect 127.0.0.1:90 203.0.113.1:90 \
    169.254.169.254:80 100.100.100.200:80 168.63.129.16:80 "[::1]:90" "[2001:db8:1::1]:90" \
    "[fd00:ec2::254]:80" "[::ffff:198.51.100.1]:80"
is "$(sort -u <<<"$out")" "yes" "the machine itself reaches all that is closed to a job"
run lab_run python3 "$SRC/tests/helpers/ask.py" send 203.0.113.1:92 169.254.169.254:83
is "$(sort -u <<<"$out")" "yes" "by UDP as well"

for network in slirp slirp:fast=off; do
    job -- connect 198.51.100.1:80 "[2001:db8:2::1]:80" www.example.org:443
    is "$got" "yes yes yes" "$network: the world is open" || diag "$err"
    job -- send 198.51.100.1:81 "[2001:db8:2::1]:82"
    is "$got" "yes yes" "$network: by UDP too"
    for to in $closed_tcp; do
        case $to in
        127.* | "[::1]"* | "[::ffff"*) continue ;; # the job's own loopback; see net_base.t
        esac
        job -- connect "$to"
        is "$got" "ECONNREFUSED" "$network: $to is closed, and refused at once" || diag "$err"
        like "$err" "refused: " "and told"
    done
    job -- send 203.0.113.1:92 10.0.2.2:92 169.254.169.254:83
    unlike "$got" yes "$network: nor are they open to UDP"
    job -- connect rebind.example.org:90 metadata.example.org:80 self.example.org:90
    is "$got" "ECONNREFUSED ECONNREFUSED ECONNREFUSED" "$network: a name does not open them"
    job --allow '*' -- connect 203.0.113.1:90 169.254.169.254:80
    is "$got" "ECONNREFUSED ECONNREFUSED" "$network: nor does a rule"

    job --allow-host=90 -- connect 10.0.2.2:90 10.0.2.2:91 203.0.113.1:90 "[fd00::2]:90"
    is "$got" "yes ECONNREFUSED ECONNREFUSED yes" "$network: --allow-host=90 opens that port, at the gateway"
    job --allow-host -- connect 10.0.2.2:91
    is "$got" "yes" "$network: --allow-host opens them all"

    job --allow 'www.example.org:443,198.51.100.2:80/tcp' -- connect www.example.org:443 \
        www.example.org:80 198.51.100.2:80 198.51.100.2:443 198.51.100.3:80
    is "$got" "yes ECONNREFUSED yes ECONNREFUSED ECONNREFUSED" "$network: --allow by name, address and port" ||
        diag "$err"
    like "$err" 'tcp www.example.org:80 \(198.51.100.1\) refused: no --allow names it' "each refusal is one line"
    job --allow '*.example.org:80' -- connect alias.example.org:80 198.51.100.2:80 198.51.100.3:80
    is "$got" "yes yes ECONNREFUSED" "$network: a name by its CNAME"
    job --allow '*.example.org:80' -- connect 198.51.100.1:80
    is "$got" "ECONNREFUSED" "$network: an address that no name led to is nobody's"
    job --deny '198.51.100.0/24:80,*.example.com' -- connect 198.51.100.1:80 198.51.100.1:443 other.example.com:443
    is "$(cut -d' ' -f1-2 <<<"$got")" "ECONNREFUSED yes" "$network: --deny leaves the rest open"
    unlike "$got" "yes.*yes" "$network: and takes names away"
    job --deny '[2001:db8::]/32' --deny 198.51.100.1/udp -- send 198.51.100.1:81 "[2001:db8:2::1]:82"
    unlike "$got" "yes" "$network: --deny by protocol and IPv6 network"
    job --deny 198.51.100.1 --allow '198.51.100.0/24' -- connect 198.51.100.1:80 198.51.100.2:80
    is "$got" "ECONNREFUSED yes" "$network: the first match wins"
    job --allow '*.example.org' -- dns udp www.example.org A 0 198.51.100.4
    isnt "$got" "NOERROR 1 same 49" "$network: another resolver is not to be had beside the rules"
    job -- dns udp www.example.org A 0 198.51.100.4
    is "$got" "NOERROR 1 same 49" "$network: without rules it is"

    # --- what is written ---------------------------------------------------------------------------
    path=fast
    [ "$network" = slirp ] || path=slirp
    job --net-log "$T/log" --deny 198.51.100.3 -- connect www.example.org:80 \
        198.51.100.3:80 127.0.0.1:1 203.0.113.1:90
    run_ok "$network: each line of --net-log is JSON" jq -e . "$T/log"
    is "$(jq -r 'select(.type == "connection") | [.protocol, .name, .address, .port, .verdict, .path] | map(. // "-") | join(" ")' "$T/log" | sort)" \
        "tcp - 198.51.100.3 80 refused -
tcp - 203.0.113.1 90 closed -
tcp www.example.org 198.51.100.1 80 allowed $path" "$network: connections, allowed and refused" || diag "$(cat "$T/log")"
    is "$(jq -r 'select(.verdict == "allowed" and .port == 80) | .bytes_in' "$T/log")" 39 "$network: with their bytes"
    is "$(jq -r 'select(.type == "dns") | [.name, .query, .result, (.addresses | join(","))] | join(" ")' "$T/log" | sort)" \
        "www.example.org A NOERROR 198.51.100.1
www.example.org AAAA NOERROR 2001:db8:2::1" "$network: and questions"

    rm -f "$T/lock"
    job --net-lock "$T/lock" -- connect www.example.org:80 198.51.100.2:443
    is "$got" "yes yes" "$network: --net-lock watches"
    is "$(grep -v '^#' "$T/lock")" "198.51.100.2:443/tcp
www.example.org:80/tcp" "$network: and writes what was used"
    job --net-lock "$T/lock" -- connect www.example.org:80 198.51.100.2:443
    is "$got" "yes yes" "$network: the same again is allowed by the file"
    is "$err" "" "and nothing differs"
    job --net-lock "$T/lock" -- connect 198.51.100.2:443 198.51.100.2:80 other.example.com:80
    like "$got" '^yes ECONNREFUSED ' "$network: anything else is not"
    like "$err" 'tcp 198.51.100.2:80 refused: the file of --net-lock does not have it' "which is told"
    like "$err" 'not used this time: www.example.org:80/tcp' "as is what was not used"
done

job --net-log "$T/log" -- connect 198.51.100.1:9
is "$(jq -r '[.verdict, .error] | join(" ")' "$T/log")" "allowed Connection refused" "one that the other end refused"
network=slirp
job --net-log "$T/log" -- connect 198.51.100.1:9
is "$(jq -r '[.verdict, .error] | join(" ")' "$T/log")" "allowed Connection refused" "on both paths"
job --pcap "$T/pcap" -- connect www.example.org:80
is "$(od -An -tx4 -N4 "$T/pcap" | tr -d ' ')" "0a0d0d0a" "--pcap writes pcapng"
ok "with what TCP carried, too" grep -qa 'hello from 198.51.100.1' "$T/pcap"
cat >"$T/p/pcapng.py" <<'PY'
"""pcapng.py FILE: reads it as a stranger would (the pcapng draft), prints what each packet is"""
import struct, sys
data, at, kinds = open(sys.argv[1], "rb").read(), 0, []
last = 0
while at < len(data):
    kind, n = struct.unpack_from("<II", data, at)
    assert n % 4 == 0 and n >= 12 and struct.unpack_from("<I", data, at + n - 4)[0] == n, "a block's length"
    body = data[at + 8 : at + n - 4]
    if at == 0:
        assert kind == 0x0A0D0D0A and struct.unpack_from("<IHH", body) == (0x1A2B3C4D, 1, 0), "section header"
    elif kind == 1:
        assert struct.unpack_from("<H", body)[0] == 1, "link type: Ethernet"
    elif kind == 6:
        interface, high, low, caught, whole = struct.unpack_from("<IIIII", body)
        frame = body[20 : 20 + caught]
        assert interface == 0 and len(frame) == caught <= whole, "packet block"
        assert high << 32 | low >= last, "time goes on"
        last = high << 32 | low
        ether = struct.unpack_from("!H", frame, 12)[0]
        assert ether in (0x0800, 0x86DD, 0x0806), hex(ether)
        if ether == 0x0800:
            assert struct.unpack_from("!H", frame, 16)[0] + 14 == whole, "IPv4's length"
            kinds.append({6: "tcp", 17: "udp"}.get(frame[23], "other"))
    at += n
print(" ".join(sorted(set(kinds))))
PY
run python3 "$T/p/pcapng.py" "$T/pcap"
is "$out" "tcp udp" "whole blocks, one after the other, packets with their times" || diag "$err"
ok "and the question" grep -qaP 'www\x07example\x03org' "$T/pcap"

# --- files and words that are wrong ---------------------------------------------------------------

printf '# good\n198.51.100.2\nnot a rule\n' >"$T/lock"
job --net-lock "$T/lock" -- connect 198.51.100.1:80
is "$status" 125 "a lock file with a wrong line is refused"
like "$err" "lock, line 3: \"not a rule\"" "with its line"
job --net-lock "$T/nowhere/lock" -- connect 198.51.100.1:80
is "$status" 125 "so is a folder that is not there"
job --net-log "$T" -- connect 198.51.100.1:80
is "$status" 125 "and a log that is a directory"
is "$(find "$T" -maxdepth 1 -name ".bryo-lock*")" "" "no temporary file stays"
job --net-log /dev/stderr -- connect 198.51.100.1:80
like "$err" '"type":"connection"' "the log may be standard error"
expect_status 125 "options of a network without one" lab_bryo run --network none --allow a -- true
like "$err" '--allow needs a network of the job' "are refused"

done_testing
