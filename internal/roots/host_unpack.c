// SPDX-License-Identifier: Apache-2.0
#include "internal/roots/host_unpack.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/image/unpack_wire.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/roots/host_bar.h"
#include "internal/roots/host_helper.h"
#include "internal/roots/host_tree.h"
#include "internal/roots/host_worker.h"
#include "internal/sandbox/host_identity.h"
#include "internal/sandbox/userns.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

// --- unpacking --------------------------------------------------------------------------------

struct unpacking {
    const struct unpack_request *req;
    struct host_worker digest;
    struct host_worker unpack;
    struct host_bar bar;
    bool unwanted; // the store has it already
};

// What a helper says until it has nothing more to say at the moment.
static void listen_to(struct unpacking *u, struct host_worker *h)
{
    struct wire_record rec;
    int r;
    while (!h->ended && (r = host_worker_receive(h, &rec)) != -EAGAIN) {
        if (r == 0) {
            h->ended = true;
            h->last = (struct wire_record){.kind = WIRE_PROGRESS}; // no last word
        } else if (rec.kind == WIRE_PROGRESS) {
            host_bar_draw(&u->bar, &rec.progress);
        } else if (host_worker_is_last_word(rec.kind)) {
            h->ended = true;
            h->last = rec;
        }
    }
    if (h == &u->digest && h->ended && h->last.kind == WIRE_DIGEST)
        u->unwanted = u->req->have && u->req->have(u->req->have_ctx, h->last.digest);
}

static bool has_failed(const struct host_worker *h)
{
    return h->ended && h->last.kind != WIRE_DIGEST && h->last.kind != WIRE_UNPACKED;
}

// Until both have ended, one has failed, or the result is not wanted any more.
static void listen_both(struct unpacking *u)
{
    while (!(u->digest.ended && u->unpack.ended) && !u->unwanted && !has_failed(&u->digest) &&
           !has_failed(&u->unpack)) {
        struct pollfd p[2] = {
            {.fd = u->digest.ended ? -1 : u->digest.report, .events = POLLIN},
            {.fd = u->unpack.ended ? -1 : u->unpack.report, .events = POLLIN},
        };
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents)
            listen_to(u, &u->digest);
        if (p[1].revents && !u->unwanted)
            listen_to(u, &u->unpack);
    }
}

static int start_both(struct unpacking *u, const struct unpack_context *c, char *path,
                      struct err *err)
{
    char max_bytes[24];
    char max_entries[24];
    (void)snprintf(max_bytes, sizeof(max_bytes), "%" PRIu64, u->req->limits->max_bytes);
    (void)snprintf(max_entries, sizeof(max_entries), "%" PRIu64, u->req->limits->max_entries);
    char *digest_argv[] = {path, (char *)"digest", NULL};
    char *verb = (char *)(c->layer ? "layer" : "unpack");
    char *unpack_argv[] = {path, verb, max_bytes, max_entries, NULL};
    struct host_worker_plan digest = {
        .argv = digest_argv, .fds = {{u->req->input_fd, UNPACK_FD_INPUT}}, .n_fds = 1};
    struct host_worker_plan unpack = {.argv = unpack_argv,
                                      .fds = {{u->req->input_fd, UNPACK_FD_INPUT},
                                              {u->req->dst_fd, UNPACK_FD_TREE},
                                              {u->req->manifest_fd, UNPACK_FD_MANIFEST}},
                                      .n_fds = 3};
    int r = host_worker_start(&u->unpack, c->maps, &unpack, err);
    return r < 0 ? r : host_worker_start(&u->digest, NULL, &digest, err);
}

// All ids that this user has, whatever the maps of this run are.
static int widest_maps(struct host_identity *ret, struct err *err)
{
    struct job_spec spec;
    job_spec_init(&spec);
    int r = host_identity_choose(&spec, 0, 0, ret, err);
    job_spec_done(&spec);
    return r;
}

struct ownership {
    int fd;
    uint32_t uid;
    uint32_t gid;
};

static int own_inside(void *ctx, struct err *err)
{
    const struct ownership *o = ctx;
    if (fchown(o->fd, o->uid, o->gid) < 0)
        return err_sys(err, errno, "cannot give the directory to unpack into to the job's root");
    return 0;
}

// With --uidmap the job's root may be another id than the user. The directory was made by the user;
// root of the widest namespace gives it to that id.
static int own_by_root(const struct idmaps *maps, int fd, struct err *err)
{
    struct host_identity widest = {0};
    struct ownership o = {.fd = fd};
    struct userns_task task;
    uint32_t uid = 0;
    uint32_t gid = 0;
    int status = 0;
    if (!idmap_to_outside(&maps->uid, 0, &uid) || !idmap_to_outside(&maps->gid, 0, &gid))
        return err_set(err, EINVAL, "a tarball cannot be unpacked under an id map without 0");
    if (uid == geteuid())
        return 0;
    int r = widest_maps(&widest, err);
    if (r == 0 && (!idmap_to_inside(&widest.maps.uid, uid, &o.uid) ||
                   !idmap_to_inside(&widest.maps.gid, gid, &o.gid)))
        r = err_set(err, EINVAL, "this user does not have the id %u", uid);
    if (r == 0)
        r = userns_start(&widest.maps, 0, own_inside, &o, &task, err);
    if (r == 0)
        r = userns_finish(&task, &status, err);
    idmaps_done(&widest.maps);
    return r;
}

