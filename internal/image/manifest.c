// SPDX-License-Identifier: Apache-2.0
#include "internal/image/manifest.h"

#include "internal/base/buf.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "bryo-manifest 1"

void manifest_begin(struct buf *out)
{
    buf_adds(out, FIRST_LINE "\n");
}

bool manifest_is_begin(const char *line)
{
    return strcmp(line, FIRST_LINE) == 0;
}

void manifest_end(struct buf *out, uint64_t members)
{
    buf_addf(out, "end\t%" PRIu64 "\n", members);
}

static void add_escaped(struct buf *out, const char *s)
{
    static const char digits[] = "0123456789abcdef";
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c >= 0x21 && c <= 0x7e && c != '\\') {
            buf_addc(out, (char)c);
        } else {
            char x[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
            buf_add(out, x, sizeof(x));
        }
    }
}

void manifest_add(struct buf *out, const struct manifest_entry *e)
{
    buf_addf(out, "%" PRIu64 "\t%c\t%04o\t%u\t%u\t%" PRIu64 "\t", e->seq, e->type, e->mode, e->uid,
             e->gid, e->size);
    if (e->has_mtime)
        buf_addf(out, "%" PRId64 ".%09u\t", e->mtime_s, e->mtime_ns);
    else
        buf_adds(out, "-\t");
    buf_addf(out, "%016" PRIx64 "\t", e->crc);
    add_escaped(out, e->path);
    if (e->link) {
        buf_addc(out, '\t');
        add_escaped(out, e->link);
    }
    buf_addc(out, '\n');
}

void manifest_entry_done(struct manifest_entry *e)
{
    free(e->path);
    free(e->link);
    *e = (struct manifest_entry){0};
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static char *unescape(const char *s)
{
    char *ret = str_dup(s);
    char *to = ret;
    while (*s) {
        if (*s != '\\') {
            *to++ = *s++;
            continue;
        }
        int high = s[1] == 'x' ? hex(s[2]) : -1;
        int low = high >= 0 ? hex(s[3]) : -1;
        if (low < 0 || (high == 0 && low == 0)) {
            free(ret);
            return NULL;
        }
        *to++ = (char)(high << 4 | low);
        s += 4;
    }
    *to = '\0';
    return ret;
}

static bool parse_hex64(const char *s, uint64_t *ret)
{
    *ret = 0;
    for (int i = 0; i < 16; i++) {
        int d = hex(s[i]);
        if (d < 0)
            return false;
        *ret = *ret << 4 | (uint64_t)d;
    }
    return s[16] == '\0';
}

static bool parse_mtime(char *s, struct manifest_entry *e)
{
    if (strcmp(s, "-") == 0)
        return true;
    bool negative = *s == '-';
    char *dot = strchr(s, '.');
    uint64_t sec = 0;
    uint64_t ns = 0;
    if (!dot || strlen(dot + 1) != 9)
        return false;
    *dot = '\0';
    if (parse_u64(s + negative, 0, (uint64_t)INT64_MAX + negative, &sec) < 0 ||
        parse_u64(dot + 1, 0, 999999999, &ns) < 0)
        return false;
    e->has_mtime = true;
    e->mtime_s = (int64_t)(negative ? -sec : sec); // two's complement: -2^63 too
    e->mtime_ns = (uint32_t)ns;
    return true;
}

#define MAX_FIELDS 10

int manifest_parse_line(char *line, struct manifest_entry *ret, uint64_t *ret_members)
{
    char *f[MAX_FIELDS];
    size_t n = 0;
    for (char *at = line; at && n < MAX_FIELDS; n++) {
        f[n] = at;
        at = strchr(at, '\t');
        if (at)
            *at++ = '\0';
    }
    if (n == 2 && strcmp(f[0], "end") == 0)
        return parse_u64(f[1], 0, UINT64_MAX, ret_members) < 0 ? -EINVAL : 0;
    struct manifest_entry e = {0};
    uint64_t seq = 0;
    if (n < 9 || parse_u64(f[0], 0, UINT64_MAX, &seq) < 0 || strlen(f[1]) != 1 ||
        !strchr("fdlhpwx", f[1][0]) || parse_octal(f[2], 07777, &e.mode) < 0 ||
        parse_u32(f[3], &e.uid) < 0 || parse_u32(f[4], &e.gid) < 0 ||
        parse_u64(f[5], 0, UINT64_MAX, &e.size) < 0 || !parse_mtime(f[6], &e) ||
        !parse_hex64(f[7], &e.crc))
        return -EINVAL;
    e.seq = seq;
    e.type = f[1][0];
    e.path = unescape(f[8]);
    e.link = n == 10 ? unescape(f[9]) : NULL;
    bool wants_link = e.type == 'l' || e.type == 'h';
    if (!e.path || wants_link != (e.link != NULL)) {
        manifest_entry_done(&e);
        return -EINVAL;
    }
    *ret = e;
    return 1;
}
