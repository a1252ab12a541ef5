#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --fake-root: a job with one id that believes to have all.
# timeout: 400
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"
shared_store

skeleton "$T/root"
printf 'daemon:x:1:1::/:/bin/sh\n' >>"$T/root/etc/passwd"
job() { # OPTION... -- COMMAND...
    in_root "$T/root" --userns single "$@"
}

# --- files ----------------------------------------------------------------------------------------
run_ok "chown" job -- sh -c 'touch /f; chown 33:34 /f; stat -c %u:%g /f; chown :7 /f; stat -c %u:%g /f; chown 0 /f; stat -c %u:%g /f; chown 0:0 /f; stat -c %u:%g /f'
is "$out" "33:34
33:7
0:7
0:0" "shows in stat"
like "$err" "^bryo: the job has one id, .*pretended[^
]*$" "and the user is told, in one line"
run_ok "a job that gives nothing away" job -- sh -c 'id -u; stat -c %u /etc'
is "$err" "" "is told nothing"
run_ok "links, descriptors, directories" job -- sh -c '
    mkdir -p /d/e; touch /d/f; ln -s f /d/l; chown -h 5:6 /d/l; stat -c %u:%g /d/l /d/f
    chown 8:9 /d/l; stat -c %u:%g /d/l /d/f; ln /d/f /d/hard; stat -c %u:%g /d/hard; mv /d/f /d/g; stat -c %u:%g /d/g
    chown -R 77:78 /d; stat -c %u:%g /d /d/e /d/l; cd /d/e; chown 3 ../g; stat -c %u ../g; exec 5</d/g; chown 4 /dev/fd/5; stat -c %u /d/g'
is "$out" "5:6
0:0
5:6
8:9
8:9
8:9
77:78
77:78
77:78
3
4" "as with ids that are there"
run_ok "a removed file" job -- sh -c 'cd /; for i in 1 2 3 4 5 6 7 8; do touch a; chown 5 a; rm a; touch a; stat -c %u a; rm a; done | sort | uniq -c | tr -s " "'
is "$out" " 8 0" "leaves its owner to no new one"
run_ok "a file that is written to later, from the layer below" job -- sh -c 'chown 5:6 /etc/passwd; echo x >>/etc/passwd; stat -c %u:%g /etc/passwd; sed -i s/x/y/ /etc/passwd; stat -c %u:%g /etc/passwd'
is "$out" "5:6
5:6" "keeps it, and sed -i hands it on"
run_ok "cp, tar, find, python, ls" job -- sh -c '
    mkdir -p /d/e; touch /d/e/f; chown 11:12 /d/e; chown 13:14 /d/e/f; cp -a /d /copy; stat -c %u:%g /copy/e /copy/e/f
    cd / && tar -cf t.tar d && tar -tvf t.tar --numeric-owner | cut -d" " -f2; mkdir x && tar -xf t.tar -C x && stat -c %u:%g x/d/e x/d/e/f
    find /d -user 13; ls -n /d/e | tail -1 | cut -d" " -f3,4; python3 -c "
