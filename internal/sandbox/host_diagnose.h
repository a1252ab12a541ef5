// SPDX-License-Identifier: Apache-2.0
// Why this machine refuses a user namespace, from what it says about itself. Host side, read-only.
#ifndef BRYO_SANDBOX_HOST_DIAGNOSE_H
#define BRYO_SANDBOX_HOST_DIAGNOSE_H

struct err;

// Adds the remedy to a failure with this errno of clone3(CLONE_NEWUSER), of writing a map, or of
// unshare(2) in the new namespace. Returns -err->num.
int host_diagnose_userns(int num, struct err *err);

// The same, reading the sysctls below sysctl_dir instead of /proc/sys.
int host_diagnose_userns_at(const char *sysctl_dir, int num, struct err *err);

// Adds the remedy to a refusal by newuidmap or newgidmap.
int host_diagnose_newidmap(const char *helper, struct err *err);

#endif
