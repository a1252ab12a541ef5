// SPDX-License-Identifier: Apache-2.0
// What is said on a job's control socket (SOCK_SEQPACKET, of the user alone): one message a
// request, one or two in answer. The end of the job is told to all who are connected.
#ifndef BRYO_JOBS_CONTROL_WIRE_H
#define BRYO_JOBS_CONTROL_WIRE_H

#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <stdint.h>
#include <sys/ioctl.h>

enum control_type {
    CONTROL_WAIT = 1, // only the end is of interest
    CONTROL_INPUT,    // asks for a descriptor by which the job can be typed to: CONTROL_FD
    CONTROL_GUARD,    // asks what must not show in the output of a command: CONTROL_FD, a file in
                      // memory (run/exec_guard.h) or none
    CONTROL_EXEC,     // start a command; 0, 1, 2 come with it unless it gets a terminal
    CONTROL_SIGNAL,   // to the command that this connection started, else to the job: number;
                      // SIGSTOP and SIGCONT to the job reach every process in it
    // answers
    CONTROL_DONE,    // the signal was sent
    CONTROL_FD,      // one descriptor (the terminal's master, a pipe, a file), or none
    CONTROL_STARTED, // the command runs; with a terminal: its master
    CONTROL_FAILED,  // err
    CONTROL_EXITED,  // of the command: number is a wait status (waitpid(2))
    CONTROL_ENDED,   // the job: number is its exit status
};

enum { CONTROL_FDS = 3, CONTROL_MAX = 160 * 1024 /* bytes: net.core.wmem_max is no less */ };

struct control_msg {
    enum control_type type;
    int number;
    int tty;
    struct winsize winsize;
    struct err err;
};

// What CONTROL_EXEC asks for; strings as the user wrote them.
struct control_exec {
    struct strv argv;
    struct strv env;
    char *user;    // "": the job's own
    char *workdir; // "": the job's own
};

void control_exec_done(struct control_exec *e);
#define AUTO_CONTROL_EXEC AUTO(control_exec_done)

// Pure: the text that follows the message of CONTROL_EXEC.
void control_exec_format(const struct control_exec *e, struct buf *out);
int control_exec_parse(const char *text, struct control_exec *ret); // -EINVAL

// One message with n descriptors. flags: of sendmsg(2). 0 or -errno.
int control_send(int sock, int flags, const struct control_msg *msg, const char *text,
                 const int *fds, size_t n);

// fds: CONTROL_FDS of them, -1 where none came; the caller's to close. text: may be NULL; what
// followed the message. -ECONNRESET at the end, -EPROTO for nonsense.
int control_recv(int sock, int flags, struct control_msg *ret, struct buf *text, int *fds);

#endif
