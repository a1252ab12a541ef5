#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Files that subordinate ids own: given back when a job ends, and by bryo clean.
. "$(dirname "$0")/../helpers/lib.sh"

mkdir "$T/ws"
cd "$T/ws" || exit 99
me=$(id -u):$(id -g)
others() { # DIR: what in it is not this account's
    find "$1" \( ! -uid "$(id -u)" -o ! -gid "$(id -g)" \) -printf '%P ' 2>/dev/null
}
job() { "$BRYO" run --network none "$@"; }
mess='chown 1000:1000 owned; chown 0:9 grouped; chown -R 33:33 dir; chmod 500 dir/in; chmod 700 dir
      mkdir dark; chown 65534:65534 dark; chmod 0 dark; ln -s outside link; chown -h 5:5 link
      cp /bin/true suid; chown 7 suid; chmod 4755 suid'
new_mess() { # OPTION...
    chmod -R u+rwx . && find . -mindepth 1 -delete
    mkdir -p dir/in
    touch owned grouped dir/in/file
    job "$@" -- sh -c "$mess"
}

if ! has_subids; then
    run_ok "a job of one id" job -- sh -c "chown 1000:1000 . 2>/dev/null; : >file; chown 5 file"
    is "$(others .)" "" "leaves only files of its user"
    run_ok "bryo clean" "$BRYO" clean .
    like "$err" 'no subordinate ids' "says that there is nothing to do"
    rm -rf "$T/ws"
    done_testing
fi

# --- by itself --------------------------------------------------------------------------------------
run_ok "a job gives its files to subordinate ids" new_mess --keep-owners
is "$(others . | tr ' ' '\n' | sort | paste -sd' ')" "dark dir grouped link owned suid" "with --keep-owners they stay theirs"
nok "and the user cannot remove them" rm -rf dir 2>/dev/null
run_ok "another job" job -- true
like "$(others .)" "owned" "leaves alone what was there before it"
run_ok "bryo clean" "$BRYO" clean .
like "$err" '^bryo: \.: [0-9]+ files and directories are yours again$' "says what it did"
is "$(others .)" "" "everything is the user's"
is "$(stat -c %a dark dir dir/in | paste -sd' ')" "700 700 700" "who can enter its directories"
run_ok "once more" "$BRYO" clean .
is "$out$err" "" "there is nothing to say"
run_ok "the same job without --keep-owners" new_mess
is "$(others .)" "" "gives them back by itself"
is "$out$err" "" "without a word"
is "$(stat -c %A suid)" "-rwxr-xr-x" "a set-user-ID bit does not outlive its owner"
run_ok "all of it can be removed" find . -mindepth 1 -delete
expect_status 7 "a job that fails" job -- sh -c ': >f; chown 8:8 f; exit 7'
is "$(others .)" "" "gives them back as well"
expect_status 124 "one that is ended" job --timeout 1s -- sh -c ': >f; chown 8:8 f; sleep 60'
is "$(others .)" "" "too"
run_ok "a user of the job" job -- sh -c 'mkdir -m 1777 t; setpriv --reuid 1234 --regid 1234 --clear-groups sh -c "umask 077; mkdir t/d; echo x >t/d/x"'
is "$(cat t/d/x)" x "what it wrote can be read"
run_ok "a workspace that belongs to a subordinate id in whole" job -- chown 3:3 .
is "$(stat -c %u:%g .)" "$me" "is the user's again"
run_ok "other maps" job --uidmap 0:1:1000 --uidmap 5000:0:1 -- sh -c ': >mine; chown 12 mine'
ok "make no difference" test -O mine
XDG_RUNTIME_DIR=$T/rt
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
id=$(job -d -- sh -c ': >d; chown 9:9 d')
"$BRYO" wait "$id" >/dev/null
is "$(others .)" "" "a detached job has given them back when bryo wait hears of its end"
"$BRYO" rm "$id" >/dev/null

# --- what is not touched ------------------------------------------------------------------------------
mkdir -p "$T/out/dir" "$T/ws/deep"
touch "$T/out/file"
job --keep-owners -v "$T/out:/out" -- sh -c 'chown -R 44:44 /out; ln -s "$0"/dir deep/d; ln -s "$0"/file deep/f; chown -h 4:4 deep deep/f' "$T/out"
run_ok "links that lead out" "$BRYO" clean .
is "$(others .)" "" "are given back themselves"
like "$(others "$T/out")" 'file' "and not what they lead to"
run_ok "several directories" "$BRYO" clean . "$T/out"
is "$(others "$T/out")" "" "are gone through"
job --keep-owners -- sh -c 'd=deep/x; i=0; mkdir $d; cd $d; while [ $i -lt 300 ]; do mkdir dddddddddddddddddddd; cd dddddddddddddddddddd; i=$((i + 1)); done; : >end; cd /; chown -R 6:6 "$0"; chmod 700 "$0"' "$PWD/deep"
run_ok "a path longer than a path may be" "$BRYO" clean .
ok "is given back to its end" find . -name end -uid "$(id -u)"
rm -rf deep
mkdir -p "$T/ws/cache/bryo/store"
touch "$T/ws/cache/bryo/store/file"
job --keep-owners -- sh -c 'chown -R 6:6 cache/bryo/store; : >file; chown 6 file'
run_ok "a directory that holds bryo's own store" env XDG_CACHE_HOME="$T/ws/cache" "$BRYO" clean .
is "$(others .)" "cache/bryo/store cache/bryo/store/file " "which keeps its owners"
expect_status 125 "the store itself" env XDG_CACHE_HOME="$T/ws/cache" "$BRYO" clean cache/bryo/store
like "$err" "bryo's own store" "is refused"
run_ok "elsewhere it is a directory like others" "$BRYO" clean cache
for wrong in nothing file; do
    expect_status 125 "clean $wrong" "$BRYO" clean "$wrong"
    like "$err" "^bryo: cannot look into $wrong: " "is refused"
done
cd "$T" && rm -rf "$T/ws" "$T/out" "$T/rt"
done_testing
