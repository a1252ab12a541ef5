#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A job's scratch layer that is kept: --keep, --keep-on-failure, --reuse, --rm.
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/tests/helpers/roots.sh"

skeleton "$T/root"
K() { # like in_root, of this root
    in_root "$T/root" "$@"
}
kept() { # the ids that are there
    ls "$XDG_CACHE_HOME/bryo/scratch" 2>/dev/null
}
reuse() { # ID OPTION... -- COMMAND...
    "$BRYO" run --no-workspace --reuse "$1" "${WITH_USR[@]}" "${@:2}"
}

run_ok "without --keep" K -- touch /root/f
is "$(kept)$err" "" "nothing is kept, nothing is said"
expect_status 3 "--keep" K --keep --result "$T/r" -- sh -c 'echo one >/root/f; rm /etc/passwd; exit 3'
id=$(kept)
like "$id" '^[0-9a-f]{12}$' "the scratch stays"
like "$err" "^bryo: kept as $id in $XDG_CACHE_HOME/bryo/scratch/$id/" "bryo says where"
like "$err" "bryo run --reuse $id -- sh" "and how to enter it again"
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["kept"])' "$T/r")" "$XDG_CACHE_HOME/bryo/scratch/$id" "--result names it too"
is "$(cat "$XDG_CACHE_HOME/bryo/scratch/$id/upper/root/f")" one "what the job wrote is there to be looked at"
run_ok "another run" K -- true
is "$(kept)" "$id" "sweeps none that is kept"
run_ok "--reuse" reuse "$id" -- sh -c 'cat /root/f; [ ! -e /etc/passwd ]; echo two >>/root/f'
is "$out" one "goes on where the job was"
is "$err" "" "without a word"
run_ok "--reuse again" reuse "$id" -- cat /root/f
is "$out" "one
two" "sees what came since"
expect_status 7 "a job that fails in it" reuse "$id" -- sh -c 'exit 7'
is "$(kept)" "$id" "leaves it kept"
expect_status 127 "a command that is not there" reuse "$id" -- no-such-command
is "$(kept)" "$id" "leaves it kept as well"

# --- beside others -------------------------------------------------------------------------------------
reuse "$id" -v "$T:/t" -- sh -c 'touch /t/up; until [ -e /t/go ]; do sleep 0.02; done; echo three >>/root/f' &
pid=$!
wait_for 20 test -e "$T/up"
expect_status 125 "--reuse of one in which a job runs" reuse "$id" -- true
like "$err" "a job runs in $id already" "is refused with the reason"
bad=0
for i in 1 2 3 4 5 6 7 8; do
    K -- true || bad=$((bad + 1))
done
is $bad 0 "other runs do not mind"
touch "$T/go"
wait $pid
rm -f "$T/up" "$T/go"
is "$(reuse "$id" -- tail -n 1 /root/f)" three "and the job in it has lost nothing"
# a bryo that dies in a kept one does not take it along
"$BRYO" run --no-workspace --reuse "$id" "${WITH_USR[@]}" -v "$T:/t" -- sh -c 'echo four >>/root/f; touch /t/up; sleep 3600' &
pid=$!
wait_for 20 test -e "$T/up"
kill -KILL $pid
wait $pid 2>/dev/null
rm -f "$T/up"
free() {
    reuse "$id" -- true 2>/dev/null
}
ok "a kept one whose bryo was killed can be entered again" wait_for 10 free
is "$(reuse "$id" -- tail -n 1 /root/f)" four "with what was written"

# --- errors ---------------------------------------------------------------------------------------------
for bad in 000000000000 no-id ../scratch "$id/../$id" ''; do
    expect_status 125 "--reuse '$bad'" reuse "$bad" -- true
    like "$err" "^bryo: " "is refused in one line"
done
expect_status 125 "other id maps" reuse "$id" --uidmap 0:0:1 --gidmap 0:0:1 --userns single --hostname x -u 0 --uidmap 5:0:1 -- true
mv "$T/root" "$T/moved"
expect_status 125 "a root that is gone" reuse "$id" -- true
like "$err" "cannot open the root file system $T/root" "is named"
mv "$T/moved" "$T/root"
echo damaged >"$XDG_CACHE_HOME/bryo/scratch/$id/kept.new" && mv "$XDG_CACHE_HOME/bryo/scratch/$id/kept" "$T/record" &&
    mv "$XDG_CACHE_HOME/bryo/scratch/$id/kept.new" "$XDG_CACHE_HOME/bryo/scratch/$id/kept"
expect_status 125 "a damaged record" reuse "$id" -- true
like "$err" "record of the kept job $id is damaged" "is told"
mv "$T/record" "$XDG_CACHE_HOME/bryo/scratch/$id/kept"
run_ok "--rm --reuse" reuse "$id" --rm -- cat /root/f
is "$(kept)" "" "keeps it no longer"

# --- --keep-on-failure -----------------------------------------------------------------------------------
run_ok "--keep-on-failure, a job that does not fail" K --keep-on-failure -- true
is "$(kept)" "" "is not kept"
expect_status 1 "--keep-on-failure, one that does" K --keep-on-failure -- sh -c 'echo why >/root/why; exit 1'
id=$(kept)
is "$(reuse "$id" --rm -- cat /root/why)" why "is"
expect_status 124 "--keep-on-failure, one that is late" K --keep-on-failure --timeout 200ms -- sleep 3600
reuse "$(kept)" --rm -- true
expect_status 125 "--keep with what bryo could not start" K --keep -v "$T/root/etc/group:/usr" -- true
is "$(kept)" "" "keeps nothing"

# --- host root, files of other ids ------------------------------------------------------------------------
run_ok "--keep on the host root" "$BRYO" run --no-workspace --keep -- sh -c 'echo x >/etc/mine; echo y >/var/mine; echo z >/top; echo t >/var/tmp/t'
id=$(kept)
run_ok "--reuse" "$BRYO" run --no-workspace --reuse "$id" --rm -- cat /etc/mine /var/mine /top /var/tmp/t
is "$out" "x
y
z
t" "finds all of it"
run_ok "files that are hard to remove" K --keep -- sh -c 'mkdir -p /root/a/b; touch /root/a/b/f; chmod 0 /root/a/b /root/a; chown 7:7 /root/a 2>/dev/null; exit 0'
reuse "$(kept)" --rm -- true
is "$(kept)" "" "are removed with --rm"
rm -rf "$T/root" "$T/r"
done_testing
