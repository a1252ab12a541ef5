// SPDX-License-Identifier: Apache-2.0
// The values of -v, --tmpfs and --device, as docker and podman take them. Pure: whether a source
// exists is for the caller to look at.
#ifndef BRYO_JOB_MOUNTARG_H
#define BRYO_JOB_MOUNTARG_H

#include "internal/job/spec.h"

struct err;

void mount_req_done(struct mount_req *m);

// SRC:DST[:OPTION,...]. SRC: an absolute path, or one relative to cwd that holds a "/" or is "." or
// ".." (a bare word would be the name of a volume, which bryo does not have). Options: ro, rw; z,
// Z, rprivate, private, rbind, cached, delegated, consistent are accepted and change nothing: no
// label is ever needed, and the rest is what bryo does anyway. On success the caller owns *ret.
int mountarg_volume(const char *value, const char *cwd, struct mount_req *ret, struct err *err);

// DST[:OPTION,...]. Options: size=SIZE, mode=OCTAL, exec, noexec (default), ro, rw; nosuid and
// nodev always hold.
int mountarg_tmpfs(const char *value, struct mount_req *ret, struct err *err);

// SRC[:DST][:rwm]; DST defaults to SRC. Fewer rights than rw are refused: without the cgroup's
// device filter nothing would hold them.
int mountarg_device(const char *value, struct mount_req *ret, struct err *err);

#endif
