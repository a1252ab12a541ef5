// SPDX-License-Identifier: Apache-2.0
// What bryo doctor knows of a machine, and what it makes of it. Pure: facts and attempts in,
// findings out. The facts are read by internal/run/host_machine.h, the attempts are made by
// internal/run/doctor.c.
#ifndef BRYO_JOB_CHECKUP_H
#define BRYO_JOB_CHECKUP_H

#include "internal/base/buf.h"
#include "internal/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What is really done, each by itself. From ATTEMPT_MNT to ATTEMPT_PIVOT it takes a user namespace.
enum attempt {
    ATTEMPT_SECCOMP,  // a filter that allows everything
    ATTEMPT_LANDLOCK, // a ruleset that restricts nothing the process does
    ATTEMPT_KEYRING,  // a session keyring of its own
    ATTEMPT_INOTIFY,  // one watch
    ATTEMPT_PING,     // a socket for echo requests, as bryo-net opens one for a job's ping
    ATTEMPT_STORE,    // a directory of bryo's own in the cache
    ATTEMPT_USERNS,   // a user namespace with one id
    ATTEMPT_IDS,      // one with the subordinate ids
    ATTEMPT_MNT,      // unshare(2)
    ATTEMPT_UTS,
    ATTEMPT_IPC,
    ATTEMPT_NET,
    ATTEMPT_CGROUP,
    ATTEMPT_TIME,
    ATTEMPT_PID,
    ATTEMPT_PROC,    // a proc of the new PID namespace
    ATTEMPT_SYSFS,   // a sysfs of the new network namespace
    ATTEMPT_TMPFS,   // a tmpfs
    ATTEMPT_CGROUP2, // a cgroup2 of the new cgroup namespace
    ATTEMPT_OVERLAY, // an overlay on the cache, and a file copied up in it
    ATTEMPT_LO,      // the loopback interface up
    ATTEMPT_TUN,     // a tap interface in the new network namespace
    ATTEMPT_NESTED,  // a user namespace in the user namespace
    ATTEMPT_PIVOT,   // another root directory
    ATTEMPT_JOB,     // bryo run -- true
    ATTEMPT_NETWORK, // bryo run, and a question to the job's resolver
    ATTEMPT_MEMORY,  // bryo run with each limit
    ATTEMPT_CPU,
    ATTEMPT_PIDS,
    ATTEMPT_IO,
    ATTEMPTS,
};

struct attempted {
    bool done;
    int num; // errno; 0: it worked
};

#define FACT_UNKNOWN (-1L) // there is no such sysctl

struct machine {
    char os_name[96];      // "Debian GNU/Linux 12 (bookworm)"
    char os_ids[128];      // ID and ID_LIKE of os-release(5): "ubuntu debian"
    char release[65];      // of the kernel
    unsigned kernel;       // 6.1 is 6001
    const char *container; // "docker", "podman", "Kubernetes", "a container"; NULL: none
    unsigned uid;
    char user[64];  // "" where nothing knows a name
    char bryo[512]; // the path of the program

    long max_user_namespaces; // sysctls, or FACT_UNKNOWN
    long unprivileged_userns_clone;
    long apparmor_restrict;
    long max_keys;
    long used_keys; // of this user
    long inotify_instances;
    long inotify_watches;

    bool seccomp_filtered; // the process came with a filter
    bool no_new_privs;
    bool proc_masked; // something is mounted below /proc

    bool one_id;    // the process's own user namespace has no other to give
    bool newuidmap; // both helpers are there
    bool newuidmap_nosuid;
    bool newuidmap_plain; // neither setuid nor with file capabilities
    uint64_t subuids;     // how many the user has
    uint64_t subgids;
    char overlaps[64];   // the user whose range is granted to this one too; ""
    uint32_t free_range; // first of 65536 ids that nobody was granted

    bool tun;
    unsigned tun_mode;

    char cache[512];      // directory that holds bryo's store
    const char *cache_fs; // "nfs", "overlay", "tmpfs", ...; "" an ordinary one
    uint64_t free_bytes;
    uint64_t free_inodes; // UINT64_MAX: it has no such limit
};

enum health { HEALTH_WORKS, HEALTH_DEGRADED, HEALTH_MISSING };

struct finding {
    const char *name; // static
    enum health health;
    bool needed;     // no job runs without
    char *found;     // what was done and what came of it
    char *remedy;    // for a person; "": none is needed or known
    struct strv fix; // lines of shell for root that do it; none: root cannot, or it takes a choice
};

struct checkup {
    struct finding *v;
    size_t n;
};

// Appends a finding for each thing. tried: ATTEMPTS entries; said: of ATTEMPTS errors, what bryo
// itself says of those that failed (num 0 where it said nothing); of ATTEMPT_NETWORK that worked:
// why TCP takes the slow path.
void checkup_judge(const struct machine *m, const struct attempted *tried, const struct err *said,
                   struct checkup *ret);

// Whether jobs can run: nothing that is needed is missing.
bool checkup_fit(const struct checkup *c);
void checkup_done(struct checkup *c);
#define AUTO_CHECKUP AUTO(checkup_done)

const char *health_word(enum health health);

// How a package is installed here: a line of shell for root, or NULL where no package manager is
// known. package: Debian's name.
char *checkup_install(const struct machine *m, const char *package);

void checkup_to_json(const struct machine *m, const struct checkup *c, struct buf *out);

// Reads /etc/subuid or /etc/subgid (subuid(5)): how many ids the user has, the name of another
// one whose range overlaps, and the first of 65536 ids that no line of it grants, at least
// *ret_free.
void checkup_subids(const char *text, const char *user, unsigned uid, uint64_t *ret_count,
                    char *ret_overlaps, size_t size, uint32_t *ret_free);

// The mount points below /proc of /proc/self/mountinfo (proc(5)): whether there are any that hide
// a part of it. (binfmt_misc, which systemd mounts there, hides nothing.)
bool checkup_proc_masked(const char *mountinfo);

#endif
