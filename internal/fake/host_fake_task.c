// SPDX-License-Identifier: Apache-2.0
// Pretended ids have to be inherited as real ones are: by fork(2), through execve(2), and by
// whoever a daemon leaves behind. The kernel hands on nothing that one process may set of another
// but resource limits, and RLIMIT_LOCKS is one that it has not looked at since Linux 2.4.25: its
// soft value names an entry of a table here. A job that changes it changes what it is told about
// itself.
#include "internal/fake/host_fake_task.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/fake/guest_fake.h"
#include "internal/job/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/stat.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define IDS_MAX  4096
#define IDS_BASE UINT64_C(0x6272796f00000000) // what a soft limit of an entry is counted from

int fake_task_check(const struct fake_server *s, const struct seccomp_notif *req)
{
    return ioctl(s->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &req->id) < 0 ? -ESRCH : 0;
}

static int open_proc(const struct fake_server *s, const struct seccomp_notif *req, const char *what,
                     int flags)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%u/%s", req->pid, what);
    AUTO_FD int fd = openat(s->proc, path, flags | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = fake_task_check(s, req);
    return r < 0 ? r : TAKE_FD(fd);
}

// --- where it is ---------------------------------------------------------------------------------

static int namespace_id(int fd, uint64_t ret[2])
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    ret[0] = st.st_dev;
    ret[1] = st.st_ino;
    return 0;
}

// The job's user namespace: the caller's, or the one around it that was made from here.
static int join_userns(struct fake_server *s, const struct seccomp_notif *req)
{
    uint64_t mine[2] = {0};
    uint64_t above[2] = {0};
    AUTO_FD int here = openat(s->proc, "self/ns/user", O_RDONLY | O_CLOEXEC);
    AUTO_FD int ns = open_proc(s, req, "ns/user", O_RDONLY);
    int r = here < 0 ? -errno : ns < 0 ? ns : namespace_id(here, mine);
    while (r == 0) {
        AUTO_FD int parent = ioctl(ns, NS_GET_PARENT);
        r = parent < 0 ? -errno : namespace_id(parent, above);
        if (r == 0 && above[0] == mine[0] && above[1] == mine[1]) {
            r = namespace_id(ns, s->userns);
            return r < 0 ? r : setns(ns, CLONE_NEWUSER) < 0 ? -errno : 0;
        }
        fd_closep(&ns);
        ns = TAKE_FD(parent);
    }
    return r;
}

int fake_task_join(struct fake_server *s, const struct seccomp_notif *req)
{
    if (s->cannot)
        return -EPERM;
    if (s->entered)
        return 0;
    int r = join_userns(s, req);
    if (r == 0)
        r = guest_fake_keep_caps();
    s->entered = r == 0;
    s->cannot = r < 0 && r != -ESRCH;
    return r;
}

int fake_task_enter(struct fake_server *s, const struct seccomp_notif *req)
{
    struct statx sx;
    int r = fake_task_join(s, req);
    if (r < 0)
        return r;
    AUTO_FD int root = open_proc(s, req, "root", O_PATH | O_DIRECTORY);
    if (root < 0)
        return root;
    if (statx(root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &sx) < 0)
        return -errno;
    const uint64_t id[3] = {(uint64_t)sx.stx_dev_major << 32 | sx.stx_dev_minor, sx.stx_ino,
                            sx.stx_mnt_id};
    if (memcmp(id, s->root, sizeof(id)) == 0)
        return 0; // which is held by being the root here, so that its numbers mean no other
    r = guest_fake_root(root);
    if (r < 0) {
        s->cannot = true; // half way there: no name is looked up any more
        return r;
    }
    memcpy(s->root, id, sizeof(id));
    return 0;
}

int fake_task_dir(const struct fake_server *s, const struct seccomp_notif *req, int fd)
{
    char name[32];
    if (fd != AT_FDCWD && fd < 0)
        return -EBADF;
    (void)snprintf(name, sizeof(name), "fd/%d", fd);
    int r = open_proc(s, req, fd == AT_FDCWD ? "cwd" : name, O_PATH);
    return r == -ENOENT ? -EBADF : r;
}

// The value of a line of /proc/PID/status, "" where it is not there.
static void status_line(const struct fake_server *s, const struct seccomp_notif *req,
                        const char *name, char ret[32])
{
    char text[4096];
    AUTO_FD int fd = open_proc(s, req, "status", O_RDONLY);
    ssize_t n = fd < 0 ? fd : fd_read_full(fd, text, sizeof(text) - 1);
    ret[0] = '\0';
    if (n <= 0)
        return;
    text[n] = '\0';
    const char *line = strstr(text, name);
    if (line)
        (void)snprintf(ret, 32, "%.*s", (int)strcspn(line + strlen(name), "\n"),
                       line + strlen(name));
}

mode_t fake_task_umask(const struct fake_server *s, const struct seccomp_notif *req)
{
    char value[32];
    uint32_t mask = 022;
    status_line(s, req, "\nUmask:\t", value);
    (void)parse_octal(value, 0777, &mask);
    return mask;
}

bool fake_task_can(const struct fake_server *s, const struct seccomp_notif *req, int cap)
{
    char value[32];
    status_line(s, req, "\nCapEff:\t", value);
    return strtoull(value, NULL, 16) >> cap & 1;
}

// --- its memory ----------------------------------------------------------------------------------

static ssize_t read_some(const struct seccomp_notif *req, uint64_t address, void *ret, size_t n)
{
    struct iovec here = {.iov_base = ret, .iov_len = n};
    struct iovec there = {.iov_base = (void *)(uintptr_t)address, .iov_len = n};
    ssize_t got = process_vm_readv((pid_t)req->pid, &here, 1, &there, 1, 0);
    return got < 0 ? -errno : got;
}

