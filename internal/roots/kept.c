// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/kept.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/image/upper.h"
#include "internal/job/stage.h"
#include "internal/roots/host_paths.h"
#include "internal/roots/kept_priv.h"
#include "internal/roots/merged.h"
#include "internal/sandbox/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define LIST_MAX (UINT64_C(1) << 32)

void kept_close(struct kept *k)
{
    scratch_close(&k->scratch);
    scratch_record_done(&k->record);
    idmaps_done(&k->maps);
}

// As root of the namespace everything can be read, so there has to be one. The one id of a job with
// -u builder gets that name here, and its own again in what is written.
static int choose_maps(struct kept *k, struct err *err)
{
    const struct idmaps *job = &k->record.maps;
    uint32_t outside;
    k->maps.kind = job->kind;
    if (job->kind == IDMAP_SINGLE && job->uid.n == 1 && job->gid.n == 1) {
        k->uid = job->uid.ext[0].inside;
        k->gid = job->gid.ext[0].inside;
        k->renamed = k->uid != 0 || k->gid != 0;
        idmap_add(&k->maps.uid, 0, job->uid.ext[0].outside, 1);
        idmap_add(&k->maps.gid, 0, job->gid.ext[0].outside, 1);
        return 0;
    }
    if (!idmap_to_outside(&job->uid, 0, &outside) || !idmap_to_outside(&job->gid, 0, &outside))
        return err_set(err, EINVAL,
                       "the kept job %s has no id 0 in its maps, so nobody in them may "
                       "read all that it wrote",
                       k->scratch.id);
    idmap_copy(&k->maps.uid, &job->uid);
    idmap_copy(&k->maps.gid, &job->gid);
    return 0;
}

int kept_open(const char *id, struct kept *ret, struct err *err)
{
    AUTO_FREE char *cache_dir = NULL;
    struct kept k = {.scratch = {.parent = -1, .fd = -1}};
    int r = host_paths_cache(environ, &cache_dir, err);
    if (r < 0)
        return r;
    AUTO_FREE char *bryo_dir = str_fmt("%s/bryo", cache_dir);
    r = scratch_look(bryo_dir, id, &k.scratch, &k.record, err);
    if (r == 0)
        r = choose_maps(&k, err);
    if (r < 0) {
        kept_close(&k);
        return err_stage(err, STAGE_SCRATCH);
    }
    *ret = k;
    return 0;
}

// --- diff, in the user namespace --------------------------------------------------------------

struct diff {
    const struct kept *kept;
    int out; // a memfd: "A" or "C" or "D", the path, NUL
    struct buf text;
    struct merged lower;        // of the root; of a host root: of its top
    struct merged machine;      // host: of the machine's own directories
    const struct merged *below; // the one that the entry lies on
};

static int say(struct diff *d, char what, const char *path, struct err *err)
{
    buf_addc(&d->text, what);
    buf_addc(&d->text, '/');
    buf_add(&d->text, path, strlen(path) + 1);
    if (d->text.len < 65536)
        return 0;
    int r = fd_write_all(d->out, d->text.data, d->text.len);
    buf_clear(&d->text);
    return r < 0 ? err_sys(err, -r, "cannot note what was changed") : 0;
}

// What the user may not look up is there: else it could not have been looked up to say so.
static bool was_there(const struct diff *d, const char *path)
{
    struct stat st;
    if (d->machine.layers.n && strncmp(path, "var/tmp/", 8) == 0)
        return false; // that of a host root is its own, and was empty
    int r = merged_stat(d->below, path, &st);
    return r != -ENOENT && r != -ENOTDIR;
}

static const struct merged *below_of(const struct diff *d, const char *path)
{
    size_t n = strcspn(path, "/");
    if (!d->machine.layers.n || !path[n])
        return &d->lower;
    // Only directories of the machine that have an upper layer of their own come from it.
    AUTO_FREE char *own = str_fmt("host/%.*s/upper", (int)n, path);
    return faccessat(d->kept->scratch.fd, own, F_OK, 0) == 0 ? &d->machine : &d->lower;
}

