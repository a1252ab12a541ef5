// SPDX-License-Identifier: Apache-2.0
// The process that makes a job with one id believe that it has all: --fake-root. It takes the calls
// that the job's filter hands out (fakefilter.h) and answers them. Host side.
//
// A process of its own, since it looks at files for the job: a file system that the job itself
// serves may keep it waiting for ever, which must not keep bryo. It is outside of the job's PID
// namespace, where the job can neither see nor stop it; inside of its user namespace and with its
// root, where it may do to files what the job's root may, and has nothing of the machine within
// reach but /proc, to find the callers. A filter of its own leaves it the calls that it makes.
#ifndef BRYO_FAKE_HOST_FAKE_H
#define BRYO_FAKE_HOST_FAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct fake_calls;
struct seccomp_notif;
struct seccomp_notif_resp;

// Answers all calls until there is nobody left to make one.
typedef void host_fake_serve(void *ctx, struct fake_calls *f);

struct host_fake {
    pid_t pid; // a child of the caller; 0: none
    int pidfd; // readable when it has ended
};

#define HOST_FAKE_NONE \
    (struct host_fake) \
    {                  \
        .pidfd = -1    \
    }

// listener stays the caller's, who closes it. uid, gid: the one of each that the job has.
int host_fake_start(struct host_fake *h, int listener, uint32_t uid, uint32_t gid,
                    host_fake_serve *serve, void *ctx, struct err *err);

// Ends it, whatever it waits for.
void host_fake_end(struct host_fake *h);

#endif
