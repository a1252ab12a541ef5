#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bryo inside bryo inside bryo: a job may itself use bryo, with whatever ids and roots it has.
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

! root_is_overlay || skip_all "overlays stack two deep, and the root is one already"

skeleton "$T/root"
cp "$BRYO" "$T/root/bryo"
mkdir -p "$T/root/"{dev,proc,sys,tmp} "$T/bin" # three deep there is no overlay, and no mount point can be made
cp "$BRYO" "$T/bin/bryo"
# -v makes bryo itself reachable, at one place on every level
N=(run -v "$T/bin:/opt/b:ro" --no-workspace)
R=(run -v "$T/root:/r" -v "$T/bin:/opt/b:ro" --no-workspace)
deep='id -u; echo $PPID; cat /proc/1/comm; echo x >/tmp/x; hostname'

for mode in auto single; do
    run_ok "two deep, host root, userns $mode" "$BRYO" "${N[@]}" --userns $mode -- \
        /opt/b/bryo run --no-workspace -h second -- sh -c "$deep; echo y >/y; touch /var/y"
    is "$out" "0
1
bryo-init
second" "two deep, userns $mode: root of a PID namespace of its own"
    run_ok "three deep, host root, userns $mode" "$BRYO" "${N[@]}" --userns $mode -- /opt/b/bryo run -v /opt/b:/opt/b --no-workspace -- \
        /opt/b/bryo run --no-workspace -h third -- sh -c "$deep"
    is "$out" "0
1
bryo-init
third" "three deep, userns $mode: the same"
done
run_ok "two deep, a directory as root" "$BRYO" "${R[@]}" -- /opt/b/bryo run --no-workspace --rootfs /r "${WITH_USR[@]}" -- \
    sh -c 'echo x >/etc/made && rm /etc/passwd; ls -A /r 2>&1 | grep -c . ; head -n 1 /etc/hosts'
is "$(tail -n 1 <<<"$out")" "127.0.0.1	localhost" "with its own /etc"
ok "and the directory is as it was" test -e "$T/root/etc/passwd" -a ! -e "$T/root/etc/made"
run_ok "three deep, directories all the way" "$BRYO" run --no-workspace --rootfs "$T/root" "${WITH_USR[@]}" -v "$T/root:/r" -- \
    /bryo run --no-workspace --rootfs /r -v /usr:/usr:ro -v /r:/r -- \
    /bryo run --no-workspace --rootfs /r -v /usr:/usr:ro -h deep -- sh -c "$deep"
is "$out" "0
1
bryo-init
deep" "works as on the first"
# The level in the middle is a user without privilege.
run_ok "a job that is no root" "$BRYO" "${N[@]}" -u 1000:1000 -e HOME=/tmp -- /opt/b/bryo run --no-workspace -- sh -c 'id -u; cat /proc/self/uid_map | tr -s " "'
is "$out" "0
 0 1000 1" "maps its one id"
if has_subids; then
    run_ok "ids within ids" "$BRYO" "${N[@]}" -- /opt/b/bryo run --no-workspace -- sh -c 'wc -l </proc/self/uid_map; touch /tmp/x && chown 33:33 /tmp/x && stat -c %u:%g /tmp/x'
    is "$(tail -n 1 <<<"$out")" "33:33" "the inner job has the ids of the outer"
fi
# What the outer job may not, the inner one may not either.
run_ok "the masks of /proc" "$BRYO" "${N[@]}" -- /opt/b/bryo run --no-workspace -- sh -c '! { echo 1 >/proc/sys/kernel/hostname; } 2>/dev/null && [ ! -s /proc/keys ]'
expect_status 42 "the exit status" "$BRYO" "${N[@]}" -- /opt/b/bryo run -v /opt/b:/opt/b --no-workspace -- /opt/b/bryo run --no-workspace -- sh -c 'exit 42'
expect_status 124 "a deadline inside" "$BRYO" "${N[@]}" -- /opt/b/bryo run --no-workspace --timeout 300ms -- sleep 3600
mkdir "$T/here"
"$BRYO" "${N[@]}" -v "$T/here:/h" -- /opt/b/bryo run --no-workspace -v /h:/h -- sh -c 'touch /h/up; exec sleep 3600' &
pid=$!
ok "a job two deep runs" wait_for 20 test -e "$T/here/up"
kill -TERM $pid
status=0
wait $pid || status=$?
is "$status" 143 "SIGTERM goes all the way down, and its status all the way up"
rm -rf "$T/here" "${T:?}/root" "${T:?}/bin"
done_testing
