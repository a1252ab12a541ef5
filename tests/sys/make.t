#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# bryo.mk: targets of a project inside a job; -j is shared, -n and exit statuses behave.
. "$(dirname "$0")/../helpers/lib.sh"
shared_store
mkdir "$T/project"
cat >"$T/project/Makefile" <<EOF
BRYO = $BRYO
include $SRC/ci/bryo.mk
test: a b c d
	@echo "done X=\$(X) in \$\$(cat /proc/1/comm)"
# each says when others run at the same time
a b c d: ; @mkdir run-\$@; sleep 0.3; ls -d run-* | wc -l >n-\$@; sleep 0.3; rmdir run-\$@
fail: ; @exit 3
show: ; @echo MAKEFLAGS is "\$(MAKEFLAGS)"
EOF
mk() { env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS make --no-print-directory -C "$T/project" "$@"; }
most() { cat "$T"/project/n-* | sort -n | tail -n 1; }

run_ok "test-in-container" mk test-in-container X=5
is "$out" "done X=5 in bryo-init" "runs the target test in a job, with variables of the command line"
is "$(most)" 1 "one recipe at a time without -j"
run_ok "with -j4" mk -j4 test-in-container
unlike "$err" "jobserver|-j" "no complaint about a job server"
is "$(most)" 4 "four at a time: the inner make got the job server"
run_ok "-j2 over two jobs" mk -j2 a-in-container b-in-container c-in-container d-in-container
is "$(most)" 2 "two at a time in all: it is the same job server"
expect_status 2 "a target that fails" mk fail-in-container
like "$err" 'fail.* Error 3' "says so as make does"
run_ok "-n" mk -n test-in-container
like "$out" 'mkdir run-a.*done X=' "prints what the inner make would do"
nok "and does nothing" test -e "$T/project/run-a"
run_ok "a root file system" mk test-in-container BRYO_ROOTFS="$ROOTFS_TAR" BRYO_MAKE="sh -c 'cat /etc/debian_version; echo \$\$*' make"
like "$out" '^12.*'$'\n''test' "BRYO_ROOTFS and BRYO_MAKE"
run_ok "flags" mk show-in-container BRYO_FLAGS='--hostname made' BRYO_MAKE='hostname; make' X=1
expect_status 2 "a bryo that refuses" mk test-in-container BRYO_FLAGS=--no-such-option
like "$err" 'Error 125' "is told from a test that fails"

# --- the job server of newer makes is a FIFO -------------------------------------------------------------
mkfifo "$T/fifo"
exec 9<>"$T/fifo"
printf '++' >&9
run_ok "a job server in a FIFO" env MAKEFLAGS="-j3 --jobserver-auth=fifo:$T/fifo" MAKELEVEL=1 \
    "$BRYO" run --jobserver --no-workspace -- sh -c 'echo "$MAKEFLAGS"; fd=${MAKEFLAGS##*,}; head -c 1 /proc/self/fd/$fd; printf x >&"$fd"'
like "$out" $'^-j3 --jobserver-auth=[0-9]+,[0-9]+\n\\+$' "reaches inside as descriptors, which older makes know as well"
is "$(head -c 2 <&9)" "+x" "to take from and to give back to"
# (a make of 4.4 and later, as this one is to the make inside)
printf '+++' >&9
run_ok "the make inside" env -C "$T/project" MAKEFLAGS=" -j4 --jobserver-auth=fifo:$T/fifo -- X=y\\ z" MAKELEVEL=1 \
    "$BRYO" run --jobserver -v "$SRC/ci/bryo.mk:$SRC/ci/bryo.mk:ro" -- make --no-print-directory test
is "$out" "done X=y z in bryo-init" "gets the variables"
unlike "$err" "jobserver|job server" "takes it"
is "$(most)" 4 "and runs four at a time"
is "$(timeout 5 head -c 3 <&9)" "+++" "and has given back what it took"
exec 9>&-
rm "$T/fifo"
run_ok "a FIFO that is gone" env MAKEFLAGS="-j3 --jobserver-auth=fifo:$T/fifo" "$BRYO" run --jobserver --no-workspace -- true
run_ok "no make outside" env -u MAKEFLAGS "$BRYO" run --jobserver --no-workspace -- sh -c 'echo "${MAKEFLAGS-none}"'
is "$out" none "means none inside"
expect_status 125 "what no make writes" env MAKEFLAGS=--jobserver-auth=abc "$BRYO" run --jobserver --no-workspace -- true

# --- descriptors -----------------------------------------------------------------------------------------
exec 7<<<seven 8<<<eight
run_ok "--preserve-fd" "$BRYO" run --no-workspace --preserve-fd 7 -- sh -c 'cat <&7; ls /proc/self/fd | tr "\n" " "'
like "$out" $'^seven\n0 1 2 3 7 $' "lets that descriptor in, and no other"
run_ok "without it" "$BRYO" run --no-workspace -- sh -c 'ls /proc/self/fd | tr "\n" " "'
is "$out" "0 1 2 3 " "none comes in"
expect_status 125 "one that is not open" "$BRYO" run --no-workspace --preserve-fd 77 -- true
like "$err" 'descriptor 77 is not open' "is refused"
expect_status 125 "standard input is no such descriptor" "$BRYO" run --no-workspace --preserve-fd 0 -- true
exec 7<&- 8<&-
# --- the manual -----------------------------------------------------------------------------------------
while read -r name; do
    ok "bryo.mk(5) has $name" grep -qF "\\fB$name\\fR" "$SRC/ci/bryo.mk.5"
done < <(sed -n 's/^\([A-Z_]*\) ?=.*/\1/p' "$SRC/ci/bryo.mk")
rm -rf "$T/project"
done_testing
