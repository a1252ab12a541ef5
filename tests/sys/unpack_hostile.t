#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Nothing that a tarball says reaches outside of its root, and what is damaged or ambiguous is
# refused, at once, in words that a terminal and a CI log survive.
# timeout: 600
#
# Shown able to fail: tests/defences, each alone. The canary itself is written to only when a writer
# follows links (O_EXCL, O_NOFOLLOW and the unlink in writer_file.c gone) and change_root() and fence()
# of confine.c are gone as well.
. "$(dirname "$0")/../helpers/lib.sh"

craft() {
    python3 -S "$SRC/tests/helpers/craft.py" "$@"
}

# The canary: what must be the same, byte for byte, after everything.
mkdir -p "$T/canary/dir" "$XDG_CACHE_HOME/bryo"
echo precious >"$T/canary/file"
ln -s file "$T/canary/link"
canary() {
    (cd "$T/canary" && find . -printf '%p %y %m %U %s %T@ %C@ %n %l\n' | sort && cat file)
}
before=$(canary)
up=../../../../../../../../../../../../..

# tree: the unpacked root of the last import
tree() {
    find "$XDG_CACHE_HOME/bryo/store" -mindepth 2 -maxdepth 2 -name rootfs
}

empty_store() {
    "$BRYO" image prune >/dev/null
}

# refused WHY DESCRIPTION WORDS...: import fails within a second or two, says WHY, leaves nothing
refused() {
    local why=$1 what=$2
    shift 2
    craft "$@" >"$T/x.tar"
    refused_file "$why" "$what" "$T/x.tar"
}

refused_file() {
    run timeout 20 "$BRYO" image import "$3"
    local st=0
    [[ $status -eq 125 && $err =~ $1 ]] || st=1
    [ -z "$out" ] || st=1
    [ -z "$(find "$XDG_CACHE_HOME/bryo" -mindepth 2 2>/dev/null)" ] || st=1
    ! LC_ALL=C grep -q '[^[:print:][:space:]]' "$T/.err" || st=1
    tap_result $st "refused: $2" || diag "status $status, said: $err" "wanted: $1" \
        "store: $(find "$XDG_CACHE_HOME/bryo" -mindepth 2 2>/dev/null | head -5)"
}

# taken DESCRIPTION EXPECTED WORDS...: import succeeds, and the tree is EXPECTED: lines "type name
# contents-or-target"
taken() {
    local what=$1 want=$2
    shift 2
    craft "$@" >"$T/x.tar"
    run timeout 60 "$BRYO" image import "$T/x.tar"
    local root got=
    root=$(tree)
    [ -z "$root" ] || got=$(cd "$root" && find . -mindepth 1 \( -type l -printf '%y %P %l\n' -o -type f \
        -printf '%y %P ' -exec cat {} \; -printf '\n' -o -printf '%y %P\n' \) | tr '\0' _ | LC_ALL=C sort)
    is "$got" "$want" "taken: $what" || diag "said: $err"
    run_ok "  and it is sound" "$BRYO" image verify "$T/x.tar"
    empty_store
}

# --- names ------------------------------------------------------------------------------------

refused 'has "\.\."' "../ in a name" f ../evil x end
refused 'has "\.\."' "../ in the midst" f "a/../../evil" x end
refused 'has "\.\."' "/.. at the end" d "a" f "a/.." x end
refused 'has "\.\."' "../ in the prefix field" prefix=$up f evil x end
refused 'has "\.\."' "../ in a pax path" x path "$up/evil" f ok x end
refused 'global pax header' "a global pax path" g path "$up/evil" f ok x end
refused 'has "\.\."' "../ in a GNU long name" L "$up/evil" magic=gnu f ok x end
refused 'has "\.\."' "../ in a sparse name" x GNU.sparse.major 1 x GNU.sparse.minor 0 \
    x GNU.sparse.name "$up/evil" x GNU.sparse.realsize 1 s ok '1\n0\n1\n' x end
