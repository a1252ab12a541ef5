// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/host_identity.h"

#include "internal/base/account.h"
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/sandbox/host_idhelper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SUBID_FILE_MAX (16U << 20)

static bool may_set_ids(void)
{
    struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &hdr, data) < 0)
        return false;
    uint32_t need = 1U << CAP_SETUID | 1U << CAP_SETGID;
    return (data[0].effective & need) == need;
}

static int own_map(const char *file, struct idmap *ret, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    int r = fd_read_file(AT_FDCWD, file, 65536, &text);
    if (r == 0)
        r = idmap_parse_proc(ret, buf_str(&text));
    return r < 0 ? err_sys(err, -r, "cannot read %s", file) : 0;
}

// All ids of the launcher's own namespace, under their own numbers; of the machine's root, what an
// ordinary root file system uses (a container's 65536 ids).
static void identity_of(const struct idmap *own, struct idmap *ret)
{
    for (size_t i = 0; i < own->n; i++) {
        uint32_t first = own->ext[i].inside;
        uint32_t count = own->ext[i].count;
        if (first > 65536)
            continue;
        if (count > 65537 - first)
            count = 65537 - first;
        idmap_add(ret, first, first, count);
    }
}

static bool has_many(const struct idmap *map)
{
    return map->n > 1 || (map->n == 1 && map->ext[0].count > 1);
}

static int ranges_of(const char *file, const char *name, uint32_t id, struct idmap *ret)
{
    AUTO_BUF struct buf text = {0};
    int r = fd_read_file(AT_FDCWD, file, SUBID_FILE_MAX, &text);
    if (r < 0 && r != -ENOENT)
        return r;
    AUTO_FREE struct id_range *ranges = NULL;
    size_t n = 0;
    idmap_parse_subid(buf_str(&text), name, getuid(), &ranges, &n);
    if (n == 0)
        return -ENODATA;
    idmap_from_ranges(ret, id, ranges, n);
    return 0;
}

static const char *subids_missing(struct idmaps *maps)
{
    AUTO_ACCOUNT struct account account = {0};
    (void)account_of(getuid(), &account); // a range may also be granted to the bare number
    const char *name = account.name;
    if (ranges_of("/etc/subuid", name, geteuid(), &maps->uid) < 0)
        return "/etc/subuid grants this user no range";
    if (ranges_of("/etc/subgid", name, getegid(), &maps->gid) < 0)
        return "/etc/subgid grants this user no range";
    if (!host_idhelper_path("newuidmap"))
        return "newuidmap is not installed";
    if (!host_idhelper_path("newgidmap"))
        return "newgidmap is not installed";
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return "bryo was started with no_new_privs, under which newuidmap has no privilege";
    return NULL;
}

static int need_subids(const char *missing, struct err *err)
{
    (void)err_set(err, EINVAL, "--userns subids: %s", missing);
    if (missing[0] == 'n')
        return err_hint(err, "install the package \"uidmap\" (Fedora: shadow-utils), or use "
                             "--userns single");
    if (missing[0] == 'b')
        return err_hint(err, "start bryo without no_new_privs, or use --userns single");
    return err_hint(err, "as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 "
                         "USER; or use --userns single");
}

static int base_maps(const struct job_spec *spec, struct host_identity *id, struct err *err)
{
    struct idmaps *maps = &id->maps;
    if (spec->userns == USERNS_SINGLE) {
        id->single = "--userns single was given";
        return 0;
    }
    if (may_set_ids()) {
        struct idmap uid = {0};
        struct idmap gid = {0};
        int r = own_map("/proc/self/uid_map", &uid, err);
        if (r == 0)
            r = own_map("/proc/self/gid_map", &gid, err);
        if (r == 0) {
            identity_of(&uid, &maps->uid);
            identity_of(&gid, &maps->gid);
            maps->kind = IDMAP_DIRECT;
        }
        idmap_done(&uid);
        idmap_done(&gid);
        if (r < 0 || has_many(&maps->uid))
            return r;
        idmaps_done(maps);
    }
    const char *missing = subids_missing(maps);
    if (!missing) {
        maps->kind = IDMAP_SUBIDS;
        return 0;
    }
    idmaps_done(maps);
    if (spec->userns == USERNS_SUBIDS)
        return need_subids(missing, err);
    id->single = missing;
    return 0;
}

static int apply_flags(const struct job_spec *spec, struct idmaps *maps, struct err *err)
{
    const struct idmap *flags[2] = {&spec->uidmap, &spec->gidmap};
    const uint64_t *absolute[2] = {spec->uidmap_absolute, spec->gidmap_absolute};
    struct idmap *target[2] = {&maps->uid, &maps->gid};
    // As podman has it: with only one of the two given, it counts for both.
    if (flags[0]->n && !flags[1]->n) {
        flags[1] = flags[0];
        absolute[1] = absolute[0];
    } else if (flags[1]->n && !flags[0]->n) {
        flags[0] = flags[1];
        absolute[0] = absolute[1];
    }
    for (int i = 0; i < 2 && flags[i]->n; i++) {
        const char *what = i == 0 ? "--uidmap" : "--gidmap";
        struct idmap got = {0};
        int r = idmap_resolve(&got, flags[i], absolute[i], target[i], err);
        if (r == 0)
            r = idmap_check(&got, what, err);
        if (r < 0) {
            idmap_done(&got);
            return r;
        }
        idmap_done(target[i]);
        *target[i] = got;
    }
    return 0;
}

// Scratch and store belong to the user, whose directories nobody else may enter: a job without that
// id could not even reach its own root.
static int check_own(const struct idmaps *maps, struct err *err)
{
    uint32_t inside;
    bool has_uid = idmap_to_inside(&maps->uid, geteuid(), &inside);
    if (has_uid && idmap_to_inside(&maps->gid, getegid(), &inside))
        return 0;
    (void)err_set(err, EINVAL, "%s leaves out your own %s id, to which bryo's files belong",
                  has_uid ? "--gidmap" : "--uidmap", has_uid ? "group" : "user");
    return err_hint(err, "give it a place, such as %s 65534:0:1",
                    has_uid ? "--gidmap" : "--uidmap");
}

static bool holds_real_root(const struct idmaps *maps)
{
    uint32_t inside;
    struct idmap own = {0};
    bool real = true; // when it cannot be told
    if (!idmap_to_inside(&maps->uid, 0, &inside))
        return false;
    if (own_map("/proc/self/uid_map", &own, NULL) == 0) {
        uint32_t outside;
        real = idmap_to_outside(&own, 0, &outside) && outside == 0;
    }
    idmap_done(&own);
    return real;
}

int host_identity_choose(const struct job_spec *spec, uint32_t want_uid, uint32_t want_gid,
                         struct host_identity *ret, struct err *err)
{
    struct host_identity id = {0};
    int r = base_maps(spec, &id, err);
    if (r == 0 && id.single) {
        id.maps.kind = IDMAP_SINGLE;
        bool mapped = spec->uidmap.n || spec->gidmap.n;
        idmap_add(&id.maps.uid, mapped ? 0 : want_uid, geteuid(), 1);
        idmap_add(&id.maps.gid, mapped ? 0 : want_gid, getegid(), 1);
    }
    if (r == 0)
        r = apply_flags(spec, &id.maps, err);
    if (r == 0)
        r = check_own(&id.maps, err);
    if (r < 0) {
        idmaps_done(&id.maps);
        return err_stage(err, STAGE_IDENTITY);
    }
    id.real_root = holds_real_root(&id.maps);
    *ret = id;
    return 0;
}
