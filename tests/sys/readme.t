#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every block of the README is run as it is written; what it needs of the world around is made here.
# timeout: 300
# cgroup
. "$(dirname "$0")/../helpers/lib.sh"
shared_store
readme=$SRC/README.md
export XDG_RUNTIME_DIR=$T/rt
mkdir -m 700 "$XDG_RUNTIME_DIR"
mkdir -p "$T/bin" "$T/project/ci" "$HOME/datasets" "$T/blocks"

# --- the world of a reader --------------------------------------------------------------------------
script() { # FILE TEXT
    printf '#!/bin/sh\n%s\n' "$2" >"$1"
    chmod +x "$1"
}
ln -s "$ROOTFS_TAR" "$T/tarball"
script "$T/bin/mmdebstrap" "echo mmdebstrap \"\$@\" >>$T/called; cp -L $T/tarball \"\$3\""
script "$T/bin/apt-get" 'echo "apt-get $*"'
script "$T/bin/make" "echo make \"\$@\" >>$T/called; exec /usr/bin/make \"\$@\""
# Debian's mirror is far away: its apt-get is another one, which says that it was called. The port 8080
# may be somebody's: another one takes its place. A reader looks at the log when the service had time to
# say something. Where no cgroup is delegated the limits are not held.
limits=
"$BRYO" run --no-workspace --network none -m 256m --cpus 1 --pids-limit 64 -- true 2>/dev/null || limits=--best-effort
cat >"$T/bin/bryo" <<EOF
#!/bin/bash
verb=\$1; shift
args=("\$@")
[[ \$verb != run || "\$*" != *apt-get* ]] || args=(-v "$T/bin/apt-get:/usr/bin/apt-get:ro" "\${args[@]}")
[[ \$verb != run || "\$*" != *--cpus* || -z "$limits" ]] || args=($limits "\${args[@]}")
for i in "\${!args[@]}"; do [ "\${args[i]}" != 8080:80 ] || args[i]=127.0.0.1::80; done
echo "bryo \$verb \$*" >>"$T/called"
[[ \$verb != logs ]] || timeout 30 sh -c 'until "$BRYO" logs web | grep -q .; do sleep 0.05; done'
exec "$BRYO" "\$verb" "\${args[@]}"
EOF
chmod +x "$T/bin/bryo"
script "$T/project/ci/test.sh" 'echo tests ran'
script "$T/project/ci/fails.sh" 'echo core >/root/core.log; exit 3'
script "$T/project/fetch.sh" 'echo fetched'
script "$T/project/serve.sh" 'echo serving; exec sleep 1000'
printf 'test:\n\t@echo make ran the tests\n' >"$T/project/Makefile"
echo data >"$HOME/datasets/set"
export TOKEN=s3cr3t

# --- its blocks ------------------------------------------------------------------------------------
awk -v dir="$T/blocks" '
    /^```./ { lang = substr($0, 4); file = sprintf("%s/%02d.%s", dir, ++n, lang); printf "" >file; next }
    /^```$/ { lang = ""; close(file); next }
    lang != "" { print >>file }' "$readme"
n_sh=$(find "$T/blocks" -name '*.sh' | wc -l)
is "$n_sh $(grep -c '^```sh$' "$readme")" "$n_sh $n_sh" "all blocks of shell are found"
ok "there are some: the two commands, five recipes and more" test "$n_sh" -ge 7
is "$(grep -oE '^```.+' "$readme" | sort -u | paste -sd' ')" '```make ```sh ```yaml' "there are no others than shell, make and YAML"
nok "no command hides in a block that is only indented" grep -qE '^    +(bryo|make|mmdebstrap) ' "$readme"

run_block() { # FILE: as a reader would paste it; stops at the first failure
    run env -C "$T/project" PATH="$T/bin:$PATH" bash -euo pipefail "$1" </dev/null
}
for block in "$T"/blocks/*.sh; do
    first=$(head -n 1 "$block")
    case $first in
    "make demo"*)
        # These are the suite itself: only whether make knows them.
        while read -r make target _; do
            run_ok "$make $target" env -u MAKEFLAGS make -n -C "$SRC" "$target"
        done <"$block"
        continue
        ;;
    esac
    : >"$T/called"
    run_block "$block"
    is "$status" 0 "runs: $first" || diag "$out" "$err" "$(cat "$T/called")"
    # each line begins with a command; all of them came to their turn
    is "$(wc -l <"$T/called")" "$(grep -cE '(^|\|\| )(bryo|mmdebstrap) ' "$block")" "to its last line" ||
        diag "$(cat "$T/called")"
    case $first in
    "bryo run -- make"*) like "$out" $'make ran the tests.*\n.*tests ran' "the recipe does what it says" ;;
    mmdebstrap*) like "$out" 'Debian.*apt-get update.*apt-get install -y gcc' "the recipe does what it says" ;;
    *--keep-on-failure*) like "$out" 'core.*A /root/mended.*core.log.*mended' "the recipe does what it says" ;;
    *--allow*)
        like "$out" 'fetched.*set' "the recipe does what it says"
        unlike "$out$err" s3cr3t "and keeps the secret"
        ;;
    *"--name web"*) like "$out" 'web.*bryo.*serving' "the recipe does what it says" ;;
    "bryo doctor"*) like "$out" 'works +user namespace' "the recipe does what it says" ;;
    *) fail "nobody looks at what this block does: $first" ;;
    esac
done
is "$("$BRYO" ps -aq)" "" "no job is left"

# --- Makefiles --------------------------------------------------------------------------------------
block=$(find "$T/blocks" -name '*.make')
sed "s|/usr/local/share/bryo|$SRC/ci|" "$block" >"$T/project/Makefile"
run_ok "make -j4 test-in-container" env -C "$T/project" -u MAKEFLAGS -u MAKELEVEL BRYO="$BRYO" make -j4 test-in-container \
    BRYO_MAKE='sh -c "echo inside; cat /etc/debian_version; echo \$$*" make'
like "$out" $'inside\n12.*\ntest' "runs the target in the root that the makefile names"
run_ok "without a root of its own" env -C "$T/project" -u MAKEFLAGS -u MAKELEVEL BRYO="$BRYO" make -j4 test-in-container BRYO_ROOTFS=
like "$out" 'tests ran' "it runs the target"

# --- Actions ----------------------------------------------------------------------------------------
run python3 - "$SRC" "$T"/blocks/*.yaml <<'PY'
import sys, yaml
top, used = sys.argv[1], []
for name in sys.argv[2:]:
    for step in yaml.safe_load(open(name)):
        action = step["uses"].split("/", 2)[2].split("@")[0]
        inputs = yaml.safe_load(open(f"{top}/{action}/action.yml"))["inputs"]
        used.append(action)
        for key in step.get("with", {}):
            assert key in inputs, f"{action} has no input {key}"
print(*used)
PY
is "$out" ".github/actions/setup .github/actions/run" "the steps name actions and inputs that are there" || diag "$err"
rm -rf "${T:?}/bin" "$T/project" "$T/blocks" "$T/rt" "$HOME/datasets"
done_testing
