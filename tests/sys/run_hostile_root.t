#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Roots that attack the launcher while it sets up: links, FIFOs and files where bryo mounts or
# writes. Whatever the root holds, nothing outside of it changes or is seen; and odd roots that mean
# no harm run.
#
# Shown able to fail: with fspath_open() (internal/base/fspath.c) made to resolve as openat(2) does,
# relative to the root but free to leave it, directories are made in the canary, and the tests
# marked [canary] fail. With RESOLVE_NO_SYMLINKS and O_NOFOLLOW taken from guest_mnt_own_dir() too,
# roots with a link at /dev or /proc no longer run.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

# What must not change: a directory beside the root, with a file and a directory in it.
make_canary() {
    rm -rf "$T/canary"
    mkdir -p "$T/canary/dir"
    echo alive >"$T/canary/file"
    echo secret-of-the-machine >"$T/canary/dir/secret"
}
canary() {
    (cd "$T/canary" && find . -printf '%p %y %m %u %s %T@ %C@ %l\n' | sort && cat file dir/secret)
}
make_canary
canary_before=$(canary)
up=../../../../../../../../../../../..

fresh() { # a new root in $R
    R=$T/root
    rm -rf "$R"
    skeleton "$R"
}
place() { # NAME WHAT: puts something in the place of $R/NAME
    rm -rf "${R:?}/$1"
    mkdir -p "$(dirname "$R/$1")"
    case $2 in
    absolute) ln -s "$T/canary/dir" "$R/$1" ;;
    relative) ln -s "$up$T/canary/dir" "$R/$1" ;;
    file-link) ln -s "$T/canary/file" "$R/$1" ;;
    magic) ln -s /proc/self/root "$R/$1" ;;
    magic-fd) ln -s /proc/self/fd/0 "$R/$1" ;;
    dangling) ln -s /no/such/place "$R/$1" ;;
    loop) ln -s "$(basename "$1")" "$R/$1" ;;
    file) echo a file >"$R/$1" ;;
    fifo) mkfifo "$R/$1" ;;
    socket) python3 -c 'import socket, sys, os; os.chdir(os.path.dirname(sys.argv[1])); socket.socket(socket.AF_UNIX).bind(os.path.basename(sys.argv[1]))' "$R/$1" ;;
    top) ln -s / "$R/$1" ;;
    usr) ln -s usr "$R/$1" ;;
    empty) mkdir "$R/$1" ;;
    closed) mkdir -m 0 "$R/$1" ;;
    none) ;;
    esac
}
look='[ "$(stat -f -c %T /proc)" = proc ] && [ -c /dev/null ] && [ ! -e '"$T"'/canary/file ] && echo fine
cat '"$T"'/canary/dir/secret /tmp/secret /etc/secret /run/secret 2>/dev/null; exit 0'
# attack DESCRIPTION OPTION...: the run may work or be refused; it neither hangs nor does harm
attack() {
    local what=$1 st=0
    shift
    run timeout 20 "$BRYO" run --no-workspace --rootfs "$R" "${WITH_USR[@]}" "$@" -- sh -c "$look"
    case $status in
    0) [ "$out" = fine ] || st=1 ;;
    125 | 126 | 127) [[ $err == "bryo: "* ]] || st=1 ;;
    *) st=1 ;;
    esac
    tap_result $st "$what: runs, or is refused in clear words" || diag "status $status" "$out" "$err"
    is "$(canary)" "$canary_before" "$what: [canary] nothing outside changed"
}

# --- in the place of what bryo mounts ----------------------------------------------------------------
for name in dev proc sys tmp etc; do
    for what in absolute relative magic dangling loop file fifo socket top usr none; do
        fresh
        place $name $what
        attack "/$name: $what"
        case $name in
        proc | sys | dev | tmp)
            # what bryo owns is put right in the scratch layer, whatever is there
            [ "$name $what" = "tmp top" ] || is "$status" 0 "/$name: $what: and it runs${err:+ ($err)}"
            ;;
        esac
    done
done
for name in usr var root; do
    for what in absolute relative file top; do
        fresh
        place $name $what
        attack "/$name: $what"
    done
done
# --- in the place of what bryo writes ------------------------------------------------------------------
for file in hosts hostname resolv.conf; do
    for what in file-link relative magic-fd dangling loop fifo socket empty; do
        fresh
        place etc/$file $what
        attack "/etc/$file: $what"
        is "$status" 0 "/etc/$file: $what: and it runs${err:+ ($err)}"
        expect_status 0 "/etc/$file: $what: the job's own is there" in_root "$R" -h name-inside -- \
            sh -c "[ -f /etc/$file ] && [ $file = resolv.conf ] || grep -q name-inside /etc/$file || grep -q localhost /etc/$file"
    done
    # and where /etc itself is a link within the root, so that it can be no layer
    for what in file-link relative dangling fifo empty; do
        fresh
        rm -r "${R:?}/etc"
        mkdir -p "$R/private/etc"
        ln -s private/etc "$R/etc"
        place private/etc/$file $what
        attack "/etc -> private/etc, $file: $what"
    done
