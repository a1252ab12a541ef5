// SPDX-License-Identifier: Apache-2.0
// Landlock (landlock(7)): a process gives up files, ports, signals for itself and its children, for
// good, without privilege. Linux 5.13, and what the running kernel's ABI adds to it.
#ifndef BRYO_BASE_LANDLOCK_H
#define BRYO_BASE_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>

struct err;

enum landlock_files {
    LANDLOCK_READ = 1,    // open for reading, list
    LANDLOCK_WRITE = 2,   // write, make, remove, rename, link, truncate
    LANDLOCK_EXECUTE = 4, // run programs
    LANDLOCK_DEVICES = 8, // make device nodes, ioctl on them
};

struct landlock_rule {
    int fd;        // a directory, O_PATH will do: it and all below it
    unsigned what; // LANDLOCK_READ ...
};

struct landlock_fence {
    const struct landlock_rule *rules; // what no rule gives is refused
    size_t n_rules;
    bool no_tcp;  // no connect(2), no bind(2) of TCP sockets (ABI 4)
    bool outside; // signals and abstract sockets beyond the fence stay open (closed from ABI 6 on)
};

// The kernel's ABI version, 1 and up; 0 where there is none (not built, or not enabled at boot).
int landlock_abi(void);

// Puts the calling thread behind the fence. no_new_privs must be set. A fence that cannot do all
// that it says on this kernel still does the rest. Whoever is behind one can mount nothing. Returns
// 0; 1: this kernel has no Landlock; -errno. ABI 1 cannot move or link from one directory to
// another
// (-EXDEV, Linux 5.13 to 5.18): where a rule has LANDLOCK_WRITE that returns 1 as well, fenceless.
int landlock_close(const struct landlock_fence *fence, struct err *err);

#endif
