#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Debian tarball is unpacked to the very tree that GNU tar unpacks.
# timeout: 600
. "$(dirname "$0")/../helpers/lib.sh"

# as_root COMMAND...: as root of a user namespace with the ids that bryo maps for this account
if has_subids; then
    uids=$(grep -E "^($(id -un)|$(id -u)):" /etc/subuid | head -1 | cut -d: -f2,3 | tr : ' ')
    gids=$(grep -E "^($(id -un)|$(id -u)):" /etc/subgid | head -1 | cut -d: -f2,3 | tr : ' ')
    as_root() {
        unshare --map-root-user --map-users "${uids% *},1,${uids#* }" \
            --map-groups "${gids% *},1,${gids#* }" -- "$@"
    }
    tar_options=(--numeric-owner --same-owner)
else
    as_root() {
        unshare --map-root-user -- "$@"
    }
    tar_options=(--no-same-owner)
fi

# list DIR: everything about every member but what a file system decides (a directory's size); which
# names are one file; the attributes that a user may set
list() {
    as_root sh -c 'cd "$1" &&
        find . -type d -printf "%P|%y|%m|%U:%G|-|%T@|\n" -o -type l -printf "%P|%y|-|%U:%G|%s|%T@|%l\n" \
            -o -printf "%P|%y|%m|%U:%G|%s|%n|%T@\n" | LC_ALL=C sort &&
        find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum &&
        find . ! -type d -links +1 -printf "%i %P\n" | LC_ALL=C sort -k2 | LC_ALL=C awk "
            { inode = \$1; sub(/^[0-9]+ /, \"\"); if (!(inode in first)) first[inode] = \$0
              print \"one file: \" \$0 \" = \" first[inode] }" &&
        find . -print0 | LC_ALL=C sort -z | xargs -0 getfattr -h -d -m "^user\." --' _ "$1"
}

unpacker=(tar --xattrs)
but='^$' # lines that are not compared

command -v getfattr >/dev/null || bail "no getfattr (ci/deps.sh test)"

# same TARBALL DESCRIPTION [HOLES]: HOLES is a member that takes next to no room on the disk
same() {
    run_ok "$2: bryo unpacks it" "$BRYO" image import "$1"
    local tree
    tree=$("$BRYO" image inspect --format json "$1" | grep -o '"path": *"[^"]*"' | cut -d'"' -f4)
    mkdir "$T/tar"
    # the one thing it cannot do here is to make device nodes
    as_root "${unpacker[@]}" -xpf "$1" "${tar_options[@]}" -C "$T/tar" 2>&1 |
        grep -avE 'Cannot mknod|previous errors|implausibly old|Ignoring unknown'
    list "$tree" | grep -av "$but" >"$T/list.bryo"
    list "$T/tar" | grep -av "$but" >"$T/list.tar"
    run diff "$T/list.tar" "$T/list.bryo"
    is "$(head -20 <<<"$out")" "" "$2: no difference in $(grep -ac '|' "$T/list.tar") members"
    isnt "$(grep -ac '|' "$T/list.tar")" 0 "$2: and there are some"
    [ -z "${3:-}" ] || ok "$2: its holes are holes" test "$(stat -c %b "$tree/$3")" -lt 256
    run_ok "$2: verify finds it sound" "$BRYO" image verify "$1"
    run_ok "$2: and it is removed" "$BRYO" image rm "$1"
    as_root rm -rf "$T/tar"
}

same "$ROOTFS_TAR" "Debian"

# What a Debian root does not have: long names of both kinds, holes, attributes, FIFOs, odd modes,
# times before 1970 and to the nanosecond, names that are not UTF-8, hard links to links.
mkdir -p "$T/odd/sub"
(
    cd "$T/odd" || exit 1
    long=$(printf '%0200d' 7)
    mkdir -p "$long/$long"
    echo deep >"$long/$long/file"
    ln -s "$long/$long/$long/$long" longlink
    truncate -s 10M sparse && printf x | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none
    truncate -s 3M hole
    printf end | dd of=sparse2 bs=1M seek=2 status=none
    mkfifo fifo
    echo suid >suid && chmod 4755 suid
    mkdir sticky setgid && chmod 1777 sticky && chmod 2775 setgid
    echo in >setgid/file
    echo old >old && touch -d '1969-12-31 23:59:58.25 UTC' old
    echo now >now && touch -d '2021-02-03 04:05:06.123456789 UTC' now
    echo latin >"$(printf 'caf\351')"
    echo utf8 >'café ☕'
    printf 'new\nline' >"$(printf 'a\nb')"
    ln old hard && ln longlink hardlonglink
    : >empty
    mkdir dark && echo hidden >dark/file && chmod 400 dark/file && chmod 500 dark
    setfattr -n user.note -v value now
    head -c 9000000 /dev/urandom >big
)
for format in gnu posix ustar oldgnu; do
    opts=(--format="$format")
    case $format in
    ustar) opts+=(--exclude="*0000*" --exclude=longlink --exclude=hardlonglink) ;;
    posix) opts+=(--xattrs) ;;
    esac
    for sparse in "" --sparse; do
        [ "$format$sparse" != ustar--sparse ] || continue
        tar -C "$T/odd" "${opts[@]}" $sparse -cf "$T/odd.tar" . 2>/dev/null
        same "$T/odd.tar" "odd things, format $format $sparse" ${sparse:+sparse}
        [ "$format" != posix ] || attributes=$(grep -c '^user.note="value"' "$T/list.bryo")
    done
