// SPDX-License-Identifier: Apache-2.0
// The command itself: a child of PID 1 that becomes the user's program. Guest side.
#ifndef BRYO_SANDBOX_GUEST_COMMAND_H
#define BRYO_SANDBOX_GUEST_COMMAND_H

#include "internal/sandbox/guest_fault.h"
#include "internal/sandbox/guest_stack.h"

#include <stdint.h>
#include <sys/types.h>

struct err;
struct guest_netns;
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

// The command's process. It is born before there is a root for it, sheds what it is not to have
// (guest_shed.h) while PID 1 makes that root, and waits to be told to go on. It shares PID 1's
// memory, descriptors and directories until then.
struct guest_command {
    const struct sandbox_config *config;
    const struct guest_netns *netns;
    const struct guest_tty *tty; // these three are set with the word to go
    int null;                    // /dev/null, for what the command is not given
    struct err *err;             // where the last steps say what failed
    int chan;
    pid_t pid;
    struct guest_stack stack;
    struct guest_fault fault;
    uint32_t go;     // futex: 1: go on
    uint32_t shares; // futex: 0 once the process has memory of its own, or has ended
};

// netns: how the network namespace comes that it is to be in; NULL: it is in that by birth.
// 0 or negative (err). command stays where it is until it is started, or this process ends.
int guest_command_bear(const struct sandbox_config *config, const struct guest_netns *netns,
                       int chan, struct guest_command *ret, struct err *err);

// The last steps: its descriptors, limits, the working directory, exec. This process stands still
// meanwhile. Returns 0 once the program runs; a failure of any step comes back in err and no
// process is left.
int guest_command_start(struct guest_command *command, const struct guest_tty *tty,
                        struct err *err);

#endif