refused 'of a type' "a Solaris extended header" t X ok f ok x end
taken "absolute names are below the root" $'d etc\nf etc/passwd x' f /etc/passwd x end
taken "/// too" $'d a\nf a/b x' f ///a//b x end
taken "./ and ././" $'d a\nf a/b x' d ./ f ././a/./b x end
refused 'no name' "a name of nothing" f "" x end
refused 'root directory' "a file named ." f . x end
refused 'more than 255' "a component beyond NAME_MAX" L "$(printf '%0256d' 0)" magic=gnu f a x end
refused 'longer than a path' "a name beyond PATH_MAX" x path "$(printf '%0200d/' {1..30})f" f a x end
refused 'longer than a path may be' "a link to what is beyond PATH_MAX" K "$(printf '%04096d' 0)" magic=gnu l a x end
craft x path "$(printf 'a/%.0s' {1..2000})f" f f x K "$(printf "%04095d" 0)" magic=gnu l b x end >"$T/x.tar"
run_ok "2000 directories, each in the one before, and the longest of links" "$BRYO" image import "$T/x.tar"
run_ok "  are compared" "$BRYO" image verify "$T/x.tar"
run_ok "  and removed" "$BRYO" image rm "$T/x.tar"
refused 'impossible size' "a long name of 100 KiB" size=00000310000 t L a raw "$(printf '%02000d' 0)" end
refused 'bad value' "a NUL in a pax path" x path 'a\0b' f a x end
refused 'bad value' "a NUL in a pax link path" x linkpath 'a\0b' l a x end
refused 'damaged|malformed' "a NUL in a pax key" x 'uid\0' 0 f a x end
taken "bytes that are no UTF-8" "$(printf 'f caf\351 x')" f 'caf\xe9' x end
taken "links that name what is no UTF-8" "$(printf 'f caf\351 x\nf hard x\nl link caf\351')" f 'caf\xe9' x \
    h hard 'caf\xe9' l link 'caf\xe9' end
refused '\\x1b\[31m' "a control character in a name" f '../\x1b[31mred' x end
refused 'x3a:error' "a CI command in a name" f '../\n::error::owned' x end

# --- links ------------------------------------------------------------------------------------

refused 'through the symbolic link' "a file through a link to the canary" \
    l out "$T/canary" f out/file owned end
refused 'through the symbolic link' "a file through a relative link" \
    l out "$up$T/canary" f out/file owned end
refused 'through the symbolic link' "a directory through a link" l out "$T/canary" d out/new end
refused 'through the symbolic link' "a link through a link" l out "$T/canary" l out/new x end
refused 'through the symbolic link' "a FIFO through a link" l out "$T/canary" p out/new end
refused 'through the symbolic link' "a chain of links" l a . l b "a$T" l c "b/canary" f c/file x end
# what a link leads to is longer than PATH_MAX once it is written out, where realpath(3) gives up
deep=$(printf '%0240d' 0)
words=()
at=
below=
for n in {1..17}; do
    words+=(d "$at$deep" l "${at}s" "$deep")
    at+=s/
    below+=../
done
refused 'through the symbolic link' "a chain of links longer than a path may be" "${words[@]}" \
    l out "$at$below$up$T/canary" f out/file x end
words=()
at=
for n in {1..16}; do
    at+=${deep:0:230}/
    words+=(x path "$at" d d)
done
refused 'through the symbolic link' "a link at the end of the longest of paths" "${words[@]}" \
    x path "${at}out" x linkpath "$up$up$T/canary" l l l x path "${at}out/file" f f owned end
refused 'through the symbolic link' "link/. at the end" l out "$T/canary" d out/./x end
refused 'through the symbolic link' "a magic link" l out /proc/self/root f "out$T/canary/file" x end
refused 'through the symbolic link' "a directory, a link over it, and a file through that" \
    d out f out/a x l out "$T/canary" f out/file owned end
