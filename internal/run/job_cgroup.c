// SPDX-License-Identifier: Apache-2.0
#include "internal/run/job_cgroup.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/log.h"
#include "internal/job/result.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/job/usage.h"
#include "internal/roots/host_helper.h"
#include "internal/roots/host_paths.h"
#include "internal/run/host_affinity.h"

#include <errno.h>
#include <string.h>

// Takes the files out that need one of these controllers; says so for the options that a user gave.
static void drop_files(struct limit_files *files, unsigned missing, const char *why)
{
    size_t n = 0;
    const char *said = "";
    for (size_t i = 0; i < files->n; i++) {
        struct limit_file f = files->v[i];
        files->v[i] = (struct limit_file){0};
        if (!(f.controller & missing)) {
            files->v[n++] = f;
            continue;
        }
        if (why && f.asked && strcmp(said, f.option) != 0)
            log_warn("%s is not held: %s", f.option, why);
        said = f.option;
        // (each once: those that stay have moved to the front)
        free(f.file);  // NOLINT(clang-analyzer-unix.Malloc)
        free(f.value); // NOLINT(clang-analyzer-unix.Malloc)
    }
    files->n = n;
}

// Without the cpuset controller the affinity of processes does the same, as long as they leave it.
static int fall_back_to_affinity(struct job_cgroup *jc)
{
    jc->use_affinity = true;
    drop_files(&jc->files, CONTROLLER_CPUSET, NULL);
    log_note(
        "%s is set by %s: the cpuset controller is not delegated to this user, and the job may "
        "undo it",
        jc->spec->limits.cpuset_cpus ? "--cpuset-cpus" : "--cpuset-mems",
        jc->spec->limits.cpuset_cpus ? "sched_setaffinity(2)" : "set_mempolicy(2)");
    return 0;
}

static void fill_request(struct job_cgroup *jc, char *const envp[])
{
    struct place_request *rq = &jc->request;
    rq->parent = jc->spec->cgroup_parent;
    rq->origin = "--cgroup-parent";
    if (!rq->parent) {
        rq->parent = host_paths_getenv(envp, "BRYO_CGROUP");
        rq->origin = "BRYO_CGROUP";
    }
    if (rq->parent && !*rq->parent)
        rq->parent = NULL;
    rq->needs = limit_files_controllers(&jc->files);
    rq->optional = CONTROLLER_CPUSET;
    rq->wanted = limits_any(&jc->spec->limits) || jc->spec->stats_file;
    rq->envp = envp;
    if (rq->wanted || rq->parent) {
        (void)host_helper_path("bryo-scope", &jc->helper, NULL);
        rq->helper = jc->helper;
    }
}

// A limit that no cgroup is there for at all, though it needs no controller (cgroup.max.depth).
static int check_place(struct job_cgroup *jc, struct err *err)
{
    if (jc->place.source != PLACE_NONE || jc->files.n == 0)
        return 0;
    if (jc->spec->best_effort) {
        drop_files(&jc->files, ~0U, NULL);
        return 0;
    }
    (void)err_set(err, EOPNOTSUPP, "%s cannot be held: there is no cgroup for the job",
                  jc->files.v[0].option);
    (void)err_hint(err, "name one that is delegated to this user with --cgroup-parent; "
                        "--best-effort runs the job without");
    return err_stage(err, STAGE_CGROUP);
}

static int check_limits(struct job_cgroup *jc, struct err *err)
{
    unsigned missing = jc->request.needs & ~jc->place.controllers;
    if (missing & CONTROLLER_CPUSET)
        (void)fall_back_to_affinity(jc);
    missing &= ~(unsigned)CONTROLLER_CPUSET;
    if (missing && jc->spec->best_effort) {
        drop_files(&jc->files, missing, jc->place.why.text);
        jc->request.needs &= jc->place.controllers;
    } else if (missing) {
        const char *option = "a limit";
        for (size_t i = jc->files.n; i-- > 0;)
            if (jc->files.v[i].controller & missing)
                option = jc->files.v[i].option;
        (void)err_set(err, jc->place.why.num, "%s cannot be held: %s", option, jc->place.why.text);
        (void)err_hint(err, "%s", jc->place.why.hint);
        return err_stage(err, STAGE_CGROUP);
    }
    jc->request.needs &= jc->place.controllers;
    return check_place(jc, err);
}

