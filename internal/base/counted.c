// SPDX-License-Identifier: Apache-2.0
#include "internal/base/counted.h"

#include "internal/base/parse.h"

#include <inttypes.h>
#include <string.h>

void counted_put(struct buf *out, const char *s)
{
    buf_addf(out, "%zu %s\n", strlen(s), s);
}

void counted_put_number(struct buf *out, uint64_t n)
{
    buf_addf(out, "%" PRIu64 "\n", n);
}

void counted_put_list(struct buf *out, const struct strv *list)
{
    counted_put_number(out, list->n);
    for (size_t i = 0; i < list->n; i++)
        counted_put(out, list->v[i]);
}

static bool number(const char **at, char end, uint64_t max, uint64_t *ret)
{
    size_t n = strspn(*at, "0123456789");
    if ((*at)[n] != end || parse_u64n(*at, n, 0, max, ret) < 0)
        return false;
    *at += n + 1;
    return true;
}

bool counted_get_number(const char **at, uint64_t max, uint64_t *ret)
{
    return number(at, '\n', max, ret);
}

char *counted_get(const char **at)
{
    uint64_t n = 0;
    if (!number(at, ' ', SIZE_MAX - 1, &n) || strnlen(*at, n + 1) < n + 1 || (*at)[n] != '\n')
        return NULL;
    char *ret = str_dupn(*at, n);
    *at += n + 1;
    return ret;
}

bool counted_get_list(const char **at, size_t max, struct strv *ret)
{
    uint64_t n = 0;
    bool good = counted_get_number(at, max, &n);
    for (uint64_t i = 0; good && i < n; i++) {
        char *s = counted_get(at);
        good = s != NULL;
        if (s)
            strv_take(ret, s);
    }
    return good;
}
