// SPDX-License-Identifier: Apache-2.0
// What bryo-net can do before it is shut in, and cannot afterwards.
#include "internal/base/err.h"
#include "net/confine.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct report {
    int confined; // 0 or -errno
    char can[32];
};

static bool try_fork(void)
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid > 0 && waitpid(pid, &status, 0) == pid;
}

static bool try_exec(void)
{
    // Successful, it would not return; a vfork(2) is no way either, so the word is the errno.
    char *const argv[] = {(char *)"/nonexistent", NULL};
    return execve("/nonexistent", argv, argv) < 0 && errno == ENOENT;
}

static bool try_open(void)
{
    int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && close(fd) == 0;
}

static bool try_socket(int family, int type, int protocol)
{
    int fd = socket(family, type, protocol);
    return fd >= 0 && close(fd) == 0;
}

static bool try_code(void)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p != MAP_FAILED && munmap(p, 4096) == 0;
}

static bool try_trace(void)
{
    return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0;
}

static bool try_namespace(void)
{
    return access("/", F_OK) == 0;
}

// A letter for each thing that works.
static void look(char *can)
{
    const bool works[] = {try_open(),
                          try_exec(),
                          try_fork(),
                          kill(getppid(), 0) == 0,
                          try_code(),
                          try_socket(AF_UNIX, SOCK_STREAM, 0),
                          try_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
                          try_namespace(),
                          try_trace(),
                          try_socket(AF_INET, SOCK_STREAM, 0),
                          try_socket(AF_INET6, SOCK_DGRAM, 0)};
    static const char letters[] = "oefkcunatTU";
    for (size_t i = 0; i < sizeof(works); i++)
        *can++ = works[i] ? letters[i] : '-';
    *can = '\0';
}

static struct report in_child(bool confine)
{
    struct report r = {.confined = -EIO};
    int p[2];
    if (pipe(p) < 0)
        return r;
    pid_t pid = fork();
    if (pid == 0) {
        struct err err = {0};
        r.confined = confine ? net_confine(&err) : 0;
        look(r.can);
        _exit(write(p[1], &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
    }
    (void)close(p[1]);
    int status;
    if (read(p[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
        r.confined = -EPIPE;
    (void)close(p[0]);
    (void)waitpid(pid, &status, 0);
    return r;
}

int main(void)
{
#if defined(__SANITIZE_ADDRESS__)
    printf("1..0 # SKIP a sanitizer needs more system calls than the filter allows\n");
    return 0;
#endif
    struct report before = in_child(false);
    is_str(before.can, "oefkcunatTU", "without it all of this works");
    struct report after = in_child(true);
    is_int(after.confined, 0, "bryo-net is shut in");
    is_str(after.can, "---------TU", "and only TCP and UDP are left");
    return done_testing();
}
