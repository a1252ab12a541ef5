// SPDX-License-Identifier: Apache-2.0
#include "internal/image/lzma_trust.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/fd.h"

#include <fcntl.h>
#include <lzma.h>
#include <string.h>

#define FIRST_REPAIRED 50080012U // 5.8.1
#define FIRST_BROKEN   50030030U // 5.3.3alpha
#define STATUS_MAX     (64U << 20)

// Versions with the repair: what begins with the prefix and goes on with at least this number. From
// the packages' own changelogs; the first that had it are Debian's 5.4.1-1 and Ubuntu's USN-7414.
struct repaired {
    const char *prefix;
    unsigned long at_least;
};

bool lzma_threads_safe(uint32_t library, const char *package)
{
    static const struct repaired table[] = {
        {"5.4.1-1+deb12u", 1},              // Debian 12, updates of 5.4.1-1
        {"5.6.1+really5.4.5-1ubuntu0.", 2}, // Ubuntu 24.04
        {"5.6.2-2ubuntu0.", 2},             // Ubuntu 24.10
    };
    if (library >= FIRST_REPAIRED || library < FIRST_BROKEN)
        return true;
    if (package && strcmp(package, "5.4.1-1") == 0)
        return true;
    for (size_t i = 0; package && i < sizeof(table) / sizeof(table[0]); i++) {
        size_t n = strlen(table[i].prefix);
        if (strncmp(package, table[i].prefix, n) == 0)
            return strtoul(package + n, NULL, 10) >= table[i].at_least;
    }
    return false;
}

static bool copy_field(const char *stanza, const char *end, const char *field, char *ret,
                       size_t size)
{
    size_t n = strlen(field);
    for (const char *line = stanza; line < end;) {
        const char *eol = memchr(line, '\n', (size_t)(end - line));
        const char *stop = eol ? eol : end;
        if ((size_t)(stop - line) > n && memcmp(line, field, n) == 0) {
            size_t len = (size_t)(stop - line) - n;
            if (len >= size)
                return false;
            memcpy(ret, line + n, len);
            ret[len] = '\0';
            return true;
        }
        line = stop + 1;
    }
    return false;
}

bool lzma_dpkg_version(const char *status, const char *package, char *ret, size_t size)
{
    size_t n = strlen(package);
    for (const char *at = status; *at;) {
        const char *end = strstr(at, "\n\n");
        const char *stop = end ? end + 1 : at + strlen(at);
        char state[64];
        if (strncmp(at, "Package: ", 9) == 0 && strncmp(at + 9, package, n) == 0 &&
            at[9 + n] == '\n' && copy_field(at, stop, "Status: ", state, sizeof(state)) &&
            strcmp(state, "install ok installed") == 0)
            return copy_field(at, stop, "Version: ", ret, size);
        at = end ? end + 2 : stop;
    }
    return false;
}

bool lzma_threads_safe_here(void)
{
    uint32_t library = lzma_version_number();
    if (lzma_threads_safe(library, NULL))
        return true;
    AUTO_BUF struct buf status = {0};
    char version[128];
    if (fd_read_file(AT_FDCWD, "/var/lib/dpkg/status", STATUS_MAX, &status) < 0)
        return false;
    return lzma_dpkg_version(buf_str(&status), "liblzma5", version, sizeof(version)) &&
           lzma_threads_safe(library, version);
}
