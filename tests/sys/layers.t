#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Layers on a root: what lies above counts, whiteouts and opaque directories take away, in any order
# of the members; each tarball is unpacked once, a directory is used where it is.
# timeout: 240
. "$(dirname "$0")/../helpers/lib.sh"
. "$(dirname "$0")/../helpers/roots.sh"

base=$T/base
skeleton "$base"
mkdir -p "$base/d/sub/deep" "$base/opt/tool" "$base/keep"
echo base >"$base/d/a"
echo base >"$base/d/b"
echo base >"$base/d/sub/x"
echo base >"$base/d/sub/deep/z"
echo base >"$base/opt/tool/bin"
echo base >"$base/file"
ln -s d "$base/link"

# layer NAME COMMANDS: $T/NAME and $T/NAME.tar, of what the commands make
layer() {
    mkdir "$T/$1"
    (cd "$T/$1" && eval "$2")
    tar -C "$T/$1" --owner=0 --group=0 -cf "$T/$1.tar" .
}

# shows DESCRIPTION EXPECTED LAYER...: the files of the stack, "path contents" a line
shows() {
    local what=$1 want=$2 options=() name
    shift 2
    for name in "$@"; do
        options+=(--layer "$name")
    done
    run in_root "$base" "${options[@]}" -- sh -c '
        cd / && find d opt file link keep new \( -type f -printf "%p " -exec cat {} \; \
            -o -type l -printf "%p -> %l\n" -o -type d -empty -printf "%p/\n" \
            -o ! -type d -printf "%p %y\n" \) 2>/dev/null | LC_ALL=C sort; ls -R d opt keep new 2>&1 >/dev/null |
            grep -v "cannot access .\(opt\|keep\|new\|d\).:"'
    is "$out$err" "$want" "$what"
}

all='d/a base
d/b base
d/sub/deep/z base
d/sub/x base
file base
keep/
link -> d
opt/tool/bin base'

# without LINES-REGEX [MORE]: what is expected when these lines are gone and others come
without() {
    {
        grep -vE "$1" <<<"$all"
        [ -z "${2:-}" ] || printf '%s\n' "$2"
    } | LC_ALL=C sort
}

shows "the root by itself" "$all"

layer add 'mkdir -p d new; echo above >d/a; echo above >new/n'
shows "a file is covered, a directory joined" "$(without '^d/a' $'d/a above\nnew/n above')" "$T/add.tar"
shows "a directory as a layer does the same" "$(without '^d/a' $'d/a above\nnew/n above')" "$T/add"

layer hide 'mkdir d; touch d/.wh.a .wh.opt .wh.link'
shows "a file, a directory and a link are hidden" "$(without '^(d/a|opt|link)')" "$T/hide.tar"
mkdir -p "$T/plain/d"
echo plain >"$T/plain/d/.wh.a"
shows "but not by a directory that is used in place" "$(without xxxx 'd/.wh.a plain')" "$T/plain"

layer opaque 'mkdir -p d/sub; touch d/.wh..wh..opq; echo new >d/sub/x'
shows "an opaque directory shows its own only" "$(without '^d/' 'd/sub/x new')" "$T/opaque.tar"

layer again 'mkdir -p d opt/mine; touch .wh.opt; echo again >opt/mine/f; touch d/.wh.a; echo again >d/a'
want=$(without '^(opt|d/a)' $'opt/mine/f again\nd/a again')
shows "what the same layer has is never hidden" "$want" "$T/again.tar"
tar -C "$T/again" --owner=0 --group=0 --no-recursion -cf "$T/first.tar" .wh.opt d/.wh.a opt opt/mine opt/mine/f d d/a
shows "the whiteouts first" "$want" "$T/first.tar"
tar -C "$T/again" --owner=0 --group=0 --no-recursion -cf "$T/last.tar" opt opt/mine opt/mine/f d d/a d/.wh.a .wh.opt
shows "the whiteouts last" "$want" "$T/last.tar"
tar -C "$T/again" --owner=0 --group=0 --no-recursion -cf "$T/bare.tar" opt/mine/f .wh.opt d/a d/.wh.a
shows "without members for the directories" "$want" "$T/bare.tar"
shows "hidden by one, there again by the next" "$(without '^(d/a|opt|link)' $'d/a again\nopt/mine/f again')" \
    "$T/hide.tar" "$T/again.tar"
shows "there, and hidden by the next" "$(without '^(d/a|opt|link)')" "$T/again.tar" "$T/hide.tar"

