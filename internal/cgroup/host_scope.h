// SPDX-License-Identifier: Apache-2.0
// A transient scope from the user's systemd, by way of bryo-scope: libsystemd takes milliseconds to
// load, so it is loaded only where a scope is wanted. Host side.
#ifndef BRYO_CGROUP_HOST_SCOPE_H
#define BRYO_CGROUP_HOST_SCOPE_H

struct cgroup_view;
struct err;
struct place_request;

#define SCOPE_SLICE "app-bryo.slice"

// Whether there is somebody to ask, and which controllers the user's systemd was granted
// (CONTROLLERS_ALL where that cannot be seen). Asks nobody. -errno with *why.
int host_scope_look(const struct place_request *request, const struct cgroup_view *view,
                    unsigned *ret_controllers, struct err *why);

// The launcher is in the scope when this returns 0.
int host_scope_enter(const struct place_request *request, const char *id, const char *description,
                     struct err *err);

#endif
