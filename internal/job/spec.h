// SPDX-License-Identifier: Apache-2.0
// What a user asked for, checked once and const from then on. Pure data: no descriptor, no process.
// Every string is owned by the spec.
#ifndef BRYO_JOB_SPEC_H
#define BRYO_JOB_SPEC_H

#include "internal/base/buf.h"
#include "internal/job/idmap.h"
#include "internal/job/limits.h"
#include "internal/job/netopts.h"
#include "internal/job/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum userns_mode { USERNS_AUTO, USERNS_SUBIDS, USERNS_SINGLE };
enum fake_root_mode { FAKE_ROOT_AUTO, FAKE_ROOT_ON, FAKE_ROOT_OFF };
enum keep_mode { KEEP_NEVER, KEEP_ON_FAILURE, KEEP_ALWAYS };
enum workspace_mode { WORKSPACE_AUTO, WORKSPACE_DIR, WORKSPACE_NONE };

enum mount_kind { MOUNT_BIND, MOUNT_TMPFS, MOUNT_DEVICE };

struct mount_req {
    enum mount_kind kind;
    char *source;    // absolute path on the machine; NULL for tmpfs
    char *target;    // clean absolute path inside
    bool read_only;  // with all that is mounted below the source
    uint64_t size;   // tmpfs: bytes; 0: the kernel's default (half of memory)
    uint64_t inodes; // tmpfs: files and directories; 0: the kernel's default (half of its pages)
    uint32_t mode;   // tmpfs: permission bits of its root; default 01777
    bool exec;       // tmpfs: programs may run from it (docker's default is no, podman's is no)
};

struct rlimit_req {
    int resource;  // RLIMIT_*
    uint64_t soft; // UINT64_MAX: unlimited
    uint64_t hard;
};

struct job_spec {
    struct strv argv; // the command, n >= 1

    // root file system
    char *rootfs;       // tarball or directory as the user wrote it; NULL: "host"
    struct strv layers; // tarballs and directories above it, as the user wrote them, lowest first
    bool read_only;
    enum keep_mode keep;
    char *reuse;           // id of a kept job, or NULL
    bool remove;           // --rm: a kept job that is entered again is not kept any longer
    uint64_t max_unpacked; // bytes
    uint64_t max_entries;

    // identity
    enum userns_mode userns;
    struct idmap
        uidmap; // of --uidmap; n == 0 when not given. outside holds FROM (idmap_parse_flag)
    struct idmap gidmap;
    uint64_t uidmap_absolute[(IDMAP_MAX_EXTENTS + 63) / 64];
    uint64_t gidmap_absolute[(IDMAP_MAX_EXTENTS + 63) / 64];
    char *user; // USER[:GROUP], names or numbers of the root's own passwd and group; NULL: 0:0

    // namespaces
    struct net_opts net;
    char *hostname;     // default "bryo"
    bool time_offsets;  // unshare the time namespace
    int64_t boottime_s; // seconds added to CLOCK_BOOTTIME, CLOCK_MONOTONIC inside
    int64_t monotonic_s;

    // mounts
    struct mount_req *mounts; // in the order given
    size_t n_mounts;
    enum workspace_mode workspace;
    char *workspace_dir; // WORKSPACE_DIR: absolute
    bool keep_owners;    // what the job left in the workspace stays with its subordinate ids
    char *workdir;       // absolute inside; NULL: the workspace, else "/"

    // environment: the -e and --env-file assignments, "NAME=VALUE", later ones win
    struct strv env;

    // what must not show
    struct secret *secrets; // in the order given, no name twice
    size_t n_secrets;
    bool guard; // what the job prints has no power over who reads it

    // what the job may do
    uint64_t caps;    // capabilities inside, a bit each; default caps_default()
    bool no_userns;   // no user namespaces of the job's own
    char *seccomp;    // a profile, OCI or docker JSON; NULL: bryo's own
    bool unconfined;  // no profile
    bool seccomp_log; // name each refused call
    bool landlock;    // a second fence
    enum fake_root_mode fake_root;

    // process
    bool detach;        // run in the background, in the log's keeping
    char *name;         // among the user's jobs; NULL: none
    struct strv labels; // NAME=VALUE, no name twice
    bool tty;
    bool interactive;
    struct rlimit_req *rlimits;
    size_t n_rlimits;
    uint32_t umask;    // default 022
    int *preserve_fds; // descriptors of the launcher that the command gets, > 2
    size_t n_preserve_fds;
    uint64_t timeout_us;       // 0: none
    uint64_t stall_timeout_us; // 0: none
    uint64_t grace_us;         // between asking and killing; default 5 s

    // cgroup
    struct limits limits;
    char *cgroup_parent; // a directory, "scope" or "none"; NULL: the first that there is
    bool best_effort;    // run without a limit that cannot be held

    char *result_file;          // NULL: none
    bool stats;                 // print one line at the end
    char *stats_file;           // samples of usage; NULL: none
    uint64_t stats_interval_us; // default 1 s
};

void job_spec_init(struct job_spec *spec); // the defaults
void job_spec_done(struct job_spec *spec);
#define AUTO_SPEC AUTO(job_spec_done)

#endif
