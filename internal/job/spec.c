// SPDX-License-Identifier: Apache-2.0
#include "internal/job/spec.h"

#include "internal/job/caps.h"

#include <stdlib.h>

void job_spec_init(struct job_spec *spec)
{
    *spec = (struct job_spec){
        .max_unpacked = (uint64_t)64 << 30,
        .max_entries = 4000000,
        .userns = USERNS_AUTO,
        .keep = KEEP_NEVER,
        .workspace = WORKSPACE_AUTO,
        .hostname = str_dup("bryo"),
        .umask = 022,
        .caps = caps_default(),
        .grace_us = 5000000,
        .stats_interval_us = 1000000,
    };
    limits_init(&spec->limits);
    net_opts_init(&spec->net);
}

void job_spec_done(struct job_spec *spec)
{
    strv_done(&spec->argv);
    strv_done(&spec->env);
    strv_done(&spec->layers);
    idmap_done(&spec->uidmap);
    idmap_done(&spec->gidmap);
    for (size_t i = 0; i < spec->n_mounts; i++) {
        free(spec->mounts[i].source);
        free(spec->mounts[i].target);
    }
    free(spec->mounts);
    for (size_t i = 0; i < spec->n_secrets; i++)
        secret_done(&spec->secrets[i]);
    free(spec->secrets);
    free(spec->rlimits);
    free(spec->preserve_fds);
    free(spec->rootfs);
    free(spec->reuse);
    free(spec->name);
    strv_done(&spec->labels);
    free(spec->user);
    free(spec->hostname);
    free(spec->seccomp);
    free(spec->workspace_dir);
    free(spec->workdir);
    limits_done(&spec->limits);
    free(spec->cgroup_parent);
    free(spec->result_file);
    free(spec->stats_file);
    net_opts_done(&spec->net);
    *spec = (struct job_spec){0};
}
