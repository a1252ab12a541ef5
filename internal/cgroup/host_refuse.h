// SPDX-License-Identifier: Apache-2.0
// Why a controller is not to be had, and the command that mends it. Host side, read-only.
#ifndef BRYO_CGROUP_HOST_REFUSE_H
#define BRYO_CGROUP_HOST_REFUSE_H

struct err;
struct place;
struct place_request;

// Fills *ret for the controllers that the request needs and place has not. scope: why no scope
// could be asked for (num 0: it was not tried, or lacks them too).
void host_refuse(const struct place *place, const struct place_request *request,
                 const struct err *scope, struct err *ret);

#endif
