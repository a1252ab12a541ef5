#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The store: one unpacking for many, found again without reading, whole or not there.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"

store=$XDG_CACHE_HOME/bryo
# A copy of bryo whose bryo-unpack notes each start.
mkdir -p "$T/copy/bin" "$T/copy/libexec/bryo"
cp "$BRYO" "$T/copy/bin/bryo"
real=$(dirname "$(dirname "$(realpath "$BRYO")")")/libexec/bryo/bryo-unpack
printf '#!/bin/sh\necho "$1" >>%s\nexec %s "$@"\n' "$T/starts" "$real" >"$T/copy/libexec/bryo/bryo-unpack"
chmod +x "$T/copy/libexec/bryo/bryo-unpack"
counting=$T/copy/bin/bryo
: >"$T/starts"
unpackings() {
    grep -c unpack "$T/starts"
}

mkdir -p "$T/small/etc"
head -c 3000000 /dev/urandom >"$T/small/data"
echo hello >"$T/small/etc/file"
tar -C "$T/small" -cf "$T/small.tar" .

# --- one unpacking ----------------------------------------------------------------------------

pids=()
for i in {1..32}; do
    "$counting" image import "$ROOTFS_TAR" >"$T/out.$i" 2>"$T/said.$i" &
    pids+=($!)
done
failed=0
for pid in "${pids[@]}"; do
    wait "$pid" || failed=$((failed + 1))
done
is "$failed" 0 "32 imports at once of one fresh tarball succeed"
is "$(unpackings)" 1 "and one of them unpacked it"
is "$(cat "$T"/out.* | sort -u)" "$(sha256sum <"$ROOTFS_TAR" | cut -d' ' -f1)" \
    "all say the digest that sha256sum says"
run_ok "it is sound" "$BRYO" image verify "$ROOTFS_TAR"

cp "$ROOTFS_TAR" "$T/other-name.tar"
run_ok "the same bytes under another name" "$counting" image import "$T/other-name.tar"
is "$(find "$store/store" -mindepth 1 -maxdepth 1 | wc -l)" 1 "are stored once"
is "$(find "$store/tmp" -mindepth 1 | wc -l)" 0 "and what was under way is thrown away"
before=$(unpackings)
run_ok "another time" "$counting" image import "$T/other-name.tar"
is "$(unpackings)" "$before" "the second name is known too"

# --- the warm way -----------------------------------------------------------------------------

run_ok "a small one" "$BRYO" image import --userns single "$T/small.tar"
if [ "$(id -u)" != 0 ]; then
    one() {
        strace -f -o "$T/trace" "$BRYO" image import --userns single "$T/small.tar" >/dev/null
        # what a path and a terminal are is asked outside of the store
        sed -n '/bryo", O_RDONLY/,/"rootfs"/p' "$T/trace" | grep -vcE ' (readlink|ioctl)\('
    }
    few=$(one)
    ok "a known tarball takes at most 10 system calls ($few)" [ "$few" -le 10 ]
    ok "and is not opened" [ "$(grep -c 'open.*small.tar' "$T/trace")" = 0 ]
    for i in {1..30}; do
        cp "$T/small.tar" "$T/n$i.tar"
        printf '%s' "$i" | dd of="$T/n$i.tar" bs=1 seek=200 conv=notrunc status=none
    done
    for i in {1..30}; do
        mkdir "$store/store/$(printf '%064x' "$i")-single"
        ln -s "$(printf '%064x' "$i")" "$store/index/$i"
    done
    is "$(one)" "$few" "also with 30 more images in the store"
    rm -rf "$store/store/0000"*
fi

# --- changes ----------------------------------------------------------------------------------

