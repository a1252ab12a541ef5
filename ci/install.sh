#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# make install, make uninstall: ci/install.sh [--remove] BUILD DESTDIR PREFIX
#
# bryo finds its helpers relative to itself, so the tree may be moved as a whole. Manual pages and
# the completion are made by the program itself, from the table that parses its arguments.
set -euo pipefail

remove=0
if [ "${1:-}" = --remove ]; then
    remove=1
    shift
fi
build=$1
root=$2$3
bryo=$build/bin/bryo

say() {
    echo "  $*"
}

put() { # MODE FILE TARGET
    say "$3"
    install -D -m "$1" "$2" "$3"
}

put_output() { # TARGET COMMAND...: nothing is written when the command fails or says nothing
    local target=$1 text
    shift
    text=$("$@")
    [ -n "$text" ]
    say "$target"
    mkdir -p "$(dirname "$target")"
    printf '%s\n' "$text" >"$target"
    chmod 0644 "$target"
}

if [ "$remove" = 1 ]; then
    rm -fv "$root/bin/bryo" "$root"/share/man/man1/bryo.1 "$root"/share/man/man1/bryo-*.1 "$root/share/man/man5/bryo.mk.5" \
        "$root/share/bash-completion/completions/bryo" \
        "$root/share/zsh/site-functions/_bryo" "$root/share/fish/vendor_completions.d/bryo.fish"
    rm -rfv "$root/libexec/bryo" "$root/share/bryo"
    exit 0
fi

put 0755 "$bryo" "$root/bin/bryo"
for helper in "$build"/libexec/bryo/*; do
    [ ! -f "$helper" ] || put 0755 "$helper" "$root/libexec/bryo/$(basename "$helper")"
done
put 0644 ci/bryo.mk "$root/share/bryo/bryo.mk"
put 0644 ci/bryo.mk.5 "$root/share/man/man5/bryo.mk.5"
put_output "$root/share/bash-completion/completions/bryo" "$bryo" completion bash
put_output "$root/share/zsh/site-functions/_bryo" "$bryo" completion zsh
put_output "$root/share/fish/vendor_completions.d/bryo.fish" "$bryo" completion fish

# The commands below "bryo WORD...", as its help lists them.
commands_of() {
    "$bryo" help --list "$@"
}

manual_pages() { # WORD...: the page of this command and those below it
    local name=bryo${*:+-$*} word
    put_output "$root/share/man/man1/${name// /-}.1" "$bryo" help --man "$@"
    for word in $(commands_of "$@"); do
        manual_pages "$@" "$word"
    done
}
manual_pages
