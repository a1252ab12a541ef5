#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A name from an archive or a job that holds control characters, or what a CI machine takes for a
# command, does no harm wherever bryo prints it.
# timeout: 120
#
# Shown able to fail: tests/defences (escapes, ci-commands).
. "$(dirname "$0")/../helpers/lib.sh"
. "$(dirname "$0")/../helpers/roots.sh"

craft() {
    python3 -S "$SRC/tests/helpers/craft.py" "$@"
}

# every control character but NUL, DEL, U+009B as it is and in UTF-8, and both kinds of commands
bad=$'x\n::error::x\r##[group]\x7f\x9b\302\233\e[31m\a\b\t\v\f\1\2\3\4\5\6\16\17\20\21\22\23\24\25\26\27\30\31\32\34\35\36\37'
shown='x\\x0a\\x3a:error\\x3a:x\\x0d\\x23#\[group\]\\x7f\\x9b\\xc2\\x9b\\x1b\[31m\\x07'

# says DESCRIPTION STATUS COMMAND...: the name is in what it prints, and only as words
says() {
    local what=$1 want=$2 st=0 all
    shift 2
    run "$@"
    cat "$T/.out" "$T/.err" >"$T/.all"
    all=$(tr -d '\0' <"$T/.all")
    [ "$status" = "$want" ] || st=1
    [[ ${all/$'\uFFFD'/'\x9b'} =~ $shown || $all =~ 'x\u000a::error::x\u000d\u0023#[group]\u007f'.*'\u009b\u001b[31m\u0007' ]] || st=1
    # nothing but printable ASCII, ends of lines, and the character that stands for what is none
    ! sed 's/\xef\xbf\xbd//' "$T/.all" | LC_ALL=C grep -q '[^ -~]' || st=1
    ! grep -qE '^[[:space:]]*::|##\[' "$T/.all" || st=1
    tap_result $st "$what" || diag "status $status" "$(cat -v "$T/.all")"
}

# --- what an archive has ----------------------------------------------------------------------

craft f "../$bad" x end >"$T/x.tar"
says "a member that is refused" 125 "$BRYO" image import "$T/x.tar"
says "in a layer" 125 "$BRYO" image import --as-layer "$T/x.tar"
says "at the start of a job" 125 "$BRYO" run --no-workspace --rootfs "$T/x.tar" -- true
craft f ".wh.d/$bad" "" end >"$T/x.tar"
says "below a whiteout" 125 "$BRYO" image import --as-layer "$T/x.tar"
craft l "$bad" /etc f "$bad/x" x end >"$T/x.tar"
says "a link on the way" 125 "$BRYO" image import "$T/x.tar"
craft h a "$bad" end >"$T/x.tar"
says "what a hard link leads to" 125 "$BRYO" image import "$T/x.tar"
craft x SCHILY.realsize 5 f "$bad" x end >"$T/x.tar"
says "two readers that do not agree" 125 "$BRYO" image import "$T/x.tar"
craft x "$bad" 1 x "$bad" 2 g path "$bad" f a x end >"$T/x.tar"
run "$BRYO" image import "$T/x.tar"
ok "a pax key" test -z "$(LC_ALL=C grep -E '[^ -~]|^::|##\[' "$T/.err")"

# --- what is compared -------------------------------------------------------------------------

craft d d f "d/$bad" x l "d/link$bad" "$bad" h "d/hard$bad" "d/$bad" end >"$T/x.tar"
run_ok "a name that is taken" "$BRYO" image import --userns single "$T/x.tar"
root=$(find "$XDG_CACHE_HOME/bryo/store" -mindepth 2 -maxdepth 2 -name rootfs)
run_ok "is the very name" test -f "$root/d/$bad"
is "$(readlink "$root/d/link$bad")" "$bad" "so is where a link leads"
verify=("$BRYO" image verify --userns single)
run_ok "it is sound" "${verify[@]}" "$T/x.tar"
echo more >>"$root/d/$bad"
says "a file that changed" 1 "${verify[@]}" "$T/x.tar"
rm "$root/d/hard$bad"
says "one that is missing" 1 "${verify[@]}" "$T/x.tar"
: >"$root/d/new$bad"
ln -sfn other "$root/d/link$bad"
says "one too many, and a link" 1 "${verify[@]}" "$T/x.tar"
says "and when it is mended" 0 "${verify[@]}" --repair "$T/x.tar"
"$BRYO" image prune >/dev/null

# --- what a tarball is called -----------------------------------------------------------------

cp "$T/x.tar" "$T/$bad.tar"
run_ok "a tarball of such a name" "$BRYO" image import "$T/$bad.tar"
says "image ls" 0 "$BRYO" image ls
says "image ls as JSON" 0 "$BRYO" image ls --format json
is "$(jq -r '.[0].source' <"$T/.out" | sed -n '2s/\r.*//p')" "::error::x" "which is still the name"
says "image inspect" 0 "$BRYO" image inspect "$T/$bad.tar"
says "image inspect of a stack" 125 "$BRYO" image inspect "$T/$bad.tar" --layer "$T/$bad.tar"
says "image inspect as JSON" 0 "$BRYO" image inspect --format json "$T/$bad.tar"
says "image repack" 0 "$BRYO" image repack "$T/$bad.tar" -o "$T/$bad.tar.zst"
mv "$T/$bad.tar" "$T/gone.tar"
says "a tarball that is not there" 125 "$BRYO" image import "$T/$bad.tar"
says "a layer that is not there" 125 "$BRYO" run --no-workspace --rootfs "$T/gone.tar" --layer "$T/$bad.tar" -- true
rm "$T"/*error*
"$BRYO" image prune >/dev/null

# --- what a job leaves ------------------------------------------------------------------------

base=$T/base
skeleton "$base"
mkdir "$base/d"
: >"$base/d/$bad"
run "$BRYO" run --keep --no-workspace --rootfs "$base" "${WITH_USR[@]}" -- \
    sh -c 'rm "/d/$1"; : >"/d/new$1"; : >"/d/.wh.$1"' _ "$bad"
id=$(sed -n 's/.*kept as \([0-9a-f]*\) .*/\1/p' <<<"$err")
says "diff" 0 "$BRYO" diff "$id"
says "diff as JSON" 0 "$BRYO" diff --format json "$id"
is "$(jq -r '[.[].change] | sort | join(" ")' <"$T/.out")" "added added changed deleted" "which names them all"
says "commit, which has to refuse one" 125 "$BRYO" commit "$id" -o "$T/layer.tar"
run_ok "the job is dropped" "$BRYO" run --rm --no-workspace "${WITH_USR[@]}" --reuse "$id" -- true
done_testing
