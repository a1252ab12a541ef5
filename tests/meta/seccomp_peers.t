#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The table of system calls says of each call what docker's and podman's profiles make of it, and why
# bryo's differs. Their files are not here: tests/helpers/peers.py takes them where they are had.
. "$(dirname "$0")/../helpers/lib.sh"

peers() {
    python3 "$SRC/tests/helpers/peers.py" "$@"
}
run_ok "the table agrees with itself" peers "$SRC/internal/job/seccomp_default.c"
like "$out" "^[0-9]{3} calls$" "and has been read whole"

# Each rule must be able to fail: a small table, and peers' files as they are published.
cat >"$T/moby.json" <<'END'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": [
  {"names": ["read", "write", "mseal"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [{"index": 0, "value": 38, "op": "SCMP_CMP_NE"}]},
  {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {"caps": ["CAP_SYS_ADMIN"]}},
  {"names": ["mount"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_ADMIN"]}},
  {"names": ["s390_runtime_instr"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["s390x"]}},
  {"names": ["acct"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_PACCT"]}}]}
END
cat >"$T/podman.json" <<'END'
{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "defaultErrno": "ENOSYS", "syscalls": [
  {"names": ["swapon"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "errno": "EPERM"},
  {"names": ["read", "write", "mount"], "action": "SCMP_ACT_ALLOW"},
  {"names": ["acct"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1, "excludes": {"caps": ["CAP_SYS_PACCT"]}},
  {"names": ["acct"], "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_PACCT"]}}]}
END
table() { # ROWS
    printf 'static const struct group groups[] = {\n%s\n};\n' "$1" >"$T/table.c"
    run peers "$T/table.c" --moby "$T/moby.json" --podman "$T/podman.json"
}
good='    // As both.
    {ALLOW, 0, SAME, SAME, "read "
                           "write"},
    // podman is older.
    {ALLOW, 0, SAME, ABSENT, "mseal"},
    // moby asks for more.
    {NEST, 0, NEEDS, SAME, "mount"},
    {NEEDS, CAP_SYS_PACCT, SAME, SAME, "acct"},
    {REFUSE, 0, SAME, SAME, "swapon"},'
table "$good"
is "$status $out" "0 6 calls" "a table that says what the peers have"
wrong() { # SED-SCRIPT REGEX DESCRIPTION
    table "$(sed "$1" <<<"$good")"
    is "$status" 1 "$3"
    like "$out" "$2" "is told of"
}
wrong 's/read "/"/' "^read: only moby has it" "a call that only peers have"
wrong 's/podman is older/nobody knows/' "^mseal\.\.\.: nothing is said of podman" "a difference without a reason"
wrong 's/moby asks for more/./' "^mount\.\.\.: nothing is said of moby" "to the other peer too"
wrong 's/SAME, ABSENT/SAME, SAME/' "^mseal: ALLOW here, podman has ABSENT, and the table says SAME" "a difference that is denied"
wrong 's/NEEDS, SAME, "mount/REFUSE, SAME, "mount/' "^mount: NEST here, moby has NEEDS CAP_SYS_ADMIN" "one that is another"
wrong 's/PACCT/ADMIN/' "^acct: NEEDS here, moby has NEEDS CAP_SYS_PACCT" "another capability"
wrong 's/{REFUSE, 0, SAME, SAME/{ABSENT, 0, SAME, SAME/' "^swapon: ABSENT here" "another error"
wrong 's/"swapon"/"swapon acct"/' "^acct: twice" "a call in two groups"
done_testing
