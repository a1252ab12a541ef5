// SPDX-License-Identifier: Apache-2.0
// A stack of layers looked into from outside is what overlayfs shows from inside: what is covered,
// hidden or joined, and where links lead.
#include "internal/roots/merged.h"

#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

#include <sys/sysmacros.h>
#include <sys/xattr.h>

static void make(const struct scratch *s)
{
    static const char *const dirs[] = {"low",      "low/etc", "low/d",   "low/d/sub", "low/o",
                                       "mid",      "mid/etc", "mid/d",   "mid/o",     "top",
                                       "top/etc2", "top/x",   "outside", "low/file2"};
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        if (mkdirat(s->fd, dirs[i], 0755) < 0)
            diag("%s: %s", dirs[i], strerror(errno));
    scratch_file(s, "outside/secret", "secret");
    scratch_file(s, "low/etc/passwd", "low");
    scratch_file(s, "low/etc/group", "low");
    scratch_file(s, "low/d/a", "low");
    scratch_file(s, "low/d/sub/x", "low");
    scratch_file(s, "low/o/hidden", "low");
    scratch_file(s, "low/file", "low");
    scratch_file(s, "low/file2/in", "low");
    scratch_file(s, "mid/etc/passwd", "mid");
    scratch_file(s, "mid/o/shown", "mid");
    scratch_file(s, "top/file2", "top");
    ok(symlinkat("/etc/passwd", s->fd, "top/abs") == 0 &&
           symlinkat("../etc/./passwd", s->fd, "low/d/rel") == 0 &&
           symlinkat("../../../../outside/secret", s->fd, "mid/d/up") == 0 &&
           symlinkat("loop", s->fd, "mid/loop") == 0 && symlinkat("d", s->fd, "top/link") == 0,
       "links");
}

// 0, or -1 where this machine has no such marks for an ordinary user.
static int mark(const struct scratch *s)
{
    char path[4200];
    (void)snprintf(path, sizeof(path), "%s/mid/o", s->path);
    return setxattr(path, "user.overlay.opaque", "y", 1, 0) < 0 ||
                   mknodat(s->fd, "mid/d/a", S_IFCHR, makedev(0, 0)) < 0
               ? -1
               : 0;
}

static void has(const struct merged *m, const char *path, int layer)
{
    struct stat st;
    int r = merged_stat(m, path, &st);
    is_int(r, layer, "layer of \"%s\"", path);
}

static void reads(const struct merged *m, const char *path, const char *want)
{
    char text[32] = "";
    AUTO_FD int fd = merged_open(m, path, O_RDONLY);
    if (fd >= 0 && read(fd, text, sizeof(text) - 1) < 0)
        diag("%s: %s", path, strerror(errno));
    is_str(fd < 0 ? "none" : text, want, "what \"%s\" holds", path);
}

int main(void)
{
    AUTO(scratch_done) struct scratch s = scratch_new();
    AUTO(merged_done) struct merged m = {0};
    make(&s);
    strv_addf(&m.layers, "%s/top", s.path);
    strv_addf(&m.layers, "%s/mid", s.path);
    strv_addf(&m.layers, "%s/low", s.path);
    has(&m, "", 0);
    has(&m, "etc/passwd", 1);
    has(&m, "etc/group", 2);
    has(&m, "d/sub/x", 2);
    has(&m, "file", 2);
    has(&m, "file2", 0);
    has(&m, "file2/in", -ENOTDIR);
    has(&m, "none", -ENOENT);
    has(&m, "d/none", -ENOENT);
    reads(&m, "etc/passwd", "mid");
    reads(&m, "/etc/../etc//group", "low");
    reads(&m, "abs", "mid");
    reads(&m, "d/rel", "mid");
    reads(&m, "link/sub/x", "low");
    reads(&m, "../../etc/passwd", "mid");
    reads(&m, "d/up", "none");
    is_int(merged_open(&m, "loop", O_RDONLY), -ELOOP, "a link to itself");
    has(&m, "o/hidden", 2);
    has(&m, "d/a", 2);
    ok(mark(&s) == 0, "the marks of overlayfs");
    has(&m, "o/hidden", -ENOENT);
    has(&m, "o/shown", 1);
    has(&m, "d/a", -ENOENT);
    AUTO_STRV struct strv names = {0};
    merged_list(&m, "d", &names);
    is_int((intmax_t)names.n, 3, "d lists three names");
    static const char *const want[] = {"rel", "sub", "up"};
    for (size_t i = 0; i < names.n && i < 3; i++)
        is_str(names.v[i], want[i], "name %zu", i);
    return done_testing();
}
