// SPDX-License-Identifier: Apache-2.0
#include "internal/job/netlock.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char dns_suffix[] = ":dns";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static int read_line(const char *line, size_t n, unsigned number, struct net_rules *rules,
                     struct err *err)
{
    struct err why = {0};
    const char *comment = memchr(line, '#', n);
    if (comment)
        n = (size_t)(comment - line);
    while (n > 0 && is_blank(line[n - 1]))
        n--;
    while (n > 0 && is_blank(*line)) {
        line++;
        n--;
    }
    if (n == 0)
        return 0;
    AUTO_FREE char *text = str_dupn(line, n);
    if (memchr(line, '\0', n))
        return err_set(err, EINVAL, "line %u has a NUL byte", number);
    int r = net_rules_parse(text, true, rules, &why);
    if (r == 0)
        return 0;
    (void)err_set(err, -r, "line %u: %s", number, why.text);
    return err_hint(err, "%s", why.hint);
}

int netlock_read(const char *text, size_t n, struct net_rules *rules, struct err *err)
{
    const char *end = text + n;
    for (unsigned number = 1; n > 0 && text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *line_end = newline ? newline : end;
        int r = read_line(text, (size_t)(line_end - text), number, rules, err);
        if (r < 0)
            return r;
        text = newline ? newline + 1 : end;
    }
    return 0;
}

void netlock_done(struct netlock *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->lines[i]);
    free(l->lines);
    *l = (struct netlock){0};
}

// Where the line is, or belongs.
static size_t place_of(const struct netlock *l, const char *line)
{
    size_t low = 0;
    size_t high = l->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (strcmp(l->lines[mid], line) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static void add_line(struct netlock *l, const char *line)
{
    size_t at = place_of(l, line);
    if (at < l->n && strcmp(l->lines[at], line) == 0)
        return;
    l->full = l->full || l->n == NET_RULES_MAX;
    if (l->full)
        return;
    l->lines = mem_grow(l->lines, l->n + 1, sizeof(*l->lines));
    memmove(l->lines + at + 1, l->lines + at, (l->n - at) * sizeof(*l->lines));
    l->lines[at] = str_dup(line);
    l->n++;
}

void netlock_used(struct netlock *l, const char *name, const struct ip_addr *a,
                  enum net_proto proto, uint16_t port)
{
    char known[NET_NAME_MAX];
    AUTO_BUF struct buf line = {0};
    // A name that is none of a host, or reads as an address, cannot be written as a rule.
    bool named = net_name_parse(name, strlen(name), known) == 0 &&
                 known[strspn(known, "0123456789.")] != '\0';
    bool dns = proto == NET_PROTO_ANY && port == 0;
    if (dns && !named)
        return;
    struct net_rule r = {.allow = true,
                         .kind = named ? NET_RULE_NAME : NET_RULE_NET,
                         .name = named ? known : NULL,
                         .port_from = proto == NET_PROTO_ICMP ? 0 : port,
                         .port_to = proto == NET_PROTO_ICMP ? 65535 : port,
                         .proto = proto};
    if (!named)
        r.net = ip_single(a);
    net_rule_format(&r, &line);
    add_line(l, buf_str(&line));
}

// Whether a line about connections has this name: then the "dns" one says nothing more.
static bool is_connected(const struct netlock *l, const char *name, size_t n)
{
    AUTO_FREE char *prefix = str_dupn(name, n);
    for (size_t i = place_of(l, prefix); i < l->n && strncmp(l->lines[i], prefix, n) == 0; i++) {
        const char *rest = l->lines[i] + n;
        if ((*rest == ':' || *rest == '/') && strcmp(rest, dns_suffix) != 0)
            return true;
    }
    return false;
}

void netlock_write(const struct netlock *l, struct buf *out)
{
    size_t suffix = sizeof(dns_suffix) - 1;
    buf_adds(out, "# What a job connected to: rules as --allow of bryo run has them. A run with\n"
                  "# --net-lock and this file allows nothing else.\n");
    for (size_t i = 0; i < l->n; i++) {
        const char *line = l->lines[i];
        size_t n = strlen(line);
        bool dns = n > suffix && strcmp(line + n - suffix, dns_suffix) == 0;
        if (!dns || !is_connected(l, line, n - suffix))
            buf_addf(out, "%s\n", line);
    }
    if (l->full)
        buf_addf(out, "# There was more than %d rules can say.\n", NET_RULES_MAX);
}
