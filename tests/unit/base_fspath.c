// SPDX-License-Identifier: Apache-2.0
#include "internal/base/fspath.h"

#include "tests/unit/scratch.h"
#include "tests/unit/tap.h"

#include <dirent.h>
#include <sys/resource.h>

static void clean(void)
{
    static const struct {
        const char *base;
        const char *path;
        const char *want;
    } rows[] = {
        {"/w", "a", "/w/a"},       {"/w/", "./a//b/", "/w/a/b"},
        {"/w", "/a", "/a"},        {"/w", ".", "/w"},
        {"/w", "..", "/"},         {"/w", "../../..", "/"},
        {"/w", "a/../../b", "/b"}, {"/", "", "/"},
        {"/", "/", "/"},           {"/", "///", "/"},
        {"/", "/a/..", "/"},       {"/", "/a/../b", "/b"},
        {"/", "/...", "/..."},     {"/", "/.a/..b", "/.a/..b"},
        {"/a/b", "../c", "/a/c"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        AUTO_FREE char *got = fspath_clean(rows[i].base, rows[i].path);
        is_str(got, rows[i].want, "clean \"%s\" from %s", rows[i].path, rows[i].base);
    }
    is_int(fspath_depth(""), 0, "depth of nothing");
    is_int(fspath_depth("/"), 0, "depth of /");
    is_int(fspath_depth("/a/./b//c/"), 3, "depth of a path");
    is_int(fspath_depth("a"), 1, "depth of a name");
}

// root/ is the root; what lies beside it must never be reached.
static void open_in_root(const struct scratch *s)
{
    ok(mkdirat(s->fd, "root", 0755) == 0 && mkdirat(s->fd, "root/etc", 0755) == 0 &&
           scratch_file(s, "outside", "secret") == 0 && scratch_file(s, "root/inside", "x") == 0,
       "a root and a file beside it");
    AUTO_FD int root = openat(s->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ok(symlinkat("../outside", s->fd, "root/up") == 0 &&
           symlinkat("/inside", s->fd, "root/abs") == 0 &&
           symlinkat("/proc/self/fd", s->fd, "root/magic") == 0 &&
           symlinkat("loop", s->fd, "root/loop") == 0,
       "links that lead astray");
    is_int(fspath_open(root, "up", O_PATH), -ENOENT, "../ through a link stays inside");
    is_int(fspath_open(root, "../outside", O_PATH), -ENOENT, "../ stays inside");
    is_int(fspath_open(root, "etc/../../../outside", O_PATH), -ENOENT, "also further down");
    is_int(fspath_open(root, "loop", O_PATH), -ELOOP, "a loop ends");
    AUTO_FD int fd = fspath_open(root, "abs", O_RDONLY);
    ok(fd >= 0, "an absolute link leads to the root's own file");
    ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "close-on-exec");
    AUTO_FD int top = fspath_open(root, "/", O_PATH);
    ok(top >= 0, "the root itself");
}

static void refuse_magic(void)
{
    AUTO_FD int machine = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    is_int(fspath_open(machine, "proc/self/fd/0", O_PATH), -ELOOP, "a magic link is refused");
    is_int(fspath_open(machine, "proc/self/root", O_PATH), -ELOOP, "/proc/self/root too");
}

static void make_targets(const struct scratch *s)
{
    AUTO_FD int root = openat(s->fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    AUTO_FD int a = fspath_mkdirs(root, "/var/lib//x/");
    ok(a >= 0 && scratch_has(s, "root/var/lib/x"), "missing directories are made");
    AUTO_FD int again = fspath_mkdirs(root, "var/lib/x");
    ok(again >= 0, "and found again");
    is_int(fspath_mkdirs(root, "inside/x"), -ENOTDIR, "a file on the way is an error");
    ok(symlinkat("/run", s->fd, "root/var/run") == 0 && mkdirat(s->fd, "root/run", 0755) == 0,
       "/var/run -> /run");
    AUTO_FD int run = fspath_mkdirs(root, "/var/run/lock");
    ok(run >= 0 && scratch_has(s, "root/run/lock"),
       "a link on the way is followed inside the root");
    ok(symlinkat("/nowhere", s->fd, "root/dangling") == 0, "a link to nothing");
    ok(fspath_mkdirs(root, "dangling") < 0 && !scratch_has(s, "root/nowhere"),
       "is no directory, and nothing is made behind it");
    ok(symlinkat("../../escaped", s->fd, "root/out") == 0, "a link out of the root");
    ok(fspath_mkdirs(root, "out/x") < 0 && !scratch_has(s, "escaped") &&
           !scratch_has(s, "../escaped"),
       "makes nothing outside");
    AUTO_FD int touched = fspath_touch(root, "etc/deep/er/file");
    ok(touched >= 0 && scratch_has(s, "root/etc/deep/er/file"), "an empty file and its parents");
    AUTO_FD int present = fspath_touch(root, "inside");
    struct stat st;
    ok(present >= 0 && fstat(present, &st) == 0 && st.st_size == 1, "a file that is there stays");
    is_int(fspath_touch(root, "etc"), -EISDIR, "a directory is no file");
    ok(fspath_touch(root, "dangling") < 0 && !scratch_has(s, "root/nowhere"),
       "a link to nothing is not written through");
}

static void make_dirs(const struct scratch *s)
{
    char path[5000];
    (void)snprintf(path, sizeof(path), "%s/p/q/r", s->path);
    is_int(fspath_make_dirs(path, 0700), 0, "mkdir -p");
    is_int(fspath_make_dirs(path, 0700), 0, "again");
    struct stat st;
    ok(stat(path, &st) == 0 && (st.st_mode & 07777) == 0700, "with the mode asked for");
    ok(scratch_file(s, "p/f", "x") == 0, "a file");
    (void)snprintf(path, sizeof(path), "%s/p/f/x", s->path);
    is_int(fspath_make_dirs(path, 0700), -ENOTDIR, "a file on the way");
    (void)snprintf(path, sizeof(path), "%s/p/f", s->path);
    is_int(fspath_make_dirs(path, 0700), -ENOTDIR, "a file at the end");
    is_int(fspath_make_dirs("", 0700), -ENOENT, "nothing");
}

static void remove_trees(const struct scratch *s)
{
    is_int(fspath_remove_tree(s->fd, "missing"), 0, "a missing name is no error");
    ok(mkdirat(s->fd, "t", 0755) == 0 && mkdirat(s->fd, "t/a", 0755) == 0 &&
           mkdirat(s->fd, "t/a/b", 0755) == 0 && scratch_file(s, "t/a/b/f", "x") == 0 &&
           scratch_file(s, "t/f", "x") == 0 && mkfifoat(s->fd, "t/a/fifo", 0644) == 0,
       "a tree");
    ok(mkdirat(s->fd, "kept", 0755) == 0 && scratch_file(s, "kept/f", "x") == 0 &&
           symlinkat("../kept", s->fd, "t/link") == 0 &&
           symlinkat("../../kept", s->fd, "t/a/link") == 0,
       "with links to a directory outside");
    ok(mkdirat(s->fd, "t/.bryo-removed-0", 0755) == 0 &&
           scratch_file(s, "t/.bryo-removed-0/f", "x") == 0 &&
           scratch_file(s, "t/.bryo-removed-1", "x") == 0,
       "and with names such as the removal uses");
    ok(mkdirat(s->fd, "t/locked", 0755) == 0 && mkdirat(s->fd, "t/locked/in", 0755) == 0 &&
           scratch_file(s, "t/locked/in/f", "x") == 0 &&
           fchmodat(s->fd, "t/locked/in", 0, 0) == 0 && fchmodat(s->fd, "t/locked", 0, 0) == 0,
       "and with directories of mode 0000");
    ok(mkdirat(s->fd, "t/ro", 0755) == 0 && mkdirat(s->fd, "t/ro/in", 0755) == 0 &&
           mkdirat(s->fd, "t/ro/in/x", 0755) == 0 && fchmodat(s->fd, "t/ro/in", 0555, 0) == 0 &&
           fchmodat(s->fd, "t/ro", 0555, 0) == 0,
       "and with directories that are not writable");
    is_int(fspath_remove_tree(s->fd, "t"), 0, "is removed");
    ok(!scratch_has(s, "t"), "it is gone");
    ok(scratch_has(s, "kept/f"), "what links led to is there still");
    ok(symlinkat("kept", s->fd, "l") == 0 && fspath_remove_tree(s->fd, "l") == 0 &&
           !scratch_has(s, "l") && scratch_has(s, "kept/f"),
       "a link is removed itself");
    ok(fspath_remove_tree(s->fd, "kept/f") == 0 && !scratch_has(s, "kept/f"), "and a file");
}

// A job can nest directories deeper than there are descriptors, or than a stack holds.
static void remove_deep_tree(const struct scratch *s)
{
    enum { DEPTH = 20000 };
    struct rlimit few = {64, 64};
    struct rlimit before;
    int made = 0;
    AUTO_FD int fd = dup(s->fd);
    ok(getrlimit(RLIMIT_NOFILE, &before) == 0, "limits");
    few.rlim_max = before.rlim_max;
    for (; made < DEPTH && mkdirat(fd, "d", 0755) == 0; made++) {
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        fd_closep(&fd);
        fd = next;
    }
    fd_closep(&fd);
    is_int(made, DEPTH, "directories in one another");
    ok(setrlimit(RLIMIT_NOFILE, &few) == 0, "with 64 descriptors");
    is_int(fspath_remove_tree(s->fd, "d"), 0, "are removed");
    ok(!scratch_has(s, "d"), "and gone");
    ok(setrlimit(RLIMIT_NOFILE, &before) == 0, "limits back");
}

static int open_descriptors(void)
{
    int n = 0;
    AUTO_DIR DIR *dir = opendir("/proc/self/fd");
    while (dir && readdir(dir))
        n++;
    return n;
}

int main(void)
{
    AUTO_SCRATCH struct scratch s = scratch_new();
    int before = open_descriptors();
    clean();
    open_in_root(&s);
    refuse_magic();
    make_targets(&s);
    make_dirs(&s);
    remove_trees(&s);
    remove_deep_tree(&s);
    is_int(open_descriptors(), before, "no descriptor is left open");
    return done_testing();
}
