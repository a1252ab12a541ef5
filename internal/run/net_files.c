// SPDX-License-Identifier: Apache-2.0
#include "internal/run/net_files.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/netlock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

// Non-blocking: a FIFO or pipe whose reader is slow must not hold up the job's network.
static int open_output(const char *option, const char *path, int *ret, struct err *err)
{
    struct stat st;
    if (!path)
        return 0;
    AUTO_FD int fd =
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
    if (fd < 0 && errno == ENXIO)
        return err_set(err, ENXIO, "%s: nobody reads from %s", option, path);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, errno, "%s: %s", option, path);
    // A file that is already open somewhere (/dev/stderr) is added to.
    bool fresh =
        S_ISREG(st.st_mode) && strncmp(path, "/dev/", 5) != 0 && strncmp(path, "/proc/", 6) != 0;
    if (fresh && ftruncate(fd, 0) < 0)
        return err_sys(err, errno, "%s: %s", option, path);
    *ret = TAKE_FD(fd);
    return 0;
}

// Splits off the last name: the directory is opened.
static int open_parent(const char *path, const char **ret_name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *dir = slash ? str_dupn(path, (size_t)(slash - path) + 1) : str_dup(".");
    *ret_name = slash ? slash + 1 : path;
    AUTO_FD int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
        return err_sys(err, errno, "--net-lock: writing into %s", dir);
    return TAKE_FD(fd);
}

static int read_lock(const char *path, struct net_files *f, bool *ret_there, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct err why = {0};
    AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    *ret_there = false;
    if (fd < 0)
        return errno == ENOENT ? 0 : err_sys(err, errno, "--net-lock: %s", path);
    int r = fd_read_all(fd, NETLOCK_FILE_MAX, &text);
    if (r < 0)
        return err_sys(err, -r, "--net-lock: reading %s", path);
    *ret_there = text.len > 0;
    r = netlock_read(text.data, text.len, &f->locked, &why);
    if (r == 0)
        return 0;
    (void)err_set(err, -r, "--net-lock: %s, %s", path, why.text);
    return err_hint(err, "%s", why.hint);
}

static int open_lock(const char *path, struct net_files *f, struct err *err)
{
    const char *name;
    if (!path)
        return 0;
    int r = read_lock(path, f, &f->enforced, err);
    if (r < 0 || f->enforced)
        return r;
    AUTO_FD int dir = open_parent(path, &name, err);
    if (dir < 0)
        return dir;
    if (!*name)
        return err_sys(err, EISDIR, "--net-lock: %s", path);
    f->lock = memfd_create("bryo-net-lock", MFD_CLOEXEC);
    return f->lock < 0 ? err_sys(err, errno, "--net-lock: memory for it") : 0;
}

int net_files_open(const struct net_opts *o, struct net_files *ret, struct err *err)
{
    struct net_files f = NET_FILES_NONE;
    int r = open_lock(o->lock_file, &f, err);
    if (r == 0)
        r = open_output("--net-log", o->log_file, &f.log, err);
    if (r == 0)
        r = open_output("--pcap", o->pcap_file, &f.pcap, err);
    if (r == 0)
        *ret = f;
    else
        net_files_close(&f);
    return r;
}

void net_files_opts(const struct net_files *f, const struct net_opts *o, struct net_opts *ret)
{
    size_t n = o->rules.n + f->locked.n;
    *ret = *o;
    ret->rules.v = mem_grow(NULL, n, sizeof(*ret->rules.v));
    ret->rules.n = n;
    for (size_t i = 0; i < n; i++)
        ret->rules.v[i] = i < o->rules.n ? o->rules.v[i] : f->locked.v[i - o->rules.n];
    ret->lock_from = o->rules.n;
    ret->lock_enforced = f->enforced;
    ret->allow_given = o->allow_given || f->enforced;
}

static int write_beside(int dir, const char *name, const struct buf *text)
{
    char temp[40];
    uint64_t tag = 0;
    if (getrandom(&tag, sizeof(tag), 0) != (ssize_t)sizeof(tag))
        return -errno;
    (void)snprintf(temp, sizeof(temp), ".bryo-lock-%016" PRIx64, tag);
    int r = fd_create_file(dir, temp, 0666, text->data, text->len);
    if (r == 0 && renameat(dir, temp, dir, name) < 0)
        r = -errno;
    if (r < 0 && r != -EEXIST)
        (void)unlinkat(dir, temp, 0);
    return r;
}

int net_files_keep_lock(const struct net_files *f, const char *path, struct err *err)
{
    const char *name;
    AUTO_BUF struct buf text = {0};
    if (f->lock < 0)
        return 0;
    int r =
        lseek(f->lock, 0, SEEK_SET) < 0 ? -errno : fd_read_all(f->lock, NETLOCK_FILE_MAX, &text);
    if (r == 0 && text.len == 0)
        return err_set(err, EIO, "--net-lock: bryo-net ended before it wrote what the job used");
    if (r < 0)
        return err_sys(err, -r, "--net-lock: what was to be written");
    AUTO_FD int dir = open_parent(path, &name, err);
    if (dir < 0)
        return dir;
    r = write_beside(dir, name, &text);
    return r < 0 ? err_sys(err, -r, "--net-lock: writing %s", path) : 0;
}

void net_files_close(struct net_files *f)
{
    fd_closep(&f->log);
    fd_closep(&f->pcap);
    fd_closep(&f->lock);
    net_rules_done(&f->locked);
    *f = NET_FILES_NONE;
}
