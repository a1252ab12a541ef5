// SPDX-License-Identifier: Apache-2.0
// What each option does to the spec under construction.
#include "cmd/bryo/builder.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/base/log.h"
#include "internal/base/parse.h"
#include "internal/job/hostname.h"
#include "internal/job/jobenv.h"
#include "internal/job/mountarg.h"
#include "internal/job/timeoffset.h"
#include "internal/job/ulimit.h"
#include "internal/job/userdb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define ENV_FILE_MAX (1 << 20) // bytes; execve(2) takes about two megabytes in all

static struct job_spec *spec_of(void *ctx)
{
    return &((struct builder *)ctx)->spec;
}

static void replace(char **field, char *value)
{
    free(*field);
    *field = value;
}

static int not_empty(const char *value, const char *what, struct err *err)
{
    return *value ? 0 : err_set(err, EINVAL, "expected %s, not an empty word", what);
}

// One of a list of words; its index, or -EINVAL.
static int choice(const char *value, const char *const *words, struct err *err)
{
    AUTO_BUF struct buf list = {0};
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0)
            return i;
        buf_addf(&list, "%s%s", i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
    }
    return err_set(err, EINVAL, "\"%s\" is not one of %s", value, buf_str(&list));
}

int set_rootfs(void *ctx, const char *value, struct err *err)
{
    int r = not_empty(value, "a tarball, a directory or \"host\"", err);
    if (r == 0)
        replace(&spec_of(ctx)->rootfs, str_dup(value));
    return r;
}

int set_layer(void *ctx, const char *value, struct err *err)
{
    int r = not_empty(value, "a tarball or a directory", err);
    if (r == 0)
        strv_add(&spec_of(ctx)->layers, value);
    return r;
}

int set_as_layer(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->as_layer = true;
    return 0;
}

int set_read_only(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->read_only = true;
    return 0;
}

int set_keep(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->keep = KEEP_ALWAYS;
    return 0;
}

int set_keep_on_failure(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->keep = KEEP_ON_FAILURE;
    return 0;
}

int set_rm(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->remove = true;
    return 0;
}

// An id becomes the name of a directory.
int set_reuse(void *ctx, const char *value, struct err *err)
{
    size_t n = strlen(value);
    if (n == 0 || n > 16 || strspn(value, "0123456789abcdef") != n) {
        err_set(err, EINVAL, "\"%s\" is not the id of a kept job", value);
        return err_hint(err, "it has up to 16 hexadecimal digits; a run with --keep prints it");
    }
    replace(&spec_of(ctx)->reuse, str_dup(value));
    return 0;
}

int set_max_unpacked(void *ctx, const char *value, struct err *err)
{
    uint64_t size = 0;
    if (parse_size(value, &size) < 0 || size == 0 || size > INT64_MAX)
        return err_set(err, EINVAL, "\"%s\" is not a size such as 500m or 20g", value);
    spec_of(ctx)->max_unpacked = size;
    return 0;
}

