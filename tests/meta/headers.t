#!/bin/bash
# Every header compiles alone, and twice.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"

broken_headers() {
    local header
    (cd "$1" && find cmd internal net tests -name '*.h' 2>/dev/null | sort) | while read -r header; do
        printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
            ${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Werror -I"$1" -fsyntax-only -x c - \
                >"$T/said" 2>&1 || echo "$header: $(grep -m 1 error: "$T/said")"
    done
}

is "$(broken_headers "$SRC")" "" "every header compiles alone"

mkdir -p "$T/seed/internal/base"
echo 'size_t f(void);' >"$T/seed/internal/base/needs_stddef.h"
echo 'struct s { int a; };' >"$T/seed/internal/base/unguarded.h"
printf '#ifndef G_H\n#define G_H\n#include <stddef.h>\nsize_t g(void);\n#endif\n' \
    >"$T/seed/internal/base/good.h"
is "$(broken_headers "$T/seed" | cut -d: -f1 | paste -sd ' ')" \
    "internal/base/needs_stddef.h internal/base/unguarded.h" \
    "a header that leans on another, and one without a guard, are found"
done_testing
