// SPDX-License-Identifier: Apache-2.0
// Options applied to a job_spec: one function an option, and what can only be said of all together.
#ifndef BRYO_CMD_BUILDER_H
#define BRYO_CMD_BUILDER_H

#include "internal/base/buf.h"
#include "internal/job/spec.h"

#include <stdbool.h>

struct err;

struct builder {
    struct job_spec spec;
    char *cwd;         // absolute; relative paths of the user start here
    char *const *envp; // the launcher's own environment
    bool workspace;    // --workspace was given
    bool as_layer;     // bryo image import: --as-layer
    bool repair;       // bryo image verify: --repair
    bool no_workspace; // --no-workspace was given
    uint64_t cap_add;  // of --cap-add, --cap-drop
    uint64_t cap_drop;
    struct strv bare_env; // names of -e NAME
};

// -errno with err when the current directory is gone.
int builder_init(struct builder *b, char *const envp[], struct err *err);
void builder_done(struct builder *b);
#define AUTO_BUILDER AUTO(builder_done)

// What only shows when all options are known: contradictions, mounts onto one another, -it without
// a terminal. Pure but for isatty(3).
int builder_finish(struct builder *b, struct err *err);

// -e NAME of a secret; takes the values out of bryo's own environment. A part of builder_finish().
int builder_finish_secrets(struct builder *b, struct err *err);

// The capabilities that --cap-add and --cap-drop come to.
uint64_t builder_caps(const struct builder *b);

// Looks at the machine: sources, the rootfs, the workspace exist and are of the right kind.
int builder_check_host(const struct builder *b, struct err *err);

// The apply functions; ctx is a struct builder.
typedef int option_apply(void *ctx, const char *value, struct err *err);
option_apply set_rootfs, set_layer, set_as_layer, set_read_only, set_keep, set_keep_on_failure,
    set_reuse, set_rm;
option_apply set_max_unpacked, set_max_entries;
option_apply set_userns, set_uidmap, set_gidmap, set_user;
option_apply set_hostname, set_time_offset;
option_apply set_network, set_mtu, set_net_addr, set_publish, set_dns, set_dns_search, set_add_host,
    set_allow, set_deny, set_allow_host, set_net_log, set_net_lock, set_pcap, set_net_rate,
    set_net_delay, set_net_loss;
option_apply set_volume, set_tmpfs, set_device, set_workspace, set_no_workspace, set_keep_owners,
    set_workdir;
option_apply set_env, set_env_file, set_secret, set_guard;
option_apply set_label, set_tty, set_interactive, set_ulimit, set_umask, set_timeout,
    set_stall_timeout, set_grace;
option_apply set_cap_add, set_cap_drop, set_seccomp, set_seccomp_log, set_no_userns, set_landlock,
    set_fake_root, set_no_fake_root;
option_apply set_detach, set_name;
option_apply set_preserve_fd, set_jobserver;
option_apply set_result, set_quiet, set_verbose;
option_apply set_memory, set_memory_swap, set_memory_high, set_cpus, set_cpu_weight;
option_apply set_cpuset_cpus, set_cpuset_mems, set_pids_limit, set_io_max, set_io_weight;
option_apply set_stats, set_stats_log, set_stats_interval;
option_apply set_hugetlb, set_cgroup_set, set_cgroup_parent, set_best_effort;

#endif
