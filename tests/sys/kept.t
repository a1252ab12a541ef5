#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a kept job wrote: bryo diff lists it, bryo commit makes a layer of it, and that layer on the
# same root is the same tree again.
# timeout: 240
. "$(dirname "$0")/../helpers/lib.sh"
. "$(dirname "$0")/../helpers/roots.sh"

base=$T/base
skeleton "$base"
mkdir -p "$base/d/sub/deep" "$base/opt/tool" "$base/gone/all" "$base/data/keep"
for name in d/a d/b d/sub/x d/sub/deep/z opt/tool/bin gone/all/f data/one data/two data/keep/k file; do
    echo base >"$base/$name"
done
ln -s d "$base/link"
mkdir -p "$T/below/d"
echo layer >"$T/below/d/c"
options=(--no-workspace --rootfs "$base" --layer "$T/below" "${WITH_USR[@]}")

# keep OPTION... -- COMMAND...: runs and keeps; sets $id
keep() {
    run "$BRYO" run --keep "$@"
    id=$(sed -n 's/.*kept as \([0-9a-f]*\) .*/\1/p' <<<"$err")
    tap_result "$([ "$status" -eq 0 ] && [ -n "$id" ]; echo $?)" "a job is kept" || diag "$status $out $err"
}

drop() { # ID: of a kept job
    run "$BRYO" run --rm --no-workspace "${WITH_USR[@]}" --reuse "$1" -- true
    is "$status" 0 "and dropped" || diag "$err"
}

# tree RUN-OPTION...: every path of a job's root with all that is known of it
tree() {
    "$BRYO" run --no-workspace "${WITH_USR[@]}" "$@" -- sh -c '
        find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /tmp -o -path /usr \) -prune -o \
            -mindepth 1 -type d -printf "%p|d|%m|%U:%G|%T@\n" -o -mindepth 1 -type l -printf "%p|l|%l|%U:%G|%T@\n" \
            -o -mindepth 1 -printf "%p|%y|%m|%U:%G|%s|%n|%T@\n" 2>/dev/null | LC_ALL=C sort
        find / -xdev -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
        getfattr -R -d --absolute-names /d /new 2>/dev/null' 2>&1
}

