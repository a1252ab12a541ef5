#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The job's resolver: what it forwards, to whom, what it refuses, and what happens when resolvers
# are silent, wrong or replaced.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

lab_start
cat >"$T/zone" <<'ZONE'
www.example.org A 198.51.100.1
www.example.org AAAA 2001:db8:2::1
alias.example.org CNAME www.example.org
only6.example.org AAAA 2001:db8:2::2
short.corp.example A 198.51.100.3
text.example.org TXT 900
big.example.org TXT 3000
dropped.example.org FAULT drop
failing.example.org FAULT servfail
forged.example.org A 198.51.100.4
forged.example.org FAULT forge
cut.example.org A 198.51.100.2
cut.example.org FAULT truncate
ZONE
sed 's/198.51.100.1$/198.51.100.2/' "$T/zone" >"$T/zone2"
lab_dns 127.0.0.1 53 "$T/zone"
lab_dns 127.0.0.53 53 "$T/zone2"
lab_dns 198.51.100.4 53 "$T/zone2" outside
skeleton "$T/root"
mkdir "$T/p"
cp "$SRC/tests/helpers/ask.py" "$T/p/"

job() { # [OPTION...] -- WORD...: ask.py in a job
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    run lab_bryo run --no-workspace --rootfs "$T/root" "${WITH_USR[@]}" -v "$T/p:/p:ro" \
        --network "${network:-slirp}" "${options[@]}" -- python3 /p/ask.py "$@"
}

lab_resolv "nameserver 127.0.0.1" "search corp.example"
for network in slirp slirp:fast=off; do
    job -- resolve www.example.org alias.example.org only6.example.org short no.example.org localhost
    is "$out" "198.51.100.1 2001:db8:2::1
198.51.100.1 2001:db8:2::1
2001:db8:2::2
198.51.100.3
no.example.org: Name or service not known
127.0.0.1" "$network: names, aliases, IPv6, the search list, a name that is not there" || diag "$err"
    job -- dns udp WwW.eXample.ORG A
    is "$out" "NOERROR 1 same 49" "$network: the case of a name is kept, and so is the question's id"
    like "$(tail -n 1 "$T/dns.127.0.0.1.53")" 'WwW\.eXample\.ORG A' "on the way out as well"
    job -- dns tcp www.example.org A
    is "$out" "NOERROR 1 same 49" "$network: over TCP"
    job -- dns tcp big.example.org TXT
    like "$out" '^NOERROR 1 same 30[0-9][0-9]$' "$network: an answer of 3 kB over TCP"
done
network=slirp
job -- dns udp www.example.org A 0 fd00::3
is "$out" "NOERROR 1 same 49" "at its IPv6 address too"

# --- sizes ----------------------------------------------------------------------------------------

job -- dns udp text.example.org TXT
is "$out" "NOERROR 0 truncated same 34" "without EDNS more than 512 bytes are cut"
job -- dns udp text.example.org TXT 1232
like "$out" '^NOERROR 1 same 9' "with EDNS they come"
job -- dns udp big.example.org TXT 4096
like "$out" '^NOERROR 0 truncated same' "more than 1232 never come by UDP"
like "$(tail -n 1 "$T/dns.127.0.0.1.53")" 'edns 1232' "and are not asked for"
job -- resolve cut.example.org
is "$out" "198.51.100.2" "the C library asks by TCP where an answer was cut"

# --- several resolvers ----------------------------------------------------------------------------

lab_resolv "nameserver 127.0.0.9" "nameserver 127.0.0.1"
job -- resolve www.example.org
is "$out" "198.51.100.1 2001:db8:2::1" "where the first resolver is not there the second answers"
lab_resolv "nameserver 198.51.100.9" "nameserver 127.0.0.1"
job -- resolve www.example.org
is "$out" "198.51.100.1 2001:db8:2::1" "also where it is silent"
lab_resolv "nameserver 127.0.0.53"
job -- resolve www.example.org
is "$out" "198.51.100.2 2001:db8:2::1" "one that listens on the machine's loopback (systemd-resolved)"
lab_resolv "nameserver 127.0.0.1" "nameserver 127.0.0.53"
job -- dns udp failing.example.org A
is "$out" "SERVFAIL 0 same 37" "what no resolver can answer is told so"
is "$(grep -c failing "$T/dns.127.0.0.1.53") $(grep -c failing "$T/dns.127.0.0.53.53")" "1 1" \
    "after each was asked once"
job -- resolve forged.example.org
is "$out" "198.51.100.4" "an answer with another id or question is passed over"
lab_resolv "nameserver 198.51.100.9"
job -- dns udp www.example.org A
is "$out" "SERVFAIL 0 same 33" "where all are silent the job is told so"

# --- what the user says ---------------------------------------------------------------------------