layer swap 'echo file >d; mkdir file link; echo in >file/f'
shows "a file for a directory, a directory for a file and for a link" \
    "$(without '^(d/|file|link)' $'d file\nfile/f in\nlink/')" "$T/swap.tar"
layer wipe 'touch .wh..wh..opq; mkdir d etc usr; echo only >d/only; cp "$base"/etc/* etc
    cp -P "$base"/bin "$base"/lib* "$base"/sbin . 2>/dev/null || true'
shows "an opaque top hides the root" "d/only only" "$T/wipe.tar"
shows "and all layers below it" "$(printf 'd/a above\nd/only only\nnew/n above')" "$T/again.tar" \
    "$T/wipe.tar" "$T/add.tar"
layer nothing 'mkdir new; touch new/.wh.gone'
shows "a whiteout of what is not there is not seen" "$(without xxxx new/)" "$T/nothing.tar"
run in_root "$base" --layer "$T/add" --layer "$T/hide.tar" --layer "$T/add" -- cat /d/a
is "$status$out$err" 0above "a layer that is there twice"

# --- the store ------------------------------------------------------------------------------------

run_ok "what is stored" "$BRYO" image ls -q
is "$(sort <<<"$out" | uniq -d)" "" "no tarball twice"
cp "$T/add.tar" "$T/copy.tar"
before=$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 1 -maxdepth 1 | wc -l)
run_ok "the same bytes under another name" in_root "$base" --layer "$T/copy.tar" -- cat /d/a
is "$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 1 -maxdepth 1 | wc -l)" "$before" "are not stored again"
run_ok "the same bytes as a root" "$BRYO" image import "$T/hide.tar"
is "$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 1 -maxdepth 1 | wc -l)" $((before + 1)) "are another tree"
tree=$(find "$XDG_CACHE_HOME"/bryo/store/"$out"-* -maxdepth 1 -name rootfs | grep -v -e '-layer/')
is "$(cd "$tree" && find . | LC_ALL=C sort | paste -sd ' ')" ". ./.wh.link ./.wh.opt ./d ./d/.wh.a" \
    "in which .wh. is an ordinary name"
for name in add hide again opaque wipe; do
    run_ok "verify finds $name sound" "$BRYO" image verify "$T/$name.tar"
done
hidden=$(find "$XDG_CACHE_HOME/bryo/store" -path '*-layer/rootfs/d/a' -type c | head -n 1)
rm "$hidden" && run "$BRYO" image verify "$T/hide.tar"
is "$status" 1 "and that a whiteout is missing"
like "$out" 'd/a: is missing' "which it names"
run_ok "inspect shows a stack" "$BRYO" image inspect "$T/hide.tar" --layer "$T/add.tar" --layer "$T/add"
is "$(awk '/^[0-9]/ { print $1, $2 }' <<<"$out" | paste -sd ,)" "0 root,1 layer,2 directory" \
    "root, layer and directory"
run_ok "also as JSON" "$BRYO" image inspect --format json "$T/hide.tar" --layer "$T/add.tar"
like "$out" '"kind":"root","digest":"[0-9a-f]{64}".*"kind":"layer","digest":"[0-9a-f]{64}"' \
    "with digests"
like "$out" "\"input_bytes\":$(stat -c %s "$T/add.tar")," "and sizes"
expect_status 125 "what was never unpacked as a root" "$BRYO" image inspect "$T/add.tar" --layer "$T/hide.tar"
like "$err" 'not as a root' "is said to be none"

# --- users, init layer, keeping -------------------------------------------------------------------

layer users 'mkdir etc; echo "alice:x:1000:1000::/srv/alice:/bin/sh" >etc/passwd'
run_ok "a user that a layer has" in_root "$base" --layer "$T/users.tar" -u alice -- sh -c 'echo $USER $HOME'
is "$out" "alice /srv/alice" "is found there"
layer nousers 'mkdir etc; touch etc/.wh.passwd'
expect_status 125 "a user whose passwd is hidden" in_root "$base" --layer "$T/users.tar" \
    --layer "$T/nousers.tar" -u alice -- true
expect_status 125 "nor is that of a lower layer asked" in_root "$base" --layer "$T/nousers.tar" \
    -u builder -- true
layer linked 'mkdir etc real; echo "bob:x:1000:1000::/srv/bob:/bin/sh" >real/passwd; ln -s ../real/passwd etc/passwd'
run_ok "through a link to another layer" in_root "$base" --layer "$T/linked.tar" --layer "$T/add.tar" \
    -u bob -- sh -c 'echo $USER'
is "$out" bob "it is found too"
layer outside 'mkdir etc; ln -s ../../../../../../../../../../../etc/passwd etc/passwd'
expect_status 125 "a passwd that leads in a circle is none of the machine's" in_root "$base" \
    --layer "$T/outside.tar" -u root2 -- true