// When nobody wants the result, or one of two has failed, the other has no reason to go on.
static int finish_both(struct unpacking *u, struct unpack_stats *ret, struct err *err)
{
    struct err second = {0};
    if (u->unwanted || !u->unpack.ended)
        host_worker_kill(&u->unpack);
    if (!u->digest.ended)
        host_worker_kill(&u->digest);
    bool digest_failed = has_failed(&u->digest);
    // That one was killed for being unwanted is no failure that anybody shall hear of.
    struct err *told = u->unwanted ? &second : err;
    int r = host_worker_finish(&u->unpack, digest_failed ? &second : told);
    int d = host_worker_finish(&u->digest, digest_failed ? told : &second);
    if (u->unwanted)
        return -ECANCELED;
    if (r < 0 || d < 0)
        return digest_failed ? d : r < 0 ? r : err_set(err, EPROTO, "%s", second.text);
    if (u->unpack.last.kind != WIRE_UNPACKED || u->digest.last.kind != WIRE_DIGEST)
        return err_set(err, EPROTO, "bryo-unpack did something else than it was asked for");
    *ret = u->unpack.last.stats;
    memcpy(ret->digest, u->digest.last.digest, sizeof(ret->digest));
    return 0;
}

static int unpack(void *ctx, const struct unpack_request *req, struct unpack_stats *ret,
                  struct err *err)
{
    const struct unpack_context *c = ctx;
    struct unpacking u = {.req = req, .digest = {.report = -1}, .unpack = {.report = -1}};
    AUTO_FREE char *path = NULL;
    int r = host_helper_path("bryo-unpack", &path, err);
    if (r == 0)
        r = own_by_root(c->maps, req->dst_fd, err);
    if (r < 0)
        return r;
    u.bar = host_bar_begin("unpacking", req->show_progress);
    r = start_both(&u, c, path, err);
    if (r < 0) {
        struct err ignored = {0};
        host_worker_kill(&u.unpack);
        (void)host_worker_finish(&u.unpack, &ignored);
        return r;
    }
    listen_both(&u);
    host_bar_erase(&u.bar);
    r = finish_both(&u, ret, err);
    return r < 0 && r != -ECANCELED ? err_stage(err, STAGE_UNPACK) : r;
}

static int remove_tree(void *ctx, int dirfd, const char *name, struct err *err)
{
    (void)ctx;
    struct host_identity widest = {0};
    int r = widest_maps(&widest, err);
    if (r == 0)
        r = host_tree_remove(&widest.maps, dirfd, name, err);
    idmaps_done(&widest.maps);
    return r;
}

void host_unpack_ops(struct unpack_context *context, struct image_ops *ops)
{
    *ops = (struct image_ops){.unpack = unpack, .remove_tree = remove_tree, .ctx = context};
}

// --- the digest alone -------------------------------------------------------------------------

int host_unpack_digest(int fd, char ret[65], struct err *err)
{
    char *argv[] = {NULL, (char *)"digest", NULL};
    struct host_worker_plan plan = {.argv = argv, .fds = {{fd, UNPACK_FD_INPUT}}, .n_fds = 1};
    struct wire_record last;
    int r = host_worker_ask(NULL, &plan, WIRE_DIGEST, NULL, NULL, &last, err);
    if (r == 0)
        memcpy(ret, last.digest, 65);
    return r;
}

void host_unpack_tell(const struct unpack_stats *stats)
{
    if (stats->skipped_devices)
        log_note("%" PRIu64
                 " device nodes of the tarball were not unpacked: the job gets a /dev of its own",
                 stats->skipped_devices);
    if (stats->squashed_owners)
        log_note("%" PRIu64
                 " files of the tarball belong to ids that this user does not have; they belong"
                 " to the job's root instead",
                 stats->squashed_owners);
    if (stats->skipped_xattrs)
        log_note(
            "%" PRIu64
            " extended attributes and ACLs of the tarball were left out: a user may not set them,"
            " overlayfs would obey them, or the file system does not take them",
            stats->skipped_xattrs);
}

// --- verifying --------------------------------------------------------------------------------

static void on_bad(void *ctx, const struct wire_record *rec)
{
    if (rec->kind == WIRE_BAD)
        strv_add(ctx, rec->line);
}

int host_unpack_verify(const struct idmaps *maps, const struct image_ref *ref, bool owners,
                       uint64_t *ret_checked, struct strv *bad, struct err *err)
{
    AUTO_FD int manifest = openat(ref->lock_fd, "manifest", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (manifest < 0)
        return err_sys(err, errno, "cannot open the manifest of the stored image");
    char *argv[] = {NULL, (char *)"verify", (char *)(owners ? "owners" : "no-owners"), NULL};
    struct host_worker_plan plan = {
        .argv = argv,
        .fds = {{ref->rootfs_fd, UNPACK_FD_TREE}, {manifest, UNPACK_FD_MANIFEST}},
        .n_fds = 2};
    struct wire_record last;
    int r = host_worker_ask(maps, &plan, WIRE_VERIFIED, on_bad, bad, &last, err);
    if (r == 0)
        *ret_checked = last.checked;
    return r;
}
