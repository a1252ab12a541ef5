// SPDX-License-Identifier: Apache-2.0
#include "internal/job/mountarg.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void mount_req_done(struct mount_req *m)
{
    free(m->source);
    free(m->target);
    *m = (struct mount_req){0};
}

static void split(const char *value, char sep, struct strv *ret)
{
    for (;;) {
        const char *end = strchrnul(value, sep);
        strv_take(ret, str_dupn(value, (size_t)(end - value)));
        if (!*end)
            return;
        value = end + 1;
    }
}

static int set_target(struct mount_req *m, const char *path, struct err *err)
{
    if (path[0] != '/')
        return err_set(err, EINVAL, "the path inside, \"%s\", is not absolute", path);
    m->target = fspath_clean("/", path);
    if (strcmp(m->target, "/") == 0)
        return err_set(err, EINVAL,
                       "nothing can be mounted over \"/\"; --rootfs says what that is");
    return 0;
}

static int set_source(struct mount_req *m, const char *path, const char *cwd, struct err *err)
{
    if (!*path)
        return err_set(err, EINVAL, "no path before the \":\"");
    if (!strchr(path, '/') && strcmp(path, ".") != 0 && strcmp(path, "..") != 0) {
        err_set(err, EINVAL, "\"%s\" would be a named volume, which bryo does not have", path);
        return err_hint(err, "for the file or directory of that name write ./%s", path);
    }
    m->source = fspath_clean(cwd, path);
    return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(word, *words) == 0)
            return true;
    return false;
}

// ro or rw, but not both. Returns 1 when the word is neither.
static int access_option(const char *word, int *seen, bool *read_only, struct err *err)
{
    int now = strcmp(word, "ro") == 0 ? 1 : strcmp(word, "rw") == 0 ? 2 : 0;
    if (now == 0)
        return 1;
    *seen |= now;
    if (*seen == 3)
        return err_set(err, EINVAL, "both ro and rw are asked for");
    *read_only = now == 1;
    return 0;
}

static int volume_options(struct mount_req *m, const char *text, struct err *err)
{
    static const char *const harmless[] = {"z",      "Z",         "rprivate",   "private", "rbind",
                                           "cached", "delegated", "consistent", NULL};
    AUTO_STRV struct strv words = {0};
    int seen = 0;
    split(text, ',', &words);
    for (size_t i = 0; i < words.n; i++) {
        int r = access_option(words.v[i], &seen, &m->read_only, err);
        if (r < 0)
            return r;
        if (r > 0 && !is_one_of(words.v[i], harmless))
            return err_set(err, EINVAL, "unknown option \"%s\": expected ro or rw", words.v[i]);
    }
    return 0;
}

int mountarg_volume(const char *value, const char *cwd, struct mount_req *ret, struct err *err)
{
    AUTO_STRV struct strv part = {0};
    AUTO(mount_req_done) struct mount_req m = {.kind = MOUNT_BIND};
    split(value, ':', &part);
    if (part.n < 2 || part.n > 3) {
        err_set(err, EINVAL, "\"%s\" is not of the form SRC:DST[:ro]", value);
        return err_hint(err, part.n < 2 ? "for an empty directory use --tmpfs DST"
                                        : "a path with a \":\" in it cannot be given");
    }
    int r = set_source(&m, part.v[0], cwd, err);
    if (r == 0)
        r = set_target(&m, part.v[1], err);
    if (r == 0 && part.n == 3)
        r = volume_options(&m, part.v[2], err);
    if (r < 0)
        return r;
    *ret = m;
    m = (struct mount_req){0};
    return 0;
}

static int tmpfs_size(const char *text, struct mount_req *m, struct err *err)
{
    uint64_t size = 0;
    // tmpfs reads 0 as "no limit at all".
    if (parse_size(text, &size) < 0 || size == 0 || size > INT64_MAX)
        return err_set(err, EINVAL, "size=%s is not a size such as 64m or 2g", text);
    m->size = size;
    return 0;
}

