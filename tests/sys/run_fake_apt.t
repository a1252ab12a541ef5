#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian's own package manager in a job with one id, with its sandbox user, and a compiler from it.
# timeout: 1500
. "$(dirname "$0")/../helpers/lib.sh"
shared_store

debian() { # OPTION... -- COMMAND...
    "$BRYO" run --no-workspace --userns single --network host -e DEBIAN_FRONTEND=noninteractive \
        --rootfs "$ROOTFS_TAR" "$@"
}

run_ok "apt-get update, apt-get install gcc" debian -- sh -c '
    { apt-get -q update && apt-get -q -y --no-install-recommends install gcc libc6-dev cron; } >/tmp/log 2>&1 || { tail -n 40 /tmp/log; exit 1; }
    grep -E "^(W|E|dpkg): " /tmp/log
    echo "int main(void) { return 42; }" >/tmp/x.c && gcc -o /tmp/x /tmp/x.c && /tmp/x; echo "status $?"
    stat -c "%U:%G %a" /var/spool/cron/crontabs /var/lib/apt/lists/partial; dpkg --audit'
is "$out" "status 42
root:crontab 1730
_apt:root 700" "works without a warning, with the owners that the packages want"
is "$(grep -c "^bryo: the job has one id.*pretended" <<<"$err")" 1 "and bryo has one line to say of it"
if [ "$(id -u)" != 0 ]; then
    run debian --no-fake-root -- apt-get -q update
    isnt "$status" 0 "--no-fake-root: it does not get that far"
    like "$out$err" "setgroups|seteuid|setresgid|Operation not permitted|Invalid argument" "as the ids are not there"
fi
done_testing
