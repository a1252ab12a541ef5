#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a job sees mounted: the workspace, -v, --tmpfs, --device, and what the kernel shows.
. "$(dirname "$0")/../helpers/lib.sh"

W=$T/work
mkdir -p "$W/sub" "$T/other"
echo data >"$W/file"
cd "$W" || bail "no $W"
clean() {
    cd "$T" && rm -rf "$W" "$T/other"
}

# --- the workspace ---------------------------------------------------------------------------------
run_ok "the current directory" "$BRYO" run -- sh -c 'pwd; cat file; echo new >made; echo more >>file'
is "$out" "$W
data" "is the workspace: mounted at its own path, and where the job starts"
is "$(cat made; cat file)" "new
data
more" "the job writes there"
run_ok "--no-workspace" "$BRYO" run --no-workspace -- sh -c "pwd; mkdir -p '$W'; touch '$W/through'"
is "$out" / "mounts none"
ok "what is written at its place stays inside" test ! -e "$W/through"
run_ok "--workspace DIR" "$BRYO" run --workspace "$W/sub" -- pwd
is "$out" "$W/sub" "mounts that one"
run_ok "-w" "$BRYO" run -w "$W/sub" -- pwd
is "$out" "$W/sub" "starts below it"
run_ok "-w" "$BRYO" run -w /not/there/yet -- pwd
is "$out" /not/there/yet "makes a directory that is missing, as docker does"
run_ok "the home directory" bash -c 'cd "$HOME" && "$BRYO" run -- pwd'
is "$out" / "is no workspace"
run_ok "the directory above it" bash -c 'cd "$HOME/.." && HOME=$HOME "$BRYO" run -- pwd'
is "$out" / "is none either"
run_ok "the root directory" bash -c 'cd / && "$BRYO" run -- pwd'
is "$out" / "is none"
expect_status 125 "--workspace that is not there" "$BRYO" run --workspace "$W/none" -- true
like "$err" "workspace.*$W/none" "is named"
mkdir "$W/gone"
expect_status 125 "a current directory that was removed" bash -c "cd '$W/gone' && rmdir '$W/gone' && '$BRYO' run -- pwd"
like "$err" "^bryo: the current directory: " "is an error in one line"

# --- -v --------------------------------------------------------------------------------------------
run_ok "-v" "$BRYO" run -v "$T/other:/data" -- sh -c 'echo x >/data/x'
is "$(cat "$T/other/x")" x "writes through"
expect_status 2 "-v ...:ro" "$BRYO" run -v "$T/other:/data:ro" -- sh -c 'echo y >/data/x'
like "$err" "Read-only file system" "does not"
is "$(cat "$T/other/x")" x "the file is as it was"
expect_status 2 "a file" "$BRYO" run -v "$W/file:/etc/motd:ro" -- sh -c 'head -n 1 /etc/motd; echo >>/etc/motd'
is "$out" data "can be mounted as well, on a file that is there"
run_ok "and onto a name that is not" "$BRYO" run -v "$W/file:/a/b/c" -- head -n 1 /a/b/c
is "$out" data "with the directories on the way made"
run_ok "a relative source" "$BRYO" run -v ./sub:/s -- sh -c 'touch /s/rel'
ok "starts at the current directory" test -e "$W/sub/rel"
run_ok "the order does not matter" "$BRYO" run -v "$T/other:/m/inner" -v "$W/sub:/m" -- sh -c 'ls /m /m/inner'
like "$out" "x" "a mount nearer to the root does not cover one below it"
expect_status 125 "two at one place" "$BRYO" run -v "$W/sub:/m" -v "$T/other:/m" -- ls /m
like "$err" "two mounts are asked for at /m" "is refused"
expect_status 125 "a source that is not there" "$BRYO" run -v "$W/none:/data" -- true
like "$err" "$W/none" "is named"
expect_status 125 "a directory onto a file" "$BRYO" run -v "$W/sub:/etc/passwd" -- true
like "$err" "a directory can be mounted only onto a directory" "is refused with the reason"
expect_status 125 "a file onto a directory" "$BRYO" run -v "$W/file:/usr" -- true
like "$err" "a file can be mounted only onto a file" "is refused with the reason"
expect_status 125 "onto the root" "$BRYO" run -v "$W/sub:/" -- true
like "$err" "^bryo: " "is refused in one line"
expect_status 125 "a target that is not absolute" "$BRYO" run -v "$W/sub:data" -- true
ln -s "$T/other" "$W/link"
run_ok "a source that is a link" "$BRYO" run -v "$W/link:/data" -- cat /data/x
is "$out" x "is followed on the machine"
name="$T/other/with , and : in"
mkdir "$name" && echo odd >"$name/f"
is "$(cd "$name" && "$BRYO" run -- cat f)" odd "a workspace with blanks, commas and colons is mounted like any other"

# --- --tmpfs, --device -----------------------------------------------------------------------------
expect_status 1 "--tmpfs" "$BRYO" run --tmpfs /scratch:size=1m,mode=0711 -- \
    sh -c 'stat -c "%a %U" /scratch; stat -f -c %T /scratch; head -c 2M /dev/zero >/scratch/big'
like "$err" "No space left" "has the size that was asked for"
is "$out" "711 root
tmpfs" "and the mode"
run_ok "--device" "$BRYO" run --device /dev/null:/dev/void -- sh -c 'echo x >/dev/void; stat -c %t:%T /dev/void'
is "$out" 1:3 "shows a device of the machine"
expect_status 125 "--device with a file" "$BRYO" run --device "$W/file:/dev/x" -- true
like "$err" "is not a device" "is refused"

