// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_helper.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

// The path without its last component, in place.
static void to_parent(char *path)
{
    char *slash = strrchr(path, '/');
    if (slash)
        *(slash == path ? slash + 1 : slash) = '\0';
}

int host_helper_path(const char *name, char **ret, struct err *err)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return err_sys(err, errno, "cannot find out where bryo itself is (/proc/self/exe)");
    self[n] = '\0';
    to_parent(self);
    to_parent(self);
    AUTO_FREE char *path = str_fmt("%s/libexec/bryo/%s", self, name);
    if (access(path, X_OK) < 0) {
        (void)err_sys(err, errno, "cannot run the helper program %s", path);
        return err_hint(err,
                        "install bryo as a whole (make install), or run it where it was built");
    }
    *ret = TAKE_PTR(path);
    return 0;
}
