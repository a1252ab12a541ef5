#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a job of bryo that has every capability (--cap-add ALL --seccomp unconfined) as on
# a machine: what a job finds before the kernel's files (masks, read-only mounts) is taken away first.
# Tests that show what bryo keeps from a job also show that it works without bryo; inside a job like
# any other it would not.
#
#   ci/like-a-machine.sh COMMAND [ARGUMENT...]
set -euo pipefail

# What is mounted onto the /proc that is seen, which is the last one.
masks() {
    awk '$5 == "/proc" { proc = $1 } { parent[NR] = $2; point[NR] = $5 }
        END { for (i = NR; i > 0; i--) if (parent[i] == proc) print point[i] }' /proc/self/mountinfo
}

for mask in $(masks); do
    umount "$mask"
done
exec "$@"
