#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What prune and rm leave: what kept jobs stand on, and what a job that runs may have in its stack.
. "$(dirname "$0")/../helpers/lib.sh"
. "$(dirname "$0")/../helpers/roots.sh"

store=$XDG_CACHE_HOME/bryo
skeleton "$T/root"
tar -C "$T/root" -cf "$T/root.tar" .
mkdir -p "$T/above/opt"
echo above >"$T/above/opt/file"
tar -C "$T/above" -cf "$T/above.tar" .
entries() {
    find "$store/store" -mindepth 1 -maxdepth 1 | wc -l
}
inits() {
    find "$store/init" -mindepth 1 -maxdepth 1 | wc -l
}

job=(run --no-workspace --userns single --rootfs "$T/root.tar" --layer "$T/above.tar" "${WITH_USR[@]}")
run "$BRYO" "${job[@]}" --keep -- true
id=$(sed -n 's/.*kept as \([0-9a-f]*\) .*/\1/p' <<<"$err")
isnt "$id" "" "a job is kept" || diag "$err"
is "$(entries)" 2 "it stands on a root and a layer"

for tar in root above; do
    expect_status 125 "rm of $tar.tar" "$BRYO" image rm "$T/$tar.tar"
    like "$err" "kept job $id stands on" "  names the job"
    like "$err" "--rm --reuse $id.*--force" "  and what to do"
done
run_ok "prune" "$BRYO" image prune
like "$out" '^removed 0 images' "  leaves both"
like "$err" '^bryo: 2 on which kept jobs stand' "  and says so"
is "$(entries)" 2 "  indeed"
run_ok "the job is entered again" "$BRYO" run --no-workspace --userns single "${WITH_USR[@]}" --reuse "$id" -- true

# --- what bryo writes for a job -----------------------------------------------------------------------

run_ok "a job with another name" "$BRYO" "${job[@]}" --hostname other -- true
is "$(inits)" 2 "has another init layer"
run_ok "prune" "$BRYO" image prune
is "$(inits)" 2 "  leaves what was used a moment ago"
touch -d '3 days ago' "$store"/init/*
run_ok "prune of what is older" "$BRYO" image prune --older-than 10d
is "$(inits)" 2 "  leaves what is not"
"$BRYO" "${job[@]}" --hostname third -- sleep 100 &
running=$!
third() {
    [ "$(inits)" = 3 ] && "$BRYO" image ls --format json | jq -e 'any(.in_use)' >/dev/null
}
wait_for 10 third
run_ok "prune while a job runs" "$BRYO" image prune
is "$(inits)" 3 "  leaves them all"
kill "$running" && wait "$running" 2>/dev/null
touch -d '3 days ago' "$store"/init/*
run_ok "a job with that name" "$BRYO" "${job[@]}" --hostname other -- true
run_ok "prune" "$BRYO" image prune --older-than 1d
is "$(inits)" 2 "  removes what nobody used since, but for the kept job's"
run_ok "the kept job is looked at" "$BRYO" diff "$id"

run_ok "prune --force" "$BRYO" image prune --force
is "$(entries)" 0 "  removes the images too"
expect_status 125 "the job cannot be entered then" "$BRYO" run --no-workspace --userns single --reuse "$id" -- true
like "$err" 'import it again' "  and says what to do"
run_ok "import it" "$BRYO" image import --userns single "$T/root.tar"
run_ok "  and its layer" "$BRYO" image import --userns single --as-layer "$T/above.tar"
run_ok "rm --force" "$BRYO" image rm --force "$T/above.tar"
is "$(entries)" 1 "  removes it"
run_ok "it is imported again" "$BRYO" image import --userns single --as-layer "$T/above.tar"
run_ok "the job is dropped" "$BRYO" run --rm --no-workspace --userns single "${WITH_USR[@]}" --reuse "$id" -- true
run_ok "rm" "$BRYO" image rm "$T/root.tar" "$T/above.tar"
is "$(entries)" 0 "  removes what nothing stands on"
done_testing
