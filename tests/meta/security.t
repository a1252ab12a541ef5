#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# SECURITY.md: each promise names the tests that hold it, and these exist. And each file of attempts
# to get out makes some of them with the defence taken away.
. "$(dirname "$0")/../helpers/lib.sh"

promises() { # FILE: the rows of its table, without the head
    sed -n '/^| the job or the image shall not/,/^$/p' "$1" | sed 1,2d | grep '^|'
}

# A row's tests, one to a line; "*" as in a shell.
tests_of() { # ROW
    awk -F'|' '{ print $(NF - 1) }' <<<"$1" | grep -o '`[^`]*`' | tr -d '`'
}

unheld() { # FILE: promises without a test, and tests that there are not
    local row name path found
    promises "$1" | while IFS= read -r row; do
        found=0
        while IFS= read -r name; do
            [ -n "$name" ] || continue
            found=1
            case $name in */*) path=$SRC/tests/$name ;; *) path=$SRC/tests/sys/$name ;; esac
            compgen -G "$path" >/dev/null || echo "no $name"
        done < <(tests_of "$row")
        [ $found = 1 ] || echo "nothing holds:$(cut -d'|' -f2 <<<"$row")"
    done
}

is "$(unheld "$SRC/SECURITY.md")" "" "every promise names its tests, and they exist"
n=$(promises "$SRC/SECURITY.md" | wc -l)
ok "there are promises ($n)" test "$n" -ge 20
for file in "$SRC"/tests/sys/escape_*.t; do
    ok "$(basename "$file") has attempts that work with the defence off" grep -q '^ *works ' "$file"
done

# Each rule must be able to fail.
cat >"$T/SECURITY.md" <<'END'
| the job or the image shall not | what stands against it | tests |
|---|---|---|
| be held | a test | `escape_*.t`, `unit/job_seccomp.c` |
| be free | words | |
| be forgotten | a test that went | `escape_room.t`, `unit/nothing_*.c` |

More.
END
is "$(unheld "$T/SECURITY.md" | paste -sd ';')" \
    "nothing holds: be free ;no escape_room.t;no unit/nothing_*.c" "a promise that nothing holds is found"
rm "$T/SECURITY.md"
done_testing
