#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No whiteout takes away more than a name of the layers below: none leads out of its directory, none
# goes through a link, none comes from an archive's own overlay marks.
# timeout: 240
#
# Shown able to fail: tests/defences.
. "$(dirname "$0")/../helpers/lib.sh"
. "$(dirname "$0")/../helpers/roots.sh"

base=$T/base
skeleton "$base"
mkdir -p "$base/d"
echo base >"$base/d/a"
mkdir -p "$T/canary/dir" "$XDG_CACHE_HOME/bryo"
echo precious >"$T/canary/file"
canary() {
    (cd "$T/canary" && find . -printf '%p %y %m %U %s %T@ %C@ %n %l\n' | sort && cat file)
}
before=$(canary)

# pack [TAR OPTION...]: $T/x.tar of the directory l, members in the order of $members
pack() {
    tar -C "$T/l" --owner=0 --group=0 --no-recursion "$@" -cf "$T/x.tar" -T <(printf '%s\n' "${members[@]}")
    rm -rf "$T/l"
}

# refused WHY DESCRIPTION: the layer is not taken, WHY is said, nothing stays
refused() {
    run timeout 20 "$BRYO" image import --as-layer "$T/x.tar"
    local st=0
    [[ $status -eq 125 && $err =~ $1 ]] || st=1
    [ -z "$(find "$XDG_CACHE_HOME/bryo/"{store,tmp,index,locks} -mindepth 1 2>/dev/null)" ] || st=1
    tap_result $st "refused: $2" || diag "status $status, said: $err" \
        "store: $(find "$XDG_CACHE_HOME/bryo/"{store,tmp,index,locks} -mindepth 1 2>/dev/null | head -5)"
}

# taken DESCRIPTION EXPECTED: what find says of the unpacked layer: "type name" a line
taken() {
    run timeout 20 "$BRYO" image import --as-layer "$T/x.tar"
    local root
    root=$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 2 -maxdepth 2 -name rootfs)
    is "$status $(cd "$root" && find . -mindepth 1 -printf '%y %P\n' | LC_ALL=C sort)" "0 $2" "$1"
    run_ok "$1: and verify agrees" "$BRYO" image verify "$T/x.tar"
}

for name in .wh. .wh.. .wh... d/.wh... d/.wh.; do
    mkdir -p "$T/l/d"
    touch "$T/l/$name"
    members=(d "$name")
    pack
    refused 'whiteout of no name' "$name"
done
for name in .wh./.. .wh../../x d/../.wh.a; do
    mkdir -p "$T/l"
    touch "$T/l/m"
    members=(m)
    pack -P --transform "s,^m\$,$name,"
    refused '"\.\." in it' "$name"
done
mkdir -p "$T/l/.wh.d"
touch "$T/l/.wh.d/x"
members=(.wh.d/x)
pack
refused 'lies below a whiteout' "a member below a whiteout"
mkdir -p "$T/l/.wh.d"
members=(.wh.d)
pack
refused 'no empty file' "a whiteout that is a directory"
mkdir "$T/l"
echo data >"$T/l/.wh.d"
members=(.wh.d)
pack
refused 'no empty file' "a whiteout with contents"
mkdir "$T/l"
ln -s "$T/canary" "$T/l/out"
mkdir -p "$T/l/m"
touch "$T/l/m/w"
members=(out m/w)
pack --transform 's,^m/w$,out/.wh.file,'
refused 'leads through the symbolic link' "a whiteout through a link to the outside"
mkdir "$T/l"
ln -s "$T/canary" "$T/l/out"
touch "$T/l/w"
members=(out w)
pack --transform 's,^w$,out/.wh..wh..opq,'
refused 'leads through the symbolic link' "so is an opaque mark"
python3 -S "$SRC/tests/helpers/craft.py" l out "$T/canary" f .wh.out "" f out/file owned end >"$T/x.tar"
refused 'leads through the symbolic link' "a link, its whiteout, and a file through it"
python3 -S "$SRC/tests/helpers/craft.py" h a d/a end >"$T/x.tar"
refused 'does not have' "a hard link to what a lower layer has"
python3 -S "$SRC/tests/helpers/craft.py" f .wh.a "" h b .wh.a end >"$T/x.tar"
refused 'does not have' "a hard link to a whiteout"
python3 -S "$SRC/tests/helpers/craft.py" times 140000 x path "$(printf 'd/.wh.%%d%0230d' 0)" f w "" ";" end |
    xz -0 >"$T/x.tar"
refused 'more whiteouts than' "whiteouts that would fill the memory"
is "$(canary)" "$before" "the canary sits where it sat"