keep "${options[@]}" -- sh -c '
    echo changed >/d/a; rm /d/b; rm -r /d/sub; mkdir /d/sub; echo again >/d/sub/x; echo mine >/d/sub/mine
    rm -r /opt; echo file >/opt; rm /file; mkdir -p /file/in; rm -r /gone; rm /d/c
    mkdir -m 1751 /new; chmod 640 /data/one; ln -s nowhere /new/link; ln /data/two /new/two
    mkfifo -m 600 /new/fifo; truncate -s 4M /new/sparse; printf middle | dd of=/new/sparse bs=1 seek=2000000 conv=notrunc
    truncate -s 1M /new/hole; : >/new/empty; cp /bin/ls /new/ls; chmod 4755 /new/ls; ln /new/ls /new/ls2
    chown 33:44 /new/ls /new/empty; chown -h 12:13 /new/link; chmod 6755 /new/ls
    setfattr -n user.note -v kept /d/a; setfattr -n user.note -v kept /new
    touch -h -d "1999-12-31 23:59:59.123456789 UTC" /new/link /new/empty
    touch -d "1969-12-31 23:59:58.5 UTC" /new/hole
    : >"$(printf "/new/\377 name\twith\n\033[2J::error::")"
    long=$(printf "%0200d" 7); mkdir -p /new/$long/$long; : >/new/$long/$long/$long' 2>/dev/null
grep -q . <<<"$id" || diag "$err"

run_ok "diff" "$BRYO" diff "$id"
is "$(grep -v -e '/new/0' <<<"$out")" 'C /d
C /d/a
D /d/b
D /d/c
C /d/sub
D /d/sub/deep
A /d/sub/mine
C /d/sub/x
C /data
C /data/one
C /data/two
C /file
A /file/in
D /gone
A /new
A /new/empty
A /new/fifo
A /new/hole
A /new/link
A /new/ls
A /new/ls2
A /new/sparse
A /new/two
A /new/\xff name\x09with\x0a\x1b[2J\x3a:error\x3a:
C /opt' "names what was added, changed and deleted, and nothing else"
run_ok "diff as JSON" "$BRYO" diff --format json "$id"
is "$(jq -r '.[] | select(.path | startswith("/d/")) | "\(.change) \(.path)"' <<<"$out" | paste -sd ,)" \
    "changed /d/a,deleted /d/b,deleted /d/c,changed /d/sub,deleted /d/sub/deep,added /d/sub/mine,changed /d/sub/x" \
    "says the same"

for format in tar tar.gz tar.xz tar.zst; do
    run_ok "commit as $format" "$BRYO" commit "$id" -o "$T/layer.$format"
    like "$err" "layer.$format: [0-9]+ members, [0-9]+ of them whiteouts" "says what it wrote"
done
run_ok "commit to standard output" sh -c '"$0" commit "$1" -o - --format tar.gz >"$2/piped"' "$BRYO" "$id" "$T"
ok "is the same" cmp "$T/piped" "$T/layer.tar.gz"
ok "and the same each time" sh -c '"$0" commit "$1" -o - 2>/dev/null | cmp - "$2/layer.tar"' "$BRYO" "$id" "$T"
is "$(find "$T" -maxdepth 1 -name '.bryo*')" "" "no temporary file stays"
ok "whiteouts as the OCI image specification has them" \
    sh -c 'tar tf "$0" 2>/dev/null | grep -qx "d/.wh.b" && tar tf "$0" 2>/dev/null | grep -qx "d/sub/.wh..wh..opq" &&
        tar tf "$0" 2>/dev/null | grep -qx ".wh.gone"' "$T/layer.tar"
nok "and nothing of overlayfs" grep -qa 'user\.overlay' "$T/layer.tar"

tree --reuse "$id" >"$T/kept.list"
ok "there is something to compare" test "$(wc -l <"$T/kept.list")" -gt 40
for format in tar tar.zst; do
    tree --rootfs "$base" --layer "$T/below" --layer "$T/layer.$format" >"$T/stacked.list"
    run diff "$T/kept.list" "$T/stacked.list"
    is "$out" "" "the layer ($format) on the same root is the same tree"
done
run "$BRYO" run --no-workspace --rootfs "$base" "${WITH_USR[@]}" -- du -k /data/one
run "$BRYO" run --no-workspace --rootfs "$base" --layer "$T/layer.tar" "${WITH_USR[@]}" -- du -k /new/sparse
ok "holes stay holes" test "$(cut -f1 <<<"$out")" -lt 100

# --- what is refused --------------------------------------------------------------------------------

expect_status 125 "an id that is none" "$BRYO" diff 0123456789ab
like "$err" 'no kept job' "is said to be none"
expect_status 125 "an id that leads elsewhere" "$BRYO" diff ../../../etc
expect_status 125 "commit without -o" "$BRYO" commit "$id"
expect_status 125 "a name that says nothing" "$BRYO" commit "$id" -o "$T/layer.zip"
like "$err" '\.tar\.zst' "gets a remedy"
expect_status 125 "a directory as output" "$BRYO" commit "$id" -o "$T/"
expect_status 125 "an output where nobody may write" "$BRYO" commit "$id" -o /proc/layer.tar
echo old >"$T/old.tar"
run sh -c 'ulimit -f 20; "$0" commit "$1" -o "$2/old.tar"' "$BRYO" "$id" "$T"
isnt "$status" 0 "an output that does not fit is a failure"
is "$(cat "$T/old.tar")" old "and what had its name is as it was"
is "$(find "$T" -maxdepth 1 -name '.bryo*')" "" "no temporary file stays"
mkdir "$T/go"
mkfifo "$T/go/on"
"$BRYO" run --no-workspace "${WITH_USR[@]}" -v "$T/go:/go" --reuse "$id" -- sh -c ': >/go/started; read _ </go/on' &
wait_for 20 test -e "$T/go/started"
expect_status 125 "a kept job that runs" "$BRYO" commit "$id" -o "$T/busy.tar"
like "$err" 'runs in' "is left alone"
timeout 20 sh -c 'echo >"$0/go/on"' "$T"
wait
rm -r "$T/go"
drop "$id"
expect_status 125 "a dropped one" "$BRYO" diff "$id"

# --- what a hostile job leaves ----------------------------------------------------------------------

mkdir "$T/canary"
echo precious >"$T/canary/file"
keep "${options[@]}" -- sh -c '
    ln -s '"$T"'/canary /d/out; ln -s '"$T"'/canary/file /d/leak; rm -rf /data; ln -s '"$T"'/canary /data
    mkfifo /d/fifo; chmod 0 /d/fifo; mkdir -m 0 /dark; python3 -c "
import os, socket
socket.socket(socket.AF_UNIX).bind(\"/d/socket\")
os.chdir(\"/d\")
for i in range(100):
    os.mkdir(\"x\" * 20); os.chdir(\"x\" * 20)
" ; chmod 0 /d'
run_ok "diff of links, FIFOs, sockets and dark directories" timeout 60 "$BRYO" diff "$id"
is "$(grep -e ' /d/[a-z]*$' -e ' /data' -e ' /dark' <<<"$out" | paste -sd ,)" \
    "A /d/fifo,A /d/leak,A /d/out,A /d/socket,A /d/xxxxxxxxxxxxxxxxxxxx,A /dark,C /data" "ends, and names them"
run_ok "commit of them" timeout 60 "$BRYO" commit "$id" -o "$T/odd.tar"
like "$err" '1 sockets or devices' "says what a tarball does not have"
nok "follows no link" grep -qa precious "$T/odd.tar"
ok "but has it" sh -c 'tar tvf "$0" 2>/dev/null | grep -q "^l.* data -> .*canary$"' "$T/odd.tar"
drop "$id"
keep "${options[@]}" -- sh -c 'touch /d/.wh.a'
expect_status 125 "a file that a layer would take for a whiteout" "$BRYO" commit "$id" -o "$T/wh.tar"
like "$err" '/d/\.wh\.a, which a layer would take' "is named"
nok "and nothing is written" test -e "$T/wh.tar"
drop "$id"

keep "${options[@]}" -- python3 -c '
import os
for i in range(300):
    os.mkdir("x" * 20); os.chdir("x" * 20)'
expect_status 125 "a path longer than a path may be" "$BRYO" commit "$id" -o "$T/long.tar"
like "$err" 'File name too long' "is said to be"
drop "$id"

# --- the machine's own directories ------------------------------------------------------------------

keep --no-workspace -- sh -c 'echo x >/etc/mine; rm /etc/hosts; echo y >/etc/hostname; mkdir /mine; : >/var/tmp/t'
run_ok "diff of a host root" "$BRYO" diff "$id"
is "$out" 'C /etc/hostname
D /etc/hosts
A /etc/mine
A /mine
A /var/tmp/t' "has what the job wrote, and not what bryo made"
run_ok "commit of a host root" "$BRYO" commit "$id" -o "$T/host.tar"
is "$(tar tf "$T/host.tar" | LC_ALL=C sort | paste -sd ' ')" \
    "etc/.wh.hosts etc/hostname etc/mine mine/ var/tmp/t" "is a layer of it"
run "$BRYO" run --rm --no-workspace --reuse "$id" -- true

if has_subids; then
    run_ok "a user of one id" "$BRYO" run --userns single -u 1000:1000 --keep "${options[@]}" -- sh -c 'echo x >/tmp/x'
else
    run_ok "a user of one id" "$BRYO" run -u 1000:1000 --keep "${options[@]}" -- sh -c 'echo x >/tmp/x'
fi
id=$(sed -n 's/.*kept as \([0-9a-f]*\) .*/\1/p' <<<"$err")
mkdir -p "$XDG_CACHE_HOME/bryo/scratch/$id/upper/own"
run_ok "is committed" "$BRYO" commit "$id" -o "$T/one.tar"
is "$(tar tvf "$T/one.tar" --numeric-owner | awk '/ own\/$/ { print $2 }')" 1000/1000 "as the user that it was inside"
if has_subids; then
    run "$BRYO" run --userns single --rm --no-workspace "${WITH_USR[@]}" -u 1000:1000 --reuse "$id" -- true
else
    run "$BRYO" run --rm --no-workspace "${WITH_USR[@]}" -u 1000:1000 --reuse "$id" -- true
fi

# --- repack -----------------------------------------------------------------------------------------

run_ok "repack" "$BRYO" image repack "$T/layer.tar.xz" -o "$T/again.tar.zst" --level 3
like "$out" 'again.tar.zst \(tar.zst\): [0-9.]+ [KM]iB, decoded in [0-9.]+ s' "says how long it takes to decode"
like "$out" '(saves|costs) [0-9.]+ s of decoding, (and|saves|costs)' "and what it saves"
ok "it is the same archive" sh -c 'zstd -dc "$0/again.tar.zst" | cmp - "$0/layer.tar"' "$T"
for format in tar tar.gz tar.xz; do
    "$BRYO" image repack "$T/again.tar.zst" -o "$T/back.$format" --level 1 >/dev/null
    "$BRYO" image repack "$T/back.$format" -o "$T/back" >/dev/null 2>&1
    "$BRYO" image repack "$T/back.$format" -o "$T/plain.tar" >/dev/null
    ok "by way of $format too" cmp "$T/plain.tar" "$T/layer.tar"
done
head -c 3000 "$T/again.tar.zst" >"$T/cut.tar.zst"
TERM=xterm script -qec "'$BRYO' image repack '$ROOTFS_TAR' -o '$T/fast.tar.zst' --level 1" "$T/typescript" >/dev/null
like "$(tr -d '\r' <"$T/typescript")" 'repacking \[.*[0-9]%.* left' "progress is drawn on a terminal"
like "$(tr -d '\r' <"$T/typescript")" 'saves [0-9.]+ s of decoding' "and what it saves is said"
expect_status 125 "a tarball that is cut off" "$BRYO" image repack "$T/cut.tar.zst" -o "$T/none.tar"
like "$err" 'cut off' "is said to be"
head -c 3000 "$T/layer.tar" >"$T/cut.tar"
expect_status 125 "a plain one" "$BRYO" image repack "$T/cut.tar" -o "$T/none.tar.zst"
like "$err" 'cut off' "is said to be"
gzip -c "$T/kept.list" >"$T/list.gz"
expect_status 125 "what is no tar archive" "$BRYO" image repack "$T/list.gz" -o "$T/none.tar"
like "$err" 'no tar archive' "is refused"
ok "nothing is written" test ! -e "$T/none.tar" -a ! -e "$T/none.tar.zst"
is "$(find "$T" -maxdepth 1 -name '.bryo*')" "" "and no temporary file stays"
done_testing
