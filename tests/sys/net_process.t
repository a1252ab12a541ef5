#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bryo-net as a process: what it holds, how it ends, and what there is where it cannot be had.
# timeout: 300
. "$(dirname "$0")/../helpers/net.sh"
. "$(dirname "$0")/../helpers/lib.sh"

lab_start
lab_serve tcp 198.51.100.1 7007
lab_serve udp 198.51.100.1 7008

job_pid=
start_job() { # OPTION...: a job that sleeps; $job_pid, $net_pid
    rm -f "$T/up"
    mkfifo "$T/up"
    # as lab_run does it, without a shell between
    unshare --user --map-user=1000 --map-group=1000 -- \
        "$BRYO" run "$@" -- sh -c 'echo up; exec sleep 3600' >"$T/up" 2>"$T/job.err" &
    job_pid=$!
    read -r -t 20 _ <"$T/up" || bail "no job: $(cat "$T/job.err")"
    rm "$T/up"
    net_pid=$(net_of "$job_pid")
}
net_of() { # its bryo-net
    ps -o pid=,comm= --ppid "$1" | awk '$2 == "bryo-net" { print $1 }'
}
gone() {
    ! kill -0 "$1" 2>/dev/null
}
field() {
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$net_pid/status"
}

# --- what it holds -------------------------------------------------------------------------------------
start_job --network slirp
like "$net_pid" "^[0-9]+$" "there is one bryo-net"
is "$(field NoNewPrivs)" 1 "it gets no new privileges"
is "$(field Seccomp)" 2 "it has a list of system calls"
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
    is "$(field $set)" 0000000000000000 "$set is empty"
done
is "$(ps -o pid= --ppid "$net_pid" | wc -l)" 0 "it has no child left"
ok "it is small" test "$(field VmRSS | tr -dc 0-9)" -lt 16384
nok "its files are closed to a process with the same ids" lab_run cat "/proc/$net_pid/maps" 2>/dev/null
nok "its descriptors too" lab_run ls "/proc/$net_pid/fd/" 2>/dev/null

# --- how it ends ---------------------------------------------------------------------------------------
begin=$SECONDS
kill -KILL "$net_pid"
status=0
wait "$job_pid" || status=$?
is "$status" 125 "bryo-net is killed: the job ends, and bryo has failed"
like "$(cat "$T/job.err")" "bryo-net.* ended while the job ran, by signal 9" "and says why"
ok "at once" test $((SECONDS - begin)) -le 10

start_job --network slirp
kill -KILL "$job_pid"
wait "$job_pid" 2>/dev/null
ok "bryo is killed: bryo-net ends with it" wait_for 10 gone "$net_pid"

start_job --network slirp
kill -TERM "$job_pid"
wait "$job_pid"
ok "a job that is asked to end takes its network along" wait_for 10 gone "$net_pid"

expect_status 125 "bryo-net that does not come up" \
    strace -f -qq -o /dev/null -e trace=setns -e inject=setns:error=EPERM \
    "$BRYO" run --network slirp -- true
like "$err" "cannot enter the job's network namespace: Operation not permitted" "says why, from within"
is "$(grep -c 'network' <<<"$err")" 1 "once"

# --- many ----------------------------------------------------------------------------------------------
cat >"$T/echo.py" <<'PY'
import socket
c = socket.create_connection(("198.51.100.1", 7007), 20)
print(c.makefile().readline().split()[0])
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(20); u.connect(("198.51.100.1", 7008))
u.send(b"x"); print(u.recv(9).decode())
PY
for i in $(seq 8); do
    lab_bryo run --network slirp -v "$T/echo.py:/echo.py" -- python3 /echo.py >"$T/many.$i" 2>/dev/null &
    pids[i]=$!
done
good=0
for i in $(seq 8); do
    wait "${pids[i]}" && [ "$(cat "$T/many.$i")" = "$(printf 'hello\nx')" ] && good=$((good + 1))
done
is $good 8 "eight jobs at once, each with a network of its own"

# --- where there is none ---------------------------------------------------------------------------------
: >"$T/tun"
chmod 000 "$T/tun"
without_tun() { # HOW COMMAND...
    # shellcheck disable=SC2016 # expanded there
    unshare --mount -- bash -c 'case $1 in
        missing) mount -t tmpfs none /dev/net ;;
        closed) mount --bind "$2" /dev/net/tun ;;
        esac || exit 99; shift 2
        exec unshare --user --map-user=1000 --map-group=1000 -- "$@"' _ "$1" "$T/tun" "${@:2}"
}
run_ok "without /dev/net/tun" without_tun missing "$BRYO" run -- ls /sys/class/net
is "$out" lo "the default is a job without a network"
like "$err" "the job has no network: .*/dev/net/tun.*modprobe tun" "and one line says what to do about it"
expect_status 125 "asked for explicitly" without_tun missing "$BRYO" run --network slirp -- true
like "$err" "/dev/net/tun.*No such file" "it is an error"
expect_status 125 "an option of it is asking, too" without_tun missing "$BRYO" run --allow-host -- true
expect_status 125 "/dev/net/tun that nobody may open" without_tun closed "$BRYO" run --network slirp -- true
like "$err" "chmod 0666 /dev/net/tun" "says how to open it"
run_ok "--network none needs nothing" without_tun missing "$BRYO" run --network none -- true
unlike "$err" "tun" "and says nothing"

# --- a job in a job --------------------------------------------------------------------------------------
chmod 755 "$T"
run_ok "inside of a job" lab_bryo run --no-workspace -v "$SRC/build:/b:ro" -- \
    env HOME=/tmp /b/bin/bryo run --no-workspace -- ls /sys/class/net
is "$out" lo "a job has no network by default"
run_ok "with the device" lab_bryo run --no-workspace --device /dev/net/tun -v "$SRC/build:/b:ro" \
    -v "$T/echo.py:/echo.py" -- \
    env HOME=/tmp /b/bin/bryo run --no-workspace --network slirp -v /echo.py:/echo.py -- python3 /echo.py
is "$out" "hello
x" "it has, through that of the outer one"

rm -f "$T"/many.* "$T/echo.py" "$T/tun" "$T/job.err"
done_testing
