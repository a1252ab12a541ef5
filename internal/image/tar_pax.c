// SPDX-License-Identifier: Apache-2.0
#include "internal/image/tar_pax.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/parse.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum key {
    KEY_PATH,
    KEY_LINKPATH,
    KEY_SIZE,
    KEY_UID,
    KEY_GID,
    KEY_MTIME,
    KEY_ATIME,
    KEY_CTIME,
    KEY_SPARSE_MAJOR,
    KEY_SPARSE_MINOR,
    KEY_SPARSE_NAME,
    KEY_SPARSE_REALSIZE,
    KEY_SPARSE_SIZE,
    KEY_SPARSE_MAP,
    KEY_SPARSE_NUMBLOCKS,
    KEY_CHARSET,
    KEY_ONCE_, // those before may come once in a header
    KEY_SPARSE_OFFSET,
    KEY_SPARSE_NUMBYTES,
    KEY_OTHER,
};

static enum key key_of(const char *name, size_t n)
{
    static const char *const names[] = {
        [KEY_PATH] = "path",
        [KEY_LINKPATH] = "linkpath",
        [KEY_SIZE] = "size",
        [KEY_UID] = "uid",
        [KEY_GID] = "gid",
        [KEY_MTIME] = "mtime",
        [KEY_ATIME] = "atime",
        [KEY_CTIME] = "ctime",
        [KEY_SPARSE_MAJOR] = "GNU.sparse.major",
        [KEY_SPARSE_MINOR] = "GNU.sparse.minor",
        [KEY_SPARSE_NAME] = "GNU.sparse.name",
        [KEY_SPARSE_REALSIZE] = "GNU.sparse.realsize",
        [KEY_SPARSE_SIZE] = "GNU.sparse.size",
        [KEY_SPARSE_MAP] = "GNU.sparse.map",
        [KEY_SPARSE_NUMBLOCKS] = "GNU.sparse.numblocks",
        [KEY_CHARSET] = "hdrcharset",
        [KEY_SPARSE_OFFSET] = "GNU.sparse.offset",
        [KEY_SPARSE_NUMBYTES] = "GNU.sparse.numbytes",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i] && strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
            return (enum key)i;
    return KEY_OTHER;
}

void pax_done(struct pax *p)
{
    free(p->path);
    free(p->link);
    free(p->sparse_name);
    *p = (struct pax){0};
}

// [-]digits: what libarchive would read as 0 is refused here.
static bool is_number(const char *s, size_t n)
{
    size_t i = n > 0 && s[0] == '-' ? 1 : 0;
    uint64_t ignored;
    return parse_u64n(s + i, n - i, 0, INT64_MAX, &ignored) == 0;
}

// [-]digits[.digits]. A decimal number as the standard says: -1.75 is a second and three quarters
// before the epoch. (libarchive gives -1 and 750 ms.)
static bool take_time(struct pax_time *ret, const char *s, size_t n)
{
    bool negative = n > 0 && s[0] == '-';
    size_t from = negative ? 1 : 0;
    const char *dot = memchr(s, '.', n);
    size_t whole = dot ? (size_t)(dot - s) : n;
    uint64_t sec = 0;
    uint64_t ns = 0;
    uint64_t unit = 100000000;
    if (parse_u64n(s + from, whole - from, 0, INT64_MAX / 2, &sec) < 0)
        return false;
    for (size_t i = whole + 1; i < n; i++, unit /= 10) {
        if (s[i] < '0' || s[i] > '9')
            return false;
        ns += unit * (uint64_t)(s[i] - '0');
    }
    ret->set = true;
    ret->s = negative ? -(int64_t)sec - (ns > 0) : (int64_t)sec;
    ret->ns = (uint32_t)(negative && ns > 0 ? 1000000000 - ns : ns);
    return true;
}

static bool take_text(char **field, const char *value, size_t n)
{
    if (n == 0 || memchr(value, '\0', n))
        return false;
    *field = str_dupn(value, n);
    return true;
}

