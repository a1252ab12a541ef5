// SPDX-License-Identifier: Apache-2.0
// From memory to disk: which entries may be believed when the machine has stopped in between.
//
// Why this is safe: as long as the kernel runs, everybody reads the page cache, which is right
// whether written back or not; and a kernel that started anew has another boot id. The bit is in
// the folder's inode from its birth on, and taken away only after syncfs(2) has said that
// everything before is on disk, so no order of writes leaves a folder without the bit and without
// its files. The boot id's file may be lost or empty: then it is no kernel's.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/image/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_FILE   "boot"
#define BOOT_ID     "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 64U

int store_settle_later(int entry_fd)
{
    AUTO_BUF struct buf id = {0};
    int r = fd_read_file(AT_FDCWD, BOOT_ID, BOOT_ID_MAX, &id);
    return r < 0 ? r : fd_create_file(entry_fd, BOOT_FILE, 0600, id.data, id.len);
}

bool store_is_lost(int entry_fd)
{
    AUTO_BUF struct buf now = {0};
    AUTO_BUF struct buf then = {0};
    return fd_read_file(AT_FDCWD, BOOT_ID, BOOT_ID_MAX, &now) < 0 ||
           fd_read_file(entry_fd, BOOT_FILE, BOOT_ID_MAX, &then) < 0 || now.len == 0 ||
           now.len != then.len || memcmp(now.data, then.data, now.len) != 0;
}

bool store_is_unsettled(int lock_fd)
{
    struct stat st;
    return fstat(lock_fd, &st) == 0 && (st.st_mode & STORE_UNSETTLED);
}

int store_settle(int lock_fd, struct err *err)
{
    if (!store_is_unsettled(lock_fd))
        return 0;
    // Since Linux 5.8 this also tells of what could not be written before (errseq).
    if (syncfs(lock_fd) < 0) {
        int num = errno;
        (void)unlinkat(lock_fd, BOOT_FILE, 0);
        return err_sys(err, num, "cannot write the unpacked files to disk");
    }
    if (fchmod(lock_fd, 0700) < 0)
        return err_sys(err, errno, "cannot note that the unpacked files are on disk");
    (void)unlinkat(lock_fd, BOOT_FILE, 0);
    return 0;
}
