#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make demo: what bryo is for, in three jobs. Each command is shown before it runs.
set -euo pipefail
BRYO=$(realpath "${BRYO:-build/bin/bryo}")
rootfs=$(realpath "${ROOTFS_TAR:-build/debian.tar.xz}")
top=$PWD

# Root starts jobs as an ordinary account here: that is the point of the program.
if [ "$(id -u)" = 0 ] && [ "$(awk '{ n += $3 } END { print n }' /proc/self/uid_map)" -gt 1 ]; then
    ci/accounts.sh
    stage=$(mktemp -d /var/tmp/bryo-demo.XXXXXX)
    trap 'rm -rf "$stage"' EXIT
    mkdir "$stage/build"
    cp -a "$(dirname "$BRYO")" "$(dirname "$BRYO")/../libexec" "$stage/build/"
    cp "$rootfs" "$stage/build/"
    mkdir "$stage/ci"
    cp ci/demo.sh "$stage/ci/"
    chmod -R a+rX "$stage"
    home=$(getent passwd bryo-sub | cut -d: -f6)
    echo "demo: started by root; the jobs are started by the account bryo-sub"
    setpriv --reuid=bryo-sub --regid=bryo-sub --init-groups --inh-caps=-all --reset-env \
        env -C "$stage" HOME="$home" BRYO="$stage/build/bin/bryo" \
        ROOTFS_TAR="$stage/build/$(basename "$rootfs")" ci/demo.sh
    exit
fi

show() { # the command as one would type it, then the command
    local word line=
    for word in "$@"; do
        word=${word//"$top/"/}
        case $word in
        *[\ \$\;]*) line+=" '$word'" ;;
        *) line+=" $word" ;;
        esac
    done
    printf '\n$%s\n' "$line"
    "$@"
}

work=$(mktemp -d "${TMPDIR:-/tmp}/bryo-demo.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >sum.c <<'C'
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
    int sum = 0;
    for (int i = 1; i < argc; i++)
        sum += atoi(argv[i]);
    printf("%d\n", sum);
}
C
cat >Makefile <<'MAKE'
check: sum
	test "$$(./sum 40 2)" = 42 && echo "check: passed"
MAKE

echo "1. A project is built and tested with this machine's own compiler, on a throw-away copy of"
echo "   its system; the current directory is the workspace."
show "$BRYO" run -- make check

echo
echo "2. The same result in a Debian that came as a tarball. It is unpacked the first time only."
show "$BRYO" run --rootfs "$rootfs" -- \
    sh -c '. /etc/os-release; echo "$PRETTY_NAME, as $(id -un)"; ./sum 40 2'

echo
if "$BRYO" run --userns subids --rootfs "$rootfs" -- true 2>/dev/null; then
    echo "3. A package installed in it, without root: this account has subordinate ids."
else
    echo "3. A package installed in it, without root and without subordinate ids (/etc/subuid): the job"
    echo "   is made to believe that it has all ids."
fi
show "$BRYO" run -e DEBCONF_NOWARNINGS=yes --rootfs "$rootfs" -- \
    sh -c 'apt-get -qq update && apt-get -qq -y install hello >/dev/null && hello'
