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

# in DIR COMMAND...: with the names that come on standard input behind it
in_dir() {
    (cd "$1" && shift && xargs -r "$@")
}

shell_scripts() {
    texts "$1" | in_dir "$1" awk 'FNR == 1 && /^#!\/bin\/(ba)?sh|^# shellcheck shell=/ { print FILENAME }'
}

without_licence() {
    texts "$1" | grep -E '\.[ch]$|^ci/[^.]*\.sh$|^Makefile$' |
        in_dir "$1" awk 'FNR == 1 { names[FILENAME] } FNR <= 3 && /SPDX-License-Identifier: Apache-2.0/ { has[FILENAME] }
            END { for (name in names) if (!(name in has)) print name }' | sort
}

untidy() { # blanks at an end of line, a missing last newline, carriage returns, conflict marks
    texts "$1" | grep -vE '\.md$|^LICENSE$' | in_dir "$1" grep -nE '[[:blank:]]+$' /dev/null
    texts "$1" | in_dir "$1" grep -nE $'\r|^(<<<<<<<|>>>>>>>) ' /dev/null
    # (-z: the whole file is a line)
    texts "$1" | in_dir "$1" grep -LzP '\n\z' |
        in_dir "$1" sh -c 'find "$@" -size +0 -printf "%p: no newline at its end\n"' sh
}

unfinished() { # a word that a reader would take for a promise; spelt in halves, or it finds itself
    local words='TO''DO|FIX''ME|X''XX|HA''CK'
    texts "$1" | grep -vE '^LICENSE$' | in_dir "$1" grep -nwE "$words"
}

# Directories that exist on one machine only: where people and CI keep their checkouts.
machine_paths() {
    local places='(home|Users|work|workspace|builds|opt/actions)'
    texts "$1" | grep -vxE 'LICENSE|tests/meta/tree\.t' |
        in_dir "$1" grep -nE "(^|[[:space:]\"'=(:,])/$places/[a-z]" |
        grep -vE '/home/(user|runner|me|job|builder)\b'
}

is "$(without_licence "$SRC")" "" "every source names its licence in its first lines"
is "$(untidy "$SRC")" "" "no trailing blanks, no missing last newline, no conflict marks"
is "$(unfinished "$SRC")" "" "nothing is left for later"
is "$(machine_paths "$SRC")" "" "no path of one machine"
mapfile -t scripts < <(shell_scripts "$SRC")
isnt "${#scripts[@]}" 0 "there are shell scripts"
# "make lint" asks shellcheck of those that it finds.
is "$(printf 'print: ; @printf "%%s\\n" $(SHELL_FILES)\n' | make -s -C "$SRC" -f Makefile -f - print | sort)" \
    "$(printf '%s\n' "${scripts[@]}" | sort)" "make lint looks at every one of them"
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
