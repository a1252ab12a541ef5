#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Lets ordinary users create user namespaces where this machine forbids it; silent where it does not.
#
#   ci/enable-userns.sh [PATH-OF-BRYO...]
#
# Three switches exist: user.max_user_namespaces (every kernel), kernel.unprivileged_userns_clone
# (Debian's patch), and AppArmor's restriction (Ubuntu 23.10 and later). The last is not switched
# off: the programs named, or those built in this tree and the tests' copies of them, get a profile
# of their own that allows it. Uses sudo when not root; without either it says what to do.
set -euo pipefail
# shellcheck source=ci/as-root.sh
. "$(dirname "$0")/as-root.sh"

top=$(cd "$(dirname "$0")/.." && pwd)

value_of() {
    cat "/proc/sys/${1//.//}" 2>/dev/null || true
}

set_to() { # NAME VALUE WHY
    echo "enable-userns: setting $1=$2 ($3)" >&2
    as_root sysctl -q -w "$1=$2"
}

apparmor_profile() {
    local path
    echo 'abi <abi/4.0>,'
    echo 'include <tunables/global>'
    local n=0
    for path in "$@"; do
        n=$((n + 1))
        printf 'profile bryo-%d "%s" flags=(unconfined) {\n  userns,\n}\n' "$n" "$path"
    done
}

if [ "$(value_of user.max_user_namespaces)" = 0 ]; then
    set_to user.max_user_namespaces 15000 "user namespaces were switched off"
fi
if [ "$(value_of kernel.unprivileged_userns_clone)" = 0 ]; then
    set_to kernel.unprivileged_userns_clone 1 "only root could create user namespaces"
fi
if [ "$(value_of kernel.apparmor_restrict_unprivileged_userns)" = 1 ]; then
    profile=/etc/apparmor.d/bryo-build
    [ $# -gt 0 ] || set -- "$top/build/{,*/}{bin,libexec,tests}/**" \
        "/var/tmp/bryo-test.*/src/build/{bin,libexec,tests}/**" "/tmp/bryo-*/**"
    if ! apparmor_profile "$@" | cmp -s - "$profile"; then
        echo "enable-userns: AppArmor keeps user namespaces from programs without a profile;" \
            "adding $profile for $*" >&2
        apparmor_profile "$@" | as_root tee "$profile" >/dev/null
        as_root apparmor_parser -r "$profile"
    fi
fi
