#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The action "setup" in a runner's environment: a release or a build, doctor --fix once, bryo and
# bryo-sh for the steps behind it, the store where actions/cache finds it. What would need root, or
# change this machine, is another program here that writes down how it was called.
# once
. "$(dirname "$0")/../helpers/lib.sh"
# shellcheck source=tests/helpers/github.sh
. "$(dirname "$0")/../helpers/github.sh"
command -v jq >/dev/null || bail "no jq (ci/deps.sh test)"
real_make=$(command -v make) || bail "no make"

# --- stand-ins ------------------------------------------------------------------------------------------
mkdir -p "$T/bin" "$T/release/bin"
script() { # FILE TEXT
    printf '#!/bin/bash\n%s\n' "$2" >"$1"
    chmod +x "$1"
}
for name in sudo apt-get sysctl apparmor_parser; do
    script "$T/bin/$name" "echo $name \"\$@\" >>'$T/called'; cat >/dev/null"
done
script "$T/bin/curl" "echo curl \"\$@\" >>'$T/called'"'
while [ $# -gt 2 ]; do [ "$1" != -o ] || to=$2; shift; done
cp "$SERVED" "$to"'
# bryo: all but doctor is the program under test
script "$T/release/bin/bryo" "[ \"\$1\" != doctor ] || { echo doctor \"\${@:2}\" >>'$T/called'; exit \"\${DOCTOR_STATUS:-0}\"; }
[ \"\$1\" != run ] || [ -z \"\${NO_JOBS:-}\" ] || { echo 'bryo: no user namespaces here' >&2; exit 125; }
exec '$BRYO' \"\$@\""
# make: what setup asks it for is asked of the real one, which only says what it would do
script "$T/bin/make" "echo make \"\$@\" >>'$T/called'
'$real_make' -n \"\$@\" >'$T/make.said' || exit
for word; do case \$word in PREFIX=*) prefix=\${word#*=} ;; esac; done
mkdir -p \"\$prefix/bin\" && cp '$T/release/bin/bryo' \"\$prefix/bin/\""
tar -C "$T/release" -cJf "$T/bryo.tar.xz" bin
digest=$(sha256sum <"$T/bryo.tar.xz" | cut -d' ' -f1)

setup() { # NAME=VALUE...: the action with these inputs; what was called before is forgotten
    : >"$T/called"
    env -C "$T/work" PATH="$T/bin:$PATH" "${runner_env[@]}" BRYO= "$@" "$SRC/ci/github/setup" </dev/null
}
called() { # WORD: the calls of this program
    grep "^$1\b" "$T/called"
}

# --- a release ---------------------------------------------------------------------------------------------
fresh_runner
run_ok "a release is installed" setup BRYO_IN_BINARY="$T/bryo.tar.xz" BRYO_IN_SHA256="$digest"
is "$(called make)$(called apt-get)$(called curl)" "" "nothing is built, nothing downloaded"
is "$(called doctor)" "doctor --fix" "doctor --fix runs once"
is "$(called sudo)" "" "and is what asks for root, nothing else"
prefix=$T/temp/bryo
is "$(cat "$T/files/path")" "$prefix/bin" "its directory is in PATH for later steps"
is "$(output path)" "$prefix/bin/bryo" "output path"
is "$(output version)" "$("$BRYO" --version)" "output version"
is "$(env PATH="$(cat "$T/files/path"):$PATH" bash -c 'command -v bryo bryo-sh')" "$prefix/bin/bryo
$prefix/bin/bryo-sh" "a later step finds bryo and bryo-sh there"
is "$(in_file "$T/files/env" BRYO)" "$prefix/bin/bryo" "bryo-sh is told which bryo"
is "$(in_file "$T/files/env" BRYO_SH_BASE_PATH)" "$T/bin:$PATH" "and the machine's PATH"
is "$(grep -c '^BRYO_SH_\(ROOTFS\|OPTIONS\)' "$T/files/env")" 0 "but no root file system and no options that nobody gave"
is "$(grep -c '^::group::' <<<"$out") $(grep -c '^::endgroup::' <<<"$out")" "1 1" "it is one group in the log"

fresh_runner
run_ok "a release from elsewhere" setup BRYO_IN_BINARY=https://example.org/bryo.tar.xz BRYO_IN_SHA256="${digest^^}" SERVED="$T/bryo.tar.xz"
like "$(called curl)" ' -- https://example\.org/bryo\.tar\.xz$' "is downloaded"
run_ok "a second time" setup BRYO_IN_BINARY=https://example.org/bryo.tar.xz BRYO_IN_SHA256="$digest" SERVED="$T/bryo.tar.xz"
is "$(called curl)" "" "it is there"
refused() { # REGEX DESCRIPTION NAME=VALUE...
    local want=$1 what=$2
    shift 2
    fresh_runner
    expect_status 125 "$what" setup "$@"
    like "$out" $'\n::endgroup::\n'"::error title=bryo::.*$want" "is refused with the reason"
    is "$(cat "$T/files/path")$(called doctor)" "" "before anything was done"
}
refused 'needs its sha256' "a download without a digest" BRYO_IN_BINARY=https://example.org/bryo.tar.xz SERVED="$T/bryo.tar.xz"
echo other >"$T/other"
refused 'SHA-256 of .* is not' "a download of something else" BRYO_IN_BINARY=https://example.org/bryo.tar.xz \
    BRYO_IN_SHA256="$digest" SERVED="$T/other"
refused 'SHA-256 of .* is not' "a file of another digest" BRYO_IN_BINARY="$T/bryo.tar.xz" BRYO_IN_SHA256="$(printf '%064d' 1)"
refused 'does not exist' "a file that is not there" BRYO_IN_BINARY="$T/none.tar.xz"
refused 'cannot unpack' "a file that is no tarball" BRYO_IN_BINARY="$T/other"
tar -C "$T" -cf "$T/other.tar" other
refused 'has no bin/bryo' "a tarball without bryo" BRYO_IN_BINARY="$T/other.tar"

# --- the machine -------------------------------------------------------------------------------------------
fresh_runner
run_ok "a machine that doctor cannot mend all of, where jobs run" setup BRYO_IN_BINARY="$T/bryo.tar.xz" DOCTOR_STATUS=1
is "$(called doctor)" "doctor --fix" "(it was tried)"
fresh_runner
expect_status 125 "one where no job runs" setup BRYO_IN_BINARY="$T/bryo.tar.xz" NO_JOBS=1
like "$err" 'no user namespaces here' "bryo's own words are in the log"
like "$out" '::error title=bryo::bryo cannot run a job on this machine' "the step fails with them"
is "$(cat "$T/files/path")" "" "and no later step finds it"

# --- a build -----------------------------------------------------------------------------------------------
fresh_runner
run_ok "without a release, bryo is built" setup
like "$(called make)" "^make .*-C $SRC .*BUILD=$T/temp/bryo-build install PREFIX=$prefix\$" "from the action's own checkout, beside the workspace"
like "$(cat "$T/make.said")" "ci/install\.sh.*$prefix" "by rules that make has"
is "$(called make | wc -l) $(called doctor)" "1 doctor --fix" "then doctor --fix runs, once"
is "$(output path)" "$prefix/bin/bryo" "and it is where a release would be"
is "$(ls -A "$T/work")" "" "the workspace is as it was"

# --- bryo-sh, as setup leaves it -----------------------------------------------------------------------------
fresh_runner
mkdir -p "$T/root"/{bin,dev,proc,sys,tmp,etc,root,closed}
cp "$PROGS/callit" "$T/root/bin/"
tar -C "$T/root" -cf "$T/root.tar" bin dev proc sys tmp etc root
tar -C "$T/root" --owner=1:1 --mode=0700 -rf "$T/root.tar" closed # not for the account's eyes, where it has such ids
tar_digest=$(sha256sum <"$T/root.tar" | cut -d' ' -f1)
run_ok "inputs for bryo-sh" setup BRYO_IN_BINARY="$T/bryo.tar.xz" BRYO_IN_ROOTFS=host BRYO_IN_OPTIONS=$'--hostname\nset-up'
later=()
for name in BRYO BRYO_KEPT BRYO_SH_BASE_PATH BRYO_SH_ROOTFS BRYO_SH_OPTIONS; do
    later+=("$name=$(in_file "$T/files/env" "$name")")
done
printf 'hostname; command -v bryo || echo no bryo within; pwd\n' >"$T/temp/step.sh"
run_ok "a step with shell: bryo-sh {0}" env -C "$T/work" "${runner_env[@]}" "${later[@]}" PATH="$(cat "$T/files/path"):$T/bin:$PATH" \
    bryo-sh "$T/temp/step.sh"
like "$out" "^set-up"$'\n'.*"$T/work\$" "runs in a job, with those options"
"$BRYO" run --quiet --rm --reuse "$(cat "$T/temp/bryo-sh/id")" --no-workspace -- true

# --- what actions/cache keeps -----------------------------------------------------------------------------------
job() { # NAME=VALUE...: the action run, in a later step
    : >"$T/files/output"
    env -C "$T/work" "${runner_env[@]}" "$@" BRYO_IN_ROOTFS="$T/root.tar" BRYO_IN_SHELL='/bin/callit 39 {0}' BRYO_IN_RUN=x \
        "$SRC/ci/github/run"
}
# All that a later run of the workflow has is this directory, packed without root by tar.
later_run() {
    tar -P -cf "$T/cache.tar" "$store" || fail "the directory can be packed"
    fresh_runner
    remove_cache
    tar -P -xf "$T/cache.tar"
}
remove_cache() {
    "$BRYO" image ls -q | xargs "$BRYO" image rm
    rm -rf "$XDG_CACHE_HOME"
}
store=$(output store)
is "$(in_file "$T/files/env" BRYO_KEPT)" "$store" "output store is the directory that the steps are told of"
ok "which is there" test -d "$store"
run_ok "a first run" job BRYO_KEPT="$store"
is "$(output cache-hit) $(output rootfs-digest)" "false $tar_digest" "finds nothing kept"
is "$(ls "$store")" "$tar_digest.tar.zst" "and leaves a copy"
touch -d '-20 days' "$store/old.tar.zst"
later_run
ok "a later one" test -f "$store/old.tar.zst"
run_ok "has it" job BRYO_KEPT="$store"
is "$(output cache-hit) $(output rootfs-digest)" "true $tar_digest" "finds it, and tells the tarball's own digest"
like "$out" "root file system $store/" "which is what it unpacked"
"$BRYO" run --no-workspace --rootfs "$store/$tar_digest.tar.zst" -- /bin/callit 39 >/dev/null && "$BRYO" image verify "$store/$tar_digest.tar.zst" >/dev/null
is $? 0 "whole"
cp "$T/root.tar" "$T/again.tar" && tar -C "$T" -rf "$T/root.tar" other
run_ok "another tarball" job BRYO_KEPT="$store"
is "$(output cache-hit) $(find "$store" -name '*.zst' | wc -l)" "false 2" "gets a copy of its own, in the place of what nobody used"
nok "(which is gone)" test -e "$store/old.tar.zst"
later_run
run_ok "cache: false" job BRYO_KEPT="$store" BRYO_IN_CACHE=false
is "$(output cache-hit)" false "takes no copy"
later_run
rm -f "$store"/*
run_ok "cache: false, with none" job BRYO_KEPT="$store" BRYO_IN_CACHE=false
is "$(ls "$store")" "" "makes none"
remove_cache
fresh_runner
run_ok "setup with cache: false" setup BRYO_IN_BINARY="$T/bryo.tar.xz" BRYO_IN_CACHE=false
is "$(output store)$(in_file "$T/files/env" BRYO_KEPT)" "" "keeps nothing at all"
run_ok "setup again" setup BRYO_IN_BINARY="$T/bryo.tar.xz" # for the outputs below

# --- the action's file -----------------------------------------------------------------------------------------
yml=$SRC/.github/actions/setup/action.yml
inputs=$(action_names "$yml" inputs)
is "$(action_env "$yml" | sort)" "$(for name in binary cache options rootfs sha256; do echo "$(variable_of $name) $name"; done | sort)" \
    "action.yml hands these inputs to the script, by env"
is "$(sort <<<"$inputs" | paste -sd' ')" "binary cache cache-key options rootfs sha256" "and has cache-key for actions/cache"
while read -r name; do
    isnt "$(output "$name")" "" "output $name, which it uses, is set by the script"
done < <(grep -o 'steps\.setup\.outputs\.[a-z-]*' "$yml" | sed 's/.*\.//' | sort -u)
rm -rf "$T/temp" "$T/files" "$T/work"
done_testing
