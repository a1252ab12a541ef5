// SPDX-License-Identifier: Apache-2.0
// A directory for a unit test, below $TMPDIR, removed when the test ends.
#ifndef BRYO_TESTS_SCRATCH_H
#define BRYO_TESTS_SCRATCH_H

#include "internal/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct scratch {
    char path[4096];
    int fd;
};

// Ends the program when it cannot be made: no test of the file would mean anything.
static inline struct scratch scratch_new(void)
{
    struct scratch s = {.fd = -1};
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(s.path, sizeof(s.path), "%s/bryo-unit.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(s.path) || (s.fd = open(s.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        printf("Bail out! no scratch directory: %s\n", strerror(errno));
        exit(99);
    }
    return s;
}

// By rm(1): what is tested must not clean up after itself.
static inline void scratch_done(struct scratch *s)
{
    fd_closep(&s->fd);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "chmod -R u+rwX \"$1\" 2>/dev/null; rm -rf \"$1\"", "sh",
              s->path, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
}

#define AUTO_SCRATCH AUTO(scratch_done)

static inline int scratch_has(const struct scratch *s, const char *name)
{
    struct stat st;
    return fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline int scratch_file(const struct scratch *s, const char *name, const char *text)
{
    int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        (void)close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

#endif
