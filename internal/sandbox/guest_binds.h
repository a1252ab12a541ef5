// SPDX-License-Identifier: Apache-2.0
// What the user mounts into the job: the workspace, -v, --tmpfs, --device, and bryo's own files of
// /etc where they are no layer. Guest side.
//
// Two steps, since a source may lie below what the root's own mounts cover: the sources are cloned
// (detached) while the machine's tree is still as it was, and attached once the root stands.
#ifndef BRYO_SANDBOX_GUEST_BINDS_H
#define BRYO_SANDBOX_GUEST_BINDS_H

#include <stddef.h>

struct err;
struct sandbox_config;

struct guest_binds {
    int *trees; // one a mount; -1 for a tmpfs
    size_t n;
};

void guest_binds_done(struct guest_binds *binds);
#define AUTO_BINDS AUTO(guest_binds_done)

int guest_binds_collect(struct guest_binds *binds, const struct sandbox_config *config,
                        struct err *err);
int guest_binds_attach(struct guest_binds *binds, int rootfd, const struct sandbox_config *config,
                       struct err *err);

// Makes the working directory where it is missing, as docker's -w does; one that is there stays as
// it is.
int guest_binds_workdir(int rootfd, const struct sandbox_config *config, struct err *err);

// Mounts hosts, hostname and resolv.conf of the init layer onto etc/ one by one, read-only: where
// the image's /etc is a link, or the root could not be made writable (then only those that exist).
int guest_binds_etc(int rootfd, const char *init_layer, struct err *err);

#endif