echo changed >"$T/small/etc/file"
tar -C "$T/small" -cf "$T/small.tar" .
old=$(find "$store/store" -mindepth 1 -maxdepth 1 | wc -l)
run_ok "a tarball that was written anew" "$BRYO" image import "$T/small.tar"
is "$(find "$store/store" -mindepth 1 -maxdepth 1 | wc -l)" $((old + 1)) "is another image"
(
    while [ ! -e "$T/stop" ]; do
        echo >>"$T/growing.tar"
        sleep 0.02
    done
) &
writer=$!
cat "$ROOTFS_TAR" >"$T/growing.tar"
expect_status 125 "a tarball that is being written" "$BRYO" image import "$T/growing.tar"
like "$err" 'changed while|behind the end|damaged|cut off' "is refused"
touch "$T/stop"
wait "$writer"
rm -f "$T/growing.tar" "$T"/n*.tar

# --- in use -----------------------------------------------------------------------------------

digest=$("$BRYO" image import "$T/small.tar")
entry=$(find "$store/store" -mindepth 1 -maxdepth 1 -name "$digest-*" | head -1)
(
    flock -s 9
    exec sleep 100
) 9<"$entry" &
holder=$!
held() {
    ! flock -xn "$entry" true
}
wait_for 5 held
expect_status 125 "an image in use is not removed" "$BRYO" image rm "$digest"
like "$err" 'in use' "and it says why"
run_ok "prune passes over it" "$BRYO" image prune
ok "it is still there" test -d "$entry/rootfs"
is "$(find "$store/store" -mindepth 1 -maxdepth 1 | wc -l)" 1 "and the others are not"
kill "$holder" && wait "$holder" 2>/dev/null
run_ok "afterwards it is removed" "$BRYO" image rm "${digest:0:8}"
is "$(find "$store/store" "$store/tmp" "$store/index" "$store/locks" -mindepth 1 | wc -l)" 0 \
    "and nothing of it is left, nor links to it"

# --- from memory to disk ----------------------------------------------------------------------

run_ok "an import" "$BRYO" image import --userns single "$T/small.tar"
entry=$(find "$store/store" -mindepth 1 -maxdepth 1)
is "$(stat -c %a "$entry")" 700 "is on disk when it ends"
run_ok "  and is removed" "$BRYO" image rm "$T/small.tar"
job=("$BRYO" run --userns single --rootfs "$T/small.tar")
expect_status 127 "a first run" "${job[@]}" -- /nothing
entry=$(find "$store/store" -mindepth 1 -maxdepth 1)
is "$(stat -c %a "$entry")" 1700 "starts before its root is on disk"
is "$(cat "$entry/boot")" "$(cat /proc/sys/kernel/random/boot_id)" "  as long as this kernel runs"
inode=$(stat -c %i "$entry")
expect_status 127 "a second one" "${job[@]}" -- /nothing
is "$(stat -c %i "$entry")" "$inode" "  finds it"
for how in 'echo another >boot' ': >boot' 'rm boot'; do
    (cd "$entry" && eval "$how")
    inode=$(stat -c %i "$entry")
    expect_status 127 "after a restart of the machine ($how)" "${job[@]}" -- /nothing
    isnt "$(stat -c %i "$entry")" "$inode" "  it is unpacked again"
    is "$(stat -c %a "$entry")" 1700 "  and is not on disk yet"
done
run_ok "an import of it" "$BRYO" image import --userns single "$T/small.tar"
is "$(stat -c %a "$entry") $(ls -A "$entry")" "700 $(printf 'manifest\nmeta.json\nrootfs')" "  waits for the disk"
inode=$(stat -c %i "$entry")
run_ok "  once more" "$BRYO" image import --userns single "$T/small.tar"
is "$(stat -c %i "$entry")" "$inode" "  changes nothing"
run_ok "it is removed" "$BRYO" image rm "$T/small.tar"
run_ok "a job that takes longer" "$BRYO" run --userns single --rootfs "$ROOTFS_TAR" -- sleep 3
entry=$(find "$store/store" -mindepth 1 -maxdepth 1)
is "$(stat -c %a "$entry")" 700 "  is on disk when the job has ended"
run_ok "it is removed" "$BRYO" image rm "$ROOTFS_TAR"

# --- holes ------------------------------------------------------------------------------------

