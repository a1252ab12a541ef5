#!/bin/bash
# What "make install" puts in place works from there, wherever the tree is moved, and "make uninstall"
# takes it all away again.
. "$(dirname "$0")/../helpers/lib.sh"
shared_store

install_sh() {
    env -C "$SRC" ci/install.sh "$@"
}

run_ok "install" install_sh "$SRC/build" "$T/dest" /usr
for file in bin/bryo libexec/bryo/bryo-unpack share/man/man1/bryo.1 share/man/man1/bryo-run.1 \
    share/man/man1/bryo-image-ls.1 share/bash-completion/completions/bryo \
    share/bryo/bryo.mk share/man/man5/bryo.mk.5 \
    share/zsh/site-functions/_bryo share/fish/vendor_completions.d/bryo.fish; do
    ok "$file is there and not empty" test -s "$T/dest/usr/$file"
done

run_ok "the installed program unpacks and runs" \
    "$T/dest/usr/bin/bryo" run --rootfs "$ROOTFS_TAR" -- cat /etc/debian_version
like "$out" '^12' "in that root"

mv "$T/dest/usr" "$T/moved"
"$T/moved/bin/bryo" run --rootfs "$ROOTFS_TAR" -- true
is $? 0 "it still does after the tree was moved"
mv "$T/moved" "$T/dest/usr"

run_ok "uninstall" install_sh --remove "$SRC/build" "$T/dest" /usr
is "$(find "$T/dest" -type f)" "" "no file is left"
done_testing
