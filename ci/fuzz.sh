#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzzers that "make fuzz" has built: ci/fuzz.sh SECONDS JOBS NAME...
#
# The inputs of tests/fuzz/corpus/NAME are the start; what a run finds beyond them goes to
# build/fuzz/corpus/NAME. A crash leaves its input in build/fuzz/crashes and fails. With FUZZ_RUNS=N in
# the environment each runs N inputs, however long that takes.
set -euo pipefail

seconds=$1
jobs=$2
shift 2
[ $# -gt 0 ] || {
    echo "fuzz: there is no tests/fuzz/*.c" >&2
    exit 1
}

limit=-max_total_time=$seconds
each="$seconds s"
if [ -n "${FUZZ_RUNS:-}" ]; then
    limit=-runs=$FUZZ_RUNS
    each="$FUZZ_RUNS inputs"
fi

# A run that went well leaves NAME.passed. The verdict is a file since the shell may lose an exit
# status: when the kernel gives a finished fuzzer's process id to a later child of this shell, "wait"
# no longer knows the first one.
fuzz_one() {
    local name=$1 log=build/fuzz/$1.log found=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1
    mkdir -p "$found" build/fuzz/crashes
    rm -f "build/fuzz/$name.passed"
    [ -d "$seeds" ] || seeds=
    if build/fuzz/bin/fuzz-"$name" "$limit" -timeout=10 -rss_limit_mb=2048 \
        -verbosity=1 -print_final_stats=1 -artifact_prefix=build/fuzz/crashes/"$name"- \
        "$found" ${seeds:+"$seeds"} >"$log" 2>&1 </dev/null; then
        printf 'ok     fuzz/%-30s %s runs\n' "$name" \
            "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
        : >"build/fuzz/$name.passed"
    else
        printf 'FAILED fuzz/%s\n' "$name"
        grep -vE '^#[0-9]+[[:space:]]+(REDUCE|NEW|pulse)' "$log" | tail -n 60 | sed 's/^/    | /'
        return 1
    fi
}

for name in "$@"; do
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do
        wait -n || true
    done
    fuzz_one "$name" &
done
wait

failed=0
for name in "$@"; do
    [ -e "build/fuzz/$name.passed" ] || failed=$((failed + 1))
done
echo "fuzz: $(($# - failed)) passed, $failed failed, $each each"
[ "$failed" -eq 0 ]
