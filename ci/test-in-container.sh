#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make test-in-container: builds this tree and runs its tests inside a job of bryo, as root of the
# job, which drops to the same two accounts there. ROOTFS= names the root, BUILD= where bryo is.
#
# Nothing is proven as root: when root starts it, bryo-sub runs the job.
set -euo pipefail
cd "$(dirname "$0")/.."
top=$PWD
BUILD=${BUILD:-build}
rootfs=$(realpath "${ROOTFS:?names the root, a tarball or a directory}")

# (Not below /var: a workspace mounted there would keep the jobs inside from a writable /var.)
work=$(mktemp -d "${BRYO_TEST_TMP:-/tmp}/bryo-inside.XXXXXX")
become=()
if [ "$(id -u)" = 0 ]; then
    ci/accounts.sh
    become=(setpriv --reuid=bryo-sub --regid=bryo-sub --init-groups --inh-caps=-all --reset-env)
fi
cleanup() {
    "${become[@]}" env XDG_CACHE_HOME="$work/cache" "$work/bin/bryo" image prune >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

# A copy that the account may write: it is the job's workspace, the programs are built in it anew.
mkdir -p "$work/src/build" "$work/cache"
tar -cf - --exclude=./build --exclude=./.git . | tar -xf - -C "$work/src" --no-same-owner
cp "$top/build/debian.tar.xz" "$work/src/build/"
cp -a "$top/$BUILD/bin" "$top/$BUILD/libexec" "$work/"
if [ -f "$rootfs" ]; then # where the account can read it
    cp "$rootfs" "$work/"
    rootfs=$work/$(basename "$rootfs")
fi
[ ${#become[@]} -eq 0 ] || chown -R bryo-sub: "$work"
chmod 0755 "$work"

cd "$work/src"
tun=()
[ ! -c /dev/net/tun ] || tun=(--device /dev/net/tun) # jobs in the job have networks too
"${become[@]}" env XDG_CACHE_HOME="$work/cache" "$work/bin/bryo" run --rootfs "$rootfs" "${tun[@]}" \
    --cap-add ALL --seccomp unconfined --ulimit core=unlimited -e BRYO_MUST_RUN="${BRYO_MUST_RUN:-0}" -- \
    ci/like-a-machine.sh make test TESTS="$*"