# More than could be read before this test is ended.
truncate -s 4T "$T/holes" && printf x | dd of="$T/holes" bs=1 seek=3000000000001 conv=notrunc status=none
tar -C "$T" --sparse -cf "$T/holes.tar" holes && rm "$T/holes"
run_ok "a file of 4 TiB, of holes but for a byte" "$BRYO" image import --max-unpacked 5t "$T/holes.tar"
run_ok "  is compared without reading the holes" "$BRYO" image verify "$T/holes.tar"
run_ok "  and is removed" "$BRYO" image rm "$T/holes.tar"

# --- damage -----------------------------------------------------------------------------------

run_ok "import" "$BRYO" image import "$T/small.tar"
entry=$(find "$store/store" -mindepth 1 -maxdepth 1)
as_owner() { # the files may belong to subordinate ids
    if has_subids; then
        unshare --map-root-user --map-auto -- "$@"
    else
        unshare --map-root-user -- "$@"
    fi
}
byte=$(od -An -tu1 -j 1234567 -N 1 "$T/small/data")
printf '%b' "\\x$(printf %02x $((byte ^ 1)))" |
    as_owner dd of="$entry/rootfs/data" bs=1 seek=1234567 conv=notrunc status=none
expect_status 1 "verify finds a flipped byte" "$BRYO" image verify "$digest"
like "$out" 'data: (its contents|its time)' "and the file it is in"
as_owner touch -r "$T/small/data" "$entry/rootfs/data"
expect_status 1 "also when its time was set back" "$BRYO" image verify "$digest"
like "$out" 'data: its contents have changed' "  by its contents"
as_owner chmod 600 "$entry/rootfs/etc/file"
as_owner touch "$entry/rootfs/new"
as_owner rm "$entry/rootfs/data"
expect_status 1 "verify finds" "$BRYO" image verify "$digest"
like "$out" 'etc/file: its mode is 0600' "  a mode"
like "$out" 'new: was not unpacked' "  a file too many"
like "$out" 'data: is missing' "  and one too few"
echo '{"version": 1' >"$entry/meta.json"
run_ok "a damaged meta.json does not stop ls" "$BRYO" image ls
like "$out" "${digest:0:12}" "  the image is listed"
expect_status 1 "  and verify says it" "$BRYO" image verify "$digest"
truncate -s 100 "$entry/manifest"
expect_status 125 "a damaged manifest" "$BRYO" image verify "$digest"
like "$err" 'manifest' "  is named"
flip() { # a byte of the file data, and nothing else
    as_owner sh -c "printf x | dd of=$1/rootfs/data bs=1 seek=2345678 conv=notrunc status=none"
    as_owner touch -r "$T/small/data" "$1/rootfs/data"
}
expect_status 125 "--repair without knowing the tarball" "$BRYO" image verify --repair "$digest"
run_ok "--repair unpacks it again from the tarball" "$BRYO" image verify --repair "$T/small.tar"
like "$out" 'manifest.*unpacked again: 1' "  and says so"
run_ok "  it is sound then" "$BRYO" image verify "$digest"
like "$out" '^[0-9]+ entries checked, 0 differ$' "  in every entry"
flip "$entry"
run_ok "--repair of a flipped byte" "$BRYO" image verify --repair "$T/small.tar"
like "$out" 'data: its contents have changed' "  names the file"
run_ok "  it is sound then" "$BRYO" image verify "$digest"
is "$(stat -c %a "$entry")" 700 "  and on disk"
run_ok "--repair of what is sound" "$BRYO" image verify --repair "$digest"
unlike "$out" 'unpacked again' "  does nothing"
flip "$entry"
mv "$T/small.tar" "$T/moved.tar"
expect_status 125 "--repair without the tarball" "$BRYO" image verify --repair "$digest"
like "$err" 'small.tar is not there any more' "  says what is missing"
echo other >"$T/small.tar"
expect_status 125 "--repair with another file in its place" "$BRYO" image verify --repair "$digest"
like "$err" 'small.tar is another file now' "  says so"
expect_status 1 "  and leaves the image as it is" "$BRYO" image verify "$digest"
mv "$T/moved.tar" "$T/small.tar"
(
    flock -s 9
    exec sleep 100
) 9<"$entry" &
holder=$!
wait_for 5 held
expect_status 125 "--repair of an image that a run uses" "$BRYO" image verify --repair "$digest"
like "$err" 'in use' "  is refused"
kill "$holder" && wait "$holder" 2>/dev/null
run_ok "--repair once that is over" "$BRYO" image verify --repair "$digest"
if has_subids; then
    maps=(--uidmap 0:7:100 --uidmap 65534:0:1 --gidmap 0:0:100)
    run_ok "an import under other id maps" "$BRYO" image import "${maps[@]}" "$T/small.tar"
    run_ok "  is verified under them" "$BRYO" image verify "${maps[@]}" "$T/small.tar"
    other=$(find "$store/store" -mindepth 1 -maxdepth 1 ! -path "$entry")
    unshare --map-root-user --map-auto chown 50:0 "$other/rootfs/etc/file"
    expect_status 1 "  a wrong owner too" "$BRYO" image verify "${maps[@]}" "$T/small.tar"
    like "$out" 'etc/file: its owner' "  is found"
    run_ok "  and mended" "$BRYO" image verify --repair "${maps[@]}" "$T/small.tar"
    run_ok "  for good" "$BRYO" image verify "${maps[@]}" "$T/small.tar"
    "$BRYO" image rm "$T/small.tar"
    "$BRYO" image import "$T/small.tar" >"$T/out"
