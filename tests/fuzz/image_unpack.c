// SPDX-License-Identifier: Apache-2.0
// A plain archive all the way into a directory: tar entries to guarded writes. Whatever the archive
// says, nothing outside of the directory changes, and what was taken is what the manifest says.
//
// The fuzzer is no root of a user namespace, so every owner is the one it has itself (the map below
// holds nothing, and 0 stands for "not to be changed": the destination is its own).
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/image/unpack.h"
#include "internal/image/verify.h"

#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FD 200 // where the canary and the destination are; relative paths are libFuzzer's own

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void write_map(const char *path, unsigned id)
{
    AUTO_FREE char *line = str_fmt("0 %u 1", id);
    AUTO_FD int fd = open(path, O_WRONLY | O_CLOEXEC);
    require(fd >= 0 && write(fd, line, strlen(line)) > 0, path);
}

// Root of a user namespace with a single id, in a directory of its own beside a canary.
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    char dir[] = "/tmp/bryo-fuzz.XXXXXX";
    unsigned uid = geteuid();
    unsigned gid = getegid();
    require(mkdtemp(dir) != NULL, "a directory");
    AUTO_FD int made = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    require(made >= 0 && dup2(made, DIR_FD) == DIR_FD, "a directory");
    require(unshare(CLONE_NEWUSER) == 0, "a user namespace");
    AUTO_FD int fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
    require(fd < 0 || write(fd, "deny", 4) == 4, "setgroups");
    write_map("/proc/self/uid_map", uid);
    write_map("/proc/self/gid_map", gid);
    AUTO_FD int canary = openat(DIR_FD, "canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    require(canary >= 0 && write(canary, "precious", 8) == 8, "a canary");
    return 0;
}

static void check_canary(const struct stat *before)
{
    struct stat now;
    require(fstatat(DIR_FD, "canary", &now, 0) == 0 && now.st_size == 8 &&
                now.st_mode == before->st_mode && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
                now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
                now.st_ctim.tv_nsec == before->st_ctim.tv_nsec && now.st_nlink == 1,
            "the canary changed");
}

// Headers get the checksum that belongs to them, but for those that end in 0xff: few changes would
// get past it otherwise.
static uint8_t *with_checksums(const uint8_t *data, size_t size)
{
    uint8_t *copy = (uint8_t *)str_dupn((const char *)data, size);
    for (size_t at = 0; at + 512 <= size; at += 512) {
        uint8_t *h = copy + at;
        unsigned sum = 0;
        if (memcmp(h + 257, "ustar", 5) != 0 || h[511] == 0xff)
            continue;
        memset(h + 148, ' ', 8);
        for (int i = 0; i < 512; i++)
            sum += h[i];
        (void)snprintf((char *)h + 148, 8, "%06o", sum);
    }
    return copy;
}

static void bad(void *ctx, const char *line)
{
    (void)ctx;
    require(false, line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stat canary;
    struct err err = {0};
    struct unpack_stats stats = {0};
    AUTO_FD int input = memfd_create("input", MFD_CLOEXEC);
    AUTO_FD int manifest = memfd_create("manifest", MFD_CLOEXEC);
    AUTO_FREE uint8_t *tar = with_checksums(data, size);
    require(input >= 0 && write(input, tar, size) == (ssize_t)size &&
                lseek(input, 0, SEEK_SET) == 0 && manifest >= 0,
            "a file in memory");
    require(fstatat(DIR_FD, "canary", &canary, 0) == 0 && mkdirat(DIR_FD, "root", 0755) == 0,
            "a destination");
    AUTO_FD int root = openat(DIR_FD, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct unpack_job job = {
        .input_fd = input,
        .root_fd = root,
        .manifest_fd = manifest,
        .limits = {8U << 20, 200},
        .decoders = 1,
        .writers = 2,
        .decoder_memory = 32U << 20,
    };
    (void)umask(0);
    idmap_add(&job.uids, 0, 0, 1);
    idmap_add(&job.gids, 0, 0, 1);
    int r = unpack_run(&job, &stats, &err);
    require(r == 0 || (err.num > 0 && err.text[0]), "a failure without a reason");
    check_canary(&canary);
    if (r == 0) {
        struct verify_job verify = {
            .root_fd = root, .manifest_fd = manifest, .owners = true, .bad = bad};
        uint64_t checked = 0;
        r = verify_run(&verify, &checked, &err);
        require(r == 0, err.text);
    }
    idmap_done(&job.uids);
    idmap_done(&job.gids);
    require(fspath_remove_tree(DIR_FD, "root") == 0, "the destination cannot be removed");
    return 0;
}
