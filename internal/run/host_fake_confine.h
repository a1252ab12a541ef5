// SPDX-License-Identifier: Apache-2.0
// What the process of host_fake.h may do. Host side.
#ifndef BRYO_RUN_HOST_FAKE_CONFINE_H
#define BRYO_RUN_HOST_FAKE_CONFINE_H

// No file but O_PATH, and those of /proc that it reads and writes; no program, socket, process.
// Sets no_new_privs. Before anything of the job is looked at. -errno.
int host_fake_confine(void);

// Once in the job's user namespace: the capabilities to look up what the job's root may, to be in
// its root, to read its memory. -errno.
int host_fake_keep_caps(void);

#endif
