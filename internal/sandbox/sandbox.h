// SPDX-License-Identifier: Apache-2.0
// A job's namespaces, root and first process. What is inside is told to the launcher over a channel
// (channel.h); what happens from then on is the caller's (internal/run).
#ifndef BRYO_SANDBOX_SANDBOX_H
#define BRYO_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/types.h>

struct err;
struct idmaps;
struct mount_req;
struct rlimit_req;
struct secret;
struct sock_filter;

enum sandbox_root_kind {
    SANDBOX_ROOT_TREE, // one directory
    SANDBOX_ROOT_HOST, // the machine's own system directories, each below a throw-away layer
};

struct sandbox_root {
    enum sandbox_root_kind kind;
    const char *lower;         // TREE: absolute path of the directory
    const char *const *layers; // TREE: absolute paths of directories above it, lowest first
    size_t n_layers;
    const char *init_layer; // absolute path of a directory that holds etc/hosts and its like; for
                            // HOST also an empty directory or a link for each top-level name
    bool bind_init_files;   // TREE: /etc is odd: mount the files of init_layer one by one
    const char *const *host_dirs; // HOST: names below "/" to show, such as "usr"
    size_t n_host_dirs;
    // Absolute and free of links: not shown, whatever directory above them is.
    const char *store;   // bryo's own directory
    const char *home;    // HOST: the user's home; or NULL
    const char *scratch; // absolute path of a directory that holds upper/ and work/
    bool on_tmpfs;       // scratch cannot carry the upper layer of an overlay
    bool read_only;
};

// The job's system call filter; n == 0: none.
struct sandbox_seccomp {
    const struct sock_filter *insns;
    unsigned short n;
    uint32_t flags; // SECCOMP_FILTER_FLAG_*
    bool own;       // bryo's own list, or nothing refused: the command's last steps pass
    bool listener;  // some answers are SECCOMP_RET_USER_NOTIF: the descriptor is sent out
    // Instructions at the front that are left out, and with them the listener, where an outer
    // program has a listener already: there can be only one. 0: that is a failure.
    unsigned short n_front;
};

// What is done about the job's network, by processes that are in its namespace. Each may be NULL.
struct sandbox_network {
    // The stager: the namespaces exist. It shares its memory with PID 1, which is at work: only a
    // failure may write errno, and nothing may be allocated.
    int (*made)(void *ctx, struct err *err);
    int (*ready)(void *ctx, struct err *err); // PID 1, last before the command is started
    void *ctx;
};

struct sandbox_config {
    const struct idmaps *maps;
    bool real_root; // the maps hold root of the machine
    int cgroup;     // the job's own, which it may divide (cgroup v2); -1: the launcher's
    bool own_network;
    bool time_offsets; // Linux 5.6
    int64_t boottime_s;
    int64_t monotonic_s;
    const char *hostname;
    struct sandbox_root root;
    const struct mount_req *mounts; // in the order in which they are to be mounted
    size_t n_mounts;
    struct sandbox_network network;

    const struct secret *secrets; // files of /run/secrets
    size_t n_secrets;

    char *const *argv;
    char *const *envp;
    const char *path;    // PATH of the job, for finding argv[0]
    const char *workdir; // absolute
    bool workdir_create; // -w named it: made where it is missing
    uint32_t uid;        // inside
    uint32_t gid;        // inside
    const uint32_t *groups;
    size_t n_groups;
    const struct rlimit_req *rlimits;
    size_t n_rlimits;
    uint32_t umask;
    uint64_t caps;  // of the job, a bit each
    bool no_userns; // the job can make no user namespace
    bool landlock;  // a second fence around it (guest_fence.h)
    struct sandbox_seccomp seccomp;
    const int *preserve_fds; // the command gets these too, under the numbers they have
    size_t n_preserve_fds;
    bool tty; // a pty of the job's own; its master comes with CHANNEL_STARTED
    struct winsize winsize;
    int stdio[3]; // what the command gets as 0, 1, 2 when !tty; -1: /dev/null
    // Read ends of pipes that are among stdio, and what bryo run -d was started with as 1 and 2; or
    // -1. PID 1, which never executes anything, closes its copies: else the writer of the ones, the
    // reader of the others would never see them all closed.
    int outer[4];

    char *cmdline;      // the launcher's own argument strings, one after another: wiped in the copy
    size_t cmdline_len; // that becomes PID 1, since /proc/1/cmdline can be read by the job
};

struct sandbox {
    pid_t stager; // a child of the caller; ends as soon as PID 1 exists
    int stager_pidfd;
    int channel; // non-blocking use by MSG_DONTWAIT
};

// Clones the stager and writes its id maps; everything from there on is heard on the channel. On
// failure nothing is left. The caller's signals stay as they are in what is cloned: PID 1 wants
// them blocked, so the caller blocks them first.
int sandbox_start(const struct sandbox_config *config, struct sandbox *ret, struct err *err);

// Reaps the stager and closes what is open. PID 1 is the caller's to end and to reap (__WALL).
void sandbox_done(struct sandbox *sandbox);

// Waits for the stager's end, after which everything that it had to say is on the channel.
void sandbox_reap_stager(struct sandbox *sandbox);

#endif
