// SPDX-License-Identifier: Apache-2.0
// The file of --result: whether it can be written is known before the job starts; a reader sees it
// whole or not at all.
#ifndef BRYO_CMD_RESULT_FILE_H
#define BRYO_CMD_RESULT_FILE_H

#include <sys/types.h>

struct buf;
struct err;

struct result_file {
    char *path;  // as the user wrote it; NULL: not asked for
    char *name;  // in the directory; NULL when there is nothing to rename (a FIFO, a terminal, ...)
    int dirfd;   // -1 without a name
    mode_t mode; // of a new file, as the user's umask has it
    int fd;      // descriptor that /dev/fd/N names, duplicated; -1: none
};

#define RESULT_FILE_NONE ((struct result_file){.dirfd = -1, .fd = -1})

void result_file_done(struct result_file *f);
#define AUTO_RESULT_FILE AUTO(result_file_done)

// path NULL: nothing will be written. Creates nothing. -errno with err.
int result_file_prepare(const char *path, struct result_file *ret, struct err *err);

// A regular file is written beside its name and renamed; /dev/fd/N, /dev/stdout, a FIFO or a device
// is written to; a FIFO must have a reader by then (-ENXIO).
int result_file_write(const struct result_file *f, const struct buf *text, struct err *err);

#endif
