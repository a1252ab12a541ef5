// SPDX-License-Identifier: Apache-2.0
// Resources that end with their scope, so that every function has one exit path.
//
//     AUTO_FD int fd = open(...);      closed when the scope ends, unless
//     *ret_fd = TAKE_FD(fd);           it was handed on.
#ifndef BRYO_BASE_CLEANUP_H
#define BRYO_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define AUTO(done) __attribute__((cleanup(done)))

// Closes *fd if it is open and sets it to -1; errno is kept.
static inline void fd_closep(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        (void)close(*fd);
        errno = saved;
    }
    *fd = -1;
}

static inline void free_p(void *p)
{
    void **pp = p;
    free(*pp);
    *pp = NULL;
}

static inline void dir_closep(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
    *dir = NULL;
}

static inline void file_closep(FILE **file)
{
    if (*file)
        (void)fclose(*file);
    *file = NULL;
}

#define AUTO_FD   AUTO(fd_closep)
#define AUTO_FREE AUTO(free_p)
#define AUTO_DIR  AUTO(dir_closep)
#define AUTO_FILE AUTO(file_closep)

#define TAKE_FD(fd)                \
    __extension__({                \
        int *take_fd_ = &(fd);     \
        int taken_fd_ = *take_fd_; \
        *take_fd_ = -1;            \
        taken_fd_;                 \
    })

#define TAKE_PTR(ptr)                            \
    __extension__({                              \
        __typeof__(ptr) *take_ptr_ = &(ptr);     \
        __typeof__(ptr) taken_ptr_ = *take_ptr_; \
        *take_ptr_ = NULL;                       \
        taken_ptr_;                              \
    })

#endif