run_ok "the job's own hosts file lies above all" in_root "$base" --layer "$T/users.tar" --hostname here -- \
    cat /etc/hostname
is "$out" here "with its name"
layer oddetc 'mkdir myetc; cp "$base"/etc/* myetc; ln -s myetc etc'
run_ok "also where a layer made /etc a link" in_root "$base" --layer "$T/oddetc.tar" --hostname there -- \
    cat /etc/hostname
is "$out" there "with its name"

run_ok "a job on layers is kept" in_root "$base" --layer "$T/hide.tar" --layer "$T/add.tar" --keep -- \
    sh -c 'echo mine >/d/mine; rm /d/b'
id=$(sed -n 's/.*kept as \([0-9a-f]*\) .*/\1/p' <<<"$err")
run_ok "and entered again" "$BRYO" run --no-workspace "${WITH_USR[@]}" --reuse "$id" -- \
    sh -c 'cat /d/mine /new/n; ls /d; test ! -e /opt'
is "$(paste -sd ' ' <<<"$out")" "mine above a mine sub" "with its layers"
expect_status 125 "--layer with --reuse" "$BRYO" run --reuse "$id" --layer "$T/add.tar" -- true
like "$err" contradict "is refused"
run_ok "and removed" "$BRYO" run --rm --no-workspace "${WITH_USR[@]}" --reuse "$id" -- true

# --- bryo inside bryo -------------------------------------------------------------------------------

# There the store may lie on an overlay, which takes no whiteout devices.
kernel=$(uname -r)
inside() { # CACHE
    run "$BRYO" run --no-workspace -v "$SRC/build:/built:ro" -v "$T:/t:ro" -e "XDG_CACHE_HOME=$1" -- sh -c '
        /built/bin/bryo run --no-workspace --rootfs /t/base -v /usr:/usr:ro --layer /t/add.tar --layer /t/hide.tar \
            -- sh -c "ls -d /d/* /opt /link; cat /new/n; : >/d/mine; ls /d"
        /built/bin/bryo image verify /t/hide.tar >/dev/null || echo "not sound"'
}
if [ -L /bin ]; then
    inside /tmp/cache
    is "$(paste -sd ' ' <<<"$out")" "/d/b /d/sub above b mine sub" "layers inside a job, on its /tmp"
    inside /root/cache
    if [[ $kernel =~ ^([0-9]+)\.([0-9]+) ]] && ((BASH_REMATCH[1] * 1000 + BASH_REMATCH[2] >= 6007)); then
        is "$(paste -sd ' ' <<<"$out")" "/d/b /d/sub above b mine sub" "and on its overlay"
    else
        like "$err" 'an overlay before Linux 6.7' "and on its overlay, which is too old"
    fi
fi

# --- many, and what cannot be ---------------------------------------------------------------------

options=()
for ((i = 1; i <= 498; i++)); do
    mkdir -p "$T/many/$i"
    echo "$i" >"$T/many/$i/top"
    : >"$T/many/$i/f$i"
    options+=(--layer "$T/many/$i")
done
run in_root "$base" "${options[@]:0:300}" -- sh -c 'cat /top; ls /f[0-9]* | wc -l; ulimit -Sn'
is "$status $(paste -sd ' ' <<<"$out")" "0 150 150 $(ulimit -Sn)" "150 layers"
if in_root "$base" "${options[@]}" -- true 2>"$T/err"; then
    run in_root "$base" "${options[@]}" -- sh -c 'cat /top; ls /f[0-9]* | wc -l; ulimit -Sn'
    is "$status $(paste -sd ' ' <<<"$out")" "0 498 498 $(ulimit -Sn)" "498 layers"
else
    like "$(cat "$T/err")" 'layers need Linux 6.7' "498 layers, on a kernel that does not take them"
fi
expect_status 125 "499 layers" in_root "$base" "${options[@]}" --layer "$T/add" -- true
like "$err" 'overlayfs takes 498' "are said to be too many"
expect_status 125 "a layer on the machine's own directories" "$BRYO" run --layer "$T/add" -- true
like "$err" 'give --rootfs' "is refused"
expect_status 125 "a layer that is not there" in_root "$base" --layer "$T/none.tar" -- true
like "$err" 'none.tar' "is named"
expect_status 125 "a layer inside of another" in_root "$base" --layer "$T/add" --layer "$T/add/d" -- true
like "$err" 'inside of another' "is refused"
rm -rf "$T/many"
done_testing
