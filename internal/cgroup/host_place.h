// SPDX-License-Identifier: Apache-2.0
// Where a job's cgroup may be made: a directory of cgroup v2 that the kernel or systemd delegated
// to the user. Four sources, in this order: one that the user names, the launcher's own cgroup, a
// scope that the user's systemd makes, none. Host side.
#ifndef BRYO_CGROUP_HOST_PLACE_H
#define BRYO_CGROUP_HOST_PLACE_H

#include "internal/base/err.h"
#include "internal/cgroup/view.h"

#include <stdbool.h>

enum place_source { PLACE_NONE, PLACE_GIVEN, PLACE_CURRENT, PLACE_SCOPE };

struct place_request {
    const char *parent; // what the user named, NULL: nothing
    const char *origin; // "--cgroup-parent" or "BRYO_CGROUP"
    unsigned needs;     // CONTROLLER_*
    unsigned optional;  // of those the ones that can be done without
    bool wanted;        // worth asking systemd for, which takes some milliseconds
    const char *helper; // absolute path of bryo-scope; NULL: it is not installed
    char *const *envp;  // the launcher's own
};

struct place {
    enum place_source source;
    struct cgroup_view view;
    char *path;           // PLACE_SCOPE: NULL until it was entered
    int fd;               // of path, -1 before
    unsigned controllers; // that it grants, or is known to
    bool ns_root;         // the root of a cgroup namespace: all in it is this job's own
    struct err why;       // why a needed controller is missing, and what mends it; num 0: none is
};

#define PLACE_INIT ((struct place){.fd = -1})

// Looks, and makes nothing. -errno with err only where what the user named cannot be used; a place
// that lacks something is told by ret->controllers and ret->why.
int host_place_find(const struct place_request *request, struct place *ret, struct err *err);

// Makes the place ready for children with controllers: asks for the scope (called "bryo-ID.scope"),
// puts the launcher, and whoever else is in the place, into a leaf of their own where controllers
// are to be enabled (the no-internal-process rule), and enables what is granted. needs: those that
// must be; the place is not touched more than it must be for them.
int host_place_enter(struct place *place, const struct place_request *request, const char *id,
                     const char *description, struct err *err);

void host_place_done(struct place *place);

#define LAUNCHER_LEAF "bryo-launcher"

#endif