int job_cgroup_look(struct job_cgroup *jc, const struct job_spec *spec, char *const envp[],
                    struct err *err)
{
    jc->spec = spec;
    limits_files(&spec->limits, &jc->files);
    int r = host_affinity_check(&spec->limits, err);
    if (r == 0)
        r = host_leaf_check(&jc->files, err);
    if (r < 0)
        return err_stage(err, STAGE_CGROUP);
    fill_request(jc, envp);
    r = host_place_find(&jc->request, &jc->place, err);
    if (r == 0)
        r = check_limits(jc, err);
    return r;
}

static char *describe(const struct job_spec *spec)
{
    AUTO_BUF struct buf text = {0};
    buf_adds(&text, "bryo job:");
    for (size_t i = 0; i < spec->argv.n && text.len < 200; i++) {
        buf_addc(&text, ' ');
        // D-Bus takes only valid UTF-8
        escape_add_json(&text, spec->argv.v[i], strnlen(spec->argv.v[i], 100));
    }
    return buf_take(&text);
}

// Once the scope is there it shows what it really grants.
static int check_again(const struct job_cgroup *jc, struct err *err)
{
    unsigned missing = jc->request.needs & ~jc->place.controllers;
    if (!missing)
        return 0;
    AUTO_BUF struct buf names = {0};
    limits_format_controllers(missing, "", &names);
    (void)err_set(err, EOPNOTSUPP, "the cgroup %s was not granted the controller %s",
                  jc->place.path, buf_str(&names));
    return err_stage(err, STAGE_CGROUP);
}

int job_cgroup_make(struct job_cgroup *jc, const char *id, struct err *err)
{
    if (jc->place.source == PLACE_NONE)
        return 0;
    AUTO_FREE char *description = describe(jc->spec);
    int r = host_place_enter(&jc->place, &jc->request, id, description, err);
    if (r == 0)
        r = check_again(jc, err);
    if (r == 0)
        r = host_leaf_create(&jc->place, id, &jc->files, &jc->leaf, err);
    // Nobody asked for a cgroup: the job runs without one, and says less at its end.
    if (r < 0 && !jc->request.wanted && !jc->request.parent) {
        log_verbose("no cgroup for the job: %s", err->text);
        *err = (struct err){0};
        return 0;
    }
    return r;
}

int job_cgroup_before_clone(struct job_cgroup *jc, struct err *err)
{
    return jc->use_affinity ? host_affinity_set(&jc->spec->limits, &jc->affinity, err) : 0;
}

void job_cgroup_after_clone(struct job_cgroup *jc)
{
    if (jc->use_affinity)
        host_affinity_restore(&jc->affinity);
}

void job_cgroup_sweep(const struct job_cgroup *jc)
{
    if (jc->leaf.outer >= 0)
        host_cgroup_sweep(jc->leaf.place, jc->leaf.name);
}

// Twenty small files: not for a job that ended well and whose account nobody wants.
static bool is_wanted(const struct job_spec *spec, const struct job_result *result)
{
    return spec->result_file || spec->stats || spec->detach || result->err.num ||
           result->outcome != OUTCOME_EXITED || result->status != 0;
}

void job_cgroup_account(const struct job_cgroup *jc, struct job_result *result)
{
    if (jc->leaf.outer < 0 || !is_wanted(jc->spec, result))
        return;
    host_leaf_usage(&jc->leaf, &result->usage);
    // More exact than what was reaped.
    if (result->usage.cpu_user_us != USAGE_UNKNOWN)
        result->user_us = result->usage.cpu_user_us;
    if (result->usage.cpu_system_us != USAGE_UNKNOWN)
        result->system_us = result->usage.cpu_system_us;
}

void job_cgroup_end(struct job_cgroup *jc)
{
    int r = host_leaf_remove(&jc->leaf);
    if (r < 0)
        log_warn("the job's cgroup could not be removed: %s", err_words(-r));
    host_place_done(&jc->place);
    limit_files_done(&jc->files);
    free(jc->helper);
    *jc = JOB_CGROUP_INIT;
}
