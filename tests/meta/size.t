#!/bin/bash
# A function fits a screen, a file has one concept: at most 80 and 500 lines.
. "$(dirname "$0")/../helpers/lib.sh"

max_function=80
max_file=500

# clang-format puts the braces of a function, and of nothing else that is long, into column 1.
long_functions() {
    find "$1/cmd" "$1/internal" "$1/net" -name '*.c' 2>/dev/null | sort | while read -r file; do
        awk -v max=$max_function -v file="${file#"$1/"}" '
            /^{/ { start = NR; name = before }
            /^}/ && start { if (NR - start - 1 > max) print file ": " NR - start - 1 " lines: " name; start = 0 }
            { before = $0 }' "$file"
    done
}

long_files() {
    find "$1/cmd" "$1/internal" "$1/net" "$1/tests" -name '*.[ch]' 2>/dev/null | sort |
        while read -r file; do
            awk -v max=$max_file -v file="${file#"$1/"}" \
                'END { if (NR > max) print file ": " NR " lines" }' "$file"
        done
}

is "$(long_functions "$SRC")" "" "no function has more than $max_function lines"
is "$(long_files "$SRC")" "" "no file has more than $max_file lines"

mkdir -p "$T/seed/internal/base"
{
    printf 'int f(void)\n{\n'
    seq -f '    g(%g);' 81
    printf '}\n'
} >"$T/seed/internal/base/long.c"
{
    printf 'int f(void)\n{\n'
    seq -f '    g(%g);' 80
    printf '}\n\nint h(void)\n{\n    return 0;\n}\n'
} >"$T/seed/internal/base/fits.c"
seq -f 'int f%g(void);' 501 >"$T/seed/internal/base/long.h"
is "$(long_functions "$T/seed")" "internal/base/long.c: 81 lines: int f(void)" \
    "a function one line too long is found"
is "$(long_files "$T/seed")" "internal/base/long.h: 501 lines" "so is a file"
done_testing
