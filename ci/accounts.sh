#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Makes the two ordinary accounts that the tests run as, where they are missing. Needs root.
#
#   bryo-sub   has a range of subordinate ids in /etc/subuid and /etc/subgid
#   bryo-one   has none: only its own id can be mapped
set -euo pipefail
. "$(dirname "$0")/free-range.sh"

# One past the highest id of this user namespace: 2^32-1 on a machine, 65536 in most containers.
end_of() {
    awk '{ if ($1 + $3 > end) end = $1 + $3 } END { printf "%.0f\n", end }' "$1"
}

# START:COUNT of ids that bryo-sub may have: none that another account has
choose_range() {
    if [ "$end" -ge 400000 ]; then
        # beyond what useradd(8) hands out to the first accounts
        free_range 300000 65536 "$end" /etc/subuid /etc/subgid
    else
        free_range 10000 50000 "$end" /etc/subuid /etc/subgid
    fi
}

# Whether bryo-sub has in this file a range that exists here and is nobody else's.
range_fits() {
    local range
    range=$(awk -F: -v end="$end" '$1 == "bryo-sub" && $2 + $3 <= end { print $2 ":" $3; exit }' "$1")
    [ -n "$range" ] || return
    [ "$(free_range "${range%:*}" "${range#*:}" "$end" <(grep -v '^bryo-sub:' "$1"))" = "$range" ]
}

ensure_account() {
    if ! id -u "$1" >/dev/null 2>&1; then
        echo "accounts: making $1" >&2
        useradd --create-home --shell /bin/bash --user-group "$1"
    fi
}

end=$(end_of /proc/self/uid_map)
touch /etc/subuid /etc/subgid
ensure_account bryo-sub
ensure_account bryo-one
# useradd(8) gives every account a range, whether its ids exist here or not
sed -i '/^bryo-one:/d' /etc/subuid /etc/subgid

if ! range_fits /etc/subuid || ! range_fits /etc/subgid; then
    sed -i '/^bryo-sub:/d' /etc/subuid /etc/subgid
    range=$(choose_range)
    if [ -n "$range" ]; then
        echo "accounts: giving bryo-sub the subordinate ids $range" >&2
        echo "bryo-sub:$range" | tee -a /etc/subuid >>/etc/subgid
    else
        echo "accounts: there are no ids to give bryo-sub in this user namespace" >&2
    fi
fi