# --- /dev, /proc, /sys, /tmp -------------------------------------------------------------------------
run_ok "/dev" "$BRYO" run -- sh -c 'cd /dev; for n in *; do [ -L $n ] && echo "$n -> $(readlink $n)" || stat -c "%n %F %t:%T" $n; done'
is "$out" "fd -> /proc/self/fd
full character special file 1:7
mqueue directory 0:0
null character special file 1:3
ptmx -> pts/ptmx
pts directory 0:0
random character special file 1:8
shm directory 0:0
stderr -> /proc/self/fd/2
stdin -> /proc/self/fd/0
stdout -> /proc/self/fd/1
tty character special file 5:0
urandom character special file 1:9
zero character special file 1:5" "is the job's own, and minimal"
run_ok "a pty" "$BRYO" run -- python3 -c '
import os, pty
m, s = pty.openpty()
print(os.ttyname(s))
os.write(m, b"hi\n"); print(os.read(s, 10))'
is "$out" "/dev/pts/0
b'hi\\n'" "the first of its own /dev/pts"
run_ok "shared memory" "$BRYO" run -- sh -c 'stat -c "%a" /dev/shm /tmp /dev/mqueue; stat -f -c %T /dev/shm /tmp; echo x >/dev/shm/x; echo y >/tmp/y'
is "$out" "1777
1777
1777
tmpfs
tmpfs" "/dev/shm and /tmp are in memory, and for everybody"
run_ok "programs run from /tmp" "$BRYO" run -- sh -c 'cp /bin/true /tmp/t && /tmp/t'
run_ok "/sys" "$BRYO" run -- sh -c '[ -d /sys/kernel ]; ! touch /sys/kernel/x 2>&1; ! mkdir /sys/fs/cgroup/x 2>&1'
run_ok "/proc/sys" "$BRYO" run -- sh -c 'for f in kernel/hostname kernel/core_pattern vm/drop_caches net/ipv4/ip_forward; do
    ! { echo 1 >/proc/sys/$f; } 2>/dev/null || echo "$f was written"; done; ! { echo h >/proc/sysrq-trigger; } 2>/dev/null || echo sysrq'
is "$out" "" "can be written by no one"
run_ok "what /proc tells of the machine" "$BRYO" run -- sh -c 'for f in keys interrupts timer_list kcore sched_debug; do
    [ ! -s /proc/$f ] || [ -z "$(head -c 1 /proc/$f 2>/dev/null)" ] || echo "$f can be read"; done; ls -A /proc/acpi /proc/scsi 2>/dev/null | grep -v : | grep .; exit 0'
is "$out" "" "is hidden"
run_ok "a mask" "$BRYO" run -- sh -c '! umount /proc/keys 2>&1; ! umount -l /proc 2>&1; ! mount -o remount,rw /sys 2>&1; ! mount -t proc proc /mnt 2>&1'
run_ok "nor from a nested namespace" "$BRYO" run -- sh -c '
    unshare -Urm sh -c "umount /proc/keys || umount -l /proc || umount /proc/sys || mount -o remount,rw,bind /proc/sys || mount -o remount,rw,bind /sys" 2>/dev/null && echo uncovered; exit 0'
is "$out" "" "can it be taken away"

# --- read-only, propagation ----------------------------------------------------------------------------
run_ok "--read-only" "$BRYO" run --read-only -- sh -c 'for d in / /usr /etc /var /opt; do ! touch $d/x 2>/dev/null || echo "$d is writable"; done; touch /tmp/x /dev/shm/x sub/x'
is "$out" "" "the root is, /tmp and the workspace are not"
run_ok "--read-only" "$BRYO" run --read-only -v "$T/other:/new/place" --tmpfs /there -- sh -c 'touch /new/place/z /there/z'
ok "what is mounted stands, on mount points that were made for it" test -e "$T/other/z"
run_ok "a mount of the machine that comes later" unshare -Urm --propagation shared bash -c '
    "$BRYO" run --userns single -v "$1:/seen" -- sh -c "echo up >/seen/up; for i in \$(seq 500); do [ ! -e /seen/go ] || break; sleep 0.02; done; ls /seen/point" &
    for i in $(seq 500); do [ ! -e "$1/up" ] || break; sleep 0.02; done
    mkdir -p "$1/point"; mount -t tmpfs later "$1/point"; touch "$1/point/late" "$1/go"
    wait $!' - "$T/other"
is "$out" "" "does not appear in a running job"

# --- bryo's own files ------------------------------------------------------------------------------
export XDG_CACHE_HOME=$W/cache
run_ok "a cache inside of the workspace" "$BRYO" run -- sh -c 'ls -A cache/bryo; echo x >cache/bryo/x'
is "$out" "" "shows the job nothing of bryo's store"
ok "and takes nothing from it" test ! -e "$W/cache/bryo/x"
run_ok "also where it is mounted under another name" "$BRYO" run --no-workspace -v "$W:/other" -v "$W/cache:/c" -v "$W/cache/bryo:/b" -- \
    sh -c 'ls -A /other/cache/bryo /c/bryo /b | grep -v :; touch /b/x /c/bryo/x'
is "$(tr -d '\n' <<<"$out")" "" "nothing is seen"
ok "nothing is written" test ! -e "$W/cache/bryo/x"
rm -rf "$W/cache"
export XDG_CACHE_HOME=$T/cache

clean
done_testing
