// SPDX-License-Identifier: Apache-2.0
#include "internal/image/manifest_set.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void manifest_set_done(struct manifest_set *s)
{
    for (size_t i = 0; i < s->n; i++)
        manifest_entry_done(&s->v[i].e);
    free(s->v);
    *s = (struct manifest_set){0};
}

static int by_path(const void *pa, const void *pb)
{
    const struct manifest_item *a = pa;
    const struct manifest_item *b = pb;
    int c = strcmp(a->e.path, b->e.path);
    if (c != 0)
        return c;
    return a->e.seq < b->e.seq ? -1 : a->e.seq > b->e.seq;
}

static int damaged(struct err *err)
{
    return err_set(err, EBADMSG, "the manifest of the stored image is damaged");
}

static int read_lines(char *text, struct manifest_set *s, struct err *err)
{
    size_t cap = 0;
    bool first = true;
    for (char *line = text; *line;) {
        char *end = strchr(line, '\n');
        uint64_t members = 0;
        if (!end)
            return damaged(err); // cut off
        *end = '\0';
        if (first) {
            if (!manifest_is_begin(line))
                return damaged(err);
            first = false;
            line = end + 1;
            continue;
        }
        if (s->n == cap) {
            cap = cap ? 2 * cap : 1024;
            s->v = mem_grow(s->v, cap, sizeof(*s->v));
        }
        struct manifest_item *item = &s->v[s->n];
        *item = (struct manifest_item){0};
        int r = manifest_parse_line(line, &item->e, &members);
        if (r < 0)
            return damaged(err);
        if (r == 0)
            return end[1] == '\0' ? 0 : damaged(err);
        s->n++;
        line = end + 1;
    }
    return damaged(err); // without its last line
}

// The last item of the path with a smaller seq than before.
static struct manifest_item *last_before(const struct manifest_set *s, const char *path, size_t n,
                                         uint64_t before)
{
    size_t low = 0;
    size_t high = s->n;
    while (low < high) { // the first item that is not less than (path, before)
        size_t mid = low + (high - low) / 2;
        const struct manifest_entry *e = &s->v[mid].e;
        int c = strncmp(e->path, path, n);
        if (c == 0 && e->path[n])
            c = 1;
        if (c < 0 || (c == 0 && e->seq < before))
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return NULL;
    struct manifest_item *item = &s->v[low - 1];
    return strncmp(item->e.path, path, n) == 0 && !item->e.path[n] ? item : NULL;
}

// The last removal of the path itself, among items that may stand behind it.
static uint64_t removed_at(const struct manifest_set *s, const char *path, size_t n)
{
    const struct manifest_item *item = last_before(s, path, n, UINT64_MAX);
    while (item && item->e.type != 'x')
        item = last_before(s, path, n, item->e.seq);
    return item ? item->e.seq : 0;
}

static bool is_alive(const struct manifest_set *s, size_t i)
{
    const struct manifest_entry *e = &s->v[i].e;
    if (e->type == 'x' || (i + 1 < s->n && strcmp(s->v[i + 1].e.path, e->path) == 0))
        return false;
    for (const char *slash = strchr(e->path, '/'); slash; slash = strchr(slash + 1, '/'))
        if (removed_at(s, e->path, (size_t)(slash - e->path)) > e->seq)
            return false;
    return true;
}

static int resolve(const struct manifest_set *s, struct manifest_item *item, struct err *err)
{
    const struct manifest_item *to = item;
    while (to->e.type == 'h') {
        to = last_before(s, to->e.link, strlen(to->e.link), to->e.seq);
        if (!to || to->e.type == 'd' || to->e.type == 'x')
            return damaged(err);
    }
    item->as = to;
    return 0;
}

int manifest_set_parse(char *text, struct manifest_set *ret, struct err *err)
{
    struct manifest_set s = {0};
    int r = read_lines(text, &s, err);
    if (r == 0 && s.n > 0)
        qsort(s.v, s.n, sizeof(*s.v), by_path);
    for (size_t i = 0; r == 0 && i < s.n; i++) {
        s.v[i].alive = is_alive(&s, i);
        r = s.v[i].alive ? resolve(&s, &s.v[i], err) : 0;
    }
    if (r < 0) {
        manifest_set_done(&s);
        return r;
    }
    *ret = s;
    return 0;
}

struct manifest_item *manifest_set_find(const struct manifest_set *s, const char *path)
{
    struct manifest_item *item = last_before(s, path, strlen(path), UINT64_MAX);
    return item && item->alive ? item : NULL;
}
