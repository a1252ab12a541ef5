// SPDX-License-Identifier: Apache-2.0
// The order is: look at everything (root, ids, user, mounts), then make things (scratch,
// namespaces), watch, and take away what was made. What fails in the first part has made nothing.
#include "internal/run/run.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/job/jobenv.h"
#include "internal/job/mountplan.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/job/userdb.h"
#include "internal/jobs/host_tty.h"
#include "internal/roots/host_paths.h"
#include "internal/roots/init_layer.h"
#include "internal/roots/layers.h"
#include "internal/roots/merged.h"
#include "internal/roots/rootfs.h"
#include "internal/roots/scratch.h"
#include "internal/roots/scratch_record.h"
#include "internal/roots/sweep.h"
#include "internal/run/job_cgroup.h"
#include "internal/run/job_entry.h"
#include "internal/run/job_fake.h"
#include "internal/run/job_guard.h"
#include "internal/run/job_network.h"
#include "internal/run/job_pipes.h"
#include "internal/run/job_seccomp.h"
#include "internal/run/job_users.h"
#include "internal/run/job_watch.h"
#include "internal/run/job_workspace.h"
#include "internal/run/keep.h"
#include "internal/run/settle.h"
#include "internal/run/supervise.h"
#include "internal/sandbox/host_identity.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// All that a run holds. Filled step by step; run_end() takes half-built ones.
struct run {
    const struct job_spec *spec;
    const struct launcher *launcher;
    char *cache_dir;
    char *bryo_dir;
    char *workspace;
    char *store; // bryo_dir once more, free of links
    char *home;  // to be hidden; or NULL
    char *init_layer;
    struct host_identity identity;
    struct rootfs root;
    struct layers layers;
    struct job_user user;
    struct strv env;
    struct mount_req *mounts;
    size_t n_mounts;
    struct scratch scratch;
    bool has_scratch;
    struct sweep sweep;
    struct job_fake fake;
    struct job_seccomp seccomp;
    struct job_cgroup cgroup;
    struct job_entry entry;
    struct job_workspace tidy;
    struct job_watch watch;
    struct job_network network;
    struct job_guard guard;
    struct settle settle;
    struct job_pipes pipes;
};

static bool is_reuse(const struct run *run)
{
    return run->spec->reuse != NULL;
}

static int find_places(struct run *run, struct err *err)
{
    int r = host_paths_cache(run->launcher->envp, &run->cache_dir, err);
    if (r == 0) {
        run->bryo_dir = str_fmt("%s/bryo", run->cache_dir);
        r = host_paths_workspace(run->spec, run->launcher->envp, &run->workspace, err);
    }
    return r;
}

static int reopen(struct run *run, struct err *err)
{
    struct scratch_record record = {0};
    char key[17];
    int r = scratch_reopen(run->bryo_dir, run->spec->reuse, &run->scratch, &record, err);
    if (r < 0)
        return r;
    run->has_scratch = true;
    idmaps_key(&run->identity.maps, key);
    if (strcmp(key, record.map_key) != 0) {
        (void)err_set(err, EINVAL, "the kept job %s has other id maps than this run",
                      run->spec->reuse);
        (void)err_hint(err, "give the --userns, --uidmap and --gidmap that it was started with");
        r = err_stage(err, STAGE_IDENTITY);
    } else {
        r = rootfs_reopen(&record, &run->root, err);
        if (r == 0)
            r = layers_reopen(&record.layer_sources, &record.layer_paths, &run->layers, err);
    }
    scratch_record_done(&record);
    return r;
}

static int open_root(struct run *run, struct err *err)
{
    int r = host_identity_choose(run->spec, 0, 0, &run->identity, err);
    if (r < 0)
        return r;
    if (is_reuse(run))
        return reopen(run, err);
    r = rootfs_open(run->spec, &run->identity.maps, run->cache_dir, &run->root, err);
    if (r == 0)
        r = layers_open(run->spec, &run->identity.maps, run->cache_dir, &run->layers, err);
    return r;
}

static struct user_source user_source(const struct run *run)
{
    return (struct user_source){.root = &run->root,
                                .layers = &run->layers,
                                .scratch = run->has_scratch ? run->scratch.path : NULL};
}