int set_max_entries(void *ctx, const char *value, struct err *err)
{
    if (parse_u64(value, 1, INT64_MAX, &spec_of(ctx)->max_entries) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a number from 1 on", value);
    return 0;
}

int set_userns(void *ctx, const char *value, struct err *err)
{
    static const char *const words[] = {"auto", "subids", "single", NULL};
    static const enum userns_mode modes[] = {USERNS_AUTO, USERNS_SUBIDS, USERNS_SINGLE};
    int r = choice(value, words, err);
    if (r < 0)
        return r;
    spec_of(ctx)->userns = modes[r];
    return 0;
}

int set_uidmap(void *ctx, const char *value, struct err *err)
{
    struct job_spec *s = spec_of(ctx);
    return idmap_parse_flag(&s->uidmap, s->uidmap_absolute, value, err);
}

int set_gidmap(void *ctx, const char *value, struct err *err)
{
    struct job_spec *s = spec_of(ctx);
    return idmap_parse_flag(&s->gidmap, s->gidmap_absolute, value, err);
}

int set_user(void *ctx, const char *value, struct err *err)
{
    int r = userdb_check(value, err);
    if (r == 0)
        replace(&spec_of(ctx)->user, str_dup(value));
    return r;
}

int set_hostname(void *ctx, const char *value, struct err *err)
{
    int r = hostname_check(value, err);
    if (r == 0)
        replace(&spec_of(ctx)->hostname, str_dup(value));
    return r;
}

int set_time_offset(void *ctx, const char *value, struct err *err)
{
    struct time_offsets offsets = {0};
    int r = timeoffset_parse(value, &offsets, err);
    if (r < 0)
        return r;
    struct job_spec *s = spec_of(ctx);
    s->time_offsets = true;
    s->boottime_s = offsets.boottime_s;
    s->monotonic_s = offsets.monotonic_s;
    return 0;
}

static void add_mount(struct job_spec *s, const struct mount_req *m)
{
    s->mounts = mem_grow(s->mounts, s->n_mounts + 1, sizeof(*s->mounts));
    s->mounts[s->n_mounts++] = *m;
}

int set_volume(void *ctx, const char *value, struct err *err)
{
    struct mount_req m = {0};
    int r = mountarg_volume(value, ((struct builder *)ctx)->cwd, &m, err);
    if (r == 0)
        add_mount(spec_of(ctx), &m);
    return r;
}

int set_tmpfs(void *ctx, const char *value, struct err *err)
{
    struct mount_req m = {0};
    int r = mountarg_tmpfs(value, &m, err);
    if (r == 0)
        add_mount(spec_of(ctx), &m);
    return r;
}

int set_device(void *ctx, const char *value, struct err *err)
{
    struct mount_req m = {0};
    int r = mountarg_device(value, &m, err);
    if (r == 0)
        add_mount(spec_of(ctx), &m);
    return r;
}

int set_workspace(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    int r = not_empty(value, "a directory", err);
    if (r < 0)
        return r;
    b->workspace = true;
    b->spec.workspace = WORKSPACE_DIR;
    replace(&b->spec.workspace_dir, fspath_clean(b->cwd, value));
    return 0;
}

int set_no_workspace(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->no_workspace = true;
    spec_of(ctx)->workspace = WORKSPACE_NONE;
    return 0;
}

int set_keep_owners(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->keep_owners = true;
    return 0;
}

int set_workdir(void *ctx, const char *value, struct err *err)
{
    if (value[0] != '/')
        return err_set(err, EINVAL, "the path inside, \"%s\", is not absolute", value);
    replace(&spec_of(ctx)->workdir, fspath_clean("/", value));
    return 0;
}

int set_env(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    if (!strchr(value, '='))
        strv_add(&b->bare_env, value);
    return jobenv_assign(value, b->envp, &b->spec.env, err);
}

int set_env_file(void *ctx, const char *value, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    // Not fd_read_file(): a link, a FIFO and <(...) are the user's own here.
    AUTO_FD int fd = open(value, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd_read_all(fd, ENV_FILE_MAX, &text);
    if (r < 0)
        return err_sys(err, -r, "reading %s", value);
    return jobenv_parse_file(value, buf_str(&text), text.len, ((struct builder *)ctx)->envp,
                             &spec_of(ctx)->env, err);
}

int set_tty(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->tty = true;
    return 0;
}

int set_interactive(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    spec_of(ctx)->interactive = true;
    return 0;
}

// A limit that is named again replaces the first.
int set_ulimit(void *ctx, const char *value, struct err *err)
{
    struct job_spec *s = spec_of(ctx);
    struct rlimit_req req = {0};
    int r = ulimit_parse(value, &req, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < s->n_rlimits; i++) {
        if (s->rlimits[i].resource == req.resource) {
            s->rlimits[i] = req;
            return 0;
        }
    }
    s->rlimits = mem_grow(s->rlimits, s->n_rlimits + 1, sizeof(*s->rlimits));
    s->rlimits[s->n_rlimits++] = req;
    return 0;
}

int set_umask(void *ctx, const char *value, struct err *err)
{
    if (parse_octal(value, 0777, &spec_of(ctx)->umask) < 0)
        return err_set(err, EINVAL, "\"%s\" is not octal, at most 777", value);
    return 0;
}

static int duration(const char *value, uint64_t *ret, struct err *err)
{
    // Deadlines are sums of such values and of the clock.
    uint64_t us = 0;
    if (parse_duration(value, &us) < 0 || us > INT64_MAX / 4)
        return err_set(err, EINVAL, "\"%s\" is not a duration such as 90, 90s, 15m or 1h30m",
                       value);
    *ret = us;
    return 0;
}

int set_timeout(void *ctx, const char *value, struct err *err)
{
    return duration(value, &spec_of(ctx)->timeout_us, err);
}

int set_stall_timeout(void *ctx, const char *value, struct err *err)
{
    return duration(value, &spec_of(ctx)->stall_timeout_us, err);
}

int set_grace(void *ctx, const char *value, struct err *err)
{
    return duration(value, &spec_of(ctx)->grace_us, err);
}

int set_result(void *ctx, const char *value, struct err *err)
{
    int r = not_empty(value, "a file", err);
    if (r == 0)
        replace(&spec_of(ctx)->result_file, str_dup(value));
    return r;
}

int set_quiet(void *ctx, const char *value, struct err *err)
{
    (void)ctx, (void)value, (void)err;
    log_set_level(LOG_QUIET);
    return 0;
}

int set_verbose(void *ctx, const char *value, struct err *err)
{
    (void)ctx, (void)value, (void)err;
    log_set_level(LOG_VERBOSE);
    return 0;
}
