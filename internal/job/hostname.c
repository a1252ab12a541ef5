// SPDX-License-Identifier: Apache-2.0
#include "internal/job/hostname.h"

#include "internal/base/err.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define HOSTNAME_MAX 64 // __NEW_UTS_LEN
#define LABEL_MAX    63

// Without <ctype.h>: the locale has no say here.
static int is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int is_label(const char *s, size_t n)
{
    if (n == 0 || n > LABEL_MAX || !is_alnum(s[0]) || !is_alnum(s[n - 1]))
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!is_alnum(s[i]) && s[i] != '-')
            return 0;
    return 1;
}

int hostname_check(const char *name, struct err *err)
{
    if (strlen(name) > HOSTNAME_MAX)
        return err_set(err, EINVAL, "a host name has at most %d bytes; this one has %zu",
                       HOSTNAME_MAX, strlen(name));
    for (const char *s = name;; s++) {
        size_t n = strcspn(s, ".");
        if (!is_label(s, n)) {
            err_set(err, EINVAL, "\"%s\" is not a host name", name);
            return err_hint(err, "it is made of letters, digits and hyphens, in parts of 1 to 63 "
                                 "that are joined by dots");
        }
        s += n;
        if (!*s)
            return 0;
    }
}
