// SPDX-License-Identifier: Apache-2.0
// What a process sees of control groups, from the text of /proc/self/mountinfo and
// /proc/self/cgroup (cgroups(7)). Pure.
#ifndef BRYO_CGROUP_VIEW_H
#define BRYO_CGROUP_VIEW_H

#include <stdbool.h>

enum cgroup_kind {
    CGROUP_NO,     // nothing is mounted
    CGROUP_V1,     // only version 1
    CGROUP_HYBRID, // version 2 beside controllers on version 1
    CGROUP_V2,
};

struct cgroup_view {
    enum cgroup_kind kind;
    char *mount; // where version 2 is mounted; NULL: nowhere
    char *root;  // what of it is mounted there, "/" as a rule
    char *path;  // the process's own cgroup of version 2 ("0::"); NULL: none
    char *dir;   // the same as a directory; NULL where it lies outside of the mount
    unsigned v1; // CONTROLLER_* that are mounted as version 1
};

void cgroup_view_parse(const char *mountinfo, const char *cgroup, struct cgroup_view *ret);
void cgroup_view_done(struct cgroup_view *view);

// "cgroup v1", "a hybrid of cgroup v1 and v2" ...
const char *cgroup_kind_words(enum cgroup_kind kind);

// The directory of a cgroup path, or NULL. The caller frees.
char *cgroup_view_dir(const struct cgroup_view *view, const char *path);

// Whether a component of path is a unit of systemd (NAME.service, .scope, .slice): then what lies
// below belongs to systemd's, unless it was delegated.
bool cgroup_path_has_unit(const char *path);

// The length of what two absolute directories have in common, in whole components.
unsigned long cgroup_common(const char *a, const char *b);

#endif
