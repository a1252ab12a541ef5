// SPDX-License-Identifier: Apache-2.0
#include "internal/base/account.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PASSWD_MAX (16U << 20)

void account_done(struct account *a)
{
    free(a->name);
    free(a->home);
    *a = (struct account){0};
}

// The line NAME:PASSWORD:UID:GID:GECOS:HOME:SHELL (passwd(5)) with this uid; -ENOENT.
static int find(const char *text, uid_t uid, struct account *ret)
{
    for (const char *line = text; *line;) {
        const char *field[7] = {line};
        size_t len = strcspn(line, "\n");
        int n = 1;
        for (size_t i = 0; i < len && n < 7; i++)
            if (line[i] == ':')
                field[n++] = line + i + 1;
        uint64_t id = 0;
        if (n == 7 &&
            parse_u64n(field[2], (size_t)(field[3] - field[2] - 1), 0, UINT32_MAX, &id) == 0 &&
            id == uid && field[1] - field[0] > 1) {
            ret->name = str_dupn(field[0], (size_t)(field[1] - field[0] - 1));
            ret->home = str_dupn(field[5], (size_t)(field[6] - field[5] - 1));
            return 0;
        }
        line += len;
        line += *line == '\n';
    }
    return -ENOENT;
}

static int ask_getent(uid_t uid, struct buf *out)
{
    char id[16];
    int pipefd[2];
    pid_t pid;
    int status = 0;
    (void)snprintf(id, sizeof(id), "%u", uid);
    char *argv[] = {(char *)"/usr/bin/getent", (char *)"passwd", id, NULL};
    if (pipe2(pipefd, O_CLOEXEC) < 0)
        return -errno;
    AUTO_FD int read_end = pipefd[0];
    AUTO_FD int write_end = pipefd[1];
    struct proc_fd fds[] = {{write_end, 1}};
    int r = proc_spawn(argv, NULL, fds, 1, &pid);
    if (r < 0)
        return r;
    fd_closep(&write_end);
    r = fd_read_all(read_end, 65536, out);
    fd_closep(&read_end);
    int w = proc_wait(pid, &status);
    return r < 0 ? r : w < 0 ? w : status == 0 ? 0 : -ENOENT;
}

int account_of(uid_t uid, struct account *ret)
{
    AUTO_BUF struct buf text = {0};
    if (fd_read_file(AT_FDCWD, "/etc/passwd", PASSWD_MAX, &text) == 0 &&
        find(buf_str(&text), uid, ret) == 0)
        return 0;
    buf_clear(&text);
    if (ask_getent(uid, &text) == 0 && find(buf_str(&text), uid, ret) == 0)
        return 0;
    return -ENOENT;
}
