#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Ways out of a job by the kernel's own files and calls, and by mounts: settings, masks, /sys,
# devices, cgroups, keys, terminals; as the job's root and in a user namespace of the job's own.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/escape.sh"

# a bare namespace with the same mounts as a job could have, and nobody who locked them
lone() { # NAME ARGUMENT...
    unshare -Urmpf --mount-proc "$PY" "$T/escape.py" "$@" 2>&1
}

# --- settings of the machine ------------------------------------------------------------------------
for file in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sys/kernel/shmmax \
    /proc/sys/net/ipv4/ip_forward /proc/sys/vm/swappiness /proc/sys/fs/binfmt_misc/register; do
    [ -e "$file" ] || continue
    value=
    case $file in */register) value=:x:M::x::/bin/true:F ;; esac
    stopped "writing $file" job -- setting "$file" $value
    stopped "  with every capability" job --cap-add ALL -- setting "$file" $value
done
works "in a bare namespace, for what belongs to it" bare -Uri setting /proc/sys/kernel/shmmax
all=(--cap-add ALL)
works "where the job may make it writable" job "${all[@]}" -- remount_rw /proc/sys /proc/sys/kernel/shmmax
stopped "  which is still not the machine's" job "${all[@]}" -- remount_rw /proc/sys /proc/sys/kernel/core_pattern
stopped "writing /proc/sysrq-trigger" job -- setting /proc/sysrq-trigger x
for file in $(find /sys/kernel /sys/class/net/lo/ /sys/power -maxdepth 1 -type f -perm -0200 2>/dev/null | head -n 12); do
    stopped "writing $file" job --network host -- setting "$file"
done

# --- what /proc tells of the machine ------------------------------------------------------------------
for file in interrupts keys acpi asound scsi sched_debug latency_stats; do
    plain readable /proc/$file >/dev/null || continue
    stopped "/proc/$file" job -- readable /proc/$file
    works "outside" plain readable /proc/$file
    stopped "  by unmounting the mask" job --cap-add ALL -- nested unmount /proc/$file
    stopped "  by moving it away" job --cap-add ALL -- nested move /proc/$file
    stopped "  by another way to the same /proc" job --cap-add ALL -- nested bind_below /proc $file
    stopped "  by a /proc mounted over it" job -- fresh_proc readable /proc/$file
    stopped "  from a nested namespace, with --no-userns" job --no-userns -- nested fresh_proc readable /proc/$file
    works "where the job's root may mount: unmounting the mask" job "${all[@]}" -- unmount /proc/$file
    works "  moving it" job "${all[@]}" -- move /proc/$file
    works "  another way to the same /proc" job "${all[@]}" -- bind_below /proc $file
    # this one is no promise: SECURITY.md says so, and that --no-userns is for it
    works "from a nested namespace without that" job -- nested fresh_proc readable /proc/$file
done
works "where nobody locked it: unmounting" lone unmount /proc
for file in core_pattern modprobe; do
    stopped "/proc/sys/kernel/$file in a /proc of a nested namespace's own" job "${all[@]}" -- \
        nested fresh_proc setting /proc/sys/kernel/$file
done
stopped "/proc/sysrq-trigger there" job "${all[@]}" -- nested fresh_proc setting /proc/sysrq-trigger x
for file in kcore kmsg timer_list; do
    stopped "/proc/$file" job --cap-add ALL -- readable /proc/$file
done

# --- masks and read-only mounts, from a nested namespace too --------------------------------------------
# (SYS_ADMIN in the job's own namespace undoes them: that is what --cap-add SYS_ADMIN says.)
for caps in "" "--cap-add SYS_ADMIN"; do
    # shellcheck disable=SC2206
    opts=($caps)
    note=" in a nested namespace${caps:+ with SYS_ADMIN}"
    stopped "making /proc/sys writable$note" job "${opts[@]}" -- nested remount_rw /proc/sys /proc/sys/kernel/core_pattern
    stopped "binding /proc/sys elsewhere, writable$note" job "${opts[@]}" -- nested bind_rw /proc/sys kernel/core_pattern
    stopped "making /sys writable$note" job "${opts[@]}" -- nested remount_rw /sys /sys/kernel/profiling
    stopped "unmounting /proc$note" job "${opts[@]}" -- nested unmount /proc
    stopped "unmounting /sys$note" job "${opts[@]}" -- nested unmount /sys
    stopped "unmounting /dev$note" job "${opts[@]}" -- nested unmount /dev
    stopped "unmounting /dev/null$note" job "${opts[@]}" -- nested unmount /dev/null
    stopped "moving /dev away$note" job "${opts[@]}" -- nested move /dev
    stopped "a cgroup v1 hierarchy, for its release_agent$note" job "${opts[@]}" -- nested cgroup_v1
