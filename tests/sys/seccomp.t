#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# the job's system calls: bryo's profile, profiles from files, the log, the cache
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"

[ "$(uname -m)" = x86_64 ] || {
    pass "the numbers below are those of x86-64"
    done_testing
    exit
}

# callit [64|32|x32] NR ARG...: inside, with the options in $opts
opts=()
callit() {
    "$BRYO" run -q --no-workspace -v "$PROGS:/progs:ro" "${opts[@]}" -- /progs/callit "$@" 2>&1
}
# each KIND NAME EXPECTED CALL...: with bryo's profile it gives EXPECTED, without one anything else
refused() {
    local what=$1 want=$2
    shift 2
    is "$(callit "$@")" "$want" "$what: $want"
    opts=(--seccomp unconfined)
    isnt "$(callit "$@")" "$want" "  not so with --seccomp unconfined"
    opts=()
}

# --- families, by both ABIs ----------------------------------------------------------------------
# That the kernel of this machine has them shows outside; where it has not, there is nothing to
# refuse, and EAFNOSUPPORT is its own answer.
for family in 38:AF_ALG:5 40:AF_VSOCK:2 17:AF_PACKET:3; do
    IFS=: read -r nr name type <<<"$family"
    is "$(callit 64 41 "$nr" "$type" 0)" -EAFNOSUPPORT "$name by the 64-bit call"
    is "$(callit 64 41 "$((nr + (1 << 32)))" "$type" 0)" -EAFNOSUPPORT "$name with high bits set"
    is "$(callit 32 359 "$nr" "$type" 0)" -EAFNOSUPPORT "$name by the 32-bit call"
    is "$(callit 32 102 1 "@$nr,$type,0")" -ENOSYS "$name by socketcall"
    is "$(callit x32 41 "$nr" "$type" 0)" -ENOSYS "$name by x32"
done
like "$(callit 64 41 1 1 0)" "^= " "AF_UNIX is open"
like "$(callit 32 359 2 1 0)" "^= " "and AF_INET by the 32-bit call"
refused "AF_PACKET's refusal comes before the capability's" -EAFNOSUPPORT 64 41 17 3 0
refused "AF_PACKET by socketcall" -ENOSYS 32 102 1 @17,3,0
like "$(callit 64 41 16 3 0)" "^= " "NETLINK_ROUTE is open"
refused "NETLINK_NETFILTER" -EPROTONOSUPPORT 64 41 16 3 12

# --- terminals -----------------------------------------------------------------------------------
# Without a terminal an ioctl that is let through ends in ENOTTY.
refused TIOCSTI -EPERM 64 16 0 0x5412 '"x"'
refused "TIOCSTI with high bits set" -EPERM 64 16 0 0x100005412 '"x"'
refused "TIOCSTI by the 32-bit call" -EPERM 32 54 0 0x5412 '"x"'
refused TIOCLINUX -EPERM 64 16 0 0x541c '"x"'

# --- calls ---------------------------------------------------------------------------------------
refused keyctl -EPERM 64 250 0 -3 0
refused "keyctl by the 32-bit call" -EPERM 32 288 0 -3 0
refused "userfaultfd for user faults" -EPERM 64 323 1
refused io_uring_setup -EPERM 64 425 1 0
refused perf_event_open -EPERM 64 298 0 0 0 0 0
refused "a bpf with no such command" -EPERM 64 321 1000 0 0
refused "modify_ldt" -ENOSYS 64 154 0 0 0
newer=(64 463 -1 '""' 0 '"user.x"' 0 1000)
is "$(callit "${newer[@]}")" "$("$PROGS/callit" "${newer[@]}")" \
    "setxattrat, newer than libseccomp, gives what it gives outside"
is "$(callit 64 1000)" -ENOSYS "a call that nobody knows is absent"
is "$(callit x32 39)" -ENOSYS "x32 is absent"
run_ok "a user namespace inside" "$BRYO" run -q --no-workspace -- unshare -r true

# --- --no-userns, --cap-add ----------------------------------------------------------------------
opts=(--no-userns)
is "$(callit 64 272 0x10000000)" -EPERM "--no-userns refuses unshare"
is "$(callit 32 310 0x10000000)" -EPERM "by both ABIs"
is "$(callit 64 56 0x10000011 0 0 0 0)" -EPERM "and clone"
is "$(callit 64 435 0 0)" -ENOSYS "and has no clone3"
like "$(callit 64 57)" "= " "but fork"
opts=()
is "$(callit 64 312 2 2 0 0 0)" -EPERM "kcmp asks for a capability"
opts=(--cap-add sys_ptrace)
is "$(callit 64 312 2 2 0 0 0)" "= 0" "which --cap-add gives"
opts=()

# --- the log -------------------------------------------------------------------------------------
run_ok "--seccomp-log" "$BRYO" run --no-workspace --seccomp-log -v "$PROGS:/progs:ro" -- \
    sh -c '/progs/callit 64 250 0 -3 0; /progs/callit 64 250 0 -3 0; /progs/callit 32 102 1 @38,5,0;
        /progs/callit 64 1000; true'