static int tmpfs_inodes(const char *text, struct mount_req *m, struct err *err)
{
    // As with the size; and its root is one of them.
    if (parse_u64(text, 1, INT64_MAX, &m->inodes) < 0)
        return err_set(err, EINVAL, "nr_inodes=%s is not a number from 1 on", text);
    return 0;
}

static int tmpfs_option(struct mount_req *m, const char *word, int *seen, struct err *err)
{
    static const char *const always[] = {"nosuid", "nodev", NULL};
    int r = access_option(word, seen, &m->read_only, err);
    if (r <= 0)
        return r;
    if (strncmp(word, "size=", 5) == 0)
        return tmpfs_size(word + 5, m, err);
    if (strncmp(word, "nr_inodes=", 10) == 0)
        return tmpfs_inodes(word + 10, m, err);
    if (strncmp(word, "mode=", 5) == 0) {
        if (parse_octal(word + 5, 07777, &m->mode) < 0)
            return err_set(err, EINVAL, "mode=%s is not octal, at most 7777", word + 5);
        return 0;
    }
    if (strcmp(word, "exec") == 0 || strcmp(word, "noexec") == 0) {
        m->exec = word[0] == 'e';
        return 0;
    }
    if (is_one_of(word, always))
        return 0;
    return err_set(
        err, EINVAL,
        "unknown option \"%s\": expected size=, nr_inodes=, mode=, exec, noexec, ro or rw", word);
}

int mountarg_tmpfs(const char *value, struct mount_req *ret, struct err *err)
{
    AUTO_STRV struct strv part = {0};
    AUTO_STRV struct strv words = {0};
    AUTO(mount_req_done) struct mount_req m = {.kind = MOUNT_TMPFS, .mode = 01777};
    int seen = 0;
    split(value, ':', &part);
    if (part.n > 2)
        return err_set(err, EINVAL, "\"%s\" is not of the form DST[:OPTION,...]", value);
    int r = set_target(&m, part.v[0], err);
    if (part.n == 2)
        split(part.v[1], ',', &words);
    for (size_t i = 0; i < words.n && r == 0; i++)
        r = tmpfs_option(&m, words.v[i], &seen, err);
    if (r < 0)
        return r;
    *ret = m;
    m = (struct mount_req){0};
    return 0;
}

static bool is_rights(const char *text)
{
    return *text && text[strspn(text, "rwm")] == '\0';
}

static int check_rights(const char *text, struct err *err)
{
    if (!is_rights(text))
        return err_set(err, EINVAL, "\"%s\" is no set of rights: expected rw or rwm", text);
    if (!strchr(text, 'r') || !strchr(text, 'w')) {
        err_set(err, EINVAL, "a device cannot be held to \"%s\"", text);
        return err_hint(err, "its own permissions decide who may read and write it; leave out the "
                             "rights, or give rw");
    }
    return 0;
}

int mountarg_device(const char *value, struct mount_req *ret, struct err *err)
{
    AUTO_STRV struct strv part = {0};
    AUTO(mount_req_done) struct mount_req m = {.kind = MOUNT_DEVICE};
    split(value, ':', &part);
    if (part.n > 3 || part.v[0][0] != '/')
        return err_set(err, EINVAL, "\"%s\" is not of the form /dev/SRC[:/dev/DST][:rwm]", value);
    m.source = fspath_clean("/", part.v[0]);
    const char *target = part.v[0];
    const char *rights = NULL;
    if (part.n == 2 && is_rights(part.v[1]))
        rights = part.v[1];
    else if (part.n >= 2)
        target = part.v[1];
    if (part.n == 3)
        rights = part.v[2];
    int r = set_target(&m, target, err);
    if (r == 0 && rights)
        r = check_rights(rights, err);
    if (r < 0)
        return r;
    *ret = m;
    m = (struct mount_req){0};
    return 0;
}
