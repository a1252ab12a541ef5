// SPDX-License-Identifier: Apache-2.0
#include "internal/job/checkup.h"

#include "internal/base/cleanup.h"
#include "internal/base/escape.h"
#include "internal/base/parse.h"

#include <stdlib.h>
#include <string.h>

#define RANGE 65536U

const char *health_word(enum health health)
{
    static const char *const words[] = {"works", "degraded", "missing"};
    return words[health];
}

bool checkup_fit(const struct checkup *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].needed && c->v[i].health == HEALTH_MISSING)
            return false;
    return true;
}

void checkup_done(struct checkup *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->v[i].found);
        free(c->v[i].remedy);
        strv_done(&c->v[i].fix);
    }
    free(c->v);
    *c = (struct checkup){0};
}

static bool has_word(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)); p += n)
        if ((p == words || p[-1] == ' ') && (!p[n] || p[n] == ' '))
            return true;
    return false;
}

char *checkup_install(const struct machine *m, const char *package)
{
    // What other distributions call what Debian calls uidmap, and how they install it.
    static const struct {
        const char *os;
        const char *how;
        const char *uidmap;
    } ways[] = {
        {"debian", "apt-get install -y ", NULL},       {"ubuntu", "apt-get install -y ", NULL},
        {"fedora", "dnf install -y ", "shadow-utils"}, {"rhel", "dnf install -y ", "shadow-utils"},
        {"suse", "zypper install -y ", "shadow"},      {"arch", "pacman -S --noconfirm ", "shadow"},
        {"alpine", "apk add ", "shadow-uidmap"},
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        if (!has_word(m->os_ids, ways[i].os))
            continue;
        bool renamed = ways[i].uidmap && strcmp(package, "uidmap") == 0;
        return str_fmt("%s%s", ways[i].how, renamed ? ways[i].uidmap : package);
    }
    return NULL;
}

static void add_json(struct buf *out, const char *key, const char *value)
{
    buf_addf(out, "\"%s\":\"", key);
    escape_add_json(out, value, strlen(value));
    buf_addc(out, '"');
}

void checkup_to_json(const struct machine *m, const struct checkup *c, struct buf *out)
{
    buf_addf(out, "{\"fit\":%s,", checkup_fit(c) ? "true" : "false");
    add_json(out, "os", m->os_name);
    buf_addc(out, ',');
    add_json(out, "kernel", m->release);
    buf_adds(out, ",\"container\":");
    if (m->container)
        buf_addf(out, "\"%s\"", m->container);
    else
        buf_adds(out, "null");
    buf_adds(out, ",\"findings\":[");
    for (size_t i = 0; i < c->n; i++) {
        const struct finding *f = &c->v[i];
        buf_adds(out, i ? ",\n{" : "\n{");
        add_json(out, "name", f->name);
        buf_addf(out, ",\"status\":\"%s\",\"needed\":%s,", health_word(f->health),
                 f->needed ? "true" : "false");
        add_json(out, "found", f->found);
        buf_addc(out, ',');
        add_json(out, "remedy", f->remedy);
        buf_adds(out, ",\"fix\":[");
        for (size_t j = 0; j < f->fix.n; j++) {
            buf_adds(out, j ? ",\"" : "\"");
            escape_add_json(out, f->fix.v[j], strlen(f->fix.v[j]));
            buf_addc(out, '"');
        }
        buf_adds(out, "]}");
    }
    buf_adds(out, "\n]}\n");
}

struct grant {
    const char *name;
    size_t name_len;
    uint64_t first;
    uint64_t count;
};

// One line NAME:FIRST:COUNT; false for what is not of the form.
static bool parse_grant(const char *line, size_t n, struct grant *ret)
{
    const char *colon = memchr(line, ':', n);
    const char *second = colon ? memchr(colon + 1, ':', n - (size_t)(colon + 1 - line)) : NULL;
    if (!second || colon == line)
        return false;
    *ret = (struct grant){.name = line, .name_len = (size_t)(colon - line)};
    return parse_u64n(colon + 1, (size_t)(second - colon - 1), 0, UINT32_MAX, &ret->first) == 0 &&
           parse_u64n(second + 1, n - (size_t)(second + 1 - line), 1, UINT32_MAX, &ret->count) == 0;
}

static bool is_for(const struct grant *g, const char *user, const char *number)
{
    return (*user && strlen(user) == g->name_len && memcmp(user, g->name, g->name_len) == 0) ||
           (strlen(number) == g->name_len && memcmp(number, g->name, g->name_len) == 0);
}

// Calls for each line; the line's length without its end.
static const char *next_line(const char **text, size_t *ret_n)
{
    const char *line = *text;
    if (!*line)
        return NULL;
    *ret_n = strcspn(line, "\n");
    *text = line + *ret_n + (line[*ret_n] == '\n');
    return line;
}

static bool overlaps_mine(const char *text, const char *user, const char *number,
                          const struct grant *other)
{
    struct grant g;
    size_t n;
    for (const char *line; (line = next_line(&text, &n));)
        if (parse_grant(line, n, &g) && is_for(&g, user, number) &&
            g.first < other->first + other->count && other->first < g.first + g.count)
            return true;
    return false;
}

void checkup_subids(const char *text, const char *user, unsigned uid, uint64_t *ret_count,
                    char *ret_overlaps, size_t size, uint32_t *ret_free)
{
    AUTO_FREE char *number = str_fmt("%u", uid);
    const char *rest = text;
    struct grant g;
    size_t n;
    *ret_count = 0;
    for (const char *line; (line = next_line(&rest, &n));) {
        if (!parse_grant(line, n, &g))
            continue;
        if (g.first + g.count > *ret_free && g.first < (uint64_t)*ret_free + RANGE)
            *ret_free = (uint32_t)((g.first + g.count + RANGE - 1) / RANGE * RANGE);
        if (is_for(&g, user, number)) {
            *ret_count += g.count;
        } else if (overlaps_mine(text, user, number, &g) && g.name_len < size) {
            memcpy(ret_overlaps, g.name, g.name_len);
            ret_overlaps[g.name_len] = '\0';
        }
    }
}

bool checkup_proc_masked(const char *mountinfo)
{
    size_t n;
    for (const char *line; (line = next_line(&mountinfo, &n));) {
        // the mount point is the fifth word
        const char *p = line;
        for (int i = 0; i < 4 && p; i++)
            p = (p = memchr(p, ' ', n - (size_t)(p - line))) ? p + 1 : NULL;
        if (p && strncmp(p, "/proc/", 6) == 0 && strncmp(p, "/proc/sys/fs/binfmt_misc", 24) != 0)
            return true;
    }
    return false;
}