refused 'through the symbolic link' "a hard link to a link, and a file through it" \
    l a "$T/canary" h out a f out/file owned end
refused 'through the symbolic link' "a hard link to what a link took the place of" \
    d d f d/x y l d "$T/canary" h a d/file end
refused 'no directory' "a file below a file" f a x f a/b y end
taken "a file over a link to the canary" "f out owned" l out "$T/canary/file" f out owned end
taken "a file over a link with a slash" "d out" l out "$T/canary" d out/ end
taken "a directory, then a link over it" "l d $T/canary" d d f d/x y l d "$T/canary" end
taken "a link, a directory over it, a file in that" $'d out\nf out/file x' \
    l out "$T/canary" d out f out/file x end
taken "mode and time of a link's target stay" "l out $T/canary/file" \
    mode=0000777 mtime=00000000001 l out "$T/canary/file" end
taken "attributes and ACL of a link's target stay" "l out $T/canary/file" x SCHILY.xattr.user.evil y \
    x SCHILY.acl.access 'user::rwx,user:daemon:rwx:1,group::rwx,mask::rwx,other::rwx' l out "$T/canary/file" end
taken "what a directory was to get does not follow the link in its place" "l d $T/canary/dir" \
    x SCHILY.xattr.user.evil y mode=0000700 mtime=00000000001 d d l d "$T/canary/dir" end
taken "links that lead out are kept as they are" $'l a /etc/passwd\nl b ../../x' \
    l a /etc/passwd l b ../../x end
refused 'link to nothing' "a link without a target" l a "" end

refused 'does not have' "a hard link to the canary" h a "$T/canary/file" f x x end
refused 'has "\.\."' "a hard link by ../" h a "$up$T/canary/file" end
refused 'through the symbolic link' "a hard link through a link" l out "$T/canary" h a out/file end
refused 'does not have' "a hard link to itself" h a a end
refused 'directory' "a hard link to a directory" d d h a d end
refused 'gives a size' "a hard link with data" f x data size=00000000004 h a x block data end
refused 'does not have' "a hard link to what comes later" h a b f b x end
taken "a hard link to a link" "$(printf 'l a %s\nl b %s' "$T/canary/file" "$T/canary/file")" \
    l a "$T/canary/file" h b a end
taken "a file over its hard link" $'f a one\nf b two' f a one h b a f b two end

# --- the last one wins ------------------------------------------------------------------------

taken "file, file" "f a two" f a one f a two end
taken "file, directory" "d a" f a one d a end
taken "directory with files, file" "f a x" d a f a/1 1 d a/2 f a/2/3 3 f a x end
taken "file, FIFO" "p a" f a one p a end
taken "file, directory, file in it, file" "f a x" f a 1 d a f a/b 2 f a x end
taken "file, device" "" f a one c a end
taken "FIFO, file" "f a x" p a f a x end
taken "FIFO, file over its hard link" $'f b x\np a' p a h b a f b x end
taken "link, directory, link" "l a c" l a b d a l a c end
taken ".wh. is an ordinary name" $'d d\nf d/.wh..wh..opq \nf d/.wh.a \nf d/a x' \
    d d f d/a x f d/.wh.a "" f d/.wh..wh..opq "" end

# --- devices, owners, attributes --------------------------------------------------------------

taken "device nodes are left out" "f ok x" c null b sda f ok x end
run "$BRYO" image import "$T/x.tar"
is "$("$BRYO" image inspect --format json "$T/x.tar" | jq '.[0].skipped_devices')" 2 \
    "and counted"
empty_store
taken "files whose modes say socket, device and directory" $'f a x\nf b y\nf c z' mode=0140644 f a x \
    mode=0020644 f b y mode=0040644 f c z end
craft mode=0006755 f suid x mode=0002755 d sgid end >"$T/x.tar"
run_ok "set-user-ID and set-group-ID under one id" "$BRYO" image import --userns single "$T/x.tar"
is "$(stat -c '%a %u %g' "$(tree)"/* | paste -sd ,)" "2755 $(id -u) $(id -g),6755 $(id -u) $(id -g)" \
    "are this account's own"
