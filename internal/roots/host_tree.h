// SPDX-License-Identifier: Apache-2.0
// Removing what a job left, whoever owns it. Host side.
#ifndef BRYO_ROOTS_HOST_TREE_H
#define BRYO_ROOTS_HOST_TREE_H

struct err;
struct idmaps;

// Removes name below dirfd. As the user first; where that does not do, since subordinate ids own
// parts of it, as root of a user namespace that maps them.
int host_tree_remove(const struct idmaps *maps, int dirfd, const char *name, struct err *err);

#endif
