#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The environment of a job: clean by default, so that no secret of the machine leaks by accident.
. "$(dirname "$0")/../helpers/lib.sh"

E() { # VARIABLE=VALUE... -- OPTION...: the job's environment, sorted, with this one outside
    local outer=()
    while [ "$1" != -- ]; do
        outer+=("$1")
        shift
    done
    shift
    env -i HOME="$HOME" XDG_CACHE_HOME="$XDG_CACHE_HOME" "${outer[@]}" "$BRYO" run --no-workspace "$@" -- /usr/bin/env | sort
}
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

is "$(E AWS_SECRET=x LD_PRELOAD=y --)" "HOME=/root
PATH=$path
USER=root" "nothing comes in by itself"
is "$(E PATH=/bin:/secret TERM=dumb LANG=de_DE.UTF-8 LC_ALL=C --)" "HOME=/root
LANG=de_DE.UTF-8
PATH=$path
TERM=dumb
USER=root" "TERM and LANG do, PATH does not"
is "$(E CI=1 --  | grep '^CI')" "CI=true" "CI=true inside of CI"
is "$(E CI= -- | grep -c '^CI=true')" 0 "an empty CI is none"
is "$(E A=1 B=2 -- -e A -e NONE -e C=3 -e 'D=a b=c' -e E= | grep -E '^[A-E]=')" "A=1
C=3
D=a b=c
E=" "-e takes over, and sets"
is "$(E -- -e X=1 -e X=2 | grep '^X')" "X=2" "the last one counts"
is "$(E -- -e HOME=/h -e USER=u -e PATH=/p | tr '\n' ' ')" "HOME=/h PATH=/p USER=u " "also over what is always there"
printf 'FILE_A=1\n# no\n\nTAKEN\nFILE_B=two words "quoted" $x\n' >"$T/list"
is "$(E TAKEN=yes -- --env-file "$T/list" -e FILE_A=3 | grep -E '^(FILE|TAKEN)')" 'FILE_A=3
FILE_B=two words "quoted" $x
TAKEN=yes' "--env-file, in docker's format"
expect_status 125 "a name that is none" "$BRYO" run -e '=x' -- true
like "$err" "^bryo: " "is refused in one line"
expect_status 125 "an --env-file that is not there" "$BRYO" run --env-file "$T/none" -- true
like "$err" "$T/none" "is named"
is "$(E -- -e PATH=/usr/bin 2>&1 | grep -c PATH=/usr/bin)" 1 "a PATH of one's own is in force"
expect_status 127 "and used to find the command" "$BRYO" run -e PATH=/nowhere -- true
like "$err" "PATH in the job is /nowhere" "the error shows it"
rm -f "$T/list"
# Secrets must not be found by another way either.
is "$(SECRET_OF_OURS=hunter2 "$BRYO" run -- sh -c 'cat /proc/*/environ 2>/dev/null | tr "\0" "\n" | grep -c SECRET')" 0 \
    "no process inside shows the environment outside"
is "$("$BRYO" run -e TOKEN=hunter2 -- sh -c 'unset TOKEN; for p in /proc/[0-9]*; do tr "\0" " " <$p/cmdline; done | grep -c "TOKEN=hunter2"')" 1 \
    "nor the launcher's arguments (only sh's own script has the word)"
done_testing