is "$(stat -c '%a %u' "$XDG_CACHE_HOME/bryo")" "700 $(id -u)" "in a store that nobody else enters"
empty_store
taken "ids of -1, beyond the map, and huge" $'f a x\nf b x\nf c x\nf d x' uid=7777777 f a x \
    x uid -1 f b x x uid 1099511627776 f c x x gid 4294967295 f d x end
taken "attributes that are not a user's" "f a x" x SCHILY.xattr.security.capability '\x01\0\0\x02' \
    x SCHILY.xattr.trusted.overlay.opaque y x SCHILY.xattr.user.overlay.opaque y f a x end
craft x SCHILY.xattr.user.overlay.redirect /etc x SCHILY.xattr.user.ok yes \
    x SCHILY.xattr.security.ima x d dir x SCHILY.xattr.user.overlay.opaque y f dir/f x end >"$T/x.tar"
run_ok "attributes on a directory" "$BRYO" image import "$T/x.tar"
is "$(getfattr -dR -m - --absolute-names "$(tree)" 2>/dev/null | grep -v '^#' | grep .)" 'user.ok="yes"' \
    "only user.ok is kept"
empty_store
craft x SCHILY.xattr.user.huge "$(printf '%070000d' 0)" x "SCHILY.xattr.user.$(printf '%0300d' 0)" x \
    x SCHILY.xattr.user.ok yes f a x end >"$T/x.tar"
run_ok "an attribute of 70 KiB, one with a name of 300 bytes" "$BRYO" image import "$T/x.tar"
is "$(getfattr -d -m - --absolute-names "$(tree)/a" | grep -v '^#' | grep .)" 'user.ok="yes"' "are left out"
is "$("$BRYO" image inspect --format json "$T/x.tar" | jq '.[0].skipped_xattrs')" 2 \
    "and counted"
empty_store
craft x uid -1 f a x uid=7777777 f b y end >"$T/x.tar"
run_ok "owners that there are not" "$BRYO" image import "$T/x.tar"
like "$err" '2 files of the tarball belong to ids that this user does not have' "are told of"
is "$("$BRYO" image inspect --format json "$T/x.tar" | jq '.[0].squashed_owners')" 2 "and counted"
empty_store

# --- sizes and numbers ------------------------------------------------------------------------

refused 'disagree about the size' "pax and header disagree (a header in the data)" x size 1024 \
    size=00000001000 f a "$(printf '%01024d' 0)" f b x end
refused "disagree about the size|both pax and GNU" "a pax size before a GNU long name" x size 1024 \
    size=00000000005 magic=gnu t L longlink block 'long\0' f a x end
refused 'do not agree on its size' "a size that only one of two readers takes" x SCHILY.realsize 5 f a x end
refused 'bad value' "two sizes of a sparse file" x GNU.sparse.map 0,1 x GNU.sparse.size 1 \
    x GNU.sparse.realsize 9 f a x end