# A link of a lower layer leads nobody: the upper one has its own directory of that name.
mkdir "$T/l"
ln -s "$T/canary" "$T/l/out"
members=(out)
pack
mv "$T/x.tar" "$T/low.tar"
mkdir -p "$T/l/out"
echo own >"$T/l/out/file"
touch "$T/l/out/.wh.dir"
members=(out/file out/.wh.dir)
pack
run_ok "a file through a link of a lower layer" in_root "$base" -v "$T/canary:$T/canary" \
    --layer "$T/low.tar" --layer "$T/x.tar" -- cat /out/file "$T/canary/file"
is "$(paste -sd ' ' <<<"$out")" "own precious" "stands in a directory of its own"
run in_root "$base" --layer "$T/low.tar" --layer "$T/x.tar" -- ls /out
is "$out" file "and nothing of the link's target shows there"
is "$(canary)" "$before" "the canary sits where it sat"
"$BRYO" image prune >/dev/null

# What is taken, and harmless.
mkdir "$T/l"
touch "$T/l/"{.wh.out,w}
members=(.wh.out w)
pack --transform 's,^w$,out/file,'
taken "a directory where a whiteout was" $'d out\nf out/file'
run_ok "and it stacks" in_root "$base" --layer "$T/x.tar" -- ls /out
"$BRYO" image prune >/dev/null
mkdir "$T/l"
touch "$T/l/w"
ln -s "$T/canary" "$T/l/out"
members=(w out)
pack --transform 's,^w$,.wh.out,'
taken "a link to the outside and its whiteout" 'l out'
"$BRYO" image prune >/dev/null
mkdir -p "$T/l/.wh..wh.plnk"
touch "$T/l/.wh..wh.aufs" "$T/l/.wh..wh.plnk/1.2" "$T/l/f"
members=(.wh..wh.aufs .wh..wh.plnk .wh..wh.plnk/1.2 f)
pack
taken "what AUFS left in a layer is passed over" 'f f'
"$BRYO" image prune >/dev/null
mkdir -p "$T/l/d" "$T/l/e"
touch "$T/l/d/.wh.a" "$T/l/e/.wh.a"
members=(d/.wh.a e/.wh.a)
pack
cp "$T/x.tar" "$T/gone.tar"
mkdir -p "$T/l/d"
touch "$T/l/d/f"
members=(d/f)
pack
tar -C "$T" -cf "$T/y.tar" --transform 's,^x.tar,d,' x.tar # "d" again, as a file
tar -Af "$T/gone.tar" "$T/y.tar"
cp "$T/gone.tar" "$T/x.tar"
taken "a directory with a whiteout is replaced by a file" $'c e/a\nd e\nf d'
"$BRYO" image prune >/dev/null

# An archive cannot bring overlay's own marks: they would hide or redirect behind the user's back.
mkdir -p "$T/l/d"
echo mine >"$T/l/d/b"
setfattr -n user.mine -v 1 "$T/l/d"
setfattr -n user.overlay.opaque -v y "$T/l/d"
setfattr -n user.overlay.whiteout -v y "$T/l/d/b"
setfattr -n user.overlay.redirect -v /usr "$T/l/d"
members=(d d/b)
pack --xattrs
ok "the marks are in the archive" grep -qa user.overlay.redirect "$T/x.tar"
run_ok "a layer that brings marks of overlayfs" in_root "$base" --layer "$T/x.tar" -- cat /d/a /d/b
is "$(paste -sd ' ' <<<"$out")" "base mine" "hides nothing by them"
root=$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 2 -maxdepth 2 -name rootfs)
is "$(getfattr -R -d -m - "$root" 2>/dev/null | grep '^user' | sort)" 'user.mine="1"' "since they are left out"

# Nor its device of no number, which is how overlay has a whiteout on the disk.
python3 -S "$SRC/tests/helpers/craft.py" d d c d/a f d/c mine end >"$T/x.tar"
run_ok "a layer that brings overlay's own whiteout" in_root "$base" --layer "$T/x.tar" -- cat /d/a /d/c
is "$(tr '\n' ' ' <<<"$out")" "base mine " "hides nothing by it"

# Names for the terminal.
mkdir "$T/l"
touch "$T/l/w"
members=(w)
pack --transform $'s,^w$,d/.wh./\e[2J\r::error::x,'
"$BRYO" image prune >/dev/null
refused 'lies below' "a name with control characters"
ok "is escaped where it is printed" test -z "$(LC_ALL=C grep '[^[:print:][:space:]]' "$T/.err")"
unlike "$err" '::error' "also what a CI machine would obey"
is "$(canary)" "$before" "the canary sits where it sat"
rm -rf "$T/canary"
done_testing