is "$(paste -sd " " <<<"$out")" "-EPERM -EPERM -ENOSYS -ENOSYS" "changes no answer"
is "$(grep -c 'seccomp: keyctl by /progs/callit: EPERM$' <<<"$err")" 1 "names a call once"
like "$err" "seccomp: socketcall \(32-bit\) by /progs/callit: ENOSYS" "one of the other ABI"
like "$err" "seccomp: system call 1000 by /progs/callit: ENOSYS" "one without a name"

# --- files ---------------------------------------------------------------------------------------
profile() {
    cat >"$T/p.json"
    opts=(--seccomp "$T/p.json")
}
profile <<'END'
{ "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1,
  "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
              {"architecture": "SCMP_ARCH_S390X", "subArchitectures": null}],
  "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"],
  "syscalls": [
    {"names": ["umask"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5},
    {"names": ["no_such_call"], "action": "SCMP_ACT_ALLOW"},
    {"name": "dup", "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]},
    {"names": ["dup2"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_NE"}]},
    {"names": ["getpgid"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_LT"}]},
    {"names": ["getsid"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_LE"}]},
    {"names": ["alarm"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 7, "op": "SCMP_CMP_GE"}]},
    {"names": ["nanosleep"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 7, "op": "SCMP_CMP_GT"}]},
    {"names": ["fchdir"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 6, "valueTwo": 4, "op": "SCMP_CMP_MASKED_EQ"}]},
    {"names": ["fchmod"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 6, "op": "SCMP_CMP_EQ"}]},
    {"names": ["fchown"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 5, "op": "SCMP_CMP_EQ"}, {"index": 0, "value": 6, "op": "SCMP_CMP_EQ"}]},
    {"names": ["sethostname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 33, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
    {"names": ["setdomainname"], "action": "SCMP_ACT_ERRNO", "errnoRet": 33, "includes": {"caps": ["CAP_CHOWN"], "minKernel": "4.8", "arches": ["amd64"]}},
    {"names": ["getuid"], "action": "SCMP_ACT_ERRNO", "includes": {"minKernel": "400.1"}},
    {"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errnoRet": 33, "comment": "", "includes": {}, "excludes": {}, "args": []},
    {"names": ["vhangup"], "action": "SCMP_ACT_TRACE", "errnoRet": 1},
    {"names": ["times"], "action": "SCMP_ACT_LOG"},
    {"names": ["mincore"], "action": "SCMP_ACT_KILL_PROCESS"},
    {"names": ["msync"], "action": "SCMP_ACT_TRAP"},
    {"names": ["mlock"], "action": "SCMP_ACT_KILL_THREAD"},
    {"names": ["munlock"], "action": "SCMP_ACT_KILL"}
  ] }
END
is "$(callit 64 95 022)" -EIO "errnoRet"
is "$(callit 32 60 022)" -EIO "in the ABI beside it"
is "$(callit x32 95 022)" -EIO "in x32"
is "$(callit 64 32 1) $(callit 64 32 2)" "-EPERM = 3" "EQ, by docker's old \"name\""
is "$(callit 64 33 1 9) $(callit 64 33 2 9)" "= 9 -EPERM" "NE"
is "$(callit 64 121 0) $(callit 64 121 1)" "-EPERM = 0" "LT"
is "$(callit 64 124 1) $(callit 64 124 100000)" "-EPERM -ESRCH" "LE"
is "$(callit 64 37 7) $(callit 64 37 6)" "-EPERM = 0" "GE"
is "$(callit 64 35 0x100000000 0) $(callit 64 35 7 0)" "-EPERM -EFAULT" "GT, in all 64 bits"
is "$(callit 64 81 5) $(callit 64 81 6)" "-EPERM -EBADF" "MASKED_EQ"
is "$(callit 64 91 5 6) $(callit 64 91 5 7) $(callit 64 91 9 6)" "-EPERM -EBADF -EBADF" \
    "two conditions hold together"
is "$(callit 64 93 5) $(callit 64 93 6) $(callit 64 93 7)" "-EPERM -EPERM -EBADF" \
    "two on one argument are two rules"
is "$(callit 64 170 0 0) $(callit 64 171 0 0) $(callit 64 162)" "-EDOM -EDOM -EDOM" \
    "includes and excludes"
is "$(callit 64 153)" -ENOSYS "TRACE without a tracer"
like "$(callit 64 100 0)" "^= |EFAULT" "LOG lets it through"
for kind in 27:KILL_PROCESS:31 26:TRAP:31 149:KILL_THREAD:31 150:KILL:31; do
    IFS=: read -r nr name sig <<<"$kind"
    expect_status $((128 + sig)) "$name" "$BRYO" run -q --no-workspace -v "$PROGS:/progs:ro" "${opts[@]}" -- \
        /progs/callit 64 "$nr" 0 0 0
done
run_ok "an unknown name" "$BRYO" run --no-workspace "${opts[@]}" -- true
like "$err" "p.json: \"no_such_call\" is no system call that this bryo knows: ignored" "is reported"
run_ok "again, from the cache" "$BRYO" run --no-workspace "${opts[@]}" -- true
like "$err" "no_such_call" "it still is"

# as podman's are written: errors by name, which counts more than the number
profile <<'END'
{ "defaultAction": "SCMP_ACT_ALLOW", "defaultErrno": "ENOSYS", "defaultErrnoRet": 38,
  "syscalls": [
    {"names": ["umask"], "action": "SCMP_ACT_ERRNO", "errno": "EIO", "errnoRet": 1},
    {"names": ["getsid"], "action": "SCMP_ACT_ERRNO", "errno": "33", "args": null},
    {"names": ["sync"], "action": "SCMP_ACT_ERRNO", "errno": "ENOTSUP"},
    {"names": ["alarm"], "action": "SCMP_ACT_ERRNO", "errno": ""},
    {"names": ["riscv_hwprobe"], "action": "SCMP_ACT_ALLOW"}
  ] }
END
is "$(callit 64 95 022) $(callit 64 124 0) $(callit 64 162) $(callit 64 37 0)" "-EIO -EDOM -EOPNOTSUPP -EPERM" \
    "errno, by name"
run_ok "a call of another processor" "$BRYO" run --no-workspace "${opts[@]}" -- true
is "$err" "" "is no news"

profile <<<'{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["execve", "exit_group"], "action": "SCMP_ACT_ALLOW"}]}'
expect_status 125 "a profile under which a log cannot work" "$BRYO" run --seccomp-log "${opts[@]}" -- true
like "$err" "does not allow sendmsg" "is refused with the reason"
profile <<<'{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86"]}'
is "$(callit 64 1000) $(callit x32 39)" "-ENOSYS -ENOSYS" "architectures: what is not named is absent"

# what is wrong is refused, with the place
bad() { # TEXT REGEX
    printf %s "$1" >"$T/bad.json"
    expect_status 125 "refused: ${1:0:60}" "$BRYO" run --seccomp "$T/bad.json" -- true
    like "$err" "bad.json: .*$2" "says why"
}
bad '{"defaultAction": ' "not JSON: byte"
bad '[]' "expected an object"
bad '{"defaultAction": "SCMP_ACT_MAYBE"}' "SCMP_ACT_MAYBE"
bad '{"defaultAction": "SCMP_ACT_NOTIFY"}' "no agent"
bad '{"defaultAction": "SCMP_ACT_ALLOW", "defualt": 1}' 'unknown member "defualt"'
bad '{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["X"]}' "no flag"
bad '{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOTHING"}' "ENOTHING: no error"
bad '{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "4096"}' "4096: no error"
bad '{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": 1}' "expected a string"
bad '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["Z80"]}' "Z80"
bad '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["dup"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 6, "value": 1, "op": "SCMP_CMP_EQ"}]}]}' "index"
bad '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["dup"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 1, "op": "SCMP_CMP_XX"}]}]}' "SCMP_CMP_XX"
expect_status 125 "a file that is not there" "$BRYO" run --seccomp "$T/none.json" -- true
expect_status 125 "unconfined and a log" "$BRYO" run --seccomp unconfined --seccomp-log -- true

# --- the cache -----------------------------------------------------------------------------------
dir=$XDG_CACHE_HOME/bryo/seccomp
rm -rf "$dir"
opts=()
is "$(callit 64 250 0 -3 0)" -EPERM "made anew"
is "$(stat -c %a "$dir") $(stat -c %a "$dir"/*)" "700 600" "in a directory and a file of the user's own"
entry=$(echo "$dir"/*)
cp "$entry" "$T/entry"
before=$(stat -c %i "$entry")
is "$(callit 64 250 0 -3 0) $(stat -c %i "$entry")" "-EPERM $before" "used as it is"
head -c 2000 "$T/entry" >"$entry"
is "$(callit 64 250 0 -3 0)" -EPERM "a cut entry is not taken"
ok "and made again" cmp -s "$T/entry" "$entry"
python3 -c 'import sys; b=bytearray(open(sys.argv[1],"rb").read()); b[-8]^=1; open(sys.argv[2],"wb").write(b)' "$T/entry" "$entry"
is "$(callit 64 250 0 -3 0)" -EPERM "nor one with another bit"
ok "which is made again too" cmp -s "$T/entry" "$entry"
chmod 0666 "$entry"
is "$(callit 64 250 0 -3 0) $(stat -c %a "$entry")" "-EPERM 600" "nor one that others could write"
rm "$entry" && mkfifo -m 600 "$entry"
is "$(timeout 20 "$BRYO" run -q --no-workspace -- echo fine)" fine "nor a FIFO"
rm -rf "$dir" && ln -s / "$dir"
is "$(callit 64 250 0 -3 0)" -EPERM "nor through a link"
rm "$dir"
done_testing