refused 'Parse error' "what another reader only warns of" x SUN.holesdata ' 5 3 foo' f a x end
refused 'twice' "two sizes in one pax header" x size 1 x size 2 f a x end
refused 'second pax header' "two pax headers" t x none x size 3 f a abc end
refused 'bad value' "a negative size" x size -1 f a x end
refused 'bad value' "a size of 2^64" x size 18446744073709551616 f a x end
refused 'no number' "a size of letters" size=abc f a x end
refused 'more than the' "a size of 2^60" big=1152921504606846976 f a x end
refused 'gives a size' "a directory with a size" size=00000001000 d d f a x end
refused 'gives a size' "a link with a size" size=00000001000 l a b f c x end
refused 'both pax and GNU' "pax and GNU names" L long x path other f a x end
refused 'second long name' "two long names" L one L two magic=gnu f a x end
refused 'malformed' "a pax record with a length that is wrong" xraw '99 path=a\n' f a x end
refused 'malformed' "a pax record without =" xraw '9 pathab\n' f a x end
refused 'malformed' "a pax record without its newline" xraw '9 path=ab' f a x end
refused 'malformed' "a global one without its newline" graw '13 comment=xy' f a x end
refused 'malformed' "a pax length of 0" xraw '0 path=ab\n' f a x end
refused 'impossible size' "a pax header of 1 GiB" big=1073741824 t x a f a x end
refused 'should follow an extension' "an extension and no member" L name end
refused 'too many extensions|Too many special' "extensions without end" times 1100 g comment x ";" f a x end
refused 'bad value' "an owner that is no number" x uid root f a x end
refused 'bad value' "a time that is no number" x mtime yesterday f a x end
refused 'bad value' "a time beyond 2^64" x mtime 99999999999999999999 f a x end
taken "times that no file system has are the nearest that this one has" $'d d\nf a x\nf b y\nf c z\nf e z\nl l a' \
    x mtime 4611686018427387903.5 f a x x mtime -4611686018427387903.5 f b y \
    x mtime 99999999999.5 d d x mtime -99999999999.25 l l a \
    mtime='\xff\xff\xff\xff\x80\0\0\0\0\0\0\0' f c z mtime='\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff' f e z end
refused 'bad value' "an owner beyond 2^64" x gid 99999999999999999999 f a x end
refused 'checksum' "a header with a wrong checksum" f a x sum=0000000 f b y end
refused 'sparse' "a sparse map of a million pieces" x GNU.sparse.major 1 x GNU.sparse.minor 0 \
    x GNU.sparse.name s x GNU.sparse.realsize 9 f s "$(printf '1000000\n%01000d' 0)" end
refused 'sparse map|damaged' "a sparse map that overlaps" x GNU.sparse.major 1 x GNU.sparse.minor 0 \
    x GNU.sparse.name s x GNU.sparse.realsize 10 s s '2\n0\n5\n3\n5\n' 0123456789 end
refused 'sparse map|damaged' "a sparse map that leaves the file" x GNU.sparse.map 0,5,100,5 \
    x GNU.sparse.size 10 x GNU.sparse.numblocks 2 x GNU.sparse.name s f s 0123456789 end
refused 'sparse map|damaged' "a sparse map with a negative offset" x GNU.sparse.map 0,5,-1,5 \
    x GNU.sparse.size 10 x GNU.sparse.numblocks 2 x GNU.sparse.name s f s 0123456789 end
refused 'sparse map|damaged' "a sparse map with a negative length" x GNU.sparse.map 0,5,5,-5 \
    x GNU.sparse.size 10 x GNU.sparse.numblocks 2 x GNU.sparse.name s f s 0123456789 end
refused 'bad value' "a negative size of a sparse file" x GNU.sparse.map 0,5 x GNU.sparse.size -10 f s 01234 end
overlap='GNU.sparse.numblocks=2\n23 GNU.sparse.offset=0\n25 GNU.sparse.numbytes=5\n'
overlap+='23 GNU.sparse.offset=3\n25 GNU.sparse.numbytes=5\n'
refused 'sparse map|damaged' "a sparse map of the first kind that overlaps" x GNU.sparse.size 10 \
    xraw "26 $overlap" f s 0123456789 end
