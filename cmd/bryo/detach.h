// SPDX-License-Identifier: Apache-2.0
// bryo run --detach: a bryo in the background supervises the job; the one that was called says its
// id once the command runs.
#ifndef BRYO_CMD_DETACH_H
#define BRYO_CMD_DETACH_H

struct err;

// In the child: 0, and *ret_fd is where the job's id is to be written. In the parent: > 0 once
// there is nothing more to do, and *ret_status is the exit status. -errno with err.
int detach(int *ret_fd, int *ret_status, struct err *err);

#endif
