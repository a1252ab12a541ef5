#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# -u: names and numbers of the root's own passwd and group, never the machine's.
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

skeleton "$T/root"
printf 'root:x:0:0:root:/root:/bin/sh\nbuilder:x:1000:1001::/work dir:/bin/sh\nodd line\nhuge:x:99999999999:1::/:\n' >"$T/root/etc/passwd"
printf 'root:x:0:\nbuilder:x:1001:\nvideo:x:44:root,builder\naudio:x:29:builder\n' >"$T/root/etc/group"
U() {
    in_root "$T/root" "$@"
}
who='id -u; id -g; echo $HOME $USER'

run_ok "without -u" U -- sh -c "$who"
is "$out" "0
0
/root root" "the job is root"
run_ok "-u NAME" U -u builder -- sh -c "$who"
is "$out" "1000
1001
/work dir builder" "a name of the root's own passwd, with its group and home"
run_ok "-u NAME:GROUP" U -u builder:video -- sh -c "$who"
is "$out" "1000
44
/work dir builder" "a group by name"
run_ok "-u NUMBER" U -u 1000 -- sh -c "$who"
is "$out" "1000
1001
/work dir builder" "a number that passwd knows"
run_ok "-u NUMBER:NUMBER" U -u 4242:17 -- sh -c 'id -u; id -g; echo $HOME'
is "$out" "4242
17
/" "numbers that it does not know"
run_ok "no privilege" U -u builder -- grep -E '^Cap(Prm|Eff|Amb)' /proc/self/status
is "$(tr '\t' ' ' <<<"$out")" "CapPrm: 0000000000000000
CapEff: 0000000000000000
CapAmb: 0000000000000000" "is left to an ordinary user"
expect_status 125 "a name of the machine" U -u "$(id -un)" -- true
like "$err" "$(id -un)" "means nothing in a root that does not have it"
for bad in -1 0x10 4294967295 99999999999 1:99999999999 : a: '1 2' huge; do
    expect_status 125 "-u $bad" U -u "$bad" -- true
    like "$err" "^bryo: " "is refused in one line"
    is "$(wc -l <<<"$err")" "$(grep -c '^bryo: ' <<<"$err")" "and nothing else is said"
done
if has_subids; then
    run_ok "supplementary groups" U -u builder -- id -G
    is "$(tr ' ' '\n' <<<"$out" | sort -n | tr '\n' ' ')" "29 44 1001 " "are those of the root's group file"
    run_ok "of root too" U -- id -G
    is "$out" "0 44" "and not the launcher's"
    expect_status 125 "an id beyond the map" U -u 70000 -- true
    like "$err" "user 70000 is not in the id map" "is refused with the reason"
    run_ok "what the user makes in the workspace" bash -c 'cd "$1" && chmod 777 . && "$BRYO" run --keep-owners -u 1000:1000 -- touch made' - "$T/root/home"
    isnt "$(stat -c %u "$T/root/home/made")" "$(id -u)" "belongs to a subordinate id"
    "$BRYO" run --workspace "$T/root/home" -- rm made
else
    run_ok "groups" U -u builder -- id -G
    is "$(wc -w <<<"$out")" 1 "with one id there is one group"
    run_ok "what the user makes in the workspace" bash -c 'cd "$1" && "$BRYO" run --keep-owners -u 1000:1000 -- touch made' - "$T/root/home"
    is "$(stat -c %u "$T/root/home/made")" "$(id -u)" "belongs to the user: the one id is whoever the job shall be"
    rm "$T/root/home/made"
fi
# What a root file system puts in the place of passwd is read, or refused; never waited for.
try_passwd() { # DESCRIPTION STATUS -u VALUE
    expect_status "$2" "$1" timeout 20 "$BRYO" run --no-workspace --rootfs "$T/root" "${WITH_USR[@]}" -u "$3" -- true
}
rm "$T/root/etc/passwd"
mkfifo "$T/root/etc/passwd"
try_passwd "a FIFO" 125 builder
like "$err" "has to be a regular file" "is refused with the reason"
rm "$T/root/etc/passwd"
ln -s /proc/self/fd/0 "$T/root/etc/passwd"
try_passwd "a magic link" 125 builder
rm "$T/root/etc/passwd"
ln -s "../../../../../../../../../../..$T/outside" "$T/root/etc/passwd"
echo 'builder:x:777:777::/:' >"$T/outside"
try_passwd "a link that leads out" 125 builder
like "$err" "builder" "finds nothing there"
mkdir -p "$T/root$T" && echo 'builder:x:778:1001::/:' >"$T/root$T/outside"
run_ok "the same, where it leads somewhere inside" U -u builder -- id -u
is "$out" 778 "is read there"
rm -rf "$T/root/etc/passwd" "${T:?}/root/${T#/}" "$T/outside"
head -c 2M /dev/zero >"$T/root/etc/passwd"
try_passwd "more than 1 MiB" 125 builder
rm "$T/root/etc/passwd"
try_passwd "none at all, and a number" 0 1000:1000
try_passwd "none at all, and a name" 125 builder
rm -r "$T/root"
done_testing
