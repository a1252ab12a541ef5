// SPDX-License-Identifier: Apache-2.0
// The values of -v, --tmpfs, --device, --ulimit, --time-offset, --hostname and --user. The first
// byte of the input chooses.
#include "internal/base/err.h"
#include "internal/job/hostname.h"
#include "internal/job/mountarg.h"
#include "internal/job/timeoffset.h"
#include "internal/job/ulimit.h"
#include "internal/job/userdb.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool has_component(const char *path, const char *name)
{
    size_t n = strlen(name);
    for (const char *at = strstr(path, name); at; at = strstr(at + 1, name))
        if (at[-1] == '/' && (at[n] == '/' || at[n] == '\0'))
            return true;
    return false;
}

// Absolute, and nothing in it that a later join or comparison could trip over.
static void require_clean(const char *path)
{
    require(path && path[0] == '/' && !strstr(path, "//"));
    require(path[1] == '\0' || path[strlen(path) - 1] != '/');
    require(!has_component(path, "..") && !has_component(path, "."));
}

static void check_mount(int r, struct mount_req *m, const struct err *err)
{
    require(r == 0 ? err->num == 0 : err->num == -r && err->text[0]);
    if (r == 0) {
        require_clean(m->target);
        require(strcmp(m->target, "/") != 0 && (m->kind == MOUNT_TMPFS) == !m->source);
        if (m->source)
            require_clean(m->source);
        require(m->mode <= 07777);
    }
    mount_req_done(m);
}

static void check_values(const char *text)
{
    struct err err = {0};
    struct rlimit_req limit = {0};
    struct time_offsets offsets = {0};
    if (ulimit_parse(text, &limit, &err) == 0)
        require(limit.soft <= limit.hard && *ulimit_name(limit.resource));
    (void)timeoffset_parse(text, &offsets, &err);
    if (hostname_check(text, &err) == 0)
        require(strlen(text) <= 64 && *text);
}

static void check_user(const char *text)
{
    struct err err = {0};
    struct job_user u = {0};
    // The text is a passwd and a group file too.
    if (userdb_lookup(text, text, text, &u, &err) == 0) {
        require(u.uid != UINT32_MAX && u.gid != UINT32_MAX && u.home[0] == '/');
        require(userdb_check(text, &err) == 0);
        job_user_done(&u);
    }
    if (userdb_lookup("ann", text, text, &u, &err) == 0) {
        for (size_t i = 0; i < u.n_groups; i++)
            require(u.groups[i] != u.gid && (i == 0 || u.groups[i - 1] < u.groups[i]));
        job_user_done(&u);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 4096)
        return 0;
    AUTO_FREE char *text = str_dupn((const char *)data + 1, size - 1);
    struct mount_req m = {0};
    struct err err = {0};
    switch (data[0] % 5) {
    case 0:
        check_mount(mountarg_volume(text, "/base/dir", &m, &err), &m, &err);
        break;
    case 1:
        check_mount(mountarg_tmpfs(text, &m, &err), &m, &err);
        break;
    case 2:
        check_mount(mountarg_device(text, &m, &err), &m, &err);
        break;
    case 3:
        check_values(text);
        break;
    default:
        check_user(text);
        break;
    }
    return 0;
}
