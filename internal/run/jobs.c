// SPDX-License-Identifier: Apache-2.0
#include "internal/run/jobs.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/cgroup/host_leaf.h"
#include "internal/job/spec.h"
#include "internal/run/host_paths.h"
#include "internal/run/job_record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RECORD_MAX (1 << 16)

static bool is_own_dir(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

int jobs_dir(char *const envp[], char **ret, struct err *err)
{
    const char *runtime = host_paths_getenv(envp, "XDG_RUNTIME_DIR");
    AUTO_FREE char *usual = str_fmt("/run/user/%u", geteuid());
    AUTO_FREE char *cache = NULL;
    if (!runtime || runtime[0] != '/' || !is_own_dir(runtime))
        runtime = is_own_dir(usual) ? usual : NULL;
    if (runtime) {
        *ret = str_fmt("%s/bryo/jobs", runtime);
        return 0;
    }
    int r = host_paths_cache(envp, &cache, err);
    if (r == 0)
        *ret = str_fmt("%s/bryo/jobs", cache);
    return r;
}

static bool is_id(const char *name)
{
    return strlen(name) == 12 && strspn(name, "0123456789abcdef") == 12;
}

// The record of a job that runs; a dead one's is removed.
static int read_live(int dir, const char *name, struct job_record *ret)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        (void)unlinkat(dir, name, 0);
        return -ENOENT;
    }
    int r = fd_read_all(fd, RECORD_MAX, &text);
    return r < 0 ? r : job_record_parse(buf_str(&text), ret);
}

void jobs_each(const char *path, bool (*fn)(void *ctx, const struct job_record *record), void *ctx)
{
    AUTO_DIR DIR *dir = opendir(path);
    struct dirent *ent;
    bool go_on = true;
    while (dir && go_on && (ent = readdir(dir))) { // NOLINT(concurrency-mt-unsafe)
        AUTO_JOB_RECORD struct job_record record = {0};
        if (is_id(ent->d_name) && read_live(dirfd(dir), ent->d_name, &record) == 0)
            go_on = fn(ctx, &record);
    }
}

struct search {
    const char *id;
    struct job_record *found;
    unsigned n;
    struct buf others;
};

static bool compare(void *ctx, const struct job_record *record)
{
    struct search *s = ctx;
    if (strncmp(record->id, s->id, strlen(s->id)) != 0) {
        buf_addf(&s->others, "%s%s", s->others.len ? ", " : "", record->id);
    } else if (s->n++ == 0) {
        *s->found = *record;
        s->found->cgroup = str_dup(record->cgroup);
        s->found->command = str_dup(record->command);
    }
    return true;
}

int jobs_find(const char *dir, const char *id, struct job_record *ret, struct err *err)
{
    struct job_record found = {0};
    struct search s = {.id = id, .found = &found};
    int r = 0;
    if (*id)
        jobs_each(dir, compare, &s);
    if (s.n == 0) {
        (void)err_set(err, ENOENT, "no job %s runs", id);
        r = err_hint(err, "%s%s", s.others.len ? "these do: " : "none does", buf_str(&s.others));
    } else if (s.n > 1) {
        r = err_set(err, EEXIST, "%u jobs run whose id begins with %s", s.n, id);
    }
    buf_done(&s.others);
    if (r < 0)
        job_record_done(&found);
    else
        *ret = found;
    return r;
}

// --- a run's own
// -----------------------------------------------------------------------------------

static int start(void *ctx, struct loop *loop, struct supervisor *s, struct err *err)
{
    struct jobs_part *p = ctx;
    (void)loop, (void)err;
    p->supervisor = s;
    return 0;
}

static char *describe(const struct job_spec *spec)
{
    AUTO_BUF struct buf text = {0};
    for (size_t i = 0; i < spec->argv.n && text.len < 4096; i++) {
        buf_adds(&text, i ? " " : "");
        escape_add(&text, spec->argv.v[i], strnlen(spec->argv.v[i], 1024));
    }
    return buf_take(&text);
}

static int open_dir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && fspath_make_dirs(path, 0700) == 0)
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd;
}

// Locked and whole before it has the name that others look for.
static int publish(struct jobs_part *p, const struct buf *text)
{
    AUTO_FREE char *temp = str_fmt(".%s", p->id);
    AUTO_FD int dir = open_dir(p->dir);
    AUTO_FD int fd =
        dir < 0 ? -1
                : openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    int r = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : fd_write_all(fd, text->data, text->len);
    if (r == 0 && renameat(dir, temp, dir, p->id) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(dir, temp, 0);
    else
        p->fd = TAKE_FD(fd);
    return r;
}

static void on_job_started(void *ctx)
{
    struct jobs_part *p = ctx;
    AUTO_JOB_RECORD struct job_record record = {.launcher = getpid(),
                                                .init = supervisor_init(p->supervisor),
                                                .cgroup =
                                                    str_dup(p->leaf->path ? p->leaf->path : ""),
                                                .started_s = (uint64_t)time(NULL),
                                                .command = describe(p->spec)};
    AUTO_BUF struct buf text = {0};
    (void)strncpy(record.id, p->id, sizeof(record.id) - 1);
    job_record_format(&record, &text);
    if (p->dir)
        (void)publish(p, &text);
}

static void on_job_ended(void *ctx)
{
    struct jobs_part *p = ctx;
    if (p->fd < 0)
        return;
    AUTO_FREE char *path = str_fmt("%s/%s", p->dir, p->id);
    (void)unlink(path);
    fd_closep(&p->fd);
}

struct supervise_part jobs_part(struct jobs_part *p, char *const envp[], const char *id,
                                const struct job_spec *spec, const struct leaf *leaf)
{
    *p = (struct jobs_part){.fd = -1, .id = id, .spec = spec, .leaf = leaf};
    (void)jobs_dir(envp, &p->dir, NULL);
    return (struct supervise_part){
        .start = start, .job_started = on_job_started, .job_ended = on_job_ended, .ctx = p};
}

void jobs_part_done(struct jobs_part *p)
{
    if (p->dir)
        on_job_ended(p);
    free(p->dir);
    *p = (struct jobs_part){.fd = -1};
}
