#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a job of bryo that has every capability (--cap-add ALL --seccomp unconfined) as on
# a machine: what a job finds before the kernel's files (masks, read-only mounts) is taken away first.
# Tests that show what bryo keeps from a job also show that it works without bryo; inside a job like
# any other it would not.
#
#   ci/like-a-machine.sh COMMAND [ARGUMENT...]
set -euo pipefail

# A job's /proc, with all that is mounted onto it, stands before a whole one.
whole=$(mktemp -d)
umount --lazy /proc
mount --move /proc/whole "$whole"
mount --move "$whole" /proc
rmdir "$whole"
exec "$@"