static int find_user(struct run *run, struct err *err)
{
    const struct user_source from = user_source(run);
    int r = job_users_find(&from, run->spec->user, &run->user, err);
    if (r < 0)
        return r;
    if (run->identity.single && !run->spec->uidmap.n && !run->spec->gidmap.n) {
        // One id is whoever the job shall be: -u builder works without subordinate ids as well.
        idmaps_done(&run->identity.maps);
        r = host_identity_choose(run->spec, run->user.uid, run->user.gid, &run->identity, err);
        if (r < 0)
            return r;
    }
    return job_users_check(&run->identity.maps, run->spec->user, &run->user, err);
}

static int make_layers(struct run *run, struct err *err)
{
    struct init_layer layer = {.hostname = run->spec->hostname,
                               .network = run->network.mode,
                               .net = &run->spec->net,
                               .top_dirs = run->root.is_host ? &run->root.top_dirs : NULL,
                               .top_links = run->root.is_host ? &run->root.top_links : NULL};
    int r = init_layer_ensure(run->bryo_dir, &layer, &run->init_layer, err);
    if (r < 0)
        return r;
    run->store = realpath(run->bryo_dir, NULL);
    run->home = run->root.is_host ? host_paths_private_home(run->launcher->envp) : NULL;
    if (!run->store) {
        (void)err_sys(err, errno, "cannot resolve %s", run->bryo_dir);
        return err_stage(err, STAGE_SCRATCH);
    }
    if (run->has_scratch)
        return 0;
    r = scratch_create(run->bryo_dir, &run->scratch, err);
    run->has_scratch = r == 0;
    return r;
}

static void fill_stdio(const struct run *run, struct sandbox_config *c)
{
    bool piped = run->pipes.inside[0] >= 0;
    c->stdio[0] = !run->spec->interactive ? -1
                  : run->spec->detach     ? run->entry.input[0]
                                          : STDIN_FILENO;
    c->stdio[1] = piped ? run->pipes.inside[0] : STDOUT_FILENO;
    c->outer[0] = run->pipes.output[0];
    c->outer[1] = run->pipes.output[1];
    c->outer[2] = run->entry.terminal[0];
    c->outer[3] = run->entry.terminal[1];
    c->stdio[2] = piped ? run->pipes.inside[run->pipes.inside[1] >= 0] : STDERR_FILENO;
}

static void fill_root(const struct run *run, struct sandbox_root *root)
{
    root->kind = run->root.is_host ? SANDBOX_ROOT_HOST : SANDBOX_ROOT_TREE;
    root->lower = run->root.lower;
    root->init_layer = run->init_layer;
    root->layers = (const char *const *)run->layers.paths.v;
    root->n_layers = run->layers.paths.n;
    AUTO_MERGED struct merged stack = {0};
    layers_stack(&run->layers, run->root.lower, NULL, &stack);
    root->bind_init_files = rootfs_etc_is_odd(&run->root, root->n_layers ? &stack : NULL);
    root->host_dirs = (const char *const *)run->root.host_dirs.v;
    root->n_host_dirs = run->root.host_dirs.n;
    root->scratch = run->scratch.path;
    root->on_tmpfs = run->scratch.on_tmpfs;
    root->read_only = run->spec->read_only;
    root->store = run->store;
    root->home = run->home;
}

static const char *workdir_of(const struct run *run)
{
    return run->spec->workdir ? run->spec->workdir : run->workspace ? run->workspace : "/";
}

static void fill_config(struct run *run, struct sandbox_config *c)
{
    const struct job_spec *spec = run->spec;
    char **argv = run->launcher->argv;
    *c = (struct sandbox_config){
        .maps = &run->identity.maps,
        .real_root = run->identity.real_root,
        .cgroup = run->cgroup.leaf.inner,
        .own_network = run->network.mode != NETWORK_HOST,
        .time_offsets = spec->time_offsets,
        .boottime_s = spec->boottime_s,
        .monotonic_s = spec->monotonic_s,
        .hostname = spec->hostname,
        .mounts = run->mounts,
        .n_mounts = run->n_mounts,
        .secrets = spec->secrets,
        .n_secrets = spec->n_secrets,
        .argv = spec->argv.v,
        .envp = run->env.v,
        .path = host_paths_getenv(run->env.v, "PATH"),
        .workdir = workdir_of(run),
        .workdir_create = spec->workdir != NULL,
        .uid = run->user.uid,
        .gid = run->user.gid,
        .groups = run->user.groups,
        .n_groups = run->user.n_groups,
        .rlimits = spec->rlimits,
        .n_rlimits = spec->n_rlimits,
        .umask = spec->umask,
        .caps = spec->caps,
        .no_userns = spec->no_userns,
        .landlock = spec->landlock,
        .preserve_fds = spec->preserve_fds,
        .n_preserve_fds = spec->n_preserve_fds,
        .tty = spec->tty,
        .winsize = spec->tty ? host_tty_size() : (struct winsize){0},
    };
    job_network_hooks(&run->network, &c->network);
    fill_stdio(run, c);
    fill_root(run, &c->root);
    size_t last = 0;
    while (argv[last + 1])
        last++;
    c->cmdline = argv[0];
    c->cmdline_len = (size_t)(argv[last] + strlen(argv[last]) + 1 - argv[0]);
}

