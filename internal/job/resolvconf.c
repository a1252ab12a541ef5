// SPDX-License-Identifier: Apache-2.0
#include "internal/job/resolvconf.h"

#include "internal/base/parse.h"

#include <string.h>

struct word {
    const char *s;
    size_t n;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

// The next word of a line; n 0: none is left.
static struct word next_word(const char **at, const char *end)
{
    while (*at < end && is_blank(**at))
        (*at)++;
    struct word w = {*at, 0};
    while (*at < end && !is_blank(**at))
        (*at)++;
    w.n = (size_t)(*at - w.s);
    return w;
}

static bool word_is(struct word w, const char *text)
{
    return w.n == strlen(text) && memcmp(w.s, text, w.n) == 0;
}

static void add_server(struct resolv_conf *c, struct word w)
{
    struct resolv_server server = {.at.port = 53};
    const char *percent = memchr(w.s, '%', w.n);
    size_t addr_len = percent ? (size_t)(percent - w.s) : w.n;
    size_t zone_len = percent ? w.n - addr_len - 1 : 0;
    if (c->n_servers == NET_DNS_MAX || ip_parse(w.s, addr_len, &server.at.addr) < 0 ||
        zone_len >= sizeof(server.zone))
        return;
    if (percent)
        memcpy(server.zone, percent + 1, zone_len);
    c->servers[c->n_servers++] = server;
}

static void read_search(struct resolv_conf *c, const char *at, const char *end)
{
    strv_done(&c->search);
    for (struct word w = next_word(&at, end); w.n; w = next_word(&at, end)) {
        char name[NET_NAME_MAX];
        if (c->search.n < NET_SEARCH_MAX && net_name_parse(w.s, w.n, name) == 0)
            strv_add(&c->search, name);
    }
}

static void read_options(struct resolv_conf *c, const char *at, const char *end)
{
    for (struct word w = next_word(&at, end); w.n; w = next_word(&at, end)) {
        uint64_t n = 0;
        if (w.n > 6 && memcmp(w.s, "ndots:", 6) == 0 &&
            parse_u64n(w.s + 6, w.n - 6, 0, 15, &n) == 0)
            c->ndots = (int)n;
    }
}

void resolv_conf_read(const char *text, size_t n, struct resolv_conf *ret)
{
    const char *end = text + n;
    *ret = (struct resolv_conf){.ndots = -1};
    while (n > 0 && text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        const char *at = text;
        struct word key = next_word(&at, line_end);
        if (word_is(key, "nameserver"))
            add_server(ret, next_word(&at, line_end));
        else if (word_is(key, "search") || word_is(key, "domain"))
            read_search(ret, at, line_end);
        else if (word_is(key, "options"))
            read_options(ret, at, line_end);
        text = newline ? newline + 1 : end;
    }
}

void resolv_conf_done(struct resolv_conf *c)
{
    strv_done(&c->search);
    *c = (struct resolv_conf){0};
}

void resolv_conf_for_job(const struct net_opts *o, const struct resolv_conf *machine,
                         struct buf *out)
{
    char text[IP_TEXT_MAX];
    const struct strv *search = o->dns_search.n ? &o->dns_search : &machine->search;
    buf_addf(out, "nameserver %s\n", ip_format(&o->dns4, text));
    bool none = search->n == 0 || strcmp(search->v[0], ".") == 0;
    for (size_t i = 0; i < search->n && !none; i++)
        buf_addf(out, "%s%s", i ? " " : "search ", search->v[i]);
    if (!none)
        buf_addc(out, '\n');
    if (machine->ndots >= 0)
        buf_addf(out, "options ndots:%d\n", machine->ndots);
}
