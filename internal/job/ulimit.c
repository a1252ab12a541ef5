// SPDX-License-Identifier: Apache-2.0
#include "internal/job/ulimit.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

static const struct {
    const char *name;
    int resource;
} table[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))

const char *ulimit_name(int resource)
{
    for (size_t i = 0; i < TABLE_N; i++)
        if (table[i].resource == resource)
            return table[i].name;
    return "";
}

static int unknown_name(const char *name, struct err *err)
{
    AUTO_BUF struct buf names = {0};
    for (size_t i = 0; i < TABLE_N; i++)
        buf_addf(&names, "%s%s", i ? ", " : "", table[i].name);
    err_set(err, EINVAL, "there is no resource limit \"%s\"", name);
    return err_hint(err, "the names are %s", buf_str(&names));
}

static int parse_value(const char *s, size_t n, uint64_t *ret)
{
    if ((n == 2 && memcmp(s, "-1", 2) == 0) || (n == 9 && memcmp(s, "unlimited", 9) == 0)) {
        *ret = UINT64_MAX;
        return 0;
    }
    return parse_u64n(s, n, 0, UINT64_MAX, ret);
}

int ulimit_parse(const char *value, struct rlimit_req *ret, struct err *err)
{
    const char *equals = strchr(value, '=');
    if (!equals)
        return err_set(err, EINVAL, "\"%s\" is not of the form NAME=SOFT[:HARD]", value);
    AUTO_FREE char *name = str_dupn(value, (size_t)(equals - value));
    size_t at = 0;
    while (at < TABLE_N && strcmp(table[at].name, name) != 0)
        at++;
    if (at == TABLE_N)
        return unknown_name(name, err);
    const char *soft = equals + 1;
    const char *colon = strchrnul(soft, ':');
    struct rlimit_req req = {.resource = table[at].resource};
    int r = parse_value(soft, (size_t)(colon - soft), &req.soft);
    req.hard = req.soft;
    if (r == 0 && *colon)
        r = parse_value(colon + 1, strlen(colon + 1), &req.hard);
    if (r < 0)
        return err_set(err, -r, "\"%s\" is not a limit: expected numbers, -1 or unlimited", value);
    if (req.soft > req.hard)
        return err_set(err, EINVAL, "the soft limit of \"%s\" is above the hard one", value);
    *ret = req;
    return 0;
}
