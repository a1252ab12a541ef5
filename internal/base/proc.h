// SPDX-License-Identifier: Apache-2.0
// Helper programs: started by absolute path with the descriptors they are given and no others.
#ifndef BRYO_BASE_PROC_H
#define BRYO_BASE_PROC_H

#include <stddef.h>
#include <sys/types.h>

struct buf;

struct proc_fd {
    int from; // descriptor of the caller; stays open there
    int to;   // its number in the program
};

// Starts argv[0] (an absolute path) with the given environment (NULL: a minimal one: PATH, LANG).
// Descriptors: 0 is /dev/null unless listed, 1 and 2 are the caller's unless listed, all others
// closed. No signal is blocked in it. It is killed when the caller dies (PR_SET_PDEATHSIG).
// Returns 0 or -errno, also when the exec itself failed (-ENOENT ...).
int proc_spawn(char *const argv[], char *const envp[], const struct proc_fd *fds, size_t n_fds,
               pid_t *ret_pid);

// The same in two: proc_spawn_begin does not wait for the exec, proc_spawn_check says what became
// of it, waits for that where it must, and closes *report. After a failure the child is gone.
int proc_spawn_begin(char *const argv[], char *const envp[], const struct proc_fd *fds,
                     size_t n_fds, pid_t *ret_pid, int *ret_report);
int proc_spawn_check(pid_t pid, int *report);

// Waits for one child. Returns 0 with a wait status (waitpid(2)), or -errno.
int proc_wait(pid_t pid, int *ret_status);

// The exit status a shell would report: 0 to 255, 128+n for a signal.
int proc_shell_status(int wait_status);

// Replaces the calling process (a fresh child) by argv[0]: places fds, closes all others, resets
// signals, execve(2). Returns only on failure, with -errno. Makes no library call that allocates.
int proc_exec(char *const argv[], char *const envp[], const struct proc_fd *fds, size_t n_fds);

#endif
