#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A tarball is known by its bytes: a copy of it, whatever its name, is not unpacked again.
. "$(dirname "$0")/../helpers/lib.sh"

mkdir -p "$T/root/bin"
cp "$PROGS/hold" "$T/root/bin/" # any static program; without arguments it ends with status 2
tar -C "$T/root" --owner=0 --group=0 -cJf "$T/first.tar.xz" .
cp "$T/first.tar.xz" "$T/copy"

for tarball in first.tar.xz copy first.tar.xz copy; do
    expect_status 2 "$tarball runs" "$BRYO" run --no-workspace --rootfs "$T/$tarball" \
        --result "$T/result" -- /bin/hold
    like "$err" '^usage: hold' "and only the job speaks"
    is "$(jq -r .outcome "$T/result")" exited "which is what the report says"
done
run_ok "the store" "$BRYO" image ls --quiet
is "$(wc -l <<<"$out")" 1 "has one entry"
is "$out" "$(sha256sum <"$T/first.tar.xz" | cut -d' ' -f1)" "called by the digest of the bytes"
done_testing