// What can be done while the job runs, and so costs a start nothing.
static void tidy_up(void *ctx)
{
    struct run *run = ctx;
    // The copies in the job are what keeps its output's pipes open from here on.
    fd_closep(&run->pipes.inside[0]);
    fd_closep(&run->pipes.inside[1]);
    scratch_forget_volatile(&run->scratch);
    sweep_start(&run->sweep, &run->scratch);
    job_cgroup_sweep(&run->cgroup);
}

// PID 1 has yet to take down what it mounted, which takes as long.
static void begin_end(void *ctx)
{
    struct run *run = ctx;
    job_network_end(&run->network);
    if (!keep_possible(run->spec))
        scratch_remove_empty(&run->scratch);
}

static int look(struct run *run, struct err *err)
{
    // First, so that it is ready when it is needed.
    int r = job_network_start(&run->network, &run->spec->net, run->spec->detach, err);
    if (r == 0)
        r = find_places(run, err);
    if (r == 0)
        r = open_root(run, err);
    if (r == 0)
        r = find_user(run, err);
    if (r == 0) {
        run->mounts = mountplan_build(run->spec, run->workspace, &run->n_mounts);
        jobenv_build(run->spec, run->launcher->envp, run->user.home, run->user.name, &run->env);
        r = job_cgroup_look(&run->cgroup, run->spec, run->launcher->envp, err);
        if (r == 0)
            r = job_watch_look(&run->watch, run->spec, err);
    }
    return r;
}

static int start_entry(struct run *run, struct err *err)
{
    struct job_entry *e = &run->entry;
    e->spec = run->spec;
    e->envp = run->launcher->envp;
    e->detach_fd = run->launcher->detach_fd;
    e->id = run->scratch.id;
    e->workdir = workdir_of(run);
    e->cgroup = run->cgroup.leaf.path;
    e->env = run->env.v;
    e->user = &run->user;
    e->users = user_source(run);
    e->maps = &run->identity.maps;
    e->ports = &run->network.published;
    return job_entry_detach(e, err);
}

static int launch(struct run *run, struct job_result *result)
{
    struct err *err = &result->err;
    struct sandbox_config config;
    struct sandbox sandbox = {.stager_pidfd = -1, .channel = -1};
    sigset_t signals;
    int r = supervise_block_signals(&signals, err);
    if (r == 0)
        r = make_layers(run, err);
    if (r == 0)
        r = job_cgroup_make(&run->cgroup, run->scratch.id, err);
    if (r == 0)
        r = start_entry(run, err);
    if (r == 0)
        r = job_pipes_make(&run->pipes, run->spec, err);
    if (r == 0)
        r = job_guard_stop_commands(&run->guard, run->spec, run->launcher->envp, err);
    if (r < 0)
        return r;
    memcpy(result->id, run->scratch.id, sizeof(result->id));
    fill_config(run, &config);
    job_fake_init(&run->fake, run->spec, &run->identity);
    const struct job_seccomp_handler fake = job_fake_handler(&run->fake);
    r = job_seccomp_prepare(&run->seccomp, run->spec, &fake, run->bryo_dir, &config.seccomp, err);
    if (r < 0)
        return r;
    r = job_cgroup_before_clone(&run->cgroup, err);
    run->tidy = (struct job_workspace){.dir = run->spec->keep_owners ? NULL : run->workspace,
                                       .store = run->store,
                                       .maps = &run->identity.maps};
    job_workspace_begin(&run->tidy);
    if (r == 0)
        r = sandbox_start(&config, &sandbox, err);
    job_cgroup_after_clone(&run->cgroup);
    if (r < 0)
        return r;
    job_guard_start(&run->guard, run->spec);
    struct supervise_part parts[4 + JOB_WATCH_PARTS] = {
        job_entry_part(&run->entry), job_network_part(&run->network),
        job_seccomp_part(&run->seccomp), settle_part(&run->settle)};
    job_watch_parts(&run->watch, &run->cgroup.leaf, parts + 4);
    struct supervise_config sc = {.spec = run->spec,
                                  .sandbox = &sandbox,
                                  .signals = &signals,
                                  .output = run->pipes.output,
                                  .filters = {run->guard.filter[0], run->guard.filter[1]},
                                  .start_us = run->launcher->start_us,
                                  .on_started = tidy_up,
                                  .on_alone = begin_end,
                                  .ctx = run,
                                  .parts = parts,
                                  .n_parts = sizeof(parts) / sizeof(parts[0])};
    supervise(&sc, result);
    job_cgroup_account(&run->cgroup, result);
    job_watch_conclude(&run->watch, run->spec, &run->identity.maps.uid,
                       run->scratch.on_tmpfs ? NULL : run->bryo_dir, result);
    sandbox_done(&sandbox);
    return result->err.num ? -result->err.num : 0;
}

