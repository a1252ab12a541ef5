// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/kept_roots.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/roots/scratch.h"
#include "internal/roots/scratch_record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

void kept_roots_done(struct kept_roots *k)
{
    strv_done(&k->paths);
    strv_done(&k->ids);
}

const char *kept_roots_job(const struct kept_roots *k, const char *path)
{
    for (size_t i = 0; i < k->paths.n; i++)
        if (strcmp(k->paths.v[i], path) == 0)
            return k->ids.v[i];
    return NULL;
}

static void add(struct kept_roots *k, const char *path, const char *id)
{
    if (!path || !path[0])
        return;
    strv_add(&k->paths, path);
    strv_add(&k->ids, id);
}

static bool is_held(int dirfd, const char *name)
{
    AUTO_FD int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

// A record that cannot be read protects nothing: nobody can enter that job again either.
static void look_at(struct kept_roots *k, int dirfd, const char *id)
{
    AUTO_RECORD struct scratch_record record = {0};
    k->running = k->running || is_held(dirfd, id);
    if (scratch_read_record(dirfd, id, &record) < 0)
        return;
    add(k, record.lower, id);
    add(k, record.init_layer, id);
    for (size_t i = 0; i < record.layer_paths.n; i++)
        add(k, record.layer_paths.v[i], id);
}

int kept_roots_find(const char *bryo_dir, struct kept_roots *ret, struct err *err)
{
    AUTO_FREE char *path = str_fmt("%s/scratch", bryo_dir);
    AUTO_DIR DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT ? 0 : err_sys(err, errno, "cannot read %s", path);
    struct dirent *ent;
    while ((ent = readdir(dir))) // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (ent->d_name[0] != '.')
            look_at(ret, dirfd(dir), ent->d_name);
    return 0;
}
