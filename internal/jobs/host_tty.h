// SPDX-License-Identifier: Apache-2.0
// The user's terminal while a job has a pty (-t). Host side.
#ifndef BRYO_JOBS_HOST_TTY_H
#define BRYO_JOBS_HOST_TTY_H

#include <sys/ioctl.h>
#include <sys/types.h>
#include <termios.h>

struct err;

struct host_tty {
    int fd; // the terminal; -1: none, nothing was changed
    struct termios saved;
    int guard; // closing it without a word makes the guard restore the terminal
    pid_t guard_pid;
};

// The size of whichever of 0, 1, 2 is a terminal; all 0 where none is.
struct winsize host_tty_size(void);

// Puts the terminal on descriptor 0 into raw mode (termios(3), cfmakeraw) and starts a guard: a
// process that puts it back should bryo be killed. Does nothing where descriptor 0 is no terminal.
int host_tty_raw(struct host_tty *tty, struct err *err);

// Back to what it was. May be called on a struct with fd -1.
void host_tty_restore(struct host_tty *tty);

#endif
