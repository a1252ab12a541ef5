#!/bin/bash
# Every file of the tree: licence line, clean text, no unfinished business, no path of one machine.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"

sources() { # DIR: C, shell and Makefile, by content where the name does not tell
    (cd "$1" && find . -path ./build -prune -o -path ./.git -prune -o -type f -print) |
        sed 's|^\./||' | sort
}

texts() {
    sources "$1" | grep -vE '^tests/fuzz/corpus/|\.(tar|xz|gz|zst|bz2|bin)$'
}

shell_scripts() {
    texts "$1" | while read -r file; do
        head -n 1 "$1/$file" | grep -qE '^#!/bin/(ba)?sh|^# shellcheck shell=' && echo "$file"
    done
}

without_licence() {
    texts "$1" | grep -E '\.[ch]$|^ci/[^.]*\.sh$|^Makefile$' | while read -r file; do
        head -n 3 "$1/$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
    done
}

untidy() { # blanks at an end of line, a missing last newline, carriage returns, conflict marks
    texts "$1" | while read -r file; do
        case $file in
        *.md | LICENSE) ;;
        *) grep -nE '[[:blank:]]+$' "$1/$file" /dev/null | sed "s|^$1/||" ;;
        esac
        grep -nE $'\r|^(<<<<<<<|>>>>>>>) ' "$1/$file" /dev/null | sed "s|^$1/||"
        [ ! -s "$1/$file" ] || [ -z "$(tail -c 1 "$1/$file")" ] || echo "$file: no newline at its end"
    done
}

unfinished() { # a word that a reader would take for a promise; spelt in halves, or it finds itself
    local words='TO''DO|FIX''ME|X''XX|HA''CK'
    texts "$1" | grep -vE '^LICENSE$' | (cd "$1" && xargs -r grep -nwE "$words")
}

# Directories that exist on one machine only: where people and CI keep their checkouts.
machine_paths() {
    local places='(home|Users|work|workspace|builds|opt/actions)'
    texts "$1" | grep -vxE 'LICENSE|tests/meta/tree\.t' | (cd "$1" &&
        xargs -r grep -nE "(^|[[:space:]\"'=(:,])/$places/[a-z]" |
        grep -vE '/home/(user|runner|me|job|builder)\b')
}

is "$(without_licence "$SRC")" "" "every source names its licence in its first lines"
is "$(untidy "$SRC")" "" "no trailing blanks, no missing last newline, no conflict marks"
is "$(unfinished "$SRC")" "" "nothing is left for later"
is "$(machine_paths "$SRC")" "" "no path of one machine"
mapfile -t scripts < <(shell_scripts "$SRC")
isnt "${#scripts[@]}" 0 "there are shell scripts"
run_ok "they pass shellcheck" env -C "$SRC" shellcheck -x "${scripts[@]}"
is "$(texts "$SRC" | grep -E '^(ci/[^/]*\.sh|\.ci/run|tests/run|tests/bench/start)$' |
    while read -r f; do [ -x "$SRC/$f" ] || echo "$f"; done)" "" "scripts are executable"

# Each rule must be able to fail.
mkdir -p "$T/seed/internal" "$T/seed/tests/sys" "$T/seed/ci"
printf 'int a;\n' >"$T/seed/internal/bare.c"
printf '// SPDX-License-Identifier: Apache-2.0\nint a; \n' >"$T/seed/internal/blank.c"
printf '// SPDX-License-Identifier: Apache-2.0\nint a;' >"$T/seed/internal/open_end.c"
printf '// SPDX-License-Identifier: Apache-2.0\n// %s: later\n' 'TO''DO' >"$T/seed/internal/later.c"
printf '#!/bin/bash\ncd /%s/someone/bryo\necho $1\n' home >"$T/seed/tests/sys/here.t"
is "$(without_licence "$T/seed")" "internal/bare.c" "a source without a licence is found"
is "$(untidy "$T/seed" | paste -sd ' ')" \
    "internal/blank.c:2:int a;  internal/open_end.c: no newline at its end" "untidy files are found"
is "$(unfinished "$T/seed" | cut -d: -f1)" "internal/later.c" "unfinished business is found"
is "$(machine_paths "$T/seed" | cut -d: -f1,2)" "tests/sys/here.t:2" "a machine's path is found"
is "$(shell_scripts "$T/seed")" "tests/sys/here.t" "a script is known by its first line"
expect_status 1 "shellcheck fails on a script that does not quote" \
    shellcheck "$T/seed/tests/sys/here.t"
done_testing
