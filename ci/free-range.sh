# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# To be sourced: which subordinate ids nobody has yet.

# free_range START COUNT END FILE...: the first START:COUNT, from START on and below END, that shares
# no id with any range of any account in the files (subuid(5), subgid(5)); nothing where there is none
free_range() {
    awk -F: -v start="$1" -v count="$2" -v end="$3" '
        BEGIN { n = 0 }
        $2 ~ /^[0-9]+$/ && $3 ~ /^[0-9]+$/ { first[n] = $2 + 0; past[n++] = $2 + $3 }
        END {
            do {
                moved = 0
                for (i = 0; i < n; i++)
                    if (start < past[i] && first[i] < start + count) {
                        start = past[i]
                        moved = 1
                    }
            } while (moved)
            if (start + count <= end)
                printf "%.0f:%.0f\n", start, count
        }' "${@:4}"
}
