#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A crowd of entries in one directory is unpacked, found again, and removed; or refused where the
# limit is lower, and then nothing of it stays.
# timeout: 600
#
#   ENTRIES=1000000 tests/sys/unpack_crowd.t      by hand, a million of them
#
# Shown able to fail: without the bound of check_limits() the tests of the limit fail.
. "$(dirname "$0")/../helpers/lib.sh"

entries=${ENTRIES:-100000}
python3 -S - "$entries" >"$T/crowd.tar" <<'END'
import sys
out = sys.stdout.buffer
name = b"d/" + b"n" * 40 + b"%07d"
head = b"\0" * (100 - len(name % 0)) + b"0000644\0" + b"0000000\0" * 2 + b"00000000000\0" + b"07346545000\0"
tail = b"0" + b"\0" * 100 + b"ustar\00000" + b"\0" * 64 + b"0000000\0" * 2 + b"\0" * 167
rest = sum(head) + sum(tail) + 8 * 32
for i in range(int(sys.argv[1])):
    n = name % i
    out.write(n + head + b"%06o\0 " % (rest + sum(n)) + tail)
out.write(b"\0" * 1024)
END

run "$BRYO" image import --max-entries $((entries / 2)) "$T/crowd.tar"
is "$status" 125 "refused: $entries entries in one directory, with a limit of half as many"
like "$err" "more than the $((entries / 2)) members" "  and says so"
is "$(find "$XDG_CACHE_HOME/bryo" -mindepth 2 2>/dev/null | head -3)" "" "  and nothing of it stays"

run_ok "taken: $entries of them, without a limit" "$BRYO" image import "$T/crowd.tar"
is "$(find "$XDG_CACHE_HOME"/bryo/store/*/rootfs/d -type f -name 'n*' | wc -l)" "$entries" "  each of them"
is "$("$BRYO" image inspect --format json "$T/crowd.tar" | jq '.[0].entries // .entries')" "$entries" \
    "  and counted"
run_ok "  and they are sound" "$BRYO" image verify "$T/crowd.tar"
run_ok "  and are removed" "$BRYO" image rm "$T/crowd.tar"
is "$(find "$XDG_CACHE_HOME/bryo" -mindepth 2 | head -3)" "" "  all of them"
done_testing
