#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -t: a terminal of the job's own; -t -i: with the user's own in raw mode, which is put right again
# whatever happens. Python plays the user's terminal.
. "$(dirname "$0")/../helpers/lib.sh"

run_ok "-t without a terminal outside" "$BRYO" run -t -- sh -c 'tty; [ -t 0 ] && [ -t 1 ] && [ -t 2 ]; stat -c "%t %U" /dev/console; echo to-stderr >&2'
is "${out//$'\r'/}" "/dev/pts/0
88 root
to-stderr" "the job has one, /dev/console too; 1 and 2 come out as one"
run_ok "the terminal is the job's controlling one" "$BRYO" run -t -- sh -c 'echo x >/dev/tty; ps -o tty= $$'
is "${out//$'\r'/}" "x
pts/0" "by /dev/tty as well"
expect_status 1 "without -t" "$BRYO" run -- sh -c '[ -t 1 ] || tty >/dev/null'
expect_status 2 "there is no controlling terminal" "$BRYO" run -- sh -c 'echo x >/dev/tty'
run_ok "much output" sh -c '"$BRYO" run -t -- seq 100000 | tr -d "\r" | sha256sum'
is "$out" "$(seq 100000 | sha256sum)" "comes out whole"
expect_status 9 "the exit status" "$BRYO" run -t -- sh -c 'exit 9'
expect_status 124 "--stall-timeout with -t" "$BRYO" run -t --stall-timeout 300ms -- sleep 3600
expect_status 0 "a reader that goes away hangs the job's terminal up" timeout 30 bash -c '"$BRYO" run -t -- yes | head -n 1 >/dev/null; [ ${PIPESTATUS[0]} -gt 128 ]'

# terminal SCRIPT: Python with a helper class; $BRYO runs below a pty of its own
cat >"$T/terminal.py" <<'PY'
import fcntl, os, pty, select, signal, struct, sys, termios, time

class Terminal:
    def __init__(self, *args, rows=33, cols=77):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.out = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in 0, 1, 2:
                os.dup2(self.slave, fd)
            os.execv(os.environ["BRYO"], ["bryo", "run", "--no-workspace", *args])
    def until(self, want, seconds=20, after=b""):
        end = time.monotonic() + seconds
        while want not in self.out.partition(after)[2] if after else want not in self.out:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise SystemExit(f"no {want!r} in {self.out!r}")
            self.out += os.read(self.master, 65536)
    def type(self, data):
        os.write(self.master, data)
    def resize(self, rows, cols):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
    def wait(self, seconds=20):
        end = time.monotonic() + seconds
        while True: # what it prints must not fill the pty up
            if time.monotonic() > end: raise SystemExit(f"does not end: {self.out!r}")
            if select.select([self.master], [], [], 0.02)[0]:
                try: self.out += os.read(self.master, 65536)
                except OSError: pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid: return os.waitstatus_to_exitcode(status)
    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON
    def is_restored(self, seconds=10):
        end = time.monotonic() + seconds
        while termios.tcgetattr(self.slave) != self.before:
            if time.monotonic() > end: return False
            time.sleep(0.02)
        return True
PY
terminal() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$T timeout 60 python3 -c "from terminal import *
$1"
}
run_ok "-t -i" terminal '
t = Terminal("-t", "-i", "--", "sh", "-c", "stty size; echo ready; read x; echo got $x; exit 4")
t.until(b"ready"); assert b"33 77" in t.out, t.out
assert t.is_raw()
t.type(b"word\r"); t.until(b"got word")
assert t.wait() == 4; assert t.is_restored()'
run_ok "a window that changes its size" terminal '
t = Terminal("-t", "-i", "--", "bash", "-c", "trap \"stty size; exit\" WINCH; echo ready; while :; do sleep 0.05; done")
t.until(b"ready"); t.resize(50, 132); t.until(b"50 132"); t.wait(); assert t.is_restored()'
run_ok "Ctrl-C goes to the job, not to bryo" terminal '
t = Terminal("-t", "-i", "--", "bash", "-c", "trap \"echo caught; exit 5\" INT; echo ready; while :; do sleep 0.05; done")
t.until(b"ready"); t.type(b"\x03"); t.until(b"caught"); assert t.wait() == 5; assert t.is_restored()'
run_ok "Ctrl-D ends the input" terminal '
t = Terminal("-t", "-i", "--", "sh", "-c", "echo ready; cat; echo end")
t.until(b"ready"); t.type(b"line\r"); t.until(b"line\r\nline"); t.type(b"\x04"); t.until(b"end\r\n"); assert t.wait() == 0; assert t.is_restored()'
# (it tells when it goes on: a Ctrl-C between "fg" and then would still be the shell's)
# (one process: a shell that is just starting another in its place cannot stop)
cat >"$T/fore.py" <<'PY'
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGCONT, lambda *_: os.write(1, b"on again\n"))
os.write(1, b"fore\n")
while True:
    signal.pause()
PY
run_ok "job control works in it" terminal '
t = Terminal("-t", "-i", "-v", os.environ["T"] + "/fore.py:/fore.py:ro", "--", "bash", "--norc", "-i")
t.until(b"# "); t.type(b"python3 /fore.py\r"); t.until(b"fore\r\n")
t.type(b"\x1a"); t.until(b"Stopped"); t.until(b"# ", after=b"Stopped"); t.type(b"fg\r"); t.until(b"on again\r\n")
t.type(b"\x03"); t.until(b"# ", after=b"on again"); t.type(b"exit 6\r"); assert t.wait() == 6, t.out; assert t.is_restored()'
run_ok "SIGTERM to bryo" terminal '
t = Terminal("-t", "-i", "--", "sh", "-c", "echo ready; sleep 3600")
t.until(b"ready"); assert t.is_raw(); os.kill(t.pid, signal.SIGTERM); assert t.wait() == 143; assert t.is_restored()'
run_ok "SIGKILL to bryo: the terminal is put right all the same" terminal '
t = Terminal("-t", "-i", "--", "sh", "-c", "echo ready; sleep 3600")
t.until(b"ready"); assert t.is_raw(); os.kill(t.pid, signal.SIGKILL); t.wait(); assert t.is_restored()'
run_ok "-t alone leaves the terminal as it is" terminal '
t = Terminal("-t", "--", "sh", "-c", "echo ready; sleep 0.2")
t.until(b"ready"); assert not t.is_raw(); assert t.wait() == 0; assert t.is_restored()'
run_ok "a job that fails to start" terminal '
t = Terminal("-t", "-i", "--", "no-such-command")
assert t.wait() == 127; assert t.is_restored(); assert b"not found" in t.out'
# What a job types into its terminal must not come out of the user's (TIOCSTI), with -t or without.
for options in '"-t", "-i",' '"-i",' ''; do
    run_ok "TIOCSTI with ($options)" terminal '
t = Terminal('"$options"' "--", "python3", "-c", """
import fcntl, termios, os
for fd in 0, 1, 2:
    for request in termios.TIOCSTI, termios.TIOCSTI | 1 << 32:
        for c in b"EVIL\\n":
            try: fcntl.ioctl(fd, request, bytes([c]))
            except Exception: pass
print("done")""")
t.until(b"done"); t.wait(); assert t.is_restored()
os.set_blocking(t.slave, False)
try: left = os.read(t.slave, 100)
except BlockingIOError: left = b""
assert b"EVIL" not in left, left'
done
rm -f "$T/terminal.py"
done_testing
