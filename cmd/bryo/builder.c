// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/builder.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/job/mountarg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// OVL_MAX_STACK of the kernel, less the root and the layer that bryo puts between.
#define LAYERS_MAX 498

int builder_init(struct builder *b, char *const envp[], struct err *err)
{
    *b = (struct builder){.envp = envp};
    job_spec_init(&b->spec);
    b->cwd = getcwd(NULL, 0);
    if (!b->cwd)
        return err_sys(err, errno, "the current directory");
    // The kernel writes this in front of a directory that is out of reach (getcwd(3)).
    if (b->cwd[0] != '/')
        return err_set(err, ENOENT, "the current directory cannot be reached from /: %s", b->cwd);
    return 0;
}

void builder_done(struct builder *b)
{
    job_spec_done(&b->spec);
    strv_done(&b->bare_env);
    free(b->cwd);
    b->cwd = NULL;
}

static int contradiction(const char *a, const char *b, struct err *err)
{
    return err_set(err, EINVAL, "%s and %s contradict each other: give one of them", a, b);
}

static int check_contradictions(const struct builder *b, struct err *err)
{
    if (b->workspace && b->no_workspace)
        return contradiction("--workspace", "--no-workspace", err);
    if (b->spec.unconfined && b->spec.seccomp_log)
        return contradiction("--seccomp unconfined", "--seccomp-log", err);
    if (b->spec.remove && b->spec.keep == KEEP_ALWAYS)
        return contradiction("--rm", "--keep", err);
    if (b->spec.remove && b->spec.keep == KEEP_ON_FAILURE)
        return contradiction("--rm", "--keep-on-failure", err);
    if (b->spec.reuse && b->spec.layers.n)
        return contradiction("--reuse (which has the layers of its job)", "--layer", err);
    if (b->spec.reuse && b->spec.rootfs)
        return contradiction("--reuse (which has the root file system of its job)", "--rootfs",
                             err);
    return 0;
}

static int check_layers(const struct job_spec *spec, struct err *err)
{
    if (spec->layers.n == 0)
        return 0;
    if (!spec->rootfs || strcmp(spec->rootfs, "host") == 0) {
        (void)err_set(err, EINVAL, "--layer needs a root file system to lie on");
        return err_hint(err, "give --rootfs TARBALL or --rootfs DIR: the machine's own directories "
                             "are mounted one by one, and take no layer");
    }
    if (spec->layers.n <= LAYERS_MAX)
        return 0;
    (void)err_set(err, E2BIG,
                  "%zu layers are more than can be stacked: overlayfs takes %d on a root",
                  spec->layers.n, LAYERS_MAX);
    return err_hint(err, "make one of several: bryo commit writes what a job left as a layer");
}

static int check_targets(const struct job_spec *spec, struct err *err)
{
    for (size_t i = 0; i < spec->n_mounts; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(spec->mounts[i].target, spec->mounts[j].target) == 0)
                return err_set(err, EINVAL, "two mounts are asked for at %s",
                               spec->mounts[i].target);
    for (size_t i = 0; i < spec->n_mounts && spec->n_secrets; i++)
        if (strcmp(spec->mounts[i].target, "/run/secrets") == 0)
            return err_set(err, EINVAL,
                           "--secret has its files in /run/secrets, where another "
                           "mount is asked for");
    return 0;
}

static bool any_absolute(const uint64_t *bits)
{
    for (size_t i = 0; i < (IDMAP_MAX_EXTENTS + 63) / 64; i++)
        if (bits[i])
            return true;
    return false;
}

// As podman has it: one of the two maps stands for both, since FROM counts in whatever ids of that
// kind the user has. Not so an id of the machine.
static int complete_maps(struct job_spec *spec, struct err *err)
{
    if ((spec->uidmap.n == 0) == (spec->gidmap.n == 0))
        return 0;
    bool have_uid = spec->uidmap.n > 0;
    if (any_absolute(have_uid ? spec->uidmap_absolute : spec->gidmap_absolute))
        return err_set(err, EINVAL, "%s with ids of the machine (\"@\") needs %s as well",
                       have_uid ? "--uidmap" : "--gidmap", have_uid ? "--gidmap" : "--uidmap");
    if (have_uid)
        idmap_copy(&spec->gidmap, &spec->uidmap);
    else
        idmap_copy(&spec->uidmap, &spec->gidmap);
    return 0;
}

int builder_finish(struct builder *b, struct err *err)
{
    struct job_spec *spec = &b->spec;
    int r = check_contradictions(b, err);
    spec->caps = builder_caps(b);
    if (r == 0)
        r = check_layers(spec, err);
    if (r == 0)
        r = check_targets(spec, err);
    if (r == 0)
        r = builder_finish_secrets(b, err);
    if (r == 0)
        r = net_opts_check(&spec->net, err);
    if (r == 0)
        r = complete_maps(spec, err);
    if (r == 0)
        r = limits_check(&spec->limits, err);
    if (r == 0 && spec->uidmap.n)
        r = idmap_check(&spec->uidmap, "--uidmap", err);
    if (r == 0 && spec->gidmap.n)
        r = idmap_check(&spec->gidmap, "--gidmap", err);
    // docker's words and docker's condition: with -t alone nothing is read from the terminal.
    if (r == 0 && spec->tty && spec->interactive && !spec->detach && !isatty(STDIN_FILENO)) {
        err_set(err, ENOTTY, "the input device is not a TTY");
        r = err_hint(err, "-t with -i needs a terminal on standard input: leave out -t");
    }
    return r;
}
