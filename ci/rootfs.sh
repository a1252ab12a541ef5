#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian root file system tarball with mmdebstrap(1).
#
#   [XZ_LEVEL=6] [VARIANT=minbase] ci/rootfs.sh OUT.tar.xz [--include=PACKAGE,...]
#
# As root in mmdebstrap's root mode, else in its user namespace mode, which needs subordinate ids; an
# account without those goes through sudo. The
# machine's own Debian mirror and apt's proxy settings are used where there are any. The xz stream
# has many blocks, so that a reader can decode them in parallel.
set -euo pipefail

if [ "$(id -u)" != 0 ] && ! grep -qE "^($(id -un)|$(id -u)):" /etc/subuid 2>/dev/null; then
    command -v sudo >/dev/null || {
        echo "rootfs: this account has no subordinate ids to make a Debian root with, and there is" \
            "no sudo; as root: usermod --add-subuids 300000-365535 --add-subgids 300000-365535" \
            "$(id -un)" >&2
        exit 1
    }
    exec sudo "$0" "$@"
fi

suite=bookworm
out=${1:?usage: rootfs.sh OUT.tar.xz [--include=PACKAGE,...]}
shift

# sources of this machine that speak of the suite, in either of apt's two formats
mirrors=()
for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    if [ ${#mirrors[@]} -eq 0 ] && [ -r "$f" ] && grep -qE "^[^#]*\b$suite\b" "$f"; then
        mirrors=("$f")
    fi
done

# A job that runs apt in this root needs the same settings, and mmdebstrap leaves them there.
aptopts=()
while IFS= read -r line; do
    aptopts+=("--aptopt=$line")
done < <(apt-config dump 2>/dev/null |
    grep -E '^Acquire::((https?|ftp)::(Proxy|Proxy::[^ ]*)|Check-Valid-Until|Check-Date) ' |
    grep -v ' "";$' || true)

mkdir -p "$(dirname "$out")"
work=$(mktemp -d "${TMPDIR:-/tmp}/bryo-rootfs.XXXXXX")
trap 'rm -rf "$work" "$out.part.$$"' EXIT
chmod 0755 "$work"

echo "rootfs: making $out (Debian $suite${*:+, $*}); once, a minute or so" >&2
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1700000000}
# Its mounts are nobody else's to see where root makes them.
privately=()
[ "$(id -u)" != 0 ] || privately=(unshare --mount --)
TMPDIR=$work "${privately[@]}" mmdebstrap --quiet "--variant=${VARIANT:-minbase}" --format=tar "${aptopts[@]}" "$@" \
    "$suite" "$work/root.tar" "${mirrors[@]}" </dev/null
xz -T0 "-${XZ_LEVEL:-6}" --block-size=4MiB -c "$work/root.tar" >"$out.part.$$"
mv "$out.part.$$" "$out"
