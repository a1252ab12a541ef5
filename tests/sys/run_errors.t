#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every stage of a run is made to fail, most by strace(1), which makes the kernel refuse one call.
# Each failure has words of its own and exit status 125, names its stage in --result, and leaves
# nothing behind.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"
command -v strace >/dev/null || bail "no strace (ci/deps.sh test)"

"$BRYO" run --no-workspace --userns single --network none -- true || bail "nothing runs here"

stage() {
    python3 -c 'import json, sys; e = json.load(open(sys.argv[1]))["error"]; print(e["stage"] if e else "none")' "$T/result" 2>&1
}
declare -A seen=() words=()
# fails STAGE WORDS COMMAND...: exit status 125, bryo's own words (with WORDS among them) first, the stage in --result
fails() {
    local want=$1 regex=$2 st=0
    shift 2
    rm -f "$T/result"
    run timeout 60 "$@"
    err=$(grep -v '^strace: Failed to tamper' <<<"$err") # which it says, at times, of what it did
    [ "$status" -eq 125 ] && [[ $err =~ ^"bryo: ".*$regex ]] && [ "$(stage)" = "$want" ] || st=1
    tap_result $st "$want: $regex" || diag "command: $*" "status $status, stage $(stage)" "stdout: $out" "stderr: $err"
    seen[$want]=1
    words["$(head -n 1 <<<"$err")"]+="$want "
}
B() { # in no subshell, so that timeout(1) can run it
    # without bryo-net, whose own calls would be refused as well (net_errors.t)
    cmd=("$BRYO" run --no-workspace --userns single --network none --result "$T/result" "$@")
}
# refused CALL:ERROR[:when=N] OPTION... -- COMMAND: sets $cmd to the run whose call the kernel refuses
refused() {
    B "${@:2}"
    cmd=(strace -f -qq -o "$T/trace" -e "trace=${1%%:*}" -e "inject=${1%%:*}:error=${1#*:}" "${cmd[@]}")
}
plain() { # STAGE WORDS OPTION...
    B "${@:3}"
    fails "$1" "$2" "${cmd[@]}"
}
call() { # STAGE WORDS CALL:ERROR OPTION...
    refused "${@:3}"
    fails "$1" "$2" "${cmd[@]}"
}

# --- each stage -------------------------------------------------------------------------------------------
plain usage 'no option "--no-such-option"' --no-such-option -- true
mkdir "$T/here" # goes away between the first look at it and the second
fails host "workspace.*$T/here" strace -f -qq -o "$T/trace" -P "$T/here" -e trace=newfstatat -e inject=newfstatat:error=ENOENT:when=2 \
    "$BRYO" run --result "$T/result" --workspace "$T/here" -- true
rmdir "$T/here"
plain identity "does not have" --uidmap 0:@0:1 --gidmap 0:@0:1 -- true
mkdir "$T/here"
B --rootfs "$T/here" -- true
fails image "cannot open the root file system $T/here" strace -f -qq -o "$T/trace" -P "$T/here" -e trace=openat -e inject=openat:error=EIO "${cmd[@]}"
rmdir "$T/here"
mkdir "$T/odd" && touch "$T/odd/bryo"
B --rootfs "$ROOTFS_TAR" -- true
fails store "cannot open the image store $T/odd/bryo: Not a directory" env XDG_CACHE_HOME="$T/odd" "${cmd[@]}"
rm -r "$T/odd"
head -c 100000 /dev/urandom >"$T/noise"
plain unpack "neither a tar archive" --rootfs "$T/noise" -- true
head -c 300000 "$ROOTFS_TAR" >"$T/cut"
plain unpack "ends too early" --rootfs "$T/cut" -- true
rm "$T/noise" "$T/cut"
mkdir -p "$T/odd/bryo" && touch "$T/odd/bryo/scratch" "$T/odd/bryo/store"
B -- true
fails scratch "$T/odd/bryo/scratch" env XDG_CACHE_HOME="$T/odd" "${cmd[@]}"
rm -r "$T/odd"
mkdir "$T/closed" && chmod 0555 "$T/closed"
B -- true
fails scratch "$T/closed" env XDG_CACHE_HOME="$T/closed" "${cmd[@]}"
rmdir "$T/closed"
call scratch "cannot make a scratch directory" mkdirat:ENOSPC -- true
call scratch "cannot make a scratch directory" flock:ENOLCK -- true
plain cgroup "--memory cannot be held" --cgroup-parent none -m 100m -- true
call userns "cannot create a user namespace: Operation not permitted.*refuses user namespaces" clone3:EPERM -- true
call userns "cannot create a user namespace: No space left.*max_user_namespaces" clone3:ENOSPC -- true
call userns "cannot prepare a user namespace" socketpair:EMFILE -- true
call maps "cannot write the job's setgroups" write:EPERM:when=1 -- true
call maps "cannot write the job's uid_map" write:EPERM:when=2 -- true
call maps "cannot write the job's gid_map" write:EINVAL:when=3 -- true
if has_subids; then # strace takes the helpers' privilege away
    fails maps "newuidmap refused the id map" strace -f -qq -o "$T/trace" "$BRYO" run --no-workspace --userns subids --result "$T/result" -- true
    fails maps "newgidmap refused the id map|newuidmap refused" strace -f -qq -o "$T/trace" "$BRYO" run --no-workspace --result "$T/result" -- true
