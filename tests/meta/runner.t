#!/bin/bash
# The test runner itself: whatever can go wrong in a test makes the run fail, and the count is right.
# timeout: 300
. "$(dirname "$0")/../helpers/lib.sh"

fresh_tree() { # a source tree with the real runner and no tests
    rm -rf "$T/tree"
    mkdir -p "$T/tree/tests/sys" "$T/tree/tests/meta" "$T/tree/ci" "$T/tree/build/tests/unit"
    cp -a "$SRC/tests/run" "$SRC/tests/skips.txt" "$SRC/tests/helpers" "$T/tree/tests/" 2>/dev/null ||
        bail "copying the runner"
    mkdir -p "$T/tree/tests/helpers"
    cp -a "$SRC/build/tests/helpers" "$T/tree/build/tests/"
}

script() { # NAME LINES: a test of that name, with the library
    printf '#!/bin/bash\n. "$SRC/tests/helpers/lib.sh"\n%s\n' "$2" >"$T/tree/tests/sys/$1.t"
}

runner() { # VAR=VALUE...: runs it; sets $status, $last
    run env BUILD=build BRYO_TEST_TMP="$T" "$@" "$T/tree/tests/run"
    last=$(tail -n 1 <<<"$out")
}

fresh_tree
runner
isnt "$status" 0 "no tests at all is a failure"

script good 'pass one
pass two
done_testing'
runner
is "$status" 0 "a good test passes" || diag "$out" "$err"
# two, nothing left behind, and the shared store
is "$last" "4 passed, 0 failed, 0 skipped" "and is counted"

try() { # WHAT LAST LINES: this test beside the good one fails the run, with this last line
    script bad "$3"
    runner BRYO_MUST_RUN="${must_run:-0}"
    is "$status $last" "1 $2" "$1" || diag "$out" "$err"
    rm "$T/tree/tests/sys/bad.t"
}

try "a failed test" "6 passed, 1 failed, 0 skipped" 'pass a
fail b
done_testing'
try "no plan" "5 passed, 1 failed, 0 skipped" 'pass a
exit 0'
try "fewer tests than planned" "5 passed, 1 failed, 0 skipped" 'tap_leftovers=0
plan 2
pass a
exit 0'
try "more tests than planned" "5 passed, 1 failed, 0 skipped" 'tap_leftovers=0
plan 1
pass a
pass b
exit 0'
try "an exit status that contradicts the tests" "5 passed, 1 failed, 0 skipped" 'pass a
echo 1..1
exit 3'
try "a crash" "5 passed, 1 failed, 0 skipped" 'echo 1..1
pass a
kill -SEGV $$'
try "a bail-out" "4 passed, 1 failed, 0 skipped" 'bail "out of paper"'
try "a test that takes too long" "5 passed, 1 failed, 0 skipped" '# timeout: 1
pass a
sleep 60
done_testing'
try "a process left behind" "6 passed, 1 failed, 0 skipped" 'pass a
setsid sleep 60 &
done_testing'
try "a file left behind" "5 passed, 1 failed, 0 skipped" 'pass a
touch "$HOME/left"
done_testing'
try "a todo that fails" "4 passed, 1 failed, 0 skipped" 'echo "not ok 1 - a # TO""DO"
echo 1..1'

no_reason='skip 1 "no reason"
done_testing'
must_run=1 try "a skip where none is allowed" "5 passed, 1 failed, 0 skipped" "$no_reason"
script bad "$no_reason"
runner BRYO_MUST_RUN=0
is "$status $last" "0 5 passed, 0 failed, 1 skipped" "a skip at home is counted as what it is"
echo "sys/bad : no reason" >>"$T/tree/tests/skips.txt"
runner BRYO_MUST_RUN=1
is "$status $last" "0 5 passed, 0 failed, 1 skipped" "a skip with a listed reason too"
rm "$T/tree/tests/sys/bad.t"

printf '#include "tests/unit/tap.h"\nint main(void) { plan(2); ok(1, "one"); ok(0, "two"); return done_testing(); }\n' \
    >"$T/unit.c"
${CC:-cc} -I"$SRC" -o "$T/tree/build/tests/unit/bad" "$T/unit.c" || bail "no compiler"
runner
is "$status $last" "1 5 passed, 1 failed, 0 skipped" "a failed unit test"
printf '#include "tests/unit/tap.h"\nint main(void) { plan(2); ok(1, "one"); return done_testing(); }\n' \
    >"$T/unit.c"
${CC:-cc} -I"$SRC" -o "$T/tree/build/tests/unit/bad" "$T/unit.c" || bail "no compiler"
runner
is "$status $last" "1 5 passed, 1 failed, 0 skipped" "a unit test that stops early"
rm -rf "$T/tree"
done_testing
