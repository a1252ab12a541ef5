// SPDX-License-Identifier: Apache-2.0
// The wire between the launcher and what it cloned: one SOCK_SEQPACKET pair, one fixed-size
// datagram a message, both ends CLOEXEC. The peer's end closing is a failure, never a success:
// whoever has nothing more to say says so in a message first.
#ifndef BRYO_SANDBOX_CHANNEL_H
#define BRYO_SANDBOX_CHANNEL_H

#include "internal/base/err.h"

#include <sys/types.h>

enum channel_type {
    CHANNEL_GO = 1,  // launcher -> stager: the id maps are in force
    CHANNEL_INIT,    // stager -> launcher: pid and pidfd of the job's PID 1 (one descriptor)
    CHANNEL_NOTE,    // PID 1 -> launcher: text: something the user should know
    CHANNEL_STARTED, // PID 1 -> launcher: the command runs (with a tty: its master, one descriptor)
    CHANNEL_EXITED,  // PID 1 -> launcher: wait_status of the command
    CHANNEL_FAILED,  // anyone inside -> launcher: err
    CHANNEL_DESCRIPTOR, // anyone inside -> launcher: one descriptor, and in tag what it is
    // Further commands, in the order in which they come; tag is the launcher's number for one.
    CHANNEL_EXEC_STDIO,   // launcher -> PID 1: 0, 1 or 2 (wait_status) of the next (one descriptor)
    CHANNEL_EXEC,         // launcher -> PID 1: start it: a memfd with what exec_wire.h says
    CHANNEL_EXEC_SIGNAL,  // launcher -> PID 1: send it the signal in wait_status; tag 0: to all
    CHANNEL_EXEC_STARTED, // PID 1 -> launcher: it runs (with a tty: its master, one descriptor)
    CHANNEL_EXEC_FAILED,  // PID 1 -> launcher: err: it does not
    CHANNEL_EXEC_EXITED,  // PID 1 -> launcher: wait_status
};

enum channel_tag {
    CHANNEL_TAG_SECCOMP = 1, // the listener of the job's filter (seccomp_unotify(2))
};

struct channel_msg {
    enum channel_type type;
    pid_t pid;       // CHANNEL_INIT, in the launcher's PID namespace
    int tag;         // CHANNEL_DESCRIPTOR: enum channel_tag; CHANNEL_EXEC_*: which one
    int wait_status; // CHANNEL_EXITED, CHANNEL_EXEC_EXITED, as waitpid(2) gives it
    int alone;       // CHANNEL_EXITED: 1: and nothing else was left in the job
    struct err err;  // CHANNEL_FAILED, CHANNEL_EXEC_FAILED; CHANNEL_NOTE uses err.text
};

// Sending and receiving write errno only where they fail (guest_netns.h).

// Both ends, or -errno.
int channel_pair(int *ret_launcher, int *ret_inside);

// Sends one message, with fd (>= 0) attached. 0 or -errno (-EPIPE: nobody is there).
int channel_send(int chan, const struct channel_msg *msg, int fd);

// Receives one. *ret_fd is -1 or a descriptor that the caller owns (CLOEXEC).
// -ECONNRESET at the end of the stream, -EPROTO for what is no message of ours, -EAGAIN with
// MSG_DONTWAIT in flags when there is none.
int channel_recv(int chan, int flags, struct channel_msg *ret, int *ret_fd);

#endif