import os
f = os.open(\"/d/e/f\", os.O_RDONLY)
print(os.stat(\"/d/e/f\").st_uid, os.lstat(\"/d/e/f\").st_gid, os.fstat(f).st_uid)
os.fchown(f, 1, 2); print(os.stat(\"/d/e/f\").st_uid, os.fstat(f).st_gid)"'
is "$out" "11:12
13:14
0/0
11/12
13/14
11:12
13:14
/d/e/f
13 14
13 14 13
1 2" "agree"
run_ok "errors" job -- sh -c 'chown 1 /none; chown 1 /etc/passwd/x; chown 1 /proc/self/none; ln -s loop /loop; chown 1 /loop; python3 -c "
import os
for f in (lambda: os.chown(\"\", 1, 1), lambda: os.fchown(99, 1, 1), lambda: os.chown(\"x\" * 5000, 1, 1)):
    try: f()
    except OSError as e: print(e.strerror)"; exit 0'
is "$out" "No such file or directory
Bad file descriptor
File name too long" "are the kernel's"
is "$(grep -c -e 'No such file' -e 'Not a directory' -e 'Too many levels' <<<"$err")" 4 "also by path"
expect_status 1 "--read-only" job --read-only -- sh -c 'chown 5 /etc/passwd'
like "$err" "Read-only file system" "stays that"
run_ok "devices" job -- sh -c 'umask 027; mknod /n c 1 3; stat -c "%F %t:%T %a" /n; mknod /b b 8 1; stat -c "%F %t:%T" /b; chown 5 /n; chmod 600 /n; stat -c "%F %t:%T %a %u" /n; mknod /n c 1 3; mknod /fifo p; stat -c %F /fifo; rm /n; touch /n; stat -c %F /n; exit 0'
is "$out" "character special file 1:3 640
block special file 8:1
character special file 1:3 600 5
fifo
regular empty file" "show as what they were to be"
like "$err" "/n: File exists" "and cannot be made twice"
run_ok "below another root" job -- sh -c 'mkdir -p /in/x && cp /usr/bin/chown /usr/bin/stat /in
    for lib in $(ldd /usr/bin/chown /usr/bin/stat | grep -o "/lib[^ ]*" | sort -u); do mkdir -p "/in/${lib%/*}" && cp -L "$lib" "/in$lib"; done
    touch /x /in/x/x; chroot /in /chown 5:6 /x/x || exit; stat -c %u:%g /in/x/x; chroot /in /stat -c %u:%g /x/x'
is "$out" "5:6
5:6" "names mean what they mean there" || diag "$err"

# --- ids ------------------------------------------------------------------------------------------
ids='import os
def show(*what): print(*what, os.getresuid(), os.getresgid(), os.getgroups(), sep=" ")'
run_ok "set*id" job -- python3 -u -c "$ids
show(); os.setgroups([4, 5]); os.setgid(6); os.seteuid(7); show()
try: os.setgid(8)
except OSError as e: print(e.strerror)
os.seteuid(0); os.setuid(9); show()
try: os.setuid(0)
except OSError as e: print(e.strerror)
if os.fork() == 0: show('child'); os.execvp('id', ['id', '-u'])
os.wait(); os.system('setsid sh -c \"(sleep 0.2; id -u >/tmp/late) & \"; sleep 1; cat /tmp/late')"
is "$out" "(0, 0, 0) (0, 0, 0) []
(0, 7, 0) (6, 6, 6) [4, 5]
Operation not permitted
(9, 9, 9) (6, 6, 6) [4, 5]
Operation not permitted
child (9, 9, 9) (6, 6, 6) [4, 5]
9
9" "follows credentials(7), through fork, exec and whoever is left behind"
run_ok "threads" job -- python3 -c "
import os, threading
def f(): os.setuid(12)
t = threading.Thread(target=f); t.start(); t.join(); print(os.getuid())"
is "$out" 12 "of one process are one"
run_ok "setpriv" job -- sh -c 'setpriv --reuid=builder --regid=builder --init-groups id; setpriv --reuid=1 --regid=1 --clear-groups sh -c "id -u; touch /tmp/x; stat -c %u /tmp/x"; stat -c %u /tmp/x'
is "$out" "uid=1000(builder) gid=1000(builder) groups=1000(builder),44(video)
1
1
0" "makes others of a process"
debian() {
    "$BRYO" run --no-workspace --userns single --rootfs "$ROOTFS_TAR" "$@"
}
run_ok "useradd, su and its limits, start-stop-daemon, dpkg-statoverride" debian -- sh -c 'useradd -m -d /srv/bob -G users,video bob && stat -c "%U:%G %n" /srv/bob && su - bob -c "id; pwd; touch f && stat -c %U f"
    start-stop-daemon -S -c bob:games -x /usr/bin/id -- -un; dpkg-statoverride --update --add bob games 2755 /usr/bin/wall && stat -c "%U:%G %a" /usr/bin/wall'
is "$out" "bob:bob /srv/bob
uid=1000(bob) gid=1000(bob) groups=1000(bob),44(video),100(users)
/srv/bob
bob
bob
bob:games 2755" "do what they are for"
run_ok "an owner that is no user of the job's" job -- sh -c 'touch /f; chown 5 /f; setpriv --reuid=1 --clear-groups chown 1 /f; stat -c %u /f; exit 0'
is "$out" 5 "is nobody's to change but root's"
run_ok "-u" job -u 1000:1000 -- sh -c 'id -u; touch /tmp/f; chown 5 /tmp/f; stat -c %u /tmp/f; exit 0'
is "$out" "1000
1000" "a job that is not root may do no more than it might"
like "$err" "Operation not permitted" "and is refused by the same rules"

run_ok "a process without capabilities" job -- setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all sh -c 'touch /tmp/f; chown 5 /tmp/f; mknod /tmp/n c 1 3; python3 -c "import os; os.setgid(5)" 2>&1 | tail -1; stat -c %u /tmp/f; ls /tmp/n; exit 0'
like "$out" "Operation not permitted.*
0$" "is refused too"
is "$(grep -c 'Operation not permitted' <<<"$err")" 2 "what it gave up it does not get by pretence"

# --- off, and other combinations ------------------------------------------------------------------
run "$BRYO" run --no-workspace --userns single --rootfs "$T/root" "${WITH_USR[@]}" --no-fake-root -- sh -c 'touch /f; chown 33 /f; stat -c %u /f; mknod /n c 1 3; setpriv --reuid=5 true; exit 0'
is "$out" 0 "--no-fake-root: nothing of it (the checks above could fail)"
is "$(grep -c -e 'Invalid argument' -e 'not permitted' <<<"$err")" 3 "it all fails"
run_ok "--seccomp unconfined" job --seccomp unconfined -- sh -c 'touch /f; chown 33 /f; stat -c %u /f'
is "$out" 33 "has it too"
echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["fchownat","chown","lchown","fchown"],"action":"SCMP_ACT_ERRNO","errnoRet":13}]}' >"$T/profile.json"
expect_status 1 "a profile that refuses chown" job --seccomp "$T/profile.json" -- sh -c 'touch /f; chown 33 /f'
like "$err" "Permission denied" "is kept"
unlike "$err" "seccomp" "in silence"
expect_status 1 "--seccomp-log" job --seccomp "$T/profile.json" --seccomp-log -- sh -c 'touch /f; mknod /n c 1 3; stat -c %F /n; chown 33 /f'
is "$out" "character special file" "has both: what is refused,"
like "$err" "seccomp: fchownat by /usr/bin/chown: EACCES" "and what is pretended"
if has_subids; then
    run_ok "--fake-root for a job with many ids" "$BRYO" run --no-workspace --fake-root -- sh -c 'grep -c . /proc/self/uid_map'
    like "$err" "--fake-root" "says that they are real"
    run_ok "without a word" "$BRYO" run --no-workspace -- true
    is "$err" "" "for everybody else"
fi
rm -f "$T/profile.json"

# --- the process that answers ---------------------------------------------------------------------
sleeper=$(printf 'touch /f; chown 5 /f; sleep %s' 60)
job -- sh -c "$sleeper" 2>/dev/null &
pid=$!
faker() {
    local bryo
    bryo=$(pgrep -P "$pid") && fake=$(pgrep -P "$bryo" -x bryo-fake)
}
ok "it is a process of its own" wait_for 20 faker
fields() { sed -n "s/^$1:[[:space:]]*//p" "/proc/$fake/status"; }
is "$(fields Seccomp) $(fields NoNewPrivs)" "2 1" "with a filter of its own"
is "$(fields CapBnd | wc -l)" 1 "(there is one)"
like "$(fields CapPrm)" "^00000000000c000b$" "and five capabilities, in the job's user namespace"
pkill -P "$pid"
wait "$pid" 2>/dev/null
nok "it ends with the job" kill -0 "$fake" 2>/dev/null
job -- sh -c "$sleeper" 2>"$T/killed" &
pid=$!
ok "(another)" wait_for 20 faker
kill -9 "$fake"
wait "$pid"
is $? 125 "when it is killed, the job has failed"
like "$(cat "$T/killed")" "the process that answers for --fake-root ended" "and bryo says why"
rm -f "$T/killed"
run_ok "nothing of it" job -- sh -c 'chown 5 /etc/passwd; ps -e -o comm= | grep -c bryo-fake; exit 0'
is "$out" 0 "can be seen in the job"

# --- bryo in bryo ---------------------------------------------------------------------------------
mkdir "$T/bryo" && cp -r "$(dirname "$BRYO")" "$(dirname "$BRYO")/../libexec" "$T/bryo/"
run_ok "bryo in bryo" job -v "$T/bryo:/bryo:ro" -- /bryo/bin/bryo run --no-workspace --userns single --network none -- sh -c 'touch /tmp/f; chown 5:6 /tmp/f; stat -c %u:%g /tmp/f; setpriv --reuid=9 --clear-groups id -u'
is "$out" "5:6
9" "is answered by the outer one"
like "$err" "--fake-root is left to" "and says so"
rm -r "$T/bryo"
rm -r "$T/root"
done_testing