static void keep(struct run *run, struct job_result *result)
{
    const struct keep k = {.spec = run->spec,
                           .root = &run->root,
                           .layers = &run->layers,
                           .init_layer = run->init_layer,
                           .maps = &run->identity.maps};
    run->has_scratch = !keep_scratch(&k, &run->scratch, result);
}

static void run_end(struct run *run, struct job_result *result)
{
    struct err err = {0};
    job_workspace_end(&run->tidy);
    job_entry_return(&run->entry);
    if (run->launcher->tell)
        run->launcher->tell(run->spec, result);
    job_entry_end(&run->entry, result);
    job_guard_end(&run->guard);
    sweep_finish(&run->sweep);
    job_fake_done(&run->fake);
    job_seccomp_done(&run->seccomp);
    job_cgroup_end(&run->cgroup);
    job_watch_done(&run->watch);
    settle_finish(&run->settle);
    if (run->has_scratch && keep_wanted(run->spec, result))
        keep(run, result);
    if (run->has_scratch && scratch_remove(&run->scratch, &run->identity.maps, &err) < 0) {
        log_err(&err);
    }
    job_network_done(&run->network); // meanwhile it has ended, or nearly so
    for (int i = 0; i < 2; i++) {
        fd_closep(&run->pipes.output[i]);
        fd_closep(&run->pipes.inside[i]);
    }
    free(run->mounts);
    strv_done(&run->env);
    job_user_done(&run->user);
    layers_close(&run->layers);
    rootfs_close(&run->root);
    idmaps_done(&run->identity.maps);
    free(run->init_layer);
    free(run->store);
    free(run->home);
    free(run->workspace);
    free(run->bryo_dir);
    free(run->cache_dir);
}

void run_job(const struct job_spec *spec, const struct launcher *launcher, struct job_result *ret)
{
    struct run run = {.spec = spec,
                      .launcher = launcher,
                      .root = {.fd = -1, .image = {.rootfs_fd = -1, .lock_fd = -1}},
                      .scratch = {.parent = -1, .fd = -1},
                      .fake = {.process = HOST_FAKE_NONE},
                      .seccomp = JOB_SECCOMP_NONE,
                      .cgroup = JOB_CGROUP_INIT,
                      .watch = JOB_WATCH_NONE,
                      .network = JOB_NETWORK_NONE,
                      .pipes = JOB_PIPES_NONE};
    job_entry_init(&run.entry);
    run.settle = (struct settle){.root = &run.root, .layers = &run.layers};
    *ret = (struct job_result){.outcome = OUTCOME_FAILED};
    usage_init(&ret->usage);
    // What is made for a job is made with the modes that are written here, whatever the user's own
    // are.
    (void)umask(022);
    job_guard_protect(spec);
    int r = look(&run, &ret->err);
    if (r == 0) {
        ret->err = (struct err){0}; // what went wrong on the way to a success is nobody's concern
        r = launch(&run, ret);
    }
    if (r < 0)
        ret->outcome = OUTCOME_FAILED;
    run_end(&run, ret);
}