# old_sparse SIZE OFFSET LENGTH...: the fields that GNU's old kind has where others have the prefix
old_sparse() {
    local text n
    text=$(printf '\\0%.0s' {1..41})
    for n in "${@:2}"; do
        text+=$(printf '%011o\\0' "$n")
    done
    for ((n = $# - 1; n < 8; n++)); do
        text+=$(printf '\\0%.0s' {1..12})
    done
    printf 'prefix=%s\\0%011o\\0' "$text" "$1"
}
taken "GNU's old sparse map" $'f s 01234_____56789' magic=gnu size=00000000012 "$(old_sparse 15 0 5 10 5)" \
    t S s block 0123456789 end
refused 'sparse map|damaged' "GNU's old sparse map that overlaps" magic=gnu size=00000000012 \
    "$(old_sparse 10 0 5 3 5)" t S s block 0123456789 end
refused 'sparse map|damaged' "GNU's old sparse map that leaves the file" magic=gnu size=00000000012 \
    "$(old_sparse 10 0 5 100 5)" t S s block 0123456789 end
refused 'without its size' "a sparse file without its size" x GNU.sparse.map 0,5 f s 01234 end

# --- ends -------------------------------------------------------------------------------------

refused 'cut off' "no end" f a x
refused 'cut off' "a lone block of zeros" f a x zeros 1
refused 'goes on after a lone block' "a lone block of zeros in the midst" f a x zeros 1 f b y end
refused 'behind the end' "two archives in one" f a x end f b y end
refused 'behind the end' "garbage behind the end" f a x end raw garbage
taken "zeros behind the end" "f a x" f a x end zeros 100
taken "nothing at all" "" end
: >"$T/empty"
refused_file 'an empty file' "an empty file" "$T/empty"
echo '<!DOCTYPE html><title>404</title>' >"$T/page"
refused_file 'an HTML page' "an HTML page" "$T/page"
head -c 100000 /dev/urandom >"$T/noise"
refused_file 'neither' "noise" "$T/noise"
craft f a x end | xz --format=lzma -c >"$T/x.lzma"
refused_file "an old .lzma file" "the format before .xz" "$T/x.lzma"
(printf '\x04\x22\x4d\x18' && cat "$T/noise") >"$T/x.lz4"
refused_file "an lz4 file" "one of which bryo has no decoder" "$T/x.lz4"
mkfifo "$T/fifo"
refused_file 'not a regular file' "a FIFO, without waiting" "$T/fifo"

craft f a "$(head -c 3000 /dev/urandom | base64 -w0)" d d f d/b x end >"$T/good.tar"
for tool in xz gzip zstd bzip2; do
    $tool -c "$T/good.tar" >"$T/good"
    size=$(stat -c %s "$T/good")
    bad=
    for at in 0 1 5 11 12 20 50 100 1000 $((size / 2)) $((size - 30)) $((size - 12)) $((size - 5)) $((size - 1)); do
        head -c "$at" "$T/good" >"$T/cut"
        run "$BRYO" image import "$T/cut"
        [ "$status" = 125 ] || bad+=" $at"
    done
    is "$bad" "" "refused: $tool data cut off anywhere"
    (cat "$T/good" && echo garbage) >"$T/behind"
    refused_file 'behind the end|damaged|cut off' "garbage behind $tool data" "$T/behind"
    (cat "$T/good" && craft f b y end | $tool -c) >"$T/behind"
    refused_file 'behind the end' "a second archive behind the first, each by $tool" "$T/behind"
done
bad=
for at in 0 100 511 512 600 1023 1024 2000 $(($(stat -c %s "$T/good.tar") - 1024)) $(($(stat -c %s "$T/good.tar") - 1)); do
    head -c "$at" "$T/good.tar" >"$T/cut"
    run "$BRYO" image import "$T/cut"
    [ "$status" = 125 ] || bad+=" $at"
done
is "$bad" "" "refused: a plain archive cut off anywhere"

# A flipped bit never gives another tree in silence: it is refused, or the bytes it is in do not
# matter to the tree (a header's device numbers and names of owners have their checksum too).
craft f a hello d d l d/l a end >"$T/good.tar"
xz --check=crc64 -c "$T/good.tar" >"$T/good.xz"
size=$(stat -c %s "$T/good.xz")
bad=
for ((at = 0; at < size; at += 3)); do
    cp "$T/good.xz" "$T/flip"
    byte=$(od -An -tu1 -j "$at" -N 1 "$T/flip")
    printf '%b' "\\x$(printf %x $((byte ^ 1 << (at % 8))))" | dd of="$T/flip" bs=1 seek="$at" conv=notrunc status=none
    run "$BRYO" image import "$T/flip"
    [ "$status" = 125 ] || bad+=" $at"
done
is "$bad" "" "refused: .xz with a flipped bit, anywhere ($size bytes)"
bad=
for ((at = 0; at < 512; at += 2)); do
    cp "$T/good.tar" "$T/flip"
    byte=$(od -An -tu1 -j "$at" -N 1 "$T/flip")
    printf '%b' "\\x$(printf %x $((byte ^ 1 << (at % 7))))" | dd of="$T/flip" bs=1 seek="$at" conv=notrunc status=none
    run "$BRYO" image import "$T/flip"
    # The last blank of the checksum field is not part of the number.
    [ "$status" = 125 ] || bad+=" $at"
done
like "$bad" '^( 154)?( 155)?$' "refused: a header with a flipped bit, but for its padding"
empty_store

# --- bombs ------------------------------------------------------------------------------------

for tool in xz gzip zstd bzip2; do
    (craft big=209715200 f zeros ""; head -c 200M /dev/zero; craft end) | $tool -1 -c >"$T/bomb" 2>/dev/null
    run timeout 60 "$BRYO" image import --max-unpacked 100m "$T/bomb"
    is "$status" 125 "refused: 200 MiB of zeros by $tool, with a limit of 100 MiB"
    like "$err" 'more than the 104857600 bytes' "  and says so"
    # what no member has a size for: as much as the headers of so many members would take, and no more
    (craft f a x end; head -c 200M /dev/zero) | $tool -1 -c >"$T/bomb" 2>/dev/null
    run timeout 60 "$BRYO" image import --max-unpacked 1m --max-entries 100 "$T/bomb"
    is "$status" 125 "refused: 200 MiB of zeros behind the end by $tool"
    like "$err" 'more than the 1048576 bytes' "  and says so"
done
head -c 30M /dev/zero | xz -1 >"$T/piece.xz"
(craft big=209715200 f zeros "" | xz -1; for _ in 1 2 3 4; do cat "$T/piece.xz"; done) >"$T/bomb"
refused_file 'cut off' "concatenated .xz of zeros that ends too early" "$T/bomb"
craft times 3000 f "f%d" x ";" end >"$T/many.tar"
run "$BRYO" image import --max-entries 2000 "$T/many.tar"
is "$status" 125 "refused: 3000 members, with a limit of 2000"
like "$err" 'more than the 2000 members' "  and says so"
(craft times 200 g comment "$(printf '%0100000d' 0)" ";" f a x end) | xz -1 >"$T/bomb"
refused_file 'too many extensions|Too many special' "20 MiB of pax headers without a member" "$T/bomb"
craft times 900 g a b g c d g e f g h i f "f%d" x ";" end >"$T/many.tar"
run "$BRYO" image import --max-entries 1000 "$T/many.tar"
is "$status" 125 "refused: 900 members with 4 extensions each, with a limit of 1000"
like "$err" 'more than the 1000 members' "  and says so"
craft x GNU.sparse.major 1 x GNU.sparse.minor 0 x GNU.sparse.name s \
    x GNU.sparse.realsize 4611686018427387903 s s '1\n0\n1\n' x end >"$T/x.tar"
refused_file 'more than the' "a sparse file of 4 EiB" "$T/x.tar"
xz -9 --lzma2=dict=512MiB -c "$T/good.tar" >"$T/dict.xz"
refused_file 'MiB of memory' "an .xz that needs a dictionary of 512 MiB" "$T/dict.xz"
zstd -q -1 --long=30 -c <"$T/good.tar" >"$T/long.zst"
refused_file 'more memory to decode than the' "a .zst that needs a window of 1 GiB" "$T/long.zst"

is "$(canary)" "$before" "the canary is what it was"
empty_store
is "$(find "$XDG_CACHE_HOME/bryo" -mindepth 2)" "" "the store is empty"
done_testing
