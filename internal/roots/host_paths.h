// SPDX-License-Identifier: Apache-2.0
// Where things are on this machine: the cache, the home, the workspace. Host side.
#ifndef BRYO_ROOTS_HOST_PATHS_H
#define BRYO_ROOTS_HOST_PATHS_H

struct err;
struct job_spec;

// $XDG_CACHE_HOME where it is absolute, else ~/.cache (XDG Base Directory Specification). The store
// and the scratch live below its "bryo". The caller frees. -ENOENT with a remedy where there is
// neither.
int host_paths_cache(char *const envp[], char **ret, struct err *err);

// The user's home: $HOME where it is absolute, else what passwd says; NULL where there is none.
char *host_paths_home(char *const envp[]);

// Its real path where it is a directory of the user's own, two deep at least; else NULL. Such a
// home may lie below a system directory (/var/lib/jenkins) that a job on the host root is shown.
char *host_paths_private_home(char *const envp[]);

// The directory of the machine that the job works in, or NULL: --workspace, or the current
// directory unless that is "/", the home directory, one that holds the home directory, or below
// /proc, /sys, /dev.
int host_paths_workspace(const struct job_spec *spec, char *const envp[], char **ret,
                         struct err *err);

// The value of a variable in an environment, NULL where it is not set.
const char *host_paths_getenv(char *const envp[], const char *name);

#endif
