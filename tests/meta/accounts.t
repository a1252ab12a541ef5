#!/bin/bash
# The test accounts get subordinate ids that no other account has.
. "$(dirname "$0")/../helpers/lib.sh"
. "$SRC/ci/free-range.sh"

is "$(free_range 300000 65536 4294967295 /dev/null)" 300000:65536 "where nobody has any: the first that are asked for"
echo 'a:300000:65536' >"$T/subuid"
is "$(free_range 300000 65536 4294967295 "$T/subuid")" 365536:65536 "the same start is passed over"
echo 'a:299999:2' >"$T/subuid"
is "$(free_range 300000 65536 4294967295 "$T/subuid")" 300001:65536 "and a range that only reaches into it"
echo 'a:365535:1' >"$T/subuid"
is "$(free_range 300000 65536 4294967295 "$T/subuid")" 365536:65536 "and one that begins at its last id"
echo 'a:365536:1' >"$T/subuid"
is "$(free_range 300000 65536 4294967295 "$T/subuid")" 300000:65536 "one that begins behind it is no hindrance"
printf 'c:500000:10\na:300000:100000\n' >"$T/subuid"
printf '# a comment\nb:390000:100000\n1234:480000:30000\n' >"$T/subgid"
is "$(free_range 300000 65536 4294967295 "$T/subuid" "$T/subgid")" 510000:65536 "ranges of both files, in any order"
is "$(free_range 300000 65536 400000 "$T/subuid" "$T/subgid")" "" "nothing where nothing is free"
is "$(free_range 10000 50000 65536 /dev/null)" 10000:50000 "in a container's few ids too"
done_testing