done
for file in passwd group; do
    for what in file-link relative magic-fd dangling loop fifo socket empty; do
        fresh
        place etc/$file $what
        attack "/etc/$file: $what" -u 1000:1000
    done
done
# --- in the place of, and on the way to, what the user mounts ------------------------------------------
for what in absolute relative magic top loop dangling; do
    fresh
    place data $what
    mkdir -p "$T/mine"
    attack "-v onto /data: $what" -v "$T/mine:/data"
    attack "-v onto /data/deep/er: $what" -v "$T/mine:/data/deep/er"
    attack "-v of a file onto /data/f: $what" -v "$T/root/etc/group:/data/f"
    attack "--tmpfs /data: $what" --tmpfs /data
    attack "-w /data/w: $what" -w /data/w
done
fresh
place data relative
attack "-w through a link that leads out" -w /data
fresh
ln -s /proc/self/cwd "$R/cwd"
attack "-w through a magic link" -w /cwd
fresh
place workspace absolute
mkdir -p "$R$T" && ln -s "$T/canary" "$R$T/mine"
run timeout 20 "$BRYO" run --rootfs "$R" "${WITH_USR[@]}" --workspace "$T/mine" -- sh -c 'touch here && pwd'
is "$(canary)" "$canary_before" "a workspace whose place in the root is a link: [canary] nothing outside changed"
rm -rf "$T/mine"

# --- programs of the root are not run by the launcher ---------------------------------------------------
fresh
mkdir -p "$R/usr/bin" "$R/opt"
for name in newuidmap newgidmap mount fusermount3 tar xz; do
    printf '#!/bin/sh\necho run >>%s/canary/file\n' "$T" >"$R/usr/bin/$name"
    chmod +x "$R/usr/bin/$name"
done
run timeout 20 "$BRYO" run --no-workspace --rootfs "$R" -- /nothing
is "$status" 127 "a root full of false helpers runs none"
is "$(canary)" "$canary_before" "[canary] nothing outside changed"

# --- odd, and meaning no harm ----------------------------------------------------------------------------
ordinary() { # DESCRIPTION
    run_ok "$1" in_root "$R" -- sh -c "$look"
    is "$out" fine "$1: all is in its place"
}
fresh
ordinary "merged /usr"
fresh
ln -s ../run/systemd/resolve/stub-resolv.conf "$R/etc/resolv.conf"
ordinary "Ubuntu's dangling resolv.conf"
for target in /run ../run; do
    fresh
    mkdir -p "$R/run" "$R/var"
    ln -s $target "$R/var/run"
    run_ok "/var/run -> $target" in_root "$R" -v "$T/canary/file:/var/run/thing" -- cat /run/thing
    is "$out" alive "a mount through it arrives inside"
done
fresh
rmdir "$R"/{home,root,var}
rm -r "${R:?}/etc"
ordinary "no /etc, /tmp, /proc, /sys, /dev, /run at all"
fresh
mkdir -p "$R/dev/pts" "$R/dev/shm"
touch "$R/dev/null" "$R/dev/console" "$R/dev/sda"
ln -s /etc/passwd "$R/dev/zero"
mkfifo "$R/dev/initctl"
ordinary "a populated /dev"
run_ok "a populated /dev" in_root "$R" -- sh -c 'ls /dev; stat -c %t:%T /dev/zero'
like "$out" "1:5" "is covered by bryo's own"
unlike "$out" "sda|initctl" "all of it"
fresh
mkdir -p "$R/proc/1" "$R/sys/kernel" && echo fake >"$R/proc/1/status" && echo 1 >"$R/proc/mounts"
ordinary "files in /proc and /sys"
fresh
ln -s private/tmp "$R/tmp"
mkdir -p "$R/private/tmp"
ordinary "/tmp -> private/tmp"
fresh
ln -s /run/tmp-not-made-yet "$R/tmp"
ordinary "/tmp is a dangling link"
fresh
chmod 0555 "$R" "$R/etc"
ordinary "a root that may not be written to"
chmod -R u+w "$R"
fresh
chmod 0700 "$R" "$R/usr"
ordinary "a root that only its owner may enter"
chmod -R u+rwx "$R"

rm -rf "$R" "$T/canary"
done_testing
