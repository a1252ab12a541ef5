# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced. as_root COMMAND...: as it is when root, else by sudo; without either it says what to type.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "$(basename "$0" .sh): neither root nor sudo here; as root: $*" >&2
        return 1
    fi
}
