// SPDX-License-Identifier: Apache-2.0
// bryo's own helper programs. Host side.
#ifndef BRYO_ROOTS_HOST_HELPER_H
#define BRYO_ROOTS_HOST_HELPER_H

struct err;

// The absolute path of a helper such as "bryo-unpack": ../libexec/bryo/NAME beside the directory
// that the running program is in, in the build tree as when installed; never through PATH. -ENOENT
// with what to do. The caller frees.
int host_helper_path(const char *name, char **ret, struct err *err);

#endif