// What lower layers had in a directory that shows nothing of them any more.
static int say_lost(struct diff *d, const struct upper_entry *e, struct err *err)
{
    AUTO_STRV struct strv names = {0};
    AUTO_FD int dir = openat(e->dirfd, e->name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r = 0;
    merged_list(d->below, e->path, &names);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        struct stat st;
        AUTO_FREE char *path = str_fmt("%s/%s", e->path, names.v[i]);
        if (fstatat(dir, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
            r = say(d, 'D', path, err);
    }
    return r;
}

static int on_entry(void *ctx, const struct upper_entry *e, struct err *err)
{
    struct diff *d = ctx;
    d->below = below_of(d, e->path);
    bool there = was_there(d, e->path);
    if (e->mark == UPPER_WHITEOUT)
        return there ? say(d, 'D', e->path, err) : 0;
    int r = say(d, there ? 'C' : 'A', e->path, err);
    return r == 0 && there && e->alone && S_ISDIR(e->st->st_mode) ? say_lost(d, e, err) : r;
}

static void fill_lower(struct diff *d)
{
    const struct scratch_record *rec = &d->kept->record;
    bool host = strcmp(rec->rootfs, "host") == 0;
    strv_add(&d->lower.layers, rec->init_layer);
    for (size_t i = rec->layer_paths.n; i-- > 0;)
        strv_add(&d->lower.layers, rec->layer_paths.v[i]);
    if (!host) {
        strv_add(&d->lower.layers, rec->lower);
        return;
    }
    strv_add(&d->machine.layers, rec->init_layer);
    strv_add(&d->machine.layers, "/");
}

static int diff_inside(void *ctx, struct err *err)
{
    struct diff *d = ctx;
    struct rlimit fds;
    if (getrlimit(RLIMIT_NOFILE, &fds) == 0) { // a descriptor a level
        fds.rlim_cur = fds.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &fds);
    }
    fill_lower(d);
    int r = upper_walk_scratch(d->kept->scratch.fd, on_entry, d, err);
    if (r == 0 && d->text.len && (r = fd_write_all(d->out, d->text.data, d->text.len)) < 0)
        r = err_sys(err, -r, "cannot note what was changed");
    return r;
}

// --- and outside ------------------------------------------------------------------------------

void kept_changes_free(struct kept_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(changes[i].path);
    free(changes);
}

// A directory before what is in it, whatever other names begin as its own does.
static int by_path(const void *pa, const void *pb)
{
    const char *a = ((const struct kept_change *)pa)->path;
    const char *b = ((const struct kept_change *)pb)->path;
    while (*a && *a == *b) {
        a++;
        b++;
    }
    int ca = *a == '/' ? 1 : (unsigned char)*a + (*a != '\0');
    int cb = *b == '/' ? 1 : (unsigned char)*b + (*b != '\0');
    return ca - cb;
}

static int read_changes(int fd, struct kept_change **ret, size_t *ret_n, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    struct kept_change *v = NULL;
    size_t n = 0;
    size_t cap = 0;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, LIST_MAX, &text);
    if (r < 0)
        return err_sys(err, -r, "cannot read what was changed");
    for (size_t at = 0; at < text.len; n++) {
        const char *path = text.data + at + 1;
        if (n == cap) {
            cap = cap ? 2 * cap : 256;
            v = mem_grow(v, cap, sizeof(*v));
        }
        v[n] = (struct kept_change){text.data[at], str_dup(path)};
        at += strlen(path) + 2;
    }
    if (n)
        qsort(v, n, sizeof(*v), by_path);
    *ret = v;
    *ret_n = n;
    return 0;
}

int kept_diff(const char *id, struct kept_change **ret, size_t *ret_n, struct err *err)
{
    AUTO_KEPT struct kept k = {.scratch = {.parent = -1, .fd = -1}};
    struct userns_task task;
    int status = 0;
    int r = kept_open(id, &k, err);
    if (r < 0)
        return r;
    AUTO_FD int out = memfd_create("diff", MFD_CLOEXEC);
    if (out < 0)
        return err_sys(err, errno, "cannot note what was changed");
    struct diff d = {.kept = &k, .out = out};
    r = userns_start(&k.maps, 0, diff_inside, &d, &task, err);
    if (r == 0)
        r = userns_finish(&task, &status, err);
    if (r == 0 && status != 0)
        r = err_set(err, EIO, "looking at what the job wrote ended early");
    return r < 0 ? err_stage(err, STAGE_SCRATCH) : read_changes(out, ret, ret_n, err);
}
