// SPDX-License-Identifier: Apache-2.0
#include "internal/cgroup/view.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/job/limits.h"

#include <string.h>

// A field of mountinfo, with \ooo undone (proc(5)).
static char *unescape(const char *s, size_t n)
{
    char *out = str_dupn(s, n);
    char *to = out;
    for (const char *at = out; *at; at++) {
        if (at[0] == '\\' && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' && at[2] <= '7' &&
            at[3] >= '0' && at[3] <= '7') {
            *to++ = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
            at += 3;
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return out;
}

// The n-th field (from 0) of a line; its length in *ret_n, 0 where there is none.
static const char *field(const char *line, const char *end, unsigned n, size_t *ret_n)
{
    for (; n > 0 && line < end; n--) {
        line = memchr(line, ' ', (size_t)(end - line));
        line = line ? line + 1 : end;
    }
    const char *blank = memchr(line, ' ', (size_t)(end - line));
    *ret_n = (size_t)((blank ? blank : end) - line);
    return line;
}

static void take_v2(struct cgroup_view *v, const char *root, size_t root_n, const char *dir,
                    size_t dir_n)
{
    // Several: the usual places count more than somebody's own.
    if (v->mount && strncmp(v->mount, "/sys/fs/cgroup", 14) == 0)
        return;
    free(v->mount);
    free(v->root);
    v->mount = unescape(dir, dir_n);
    v->root = unescape(root, root_n);
}

static void take_v1(struct cgroup_view *v, const char *options, const char *end)
{
    AUTO_FREE char *words = str_dupn(options, (size_t)(end - options));
    v->v1 |= limits_parse_controllers(words);
    if (strstr(words, "blkio")) // as version 1 calls it
        v->v1 |= CONTROLLER_IO;
}

// Whether something was mounted later onto this directory, or onto one above it: a job with the
// machine's network has the machine's /sys below its own /sys/fs/cgroup.
static bool is_covered(const char *dir, size_t dir_n, const char *rest)
{
    while (*rest) {
        const char *end = strchrnul(rest, '\n');
        size_t n;
        const char *later = field(rest, end, 4, &n);
        if (n > 1 && n <= dir_n && memcmp(later, dir, n) == 0 && (n == dir_n || dir[n] == '/'))
            return true;
        rest = *end ? end + 1 : end;
    }
    return false;
}

static void take_mount(struct cgroup_view *v, const char *line, const char *end)
{
    size_t root_n;
    size_t dir_n;
    const char *root = field(line, end, 3, &root_n);
    const char *dir = field(line, end, 4, &dir_n);
    const char *dash = memmem(line, (size_t)(end - line), " - ", 3);
    if (!dash || !root_n || !dir_n || strncmp(dash + 3, "cgroup", 6) != 0 ||
        is_covered(dir, dir_n, *end ? end + 1 : end))
        return;
    if (strncmp(dash + 3, "cgroup2 ", 8) == 0) {
        take_v2(v, root, root_n, dir, dir_n);
    } else if (strncmp(dash + 3, "cgroup ", 7) == 0) {
        size_t n;
        take_v1(v, field(dash + 3, end, 2, &n), end);
    }
}

char *cgroup_view_dir(const struct cgroup_view *v, const char *path)
{
    size_t n = v->root ? strlen(v->root) : 0;
    if (!v->mount || !v->root || !path || strncmp(path, "/..", 3) == 0)
        return NULL;
    if (n == 1)
        n = 0; // "/"
    else if (strncmp(path, v->root, n) != 0 || (path[n] != '/' && path[n] != '\0'))
        return NULL;
    path += n;
    return str_fmt("%s%s", v->mount, strcmp(path, "/") == 0 ? "" : path);
}

void cgroup_view_parse(const char *mountinfo, const char *cgroup, struct cgroup_view *ret)
{
    *ret = (struct cgroup_view){0};
    for (const char *line = mountinfo; *line;) {
        const char *end = strchrnul(line, '\n');
        take_mount(ret, line, end);
        line = *end ? end + 1 : end;
    }
    for (const char *line = cgroup; *line;) {
        const char *end = strchrnul(line, '\n');
        if (!ret->path && strncmp(line, "0::", 3) == 0)
            ret->path = str_dupn(line + 3, (size_t)(end - line) - 3);
        line = *end ? end + 1 : end;
    }
    ret->dir = cgroup_view_dir(ret, ret->path);
    ret->kind = ret->mount ? ret->v1 ? CGROUP_HYBRID : CGROUP_V2 : ret->v1 ? CGROUP_V1 : CGROUP_NO;
}

void cgroup_view_done(struct cgroup_view *v)
{
    free(v->mount);
    free(v->root);
    free(v->path);
    free(v->dir);
    *v = (struct cgroup_view){0};
}

const char *cgroup_kind_words(enum cgroup_kind kind)
{
    switch (kind) {
    case CGROUP_NO:
        return "no cgroup file system is mounted";
    case CGROUP_V1:
        return "this machine has cgroup v1 only";
    case CGROUP_HYBRID:
        return "this machine is a hybrid of cgroup v1 and v2";
    case CGROUP_V2:
        break;
    }
    return "this machine has cgroup v2";
}

bool cgroup_path_has_unit(const char *path)
{
    static const char *const kinds[] = {".service", ".scope", ".slice"};
    while (*path) {
        size_t n = strcspn(path, "/");
        for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
            size_t k = strlen(kinds[i]);
            if (n > k && strncmp(path + n - k, kinds[i], k) == 0)
                return true;
        }
        path += n + (path[n] == '/');
    }
    return false;
}

unsigned long cgroup_common(const char *a, const char *b)
{
    unsigned long common = 0;
    unsigned long i = 0;
    for (; a[i] && a[i] == b[i]; i++)
        if (a[i] == '/')
            common = i;
    if ((a[i] == '\0' && (b[i] == '/' || b[i] == '\0')) || (b[i] == '\0' && a[i] == '/'))
        common = i;
    return common;
}
