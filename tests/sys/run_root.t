#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The root of a job: a directory, the machine's own, and what happens to what a job writes there.
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

skeleton "$T/root"
echo original >"$T/root/etc/file"
mkdir "$T/root/data" && echo 1 >"$T/root/data/a"
state() { # of the tree, times included
    (cd "$T/root" && find . -printf '%p %y %m %U:%G %s %T@ %l\n' | sort | sha256sum; find . -type f -exec sha256sum {} + | sort | sha256sum)
}
before=$(state)

run_ok "a directory" in_root "$T/root" -- sh -c 'echo changed >/etc/file; rm -r /data; mkdir -p /data/new; ln -s x /link; cat /etc/file; ls -A /data'
is "$out" "changed
new" "can be changed at will"
is "$(state)" "$before" "and is as it was afterwards, to the byte and the nanosecond"
run_ok "another run" in_root "$T/root" -- sh -c 'cat /etc/file /data/a'
is "$out" "original
1" "sees nothing of it"
run_ok "--read-only" in_root "$T/root" --read-only -- sh -c '! touch /etc/file 2>/dev/null && ! mkdir /x 2>/dev/null; touch /tmp/x'
run_ok "/etc" in_root "$T/root" -h box -- sh -c 'cat /etc/hostname; grep -c box /etc/hosts; [ -f /etc/resolv.conf ]; stat -c "%a %u:%g" /etc/hosts; echo "10.0.0.1 added" >>/etc/hosts; grep added /etc/hosts'
is "$out" "box
1
644 0:0
10.0.0.1 added" "holds hosts, hostname and resolv.conf of the job, which may write there"
expect_status 1 "and the next job" in_root "$T/root" -h box -- grep added /etc/hosts
is "$out" "" "does not find it"
if [ -r /etc/resolv.conf ]; then
    run_ok "--network host" in_root "$T/root" --network host -- cat /etc/resolv.conf
    is "$out" "$(cat /etc/resolv.conf)" "the machine's resolv.conf is there"
fi
run_ok "a relative path" bash -c 'cd "$T" && "$BRYO" run --no-workspace --rootfs root -v /usr:/usr:ro -- true'
ln -s root "$T/link"
run_ok "a link to it" in_root "$T/link" -- true
rm "$T/link"
expect_status 125 "one that is not there" "$BRYO" run --rootfs "$T/none" -- true
like "$err" "$T/none" "is named"
mkfifo "$T/fifo"
expect_status 125 "a FIFO" timeout 20 "$BRYO" run --rootfs "$T/fifo" -- true
like "$err" "neither a file nor a directory" "is none"
rm "$T/fifo"
mkdir "$T/closed" && chmod 0 "$T/closed"
expect_status 125 "a directory that may not be entered" "$BRYO" run --rootfs "$T/closed" -- true
like "$err" "^bryo: " "is refused in one line"
rmdir "$T/closed"
mkdir "$T/empty"
expect_status 127 "an empty directory" "$BRYO" run --no-workspace --rootfs "$T/empty" -- true
like "$err" "command not found" "is a root without programs"
rmdir "$T/empty"

# --- host ------------------------------------------------------------------------------------------
before=$(stat -c '%n %Y %Z' /usr /etc /var /opt)
run_ok "the machine's own directories" "$BRYO" run --no-workspace -- sh -c '
    for d in usr etc var; do touch /$d/bryo-was-here || exit 1; done; rm /etc/passwd && ls /etc/passwd 2>&1; exit 0'
ok "nothing of it happened" test ! -e /usr/bryo-was-here -a ! -e /etc/bryo-was-here -a -e /etc/passwd
is "$(stat -c '%n %Y %Z' /usr /etc /var /opt)" "$before" "also no time changed"
run_ok "programs, headers and libraries" "$BRYO" run --no-workspace -- sh -c 'stat -f -c %T /usr/bin /usr/include /usr/lib; touch /usr/lib/x && echo written; rm /usr/bin/env && echo removed; exit 0'
is "$out" "$(stat -f -c %T /usr/bin /usr/include /usr/lib)" "are on the machine's own file system, below no overlay, and stay as they are"
is "$(grep -c 'Read-only file system' <<<"$err")" 2 "also if they were the user's own"
echo private >"$HOME/private"
run_ok "home directories, /root, /run, /tmp, /var/tmp" "$BRYO" run --no-workspace -- sh -c 'ls -A /home /root /run /srv /mnt /media /tmp /var/tmp | grep -v : | grep .; exit 0'
is "$out" "" "are empty"
is "$("$BRYO" run --no-workspace -- sh -c "cat '$HOME/private' 2>&1" | grep -c private$)" 0 "the user's files are not there"
rm "$HOME/private"
is "$("$BRYO" run --rootfs host -- readlink /bin)" "$(readlink /bin)" "links at the top are links inside"
# Where a directory of the machine has something mounted below it, the kernel refuses an overlay.
run_ok "a mount below a system directory" unshare -Urm bash -c '
    mount -t tmpfs x /var/log && echo visible >/var/log/f && exec "$BRYO" run --no-workspace -- cat /var/log/f'
is "$out" visible "is seen"
like "$err" "^bryo: read-only in the job, since something is mounted below it.*/var" "and the user is told what it means"

before=$(state)
touch "$T/root/data/a"
isnt "$(state)" "$before" "(a touched file would have been noticed above)"
rm -r "$T/root"
done_testing