int fake_task_read(const struct fake_server *s, const struct seccomp_notif *req, uint64_t address,
                   void *ret, size_t n)
{
    if (n && read_some(req, address, ret, n) != (ssize_t)n)
        return -EFAULT;
    return fake_task_check(s, req); // else it was another's memory
}

int fake_task_string(const struct fake_server *s, const struct seccomp_notif *req, uint64_t address,
                     char ret[PATH_MAX])
{
    size_t have = 0;
    while (have < PATH_MAX) {
        // Not across the end of a page that may be the last.
        size_t n = 4096 - (size_t)((address + have) & 4095);
        if (n > PATH_MAX - have)
            n = PATH_MAX - have;
        ssize_t got = read_some(req, address + have, ret + have, n);
        if (got <= 0)
            return -EFAULT;
        if (memchr(ret + have, '\0', (size_t)got))
            return fake_task_check(s, req);
        have += (size_t)got;
    }
    return -ENAMETOOLONG;
}

// By a descriptor of the memory, which stays the caller's whatever becomes of its number.
int fake_task_write(const struct fake_server *s, const struct seccomp_notif *req, uint64_t address,
                    const void *bytes, size_t n)
{
    AUTO_FD int mem = open_proc(s, req, "mem", O_RDWR);
    if (mem < 0)
        return mem;
    return n == 0 || pwrite(mem, bytes, n, (off_t)address) == (ssize_t)n ? 0 : -EFAULT;
}

// --- its ids -------------------------------------------------------------------------------------

static int userns_of(const struct fake_server *s, const struct seccomp_notif *req, uint64_t ret[2])
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%u/ns/user", req->pid);
    if (fstatat(s->proc, path, &st, 0) < 0)
        return -errno;
    ret[0] = st.st_dev;
    ret[1] = st.st_ino;
    return fake_task_check(s, req);
}

// The one id that a namespace below the job's knows; the overflow id where it knows none.
static uint32_t only_id(const struct fake_server *s, const struct seccomp_notif *req,
                        const char *map_file)
{
    char text[256];
    struct idmap map = {0};
    AUTO_FD int fd = open_proc(s, req, map_file, O_RDONLY);
    ssize_t n = fd < 0 ? fd : fd_read_full(fd, text, sizeof(text) - 1);
    uint32_t id = 65534;
    if (n > 0) {
        text[n] = '\0';
        if (idmap_parse_proc(&map, text) == 0 && map.n)
            id = map.ext[0].inside;
        idmap_done(&map);
    }
    return id;
}

// What the kernel takes the caller for, in its own user namespace.
static void own_ids(const struct fake_server *s, const struct seccomp_notif *req,
                    const uint64_t userns[2], struct fake_ids *ret)
{
    bool below = s->entered && memcmp(userns, s->userns, sizeof(s->userns)) != 0;
    fakeids_init(ret, below ? only_id(s, req, "uid_map") : s->uid,
                 below ? only_id(s, req, "gid_map") : s->gid);
}

bool fake_task_ids(struct fake_server *s, const struct seccomp_notif *req, struct fake_ids *ret)
{
    struct rlimit limit;
    uint64_t userns[2] = {0};
    bool marked = s->n_ids && prlimit((pid_t)req->pid, RLIMIT_LOCKS, NULL, &limit) == 0 &&
                  limit.rlim_cur >= IDS_BASE && limit.rlim_cur - IDS_BASE < s->n_ids;
    const struct fake_known *known = marked ? &s->ids[limit.rlim_cur - IDS_BASE] : NULL;
    // A new user namespace begins anew.
    if (known && userns_of(s, req, userns) == 0 &&
        memcmp(userns, known->userns, sizeof(userns)) == 0) {
        *ret = known->ids;
        return true;
    }
    return false;
}

void fake_task_ids_or_own(struct fake_server *s, const struct seccomp_notif *req,
                          struct fake_ids *ret)
{
    uint64_t userns[2] = {0};
    if (fake_task_ids(s, req, ret))
        return;
    (void)fake_task_join(s, req);
    (void)userns_of(s, req, userns);
    own_ids(s, req, userns, ret);
}

int fake_task_set_ids(struct fake_server *s, const struct seccomp_notif *req,
                      const struct fake_ids *ids)
{
    struct rlimit limit;
    struct fake_ids own;
    uint64_t userns[2] = {0};
    size_t i = 0;
    if (prlimit((pid_t)req->pid, RLIMIT_LOCKS, NULL, &limit) < 0)
        return -errno;
    int r = userns_of(s, req, userns);
    if (r < 0)
        return r;
    own_ids(s, req, userns, &own);
    bool is_own = fakeids_equal(ids, &own);
    while (!is_own && i < s->n_ids &&
           (!fakeids_equal(ids, &s->ids[i].ids) ||
            memcmp(userns, s->ids[i].userns, sizeof(userns)) != 0))
        i++;
    if (i >= IDS_MAX)
        return -EAGAIN;
    if (!is_own && i == s->n_ids) {
        s->ids = mem_grow(s->ids, s->n_ids + 1, sizeof(*s->ids));
        s->ids[s->n_ids] = (struct fake_known){.ids = *ids};
        memcpy(s->ids[s->n_ids++].userns, userns, sizeof(userns));
    }
    limit.rlim_cur = is_own ? limit.rlim_max : IDS_BASE + i;
    r = fake_task_check(s, req);
    if (r < 0)
        return r;
    return prlimit((pid_t)req->pid, RLIMIT_LOCKS, &limit, NULL) < 0 ? -errno : !is_own;
}
