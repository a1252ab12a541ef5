// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/jobs.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/base/parse.h"
#include "internal/job/stage.h"
#include "internal/jobs/jobs_priv.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD     "record"
#define RECORD_MAX (4U << 20)

const char *job_state_name(enum job_state state)
{
    static const char *const names[] = {
        [JOB_RUNNING] = "running",
        [JOB_PAUSED] = "paused",
        [JOB_EXITED] = "exited",
        [JOB_DEAD] = "dead",
    };
    return names[state];
}

void job_info_done(struct job_info *info)
{
    job_record_done(&info->record);
    free_p(&info->path);
}

void jobs_free(struct job_info *jobs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        job_info_done(&jobs[i]);
    free(jobs);
}

static int read_text(int dir, const char *name, struct stat *ret, struct buf *out)
{
    AUTO_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return fd < 0 || fstat(fd, ret) < 0 ? -errno : fd_read_all(fd, RECORD_MAX, out);
}

// "exit_status":N of the result that bryo itself wrote, at the job's end.
static bool read_result(int dir, struct job_info *ret)
{
    static const char key[] = "\"exit_status\":";
    AUTO_BUF struct buf text = {0};
    struct stat st = {0};
    uint64_t n = 0;
    if (read_text(dir, JOBS_RESULT, &st, &text) < 0)
        return false;
    const char *at = strstr(buf_str(&text), key);
    if (!at)
        return false;
    at += sizeof(key) - 1;
    if (parse_u64n(at, strspn(at, "0123456789"), 0, 255, &n) < 0)
        return false;
    ret->exit_status = (int)n;
    ret->ended_s = (uint64_t)st.st_mtime;
    return true;
}

static bool is_frozen(const struct job_record *record)
{
    AUTO_FREE char *path = str_fmt("%s/cgroup.events", record->cgroup);
    AUTO_FD int fd = *record->cgroup ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    AUTO_BUF struct buf text = {0};
    return fd >= 0 && fd_read_all(fd, 4096, &text) == 0 && strstr(buf_str(&text), "frozen 1");
}

static bool is_locked(int fd)
{
    if (flock(fd, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK;
    (void)flock(fd, LOCK_UN);
    return false;
}

static int look(int folder, const char *folder_path, const char *id, struct job_info *ret)
{
    AUTO_JOB_INFO struct job_info info = {0};
    AUTO_BUF struct buf text = {0};
    AUTO_FD int fd = openat(folder, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    bool alive = is_locked(fd); // before the result is looked for, which is written before the end
    struct stat st = {0};
    int r = read_text(fd, RECORD, &st, &text);
    if (r == 0)
        r = job_record_parse(buf_str(&text), &info.record);
    if (r < 0)
        return r;
    info.path = str_fmt("%s/%s", folder_path, id);
    if (read_result(fd, &info))
        info.state = JOB_EXITED;
    else if (!alive)
        info.state = JOB_DEAD;
    else
        info.state = faccessat(fd, JOBS_PAUSED, F_OK, 0) == 0 || is_frozen(&info.record)
                         ? JOB_PAUSED
                         : JOB_RUNNING;
    *ret = info;
    // NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): the cleanup reads it
    info = (struct job_info){0};
    return 0;
}

int jobs_refresh(struct job_info *info)
{
    struct job_info now = {0};
    const char *slash = strrchr(info->path, '/');
    AUTO_FREE char *folder = str_dupn(info->path, (size_t)(slash - info->path));
    AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir < 0 ? -errno : look(dir, folder, slash + 1, &now);
    if (r < 0)
        return r;
    job_info_done(info);
    *info = now;
    return 0;
}

static int by_age(const void *a, const void *b)
{
    const struct job_info *x = a;
    const struct job_info *y = b;
    if (x->record.started_s != y->record.started_s)
        return x->record.started_s < y->record.started_s ? 1 : -1;
    return strcmp(x->record.id, y->record.id);
}

static void read_folder(DIR *dir, const char *path, struct job_info **ret, size_t *ret_n)
{
    struct dirent *e;
    while ((e = readdir(dir))) { // NOLINT(concurrency-mt-unsafe): the stream is ours
        struct job_info info;
        if (e->d_name[0] == '.' || look(dirfd(dir), path, e->d_name, &info) < 0)
            continue; // one that begins or ends at this moment
        *ret = mem_grow(*ret, *ret_n + 1, sizeof(**ret));
        (*ret)[(*ret_n)++] = info;
    }
}

int jobs_list(char *const envp[], struct job_info **ret, size_t *ret_n, struct err *err)
{
    AUTO_FREE char *folder = NULL;
    int r = jobs_folder(envp, &folder, err);
    if (r < 0)
        return r;
    *ret = NULL;
    *ret_n = 0;
    DIR *dir = opendir(folder);
    if (!dir && errno == ENOENT)
        return 0;
    if (!dir) {
        (void)err_sys(err, errno, "cannot read %s", folder);
        return err_stage(err, STAGE_HOST);
    }
    read_folder(dir, folder, ret, ret_n);
    (void)closedir(dir);
    if (*ret_n)
        qsort(*ret, *ret_n, sizeof(**ret), by_age);
    return 0;
}

static bool matches(const struct job_info *job, const char *ref, bool whole)
{
    if (whole)
        return strcmp(job->record.id, ref) == 0 || strcmp(job->record.name, ref) == 0;
    return strncmp(job->record.id, ref, strlen(ref)) == 0;
}

static int pick(struct job_info *jobs, size_t n, const char *ref, size_t *ret, struct err *err)
{
    for (int whole = 1; whole >= 0 && *ref; whole--) {
        size_t found = 0;
        for (size_t i = 0; i < n; i++) {
            if (!matches(&jobs[i], ref, whole))
                continue;
            *ret = i;
            found++;
        }
        if (found == 1)
            return 0;
        if (found > 1)
            return err_set(err, ENOTUNIQ, "%s begins the ids of several jobs", ref);
    }
    (void)err_set(err, ENOENT, "there is no job %s", *ref ? ref : "without a name");
    return err_hint(err, "bryo ps -a lists them");
}

int jobs_find(char *const envp[], const char *ref, struct job_info *ret, struct err *err)
{
    struct job_info *jobs = NULL;
    size_t n = 0;
    size_t at = 0;
    int r = jobs_list(envp, &jobs, &n, err);
    if (r == 0)
        r = pick(jobs, n, ref, &at, err);
    if (r == 0) {
        *ret = jobs[at];
        jobs[at] = (struct job_info){0};
    }
    jobs_free(jobs, n);
    return r;
}

void jobs_sweep(const char *folder)
{
    struct job_info *jobs = NULL;
    size_t n = 0;
    DIR *dir = opendir(folder);
    if (!dir)
        return;
    read_folder(dir, folder, &jobs, &n);
    for (size_t i = 0; i < n; i++)
        if (jobs[i].state == JOB_DEAD && !jobs[i].record.detached)
            (void)fspath_remove_tree(dirfd(dir), jobs[i].record.id);
    (void)closedir(dir);
    jobs_free(jobs, n);
}
