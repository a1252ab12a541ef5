# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Small root file systems made by hand, for tests that want an odd one, or one of their own: the
# machine's /usr is mounted into them (see $WITH_USR), so that they cost nothing and hold every tool.
# Sourced after lib.sh.

# skeleton DIR: what a merged-/usr root has at its top, and nothing in it
skeleton() {
    local name target
    mkdir -p "$1"
    for name in usr etc var root home; do
        mkdir -p "$1/$name"
    done
    for name in bin sbin lib lib32 lib64 libx32; do
        target=$(readlink "/$name") || continue
        ln -s "${target#/}" "$1/$name"
    done
    printf 'root:x:0:0:root:/root:/bin/sh\nbuilder:x:1000:1000::/home/builder:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nbuilder:x:1000:\nvideo:x:44:builder\n' >"$1/etc/group"
}

# WITH_USR: the options of "bryo run" that make programs run in a skeleton
WITH_USR=(-v /usr:/usr:ro)
if [ ! -L /bin ]; then # a machine without merged /usr
    for _dir in /bin /sbin /lib /lib64; do
        [ ! -d "$_dir" ] || WITH_USR+=(-v "$_dir:$_dir:ro")
    done
fi

# in_root DIR [OPTION...] -- COMMAND...: runs a command in a skeleton
in_root() {
    local dir=$1
    shift
    "$BRYO" run --no-workspace --rootfs "$dir" "${WITH_USR[@]}" "$@"
}
