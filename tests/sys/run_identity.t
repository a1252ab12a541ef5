#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who a job is: the maps with and without subordinate ids, --userns, --uidmap, --gidmap.
. "$(dirname "$0")/../helpers/lib.sh"

me=$(id -u)
mine=$(id -g)
map() { # OPTION...: uid and gid maps inside, blanks squeezed
    "$BRYO" run "$@" -- sh -c 'cat /proc/self/uid_map; echo -; cat /proc/self/gid_map' | tr -s ' ' | sed 's/^ //'
}

# --- one id ----------------------------------------------------------------------------------------
is "$(map --userns single)" "0 $me 1
-
0 $mine 1" "--userns single: the user's own id, as root"
run_ok "id" "$BRYO" run --userns single -- id -u
is "$out" 0 "the job is root of its namespace"
run_ok "setgroups" "$BRYO" run --userns single -- cat /proc/self/setgroups
is "$out" deny "setgroups(2) is denied there, as user_namespaces(7) asks"
run_ok "what the job writes in the workspace" "$BRYO" run --userns single --workspace "$T" -- touch "$T/made"
is "$(stat -c %u:%g "$T/made")" "$me:$mine" "belongs to the user"
rm -f "$T/made"
is "$(map --userns single --uidmap 1000:0:1 -u 1000:1000)" "1000 $me 1
-
1000 $mine 1" "--uidmap with one id names it, and counts for both"
is "$(map --userns single --uidmap 1000:0:1 --gidmap 50:0:1 -u 1000:50)" "1000 $me 1
-
50 $mine 1" "--gidmap apart"
expect_status 125 "a map of more ids than there are" "$BRYO" run --userns single --uidmap 0:0:5 -- true
like "$err" "^bryo: " "is refused in one clear line"
expect_status 125 "an id of another user" "$BRYO" run --userns single --uidmap 0:@0:1 -- true
like "$err" "^bryo: " "is refused too"
if [ "$me" != 0 ]; then
    run "$BRYO" run --userns single --uidmap 0:@0:1 -- id -u
    unlike "$out" "^0$" "nothing ran"
fi

# --- ranges ----------------------------------------------------------------------------------------
if has_subids; then
    first=$(awk -F: -v n="$(id -un)" '$1 == n || $1 == '"$me"' { print $2; exit }' /etc/subuid)
    gfirst=$(awk -F: -v n="$(id -un)" '$1 == n || $1 == '"$me"' { print $2; exit }' /etc/subgid)
    count=$(awk -F: -v n="$(id -un)" '$1 == n || $1 == '"$me"' { print $3; exit }' /etc/subuid)
    is "$(map | head -2)" "0 $me 1
1 $first $count" "by default the subordinate range follows the user's own id"
    is "$(map --userns subids | head -2)" "0 $me 1
1 $first $count" "and so with --userns subids"
    run_ok "setgroups" "$BRYO" run -- cat /proc/self/setgroups
    is "$out" allow "setgroups(2) works there"
    run_ok "chown to another id" "$BRYO" run --keep-owners --workspace "$T" -- sh -c "touch '$T/made' && chown 33:34 '$T/made'"
    is "$(stat -c %u:%g "$T/made")" "$((first + 32)):$((gfirst + 33))" "makes a file of that subordinate id"
    "$BRYO" run --workspace "$T" -- rm "$T/made"
    run_ok "a process may become another user" "$BRYO" run -- \
        python3 -c 'import os; os.setgroups([5, 44]); os.setgid(7); os.setuid(1000); print(os.getuid(), os.getgid(), os.getgroups())'
    is "$out" "1000 7 [5, 44]" "with groups of its own"
    is "$(map --uidmap 0:0:1 --uidmap 100:1:10 --gidmap 0:0:11 | tail -n +1)" "0 $me 1
100 $first 10
-
0 $mine 1
1 $first 10" "--uidmap and --gidmap count in the user's ids"
    is "$(map --uidmap "0:@$((first + 5)):1" --uidmap "9:@$me:1" --gidmap "0:@$((gfirst + 5)):1" --gidmap "9:@$mine:1")" \
        "0 $((first + 5)) 1
9 $me 1
-
0 $((gfirst + 5)) 1
9 $mine 1" "@FROM counts in the machine's"
    expect_status 125 "a map without the user's own id" "$BRYO" run --uidmap 0:1:10 --gidmap 0:0:11 -- true
    like "$err" "--uidmap leaves out your own user id" "says what is amiss"
    expect_status 125 "the same of the group" "$BRYO" run --uidmap 0:0:10 --gidmap 0:1:11 -- true
    like "$err" "--gidmap leaves out your own group id" "by its own words"
    expect_status 125 "more than the range holds" "$BRYO" run --uidmap "0:0:$((count + 2))" -- true
    like "$err" "^bryo: " "is refused in one clear line"
    is "$(grep -c . <<<"$out")" 0 "nothing ran"
else
    is "$(map)" "0 $me 1
-
0 $mine 1" "without subordinate ids the default is the single map"
    expect_status 125 "--userns subids without a range" "$BRYO" run --userns subids -- true
    if has_range; then # which no_new_privs makes useless: this runs inside a job
        like "$err" "no_new_privs" "is refused by its own words"
        like "$err" "--userns single" "with the remedy"
    else
        like "$err" "/etc/subuid grants this user no range" "is refused by its own words"
        like "$err" "usermod --add-subuids" "with the remedy"
    fi
fi

# --- no_new_privs takes newuidmap's privilege ---------------------------------------------------------
expect_status 0 "with no_new_privs set a run falls back" setpriv --no-new-privs "$BRYO" run -- sh -c 'wc -l </proc/self/uid_map'
is "$out" 1 "to the single map"
expect_status 125 "and --userns subids says why not" setpriv --no-new-privs "$BRYO" run --userns subids -- true
if has_range; then
    like "$err" "no_new_privs" "it names no_new_privs"
else
    like "$err" "grants this user no range" "it names the missing range first"
fi
# The outer account's groups do not become a way around the map.
run_ok "capabilities" "$BRYO" run -- sh -c 'grep -E "^Cap(Inh|Amb)|^NoNewPrivs" /proc/self/status | tr "\t" " "'
is "$out" "CapInh: 0000000000000000
CapAmb: 0000000000000000
NoNewPrivs: 1" "nothing inheritable, nothing ambient, no new privileges"
run_ok "CAP_SYS_ADMIN" "$BRYO" run -- sh -c '! mount -t tmpfs x /mnt 2>&1; ! chroot / true 2>/dev/null || echo may-chroot'
like "$out" "may-chroot" "no mounting; chroot(2) is left to build tools"

done_testing