fi
call namespaces "cannot create the job's namespaces.*max_mnt_namespaces" unshare:ENOSPC -- true
call namespaces "cannot create the job's namespaces.*security module" unshare:EPERM -- true
call namespaces "cannot set the host name" sethostname:EPERM -- true
plain time "clocks would become negative" --time-offset boottime=-30000d -- true
call init "cannot create the job's PID namespace.*no room" clone:EAGAIN -- true
call network "loopback interface" ioctl:EPERM -- true
call root "cannot make the mounts private" mount:EPERM:when=1 -- true
call root "cannot mount the top of the root" mount:ENOMEM:when=2 -- true
call root "cannot mount the machine's /usr" mount:ENOMEM:when=3 -- true
# Directories of the machine's that need no overlay, each cloned, made read-only and attached. Where
# the owner of /usr has an id in the job there are none.
bare=$("$BRYO" run --no-workspace --network none -- grep -c '^[0-9 :]* /usr/[a-z0-9]* /usr/[a-z0-9]* ro' /proc/self/mountinfo) || true
if [ "$bare" -gt 0 ]; then
    call root "cannot mount the machine's /usr/bin" open_tree:EPERM:when=1 -- true
    call root "cannot mount the machine's /usr/bin" mount_setattr:EPERM:when=1 -- true
    call root "cannot mount the machine's /usr/bin" move_mount:EINVAL:when=1 -- true
fi
skeleton "$T/root"
call root "cannot mount the root file system $T/root" mount:ENOMEM:when=2 --rootfs "$T/root" -- true
call root "cannot make the root read-only" mount_setattr:EPERM:when=$((bare + 4)) --read-only -- true
plain mount "cannot mount $T/root onto /etc/passwd" -v "$T/root:/etc/passwd" -- true
call mount "cannot take /dev/null" open_tree:EPERM:when=$((bare + 1)) -- true
call mount "cannot mount /dev/null" move_mount:EINVAL:when=$((bare + 1)) -- true
call mount "cannot take $T/root" open_tree:EPERM:when=1 -v "$T/root:/r" -- true
call pivot "cannot make the job's root its root directory" pivot_root:EPERM -- true
plain user 'no user "nosuch"' -u nosuch -- true
call tty "cannot make a session" setsid:EPERM -- true
plain limits "cannot set the limit" --ulimit nofile=1:99999999 -- true
call privileges "cannot reduce the capabilities" capset:EPERM -- true
call privileges "cannot become user 0" setresuid:EPERM -- true
call privileges "cannot become group 0" setresgid:EPERM -- true
plain workdir "cannot make the working directory /etc/passwd" -w /etc/passwd -- true
mkdir -m 0 "$T/closed"
plain workdir "cannot enter the working directory /closed" -u 1000:1000 -v "$T/closed:/closed" -w /closed -- true
rmdir "$T/closed"
call supervise "cannot watch over the job" epoll_create1:EMFILE -- true
call supervise "cannot watch over the job" signalfd4:EMFILE -- true
expect_status 125 "report: a --result that cannot be written" "$BRYO" run --no-workspace --result "$T/none/r" -- true
like "$err" "^bryo: --result" "says so"
seen[report]=1
expect_status 127 "exec: a command that is not there" "$BRYO" run --no-workspace --result "$T/result" -- no-such-command
is "$(stage)" exec "is named as that"
seen[exec]=1

while read -r name; do
    ok "stage $name has been made to fail" test -n "${seen[$name]:-}"
done < <(sed -n 's/^ *X([A-Z]*, "\([a-z]*\)".*/\1/p' "$SRC/internal/job/stage.h")
# One message is one failure: no two stages share words.
for text in "${!words[@]}"; do
    is "$(tr ' ' '\n' <<<"${words[$text]}" | sort -u | grep -c .)" 1 "one stage says: ${text//"$T"/}"
done

# --- one call after the other ----------------------------------------------------------------------------
# Whichever of its calls fails, a run ends in one of these ways, and is over: bryo says what happened
# (125, 126, 127), or the call did not matter.
for inject in mount:ENOMEM move_mount:ENOMEM open_tree:EMFILE mount_setattr:ENOMEM openat2:EMFILE symlinkat:ENOSPC mknodat:ENOSPC; do
    bad="" refusals=0
    for when in 1 2 3 5 7 9 11 13 16; do
        refused "$inject:when=$when" -- true
        run timeout 60 "${cmd[@]}"
        case $status in
        0) [ -z "$err" ] || [[ $err == "bryo: "* ]] || bad+=" $when: $err;" ;;
        125) refusals=$((refusals + 1)); [[ $err == "bryo: cannot "* ]] || bad+=" $when: $err;" ;;
        *) bad+=" $when: status $status $err;" ;;
        esac
    done
    is "$bad" "" "$inject, the first, second, third ... call: $refusals refusals in clear words"
done
# pivot_root(2) says EINVAL on an initramfs: the root is moved over the machine's instead.
refused pivot_root:EINVAL -- sh -c 'ls -d /proc/1 && ls -A /home; touch /x'
run_ok "without pivot_root" "${cmd[@]}"
is "$out" /proc/1 "the root is the job's all the same"
like "$err" "^bryo: pivot_root is not possible" "with a note"

rm -rf "$T/root" "$T/trace" "$T/result"
is "$(store_scratch "$XDG_CACHE_HOME")" "" "no scratch of all those runs is left"
done_testing