done
works "where nobody locked it: moving" lone move /proc
echo old >"$T/ro-file"
mkdir "$T/ro"
echo old >"$T/ro/file"
stopped "writing below -v DIR:DIR:ro" job -v "$T/ro:/ro:ro" -- setting /ro/file new
works "without :ro" job -v "$T/ro:/ro" -- setting /ro/file new
stopped "making it writable" job -v "$T/ro:/ro:ro" -- nested remount_rw /ro /ro/file
stopped "binding it elsewhere, writable" job -v "$T/ro:/ro:ro" -- nested bind_rw /ro file
works "where nobody locked it" unshare -Urm sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$0" "$2" remount_rw "$1" "$1/file"' \
    "$PY" "$T/ro" "$T/escape.py"
stopped "mounting, as the job's root" job -- new_mount
works "with SYS_ADMIN, inside" job --cap-add SYS_ADMIN -- new_mount
stopped "mounting in a nested namespace, with --no-userns" job --no-userns -- nested new_mount
works "without it" job -- nested new_mount
stopped "  with --landlock" job --landlock -- nested new_mount
stopped "a user namespace, with --no-userns" job --no-userns -- make_userns
stopped "  whatever the profile" job --no-userns --seccomp unconfined -- make_userns
works "without it" job -- make_userns

# what is mounted inside stays inside, also below a directory of the machine
mkdir "$T/shared"
works "inside" job --cap-add SYS_ADMIN -v "$T/shared:/shared" -- new_mount /shared
is "$(stat -f -c %T "$T/shared")" "$(stat -f -c %T "$T")" "a mount inside does not show outside"

# --- files of the machine -------------------------------------------------------------------------------
echo secret >"$T/host-secret"
for try in "host_file $T/host-secret" "host_file /proc/1/root$T/host-secret" \
    "host_file /proc/self/root/../../..$T/host-secret" "chroot_out $T/host-secret"; do
    # shellcheck disable=SC2086
    stopped "a file of the machine by ${try%% *} ${try#* }" job -- $try
done
works "outside" plain host_file "$T/host-secret"
works "where the directory is given" job -v "$T:$T" -- host_file "$T/host-secret"
works "out of a mere chroot" bare -Ur chroot_out "$T/host-secret"

# --- devices, keys, terminals -----------------------------------------------------------------------------
for number in "1 1" "1 2" "1 5" "8 0" "10 200" "10 229"; do
    # shellcheck disable=SC2086
    stopped "a node of device $number" job --cap-add ALL -- device $number
    # shellcheck disable=SC2086
    stopped "  in a nested namespace" job --cap-add ALL -- nested device $number
done
if [ -r /dev/net/tun ] && [ -w /dev/net/tun ]; then
    stopped "a device that the user may open" job -- open_device /dev/net/tun
    works "where --device gives it" job --device /dev/net/tun -- open_device /dev/net/tun
fi
run_ok "devices of a job" "$BRYO" run --no-workspace -- \
    bash -c 'for f in /dev/*; do [ -L $f ] || { [ ! -c $f ] && [ ! -b $f ]; } || echo $f; done'
is "$(paste -sd " " <<<"$out")" "/dev/full /dev/null /dev/random /dev/tty /dev/urandom /dev/zero" "are these"

# A key in the session keyring that bryo was started with (run_namespaces.t has the profile's part).
cat >"$T/with-key.py" <<'PY'
import ctypes, os, platform, sys
add_key, keyctl = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
call = ctypes.CDLL(None).syscall
assert call(keyctl, 1, None) > 0 and call(add_key, b"user", b"bryo:t", b"secret", 6, -3) > 0
os.execvp(sys.argv[1], sys.argv[1:])
PY
with_key() {
    "$PY" "$T/with-key.py" "$@" 2>&1
}
stopped "a key of the launcher's session" with_key "$BRYO" run -q --no-workspace -v "$T/escape.py:/e.py:ro" -- "$PY" /e.py key bryo:t
stopped "  without a profile" with_key "$BRYO" run -q --no-workspace --seccomp unconfined -v "$T/escape.py:/e.py:ro" -- "$PY" /e.py key bryo:t
works "without bryo" with_key unshare -Ur "$PY" "$T/escape.py" key bryo:t

# Typing into a terminal: bryo started in one, without -t and with it.
in_terminal() {
    "$PY" -c '
import pty, sys
pty.spawn(sys.argv[1:])' "$@" </dev/null | tr -d '\r'
}
E=(run -q --no-workspace -v "$T/escape.py:/e.py:ro")
stopped "typing into the terminal that bryo writes to" in_terminal "$BRYO" "${E[@]}" -- "$PY" /e.py type_char 1
stopped "  without a profile" in_terminal "$BRYO" "${E[@]}" --seccomp unconfined -- "$PY" /e.py type_char 1
stopped "typing into the job's own terminal" in_terminal "$BRYO" "${E[@]}" -t -- "$PY" /e.py type_char 0
if [ "$(cat /proc/sys/dev/tty/legacy_tiocsti 2>/dev/null || echo 1)" = 1 ]; then
    # without the character's own echo
    like "$(in_terminal "$BRYO" "${E[@]}" -t --seccomp unconfined -- "$PY" /e.py type_char 0)" escaped \
        "  ... and works without a profile"
    like "$(in_terminal "$PY" "$T/escape.py" type_char 1)" escaped "  ... and works without bryo"
fi
done_testing