done
is "$attributes" 1 "an attribute came along"
for version in 0.0 0.1 1.0; do
    tar -C "$T/odd" --format=posix --sparse --sparse-version="$version" -cf "$T/odd.tar" .
    same "$T/odd.tar" "odd things, sparse $version" sparse
done
tar -C "$T/odd" -cf "$T/plain.tar" .
for tool in xz gzip zstd bzip2; do
    $tool -kc "$T/plain.tar" >"$T/odd.$tool"
    same "$T/odd.$tool" "odd things, by $tool"
    cat "$T/odd.$tool" <(head -c 0 /dev/zero | $tool -c) >"$T/odd.twice"
    run_ok "two $tool streams are one file" "$BRYO" image import "$T/odd.twice"
done
xz -kc --block-size=1MiB -T2 "$T/plain.tar" >"$T/odd.blocks"
same "$T/odd.blocks" "odd things, xz of several blocks"
# Of an ACL stays what the mode says, where the mask is more and where it is less than the group's own
# rights.
python3 -S "$SRC/tests/helpers/craft.py" \
    d ./ x SCHILY.acl.access 'user::rw-,user:games:rwx:5,group::r--,mask::rwx,other::r--' mode=0000674 f more x \
    x SCHILY.acl.access 'user::rwx,group::rwx,group:games:rwx:60,mask::r-x,other::---' mode=0000750 f less x \
    x SCHILY.acl.access 'user::rw-,group::r--,other::---' mode=0000640 f plain x \
    x SCHILY.acl.default 'user::rwx,group::---,mask::rwx,other::---' mode=0000755 d dir end >"$T/acl.tar"
same "$T/acl.tar" "ACLs"
is "$(grep -aoE '^(more|less|plain|dir)\|.\|[0-7]+' "$T/list.bryo" | paste -sd ' ')" \
    "dir|d|755 less|f|750 more|f|674 plain|f|640" "with the modes of their headers"
# GNU tar gives some directories of such an archive the time of the unpacking; bsdtar only the root.
# And bsdtar writes a quarter to midnight as a quarter past.
touch -d '1969-12-31 23:59:58 UTC' "$T/odd/old"
LC_ALL=C.UTF-8 bsdtar -C "$T/odd" --format=pax -cf "$T/bsd.tar" . 2>/dev/null
unpacker=(env LC_ALL=C.UTF-8 bsdtar)
but='^|d|'
has_subids || but='^\(|d|\|suid|\)' # and without owners, no set-user-ID
same "$T/bsd.tar" "odd things, by bsdtar"

chmod -R u+rwx "$T/odd"
done_testing
