// SPDX-License-Identifier: Apache-2.0
#include "internal/jobs/jobs.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/job/stage.h"
#include "internal/jobs/jobs_priv.h"
#include "internal/roots/host_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORD "record"

static bool is_own_directory(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

// $XDG_RUNTIME_DIR (XDG Base Directory Specification); a machine without a login session has none
// in the environment, and often has it all the same.
int jobs_folder(char *const envp[], char **ret, struct err *err)
{
    const char *dir = host_paths_getenv(envp, "XDG_RUNTIME_DIR");
    AUTO_FREE char *usual = str_fmt("/run/user/%u", geteuid());
    if (!dir || dir[0] != '/' || !is_own_directory(dir))
        dir = is_own_directory(usual) ? usual : NULL;
    if (dir) {
        *ret = str_fmt("%s/bryo/jobs", dir);
        return 0;
    }
    AUTO_FREE char *cache = NULL;
    int r = host_paths_cache(envp, &cache, err);
    if (r < 0)
        return r;
    *ret = str_fmt("%s/bryo/jobs", cache);
    return 0;
}

// Makes it under another name first: whoever looks sees it locked.
static int make_locked(int folder, const char *id)
{
    AUTO_FREE char *temp = str_fmt(".%s", id);
    (void)fspath_remove_tree(folder, temp);
    if (mkdirat(folder, temp, 0700) < 0)
        return -errno;
    AUTO_FD int fd = openat(folder, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -errno;
    if (renameat(folder, temp, folder, id) < 0) {
        if (errno != EEXIST && errno != ENOTEMPTY)
            return -errno;
        (void)fspath_remove_tree(folder, id); // a kept job that ran before, entered again
        if (renameat(folder, temp, folder, id) < 0)
            return -errno;
    }
    return TAKE_FD(fd);
}

static int check_name(char *const envp[], const char *name, struct err *err)
{
    AUTO_JOB_INFO struct job_info other = {0};
    if (!*name || jobs_find(envp, name, &other, NULL) < 0 || strcmp(other.record.name, name) != 0)
        return 0;
    (void)err_set(err, EEXIST, "--name: there is a job called %s, %s", name, other.record.id);
    return err_hint(err, "take another name, or remove that job: bryo rm %s", name);
}

int jobs_create(char *const envp[], const char *id, const char *name, struct job_dir *ret,
                struct err *err)
{
    AUTO_FREE char *folder = NULL;
    int r = jobs_folder(envp, &folder, err);
    if (r == 0 && (r = fspath_make_dirs(folder, 0700)) < 0)
        r = err_sys(err, -r, "cannot make %s", folder);
    if (r == 0)
        r = check_name(envp, name, err);
    if (r < 0)
        return err_stage(err, STAGE_REPORT);
    jobs_sweep(folder);
    AUTO_FD int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int fd = dir < 0 ? -errno : make_locked(dir, id);
    if (fd < 0) {
        (void)err_sys(err, -fd, "cannot make a directory for the job in %s", folder);
        return err_stage(err, STAGE_REPORT);
    }
    ret->path = str_fmt("%s/%s", folder, id);
    ret->fd = TAKE_FD(fd);
    return 0;
}

// A reader sees the old text or the new one.
static int write_file(const struct job_dir *dir, const char *name, const struct buf *text,
                      struct err *err)
{
    AUTO_FREE char *temp = str_fmt(".%s", name);
    (void)unlinkat(dir->fd, temp, 0);
    int r = fd_create_file(dir->fd, temp, 0600, text->data, text->len);
    if (r == 0 && renameat(dir->fd, temp, dir->fd, name) < 0)
        r = -errno;
    if (r == 0)
        return 0;
    (void)err_sys(err, -r, "cannot write %s/%s", dir->path, name);
    return err_stage(err, STAGE_REPORT);
}

int jobs_write_record(const struct job_dir *dir, const struct job_record *record, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    job_record_format(record, &text);
    return write_file(dir, RECORD, &text, err);
}

int jobs_write_result(const struct job_dir *dir, const struct buf *json, struct err *err)
{
    int r = write_file(dir, JOBS_RESULT, json, err);
    // Only then: whoever cannot connect any more finds the result.
    (void)unlinkat(dir->fd, JOBS_CONTROL, 0);
    return r;
}

void jobs_close(struct job_dir *dir)
{
    fd_closep(&dir->fd);
    free_p(&dir->path);
}

static void remove_at(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = str_dupn(path, (size_t)(slash - path));
    AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        (void)fspath_remove_tree(fd, slash + 1);
}

void jobs_remove(struct job_dir *dir)
{
    if (dir->path)
        remove_at(dir->path);
    jobs_close(dir);
}

int jobs_forget(const struct job_info *info, struct err *err)
{
    AUTO_FD int fd = open(info->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        (void)err_set(err, EBUSY, "the job %s is running", info->record.id);
        return err_hint(err, "end it first: bryo stop %s, or remove it with -f", info->record.id);
    }
    remove_at(info->path);
    return 0;
}