static bool take_number(uint64_t *field, const char *value, size_t n)
{
    return parse_u64n(value, n, 0, INT64_MAX / 2, field) == 0;
}

static bool take(struct pax *p, enum key key, const char *value, size_t n)
{
    uint64_t number = 0;
    switch (key) {
    case KEY_PATH:
        return take_text(&p->path, value, n);
    case KEY_LINKPATH:
        return take_text(&p->link, value, n);
    case KEY_SPARSE_NAME:
        p->sparse = true;
        return take_text(&p->sparse_name, value, n);
    case KEY_SIZE:
        p->has_size = true;
        return take_number(&p->size, value, n);
    case KEY_SPARSE_REALSIZE:
    case KEY_SPARSE_SIZE:
        if (p->has_realsize)
            return false;
        p->sparse = true;
        p->has_realsize = true;
        return take_number(&p->realsize, value, n);
    case KEY_SPARSE_MAJOR:
        p->sparse = true;
        if (!take_number(&number, value, n) || number > 1)
            return false;
        p->sparse_major = (unsigned)number;
        return true;
    case KEY_UID:
    case KEY_GID:
        return is_number(value, n);
    case KEY_MTIME:
        return take_time(&p->mtime, value, n);
    case KEY_ATIME:
        return take_time(&p->atime, value, n);
    case KEY_CTIME:
        return take_time(&(struct pax_time){0}, value, n);
    case KEY_SPARSE_MINOR:
    case KEY_SPARSE_NUMBLOCKS:
    case KEY_SPARSE_OFFSET:
    case KEY_SPARSE_NUMBYTES:
        p->sparse = true;
        return take_number(&number, value, n);
    case KEY_SPARSE_MAP:
        p->sparse = true;
        return n > 0;
    default:
        return true;
    }
}

int pax_parse(const char *text, size_t n, bool global, uint64_t offset, struct pax *ret,
              struct err *err)
{
    size_t at = 0;
    ret->present = true;
    while (at < n) {
        // "LENGTH KEY=VALUE\n", LENGTH counting all of it, itself too.
        size_t digits = 0;
        uint64_t len = 0;
        while (at + digits < n && text[at + digits] >= '0' && text[at + digits] <= '9')
            digits++;
        const char *key = text + at + digits + 1;
        if (at + digits >= n || text[at + digits] != ' ' ||
            parse_u64n(text + at, digits, 5, n - at, &len) < 0 || len < digits + 4 ||
            text[at + len - 1] != '\n')
            return err_set(err, EBADMSG,
                           "the pax header at byte %" PRIu64 " of the archive is malformed",
                           offset);
        size_t rest = (size_t)len - digits - 2; // without the blank and the newline
        const char *eq = memchr(key, '=', rest);
        if (!eq || eq == key)
            return err_set(err, EBADMSG,
                           "the pax header at byte %" PRIu64 " of the archive is malformed",
                           offset);
        size_t key_len = (size_t)(eq - key);
        enum key k = key_of(key, key_len);
        if (global && k != KEY_OTHER)
            return err_set(err, EBADMSG,
                           "the global pax header at byte %" PRIu64 " of the archive sets %.*s for"
                           " all members, which bryo does not take",
                           offset, (int)key_len, key);
        if (k < KEY_ONCE_ && (ret->seen & 1U << k))
            return err_set(err, EBADMSG,
                           "the pax header at byte %" PRIu64 " of the archive has %.*s twice",
                           offset, (int)key_len, key);
        if (k < KEY_ONCE_)
            ret->seen |= 1U << k;
        if (!take(ret, k, eq + 1, rest - key_len - 1))
            return err_set(err, EBADMSG,
                           "the pax header at byte %" PRIu64 " of the archive has a bad value for"
                           " %.*s",
                           offset, (int)key_len, key);
        at += (size_t)len;
    }
    if (ret->sparse && !ret->has_realsize)
        return err_set(err, EBADMSG,
                       "the pax header at byte %" PRIu64 " of the archive describes a sparse file"
                       " without its size",
                       offset);
    return 0;
}
