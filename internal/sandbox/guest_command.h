// SPDX-License-Identifier: Apache-2.0
// The command itself: a child of PID 1 that becomes the user's program. Guest side.
#ifndef BRYO_SANDBOX_GUEST_COMMAND_H
#define BRYO_SANDBOX_GUEST_COMMAND_H

#include <sys/types.h>

struct err;
struct sandbox_config;

struct guest_tty {
    int master;
    int slave;
};

// Opens a pty of the job's own /dev/pts and shows it as /dev/console, before the pivot.
int guest_tty_open(int rootfd, const struct sandbox_config *config, struct guest_tty *ret,
                   struct err *err);

// The same for one that comes later: the console is taken.
int guest_tty_open_more(int rootfd, const struct sandbox_config *config, struct guest_tty *ret,
                        struct err *err);

// Starts the command: a session of its own, its descriptors, limits, ids, no privilege beyond
// config->caps, no_new_privs, the working directory, the system call filter, exec.
// Returns 0 once the program runs; a failure of any step comes back in err and no process is left.
int guest_command_start(const struct sandbox_config *config, const struct guest_tty *tty, int chan,
                        pid_t *ret_pid, struct err *err);

#endif