fi
for link in "$store"/index/*; do
    ln -sfn "../../../../etc" "$link"
done
run_ok "an index that was tampered with" "$BRYO" image import "$T/small.tar"
is "$out" "$digest" "  is not believed"
rm -rf "$entry/rootfs" 2>/dev/null || unshare --map-root-user --map-auto rm -rf "$entry/rootfs"
run_ok "an entry without its tree" "$BRYO" image import "$T/small.tar"
run_ok "  is unpacked again" "$BRYO" image verify "$digest"

# --- killed -----------------------------------------------------------------------------------

"$BRYO" image prune >/dev/null
for wait in 0.02 0.1 0.3 0.6; do
    "$BRYO" image import "$ROOTFS_TAR" >/dev/null 2>&1 &
    pid=$!
    sleep "$wait"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    is "$(find "$store/store" -mindepth 1 -maxdepth 1 2>/dev/null | wc -l)" 0 "killed after $wait s: nothing is stored"
    wait_for 5 sh -c '! pgrep -u "$(id -u)" -x bryo-unpack >/dev/null'
    run_ok "  the next run works" "$BRYO" image import "$T/small.tar"
    is "$(find "$store/tmp" "$store/locks" -mindepth 1 | wc -l)" 0 "  and sweeps what was left"
    "$BRYO" image prune >/dev/null
done

# --- a full disk ------------------------------------------------------------------------------

# A small tmpfs in a mount namespace of this account's; there is one id in it.
full() {
    unshare --map-current-user --mount --keep-caps sh -c '
        mount -t tmpfs -o size=20m,mode=0700 none "$0" && shift 0 && XDG_CACHE_HOME=$0 exec "$@"' "$@"
}
mkdir "$T/tiny"
cat >"$T/full.sh" <<'EOF'
"$BRYO" image import --userns single "$1" 2>&1
echo "status $?"
find "$XDG_CACHE_HOME/bryo/store" "$XDG_CACHE_HOME/bryo/tmp" "$XDG_CACHE_HOME/bryo/index" -mindepth 1 2>/dev/null
"$BRYO" image import --userns single "$2" >/dev/null && echo "and a small one fits"
EOF
run full "$T/tiny" bash "$T/full.sh" "$ROOTFS_TAR" "$T/small.tar"
like "$out" 'No space left on device' "a full disk is said to be full"
like "$out" $'status 125\nand a small one fits' "nothing is left of it, and what fits is taken"

# --- nothing that others may see --------------------------------------------------------------

is "$(stat -c %a "$store")" 700 "the store is its owner's alone"
chmod 755 "$store"
"$BRYO" image ls >/dev/null
is "$(stat -c %a "$store")" 700 "and made so again"
"$BRYO" image prune >/dev/null
done_testing
