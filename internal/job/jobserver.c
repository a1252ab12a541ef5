// SPDX-License-Identifier: Apache-2.0
#include "internal/job/jobserver.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void jobserver_done(struct jobserver *j)
{
    free(j->fifo);
    *j = (struct jobserver){0};
}

static bool number(const char **at, int *ret)
{
    char *end;
    errno = 0;
    long n = strtol(*at, &end, 10);
    if (end == *at || errno || n < -2 || n > INT_MAX)
        return false;
    *at = end;
    *ret = (int)n;
    return true;
}

static bool pair(const char *text, struct jobserver *j)
{
    if (!number(&text, &j->read_fd) || *text++ != ',' || !number(&text, &j->write_fd))
        return false;
    j->kind = j->read_fd < 0 || j->write_fd < 0 ? JOBSERVER_NONE : JOBSERVER_FDS;
    return *text == '\0' && (j->kind == JOBSERVER_NONE || (j->read_fd > 2 && j->write_fd > 2));
}

// One word of MAKEFLAGS. False when it is about the job server and cannot be read.
static bool word(const char *text, struct jobserver *j)
{
    static const char *const names[] = {"--jobserver-auth=", "--jobserver-fds="};
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(names[i]);
        if (strncmp(text, names[i], n) != 0)
            continue;
        jobserver_done(j);
        if (strncmp(text + n, "fifo:/", 6) != 0)
            return pair(text + n, j);
        j->kind = JOBSERVER_FIFO;
        j->fifo = str_dup(text + n + 5);
    }
    return true;
}

int jobserver_parse(const char *makeflags, struct jobserver *ret, struct err *err)
{
    struct jobserver j = {0};
    const char *at = makeflags ? makeflags : "";
    while (*at) {
        size_t n = strcspn(at, " \t");
        char *one = str_dupn(at, n);
        bool last = strcmp(one, "--") == 0; // what follows are variables
        bool good = word(one, &j);
        if (!good)
            (void)err_set(err, EINVAL, "MAKEFLAGS has \"%s\", which no make writes", one);
        free(one);
        if (!good) {
            jobserver_done(&j);
            return -EINVAL;
        }
        at += n;
        at += strspn(at, " \t");
        if (last)
            break;
    }
    *ret = j;
    return 0;
}

char *jobserver_with_fds(const char *makeflags, int read_fd, int write_fd)
{
    static const char name[] = "--jobserver-auth=";
    struct buf out = {0};
    const char *at = makeflags;
    while (*at) {
        size_t n = strcspn(at, " \t");
        bool last = n == 2 && memcmp(at, "--", 2) == 0; // what follows are variables
        if (strncmp(at, name, sizeof(name) - 1) == 0)
            buf_addf(&out, "%s%d,%d", name, read_fd, write_fd);
        else
            buf_add(&out, at, n);
        at += n;
        n = last ? strlen(at) : strspn(at, " \t");
        buf_add(&out, at, n);
        at += n;
    }
    return out.data ? buf_take(&out) : str_dup("");
}