lab_resolv "nameserver 127.0.0.1" "search corp.example"
job --dns 127.0.0.53 -- resolve www.example.org
is "$out" "198.51.100.2 2001:db8:2::1" "--dns goes before the machine's"
job --dns 198.51.100.4:53 -- resolve www.example.org
is "$out" "198.51.100.2 2001:db8:2::1" "and may be anywhere"
job --dns-search . -- resolve short
is "$out" "short: Name or service not known" "--dns-search . takes the search list away"
job --dns-search nope.example,corp.example -- resolve short
is "$out" "198.51.100.3" "--dns-search names another"
job --add-host db:10.1.2.3 --add-host SIX:fd12::1 -- resolve db six
is "$out" "10.1.2.3
fd12::1" "--add-host is in the job's /etc/hosts"
job --add-host db:10.1.2.3 -- dns udp db A
is "$out" "NOERROR 1 same 36" "and the resolver knows it"
job --add-host db:10.1.2.3 -- dns udp db AAAA
is "$out" "NOERROR 0 same 20" "and that it has no other address"

# --- while the job runs ---------------------------------------------------------------------------

cat >"$T/p/twice.sh" <<'SH'
python3 /p/ask.py resolve www.example.org
echo first >/run/shared/first
while [ ! -e /run/shared/go ]; do sleep 0.05; done
for i in $(seq 100); do
    now=$(python3 /p/ask.py resolve www.example.org)
    [ "$now" = "198.51.100.1 2001:db8:2::1" ] || break
    sleep 0.1
done
echo "$now"
SH
mkdir -m 777 "$T/shared"
lab_bryo run --no-workspace --rootfs "$T/root" "${WITH_USR[@]}" -v "$T/p:/p:ro" \
    -v "$T/shared:/run/shared" --network slirp -- sh /p/twice.sh >"$T/twice.out" 2>"$T/twice.err" &
job_pid=$!
wait_for 30 test -e "$T/shared/first" || diag "$(cat "$T/twice.err")"
lab_resolv "nameserver 127.0.0.53"
touch "$T/shared/go"
wait $job_pid
is "$(cat "$T/twice.out")" "198.51.100.1 2001:db8:2::1
198.51.100.2 2001:db8:2::1" "a change of resolv.conf reaches a running job"

# --- names that are not allowed -------------------------------------------------------------------

lab_resolv "nameserver 127.0.0.1" "search corp.example"
asked() { # how often the resolver was asked for a name, in whatever case
    grep -ci "$1" "$T/dns.127.0.0.1.53"
}
before=$(asked www.example.org)
job --allow other.example -- dns udp www.example.org A
is "$out" "NXDOMAIN 0 same 33" "a name that no --allow has is not there"
like "$err" 'the name www.example.org refused: no --allow names it' "and bryo says why"
job --allow other.example -- dns tcp www.example.org A
is "$out" "NXDOMAIN 0 same 33" "over TCP as well"
job --allow other.example -- resolve www.example.org
is "$out" "www.example.org: Name or service not known" "and not found"
is "$(grep -c 'the name' <<<"$err")" 1 "which is told once, whatever the search list makes of it"
is "$(asked www.example.org)" "$before" "and the machine's resolver never hears of it"
job --allow other.example -- dns udp secret.data.1.100.51.198.in-addr.arpa PTR
like "$out" '^NXDOMAIN' "nor of one that is made to look like an address"
job --allow www.example.org -- dns udp www.example.org A
is "$out" "NOERROR 1 same 49" "with the name allowed it answers"
job --deny www.example.org -- dns udp www.example.org A
is "$out" "NXDOMAIN 0 same 33" "--deny takes a name out"
job -- dns udp www.example.org A
is "$out" "NOERROR 1 same 49" "without rules every name is answered"

# --- a hostile job ----------------------------------------------------------------------------------

cat >"$T/p/flood.py" <<'PY'
import os, random, socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("10.0.2.3", 53))
good = struct.pack("!HHHHHH", 7, 0x100, 1, 0, 0, 0) + b"\5flood\7example\0\0\1\0\1"
def send(data):
    try:
        s.send(data)
    except OSError:
        pass
for i in range(3000):
    send(os.urandom(random.randrange(1, 600)))
    bad = bytearray(good)
    bad[random.randrange(len(bad))] = random.randrange(256)
    send(bytes(bad))
    send(struct.pack("!H", i) + good[2:14] + b"f%04d" % i + good[19:])
for i in range(100):
    c = socket.create_connection(("10.0.2.3", 53), 5)
    c.send(os.urandom(50))
    c.close()
PY
run lab_bryo run --no-workspace --rootfs "$T/root" "${WITH_USR[@]}" -v "$T/p:/p:ro" --network slirp -- \
    sh -c 'python3 /p/flood.py; for i in 1 2 3; do python3 /p/ask.py resolve www.example.org && break; done'
is "$out" "198.51.100.1 2001:db8:2::1" "garbage and nine thousand questions do not end the resolver" || diag "$err"

# --- a machine without IPv6 -----------------------------------------------------------------------

ip -6 route del default
job -- resolve www.example.org only6.example.org
is "$out" "198.51.100.1
only6.example.org: No address associated with hostname" "no IPv6 address where the machine has no way there"
ip -6 route add default via 2001:db8:1::5

done_testing
