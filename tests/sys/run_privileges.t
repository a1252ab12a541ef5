#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a job's processes are born with: capabilities, secure bits, limits, descriptors, and what the
# options of confinement change about it.
. "$(dirname "$0")/../helpers/lib.sh"

status() { # NAME OPTION...: a line of /proc/self/status in a job
    local name=$1
    shift
    "$BRYO" run -q --no-workspace "$@" -- sed -n "s/^$name:\t//p" /proc/self/status
}
default=00000000a00405fb # docker's, without NET_RAW (13) and MKNOD (27)
is "$(printf '%016x' $((0xa80425fb & ~(1 << 13) & ~(1 << 27))))" "$default" "the default is docker's, less two"
is "$(status CapBnd) $(status CapPrm) $(status CapEff)" "$default $default $default" "root of a job has it"
is "$(status CapInh) $(status CapAmb)" "0000000000000000 0000000000000000" "nothing inheritable, nothing ambient"
is "$(status CapEff -u 1000) $(status CapBnd -u 1000)" "0000000000000000 $default" "another user has none"
is "$(status CapEff --cap-add net_raw)" "$(printf '%016x' $((0x$default | 1 << 13)))" "--cap-add"
is "$(status CapEff --cap-drop CAP_CHOWN --cap-drop kill)" "$(printf '%016x' $((0x$default & ~1 & ~(1 << 5))))" "--cap-drop"
is "$(status CapEff --cap-drop ALL)" 0000000000000000 "--cap-drop ALL"
is "$(status CapBnd --cap-drop all --cap-add SYS_PTRACE)" 0000000000080000 "and one of them"
is "$(status CapEff --cap-add ALL --cap-drop SYS_ADMIN)" \
    "$(printf '%016x' $((((1 << 41) - 1) & ~(1 << 21))))" "all but one"
expect_status 125 "a capability that there is not" "$BRYO" run --cap-add EVERYTHING -- true
like "$err" '--cap-add: there is no capability "EVERYTHING"' "is named"

is "$(status NoNewPrivs)" 1 "no_new_privs"
is "$(status Seccomp) $(status Seccomp --seccomp unconfined --no-fake-root)" "2 $(sed -n 's/^Seccomp:\t//p' /proc/self/status)" "a filter, unless unconfined"
bits() { # OPTION...
    "$BRYO" run -q --no-workspace "$@" -- python3 -c 'import ctypes; print(hex(ctypes.CDLL(None).prctl(27, 0, 0, 0, 0)))'
}
is "$(bits)" 0xc0 "secure bits of root: no ambient capabilities, locked"
is "$(bits -u 1000)" 0xc3 "of another user: no privilege by being root either"

is "$("$BRYO" run -q --no-workspace -- sh -c 'ulimit -Sc; ulimit -Hc')" "0
0" "no core dumps"
is "$("$BRYO" run -q --no-workspace --ulimit core=4096:8192 -- bash -c 'ulimit -Sc; ulimit -Hc')" "4
8" "unless asked for"
is "$("$BRYO" run -q --no-workspace -- cat /proc/self/oom_score_adj /proc/1/oom_score_adj)" "1000
1000" "the first to go when memory ends"
is "$(cat /proc/self/oom_score_adj)" "$("$BRYO" run -q --no-workspace -- true; cat /proc/self/oom_score_adj)" \
    "not whoever started bryo"
is "$("$BRYO" run -q --no-workspace -- sed -n 's/^Sig\(Blk\|Ign\):\t//p' /proc/self/status | paste -sd " ")" \
    "0000000000000000 0000000000000000" "no signal is blocked or ignored"
cat >"$T/blocked.py" <<'PY'
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGTERM, signal.SIGRTMIN})
os.execvp(sys.argv[1], sys.argv[1:])
PY
blocked() { # COMMAND...: the mask of a process that was started with some signals blocked
    python3 "$T/blocked.py" "$@" sed -n 's/^SigBlk:\t//p' /proc/self/status
}
is "$(blocked "$BRYO" run -q --no-workspace --)" 0000000000000000 "also where bryo was started with some blocked"
isnt "$(blocked env)" 0000000000000000 "  (without bryo they are)"
rm "$T/blocked.py"
ignored=$(trap '' USR1 PIPE HUP; "$BRYO" run -q --no-workspace -- sed -n 's/^SigIgn:\t//p' /proc/self/status)
is "$ignored" 0000000000000000 "and with some ignored"
isnt "$(trap '' USR1 PIPE HUP; sed -n 's/^SigIgn:\t//p' /proc/self/status)" 0000000000000000 "  (without bryo they are)"
is "$("$BRYO" run -q --no-workspace -- sh -c 'umask; [ "$(cut -d" " -f6 /proc/self/stat)" = "$(cut -d" " -f6 /proc/$$/stat)" ] && cut -d" " -f6 /proc/self/stat')" "0022
2" "a umask and a session of its own"

# --- --landlock --------------------------------------------------------------------------------------
if "$BRYO" run -q --no-workspace --landlock -- true 2>/dev/null; then
    run_ok "work behind Landlock" "$BRYO" run --no-workspace --landlock -- \
        bash -c 'cd /tmp && mkdir a b && echo x >a/f && mv a/f b/f && ln b/f a/g && cat a/g && ls /proc/self/fd >/dev/null && sh -c true && rm -r a b && echo y >/usr/made'
    is "$out" x "files are made, moved, linked and run"
    mkdir "$T/work" && cd "$T/work" || exit 99
    run_ok "and in the workspace" "$BRYO" run --landlock -- sh -c 'echo z >made && cat made'
    ok "they show outside" test -s "$T/work/made"
    cd "$T" || exit 99
else
    run "$BRYO" run --landlock -- true
    is "$status" 125 "a kernel without Landlock"
    like "$err" "--landlock: this kernel has no Landlock" "is told of"
fi
done_testing
