// SPDX-License-Identifier: Apache-2.0
#include "net/dns_name.h"

#include "internal/base/parse.h"

#include <errno.h>
#include <string.h>

static char *put_byte(char *to, uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        c |= 0x20;
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
        *to = (char)c;
        return to + 1;
    }
    *to++ = '\\';
    *to++ = (char)('0' + c / 100);
    *to++ = (char)('0' + c / 10 % 10);
    *to++ = (char)('0' + c % 10);
    return to;
}

int dns_name_read(const uint8_t *msg, size_t n, size_t *at, char out[static DNS_NAME_TEXT_MAX])
{
    size_t pos = *at;
    size_t limit = n; // a pointer leads to before where the name, or the piece of it, began
    size_t wire = 1;
    size_t begin = pos;
    char *to = out;
    bool jumped = false;
    for (;;) {
        if (pos >= limit)
            return -EBADMSG;
        uint8_t len = msg[pos];
        if ((len & 0xc0) == 0xc0) {
            if (pos + 1 >= limit)
                return -EBADMSG;
            size_t target = (size_t)(len & 0x3f) << 8 | msg[pos + 1];
            if (!jumped)
                *at = pos + 2;
            if (target >= begin)
                return -EBADMSG;
            jumped = true;
            begin = pos = target;
            continue;
        }
        if (len & 0xc0)
            return -EBADMSG;
        if (len == 0)
            break;
        wire += len + 1U;
        if (wire > DNS_NAME_WIRE_MAX || limit - pos - 1 < len)
            return -EBADMSG;
        if (to != out)
            *to++ = '.';
        for (size_t i = 0; i < len; i++)
            to = put_byte(to, msg[pos + 1 + i]);
        pos += len + 1U;
    }
    if (!jumped)
        *at = pos + 1;
    if (to == out)
        *to++ = '.';
    *to = '\0';
    return 0;
}

int dns_name_skip(const uint8_t *msg, size_t n, size_t *at)
{
    for (size_t pos = *at; pos < n;) {
        uint8_t len = msg[pos];
        bool pointer = (len & 0xc0) == 0xc0;
        if ((len & 0xc0) && !pointer)
            return -EBADMSG;
        pos += pointer ? 2U : len + 1U;
        if (pos > n)
            return -EBADMSG;
        if (len == 0 || pointer) {
            *at = pos;
            return 0;
        }
    }
    return -EBADMSG;
}

static bool reverse4(const char *name, size_t n, struct ip_addr *ret)
{
    uint64_t b[4];
    const char *end = name + n;
    for (int i = 3; i >= 0; i--) {
        const char *dot = memchr(name, '.', (size_t)(end - name));
        const char *stop = i > 0 ? dot : end;
        if (!stop || parse_u64n(name, (size_t)(stop - name), 0, 255, &b[i]) < 0)
            return false;
        name = stop + 1;
    }
    *ret = ip_v4((uint8_t)b[0], (uint8_t)b[1], (uint8_t)b[2], (uint8_t)b[3]);
    return true;
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool reverse6(const char *name, size_t n, struct ip_addr *ret)
{
    struct ip_addr a = {.family = IP_V6};
    if (n != 63)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int v = nibble(name[i * 2]);
        if (v < 0 || (i < 31 && name[i * 2 + 1] != '.'))
            return false;
        a.bytes[15 - i / 2] |= (uint8_t)(i % 2 ? v << 4 : v);
    }
    *ret = a;
    return true;
}

bool dns_name_reverse(const char *name, struct ip_addr *ret)
{
    static const char v4[] = ".in-addr.arpa";
    static const char v6[] = ".ip6.arpa";
    size_t n = strlen(name);
    if (n > sizeof(v4) - 1 && strcmp(name + n - (sizeof(v4) - 1), v4) == 0)
        return reverse4(name, n - (sizeof(v4) - 1), ret);
    if (n > sizeof(v6) - 1 && strcmp(name + n - (sizeof(v6) - 1), v6) == 0)
        return reverse6(name, n - (sizeof(v6) - 1), ret);
    return false;
}

size_t dns_name_write(const char *name, uint8_t out[static DNS_NAME_WIRE_MAX])
{
    size_t at = 0;
    for (const char *s = name; *s && *s != '.';) {
        size_t n = strcspn(s, ".");
        out[at++] = (uint8_t)n;
        memcpy(out + at, s, n);
        at += n;
        s += n + (s[n] == '.');
    }
    out[at++] = 0;
    return at;
}
