// SPDX-License-Identifier: Apache-2.0
#include "internal/base/landlock.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/syscall.h>

// Newer than the headers that this must compile with; from include/uapi/linux/landlock.h.
#define FS_REFER     (UINT64_C(1) << 13) // ABI 2
#define FS_TRUNCATE  (UINT64_C(1) << 14) // ABI 3
#define FS_IOCTL_DEV (UINT64_C(1) << 15) // ABI 5
#define NET_ALL      UINT64_C(3)         // ABI 4: bind, connect
#define SCOPE_ALL    UINT64_C(3)         // ABI 6: abstract sockets, signals

struct attr {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
};

static const uint64_t files_read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
static const uint64_t files_write =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER | FS_TRUNCATE;
static const uint64_t files_devices =
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK | FS_IOCTL_DEV;

int landlock_abi(void)
{
    long r = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return r < 0 ? 0 : (int)r;
}

static uint64_t known_files(int abi)
{
    uint64_t all = files_read | files_write | files_devices | LANDLOCK_ACCESS_FS_EXECUTE;
    if (abi < 2)
        all &= ~FS_REFER;
    if (abi < 3)
        all &= ~FS_TRUNCATE;
    if (abi < 5)
        all &= ~FS_IOCTL_DEV;
    return all;
}

static uint64_t given_files(unsigned what)
{
    return (what & LANDLOCK_READ ? files_read : 0) | (what & LANDLOCK_WRITE ? files_write : 0) |
           (what & LANDLOCK_EXECUTE ? LANDLOCK_ACCESS_FS_EXECUTE : 0) |
           (what & LANDLOCK_DEVICES ? files_devices : 0);
}

static int close_with(const struct landlock_fence *fence, int abi)
{
    struct attr attr = {.fs = known_files(abi),
                        .net = abi >= 4 && fence->no_tcp ? NET_ALL : 0,
                        .scoped = abi >= 6 && !fence->outside ? SCOPE_ALL : 0};
    // As long as the kernel of that ABI knows it.
    size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
    AUTO_FD int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < fence->n_rules; i++) {
        struct landlock_path_beneath_attr beneath = {
            .allowed_access = given_files(fence->rules[i].what) & attr.fs,
            .parent_fd = fence->rules[i].fd};
        if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
            return -errno;
    }
    return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}

int landlock_close(const struct landlock_fence *fence, struct err *err)
{
    int abi = landlock_abi();
    bool writes = false;
    for (size_t i = 0; i < fence->n_rules; i++)
        writes = writes || (fence->rules[i].what & LANDLOCK_WRITE);
    if (abi < 1 || (abi < 2 && writes))
        return 1;
    int r = close_with(fence, abi);
    return r < 0 ? err_sys(err, -r, "cannot set up Landlock") : 0;
}
