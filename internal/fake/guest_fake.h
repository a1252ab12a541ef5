// SPDX-License-Identifier: Apache-2.0
// The process of host_fake.h on its way into the job: what it may do, whose root it has. Guest
// side.
#ifndef BRYO_FAKE_GUEST_FAKE_H
#define BRYO_FAKE_GUEST_FAKE_H

// No file but O_PATH, and those of /proc that it reads and writes; no program, socket, process.
// Sets no_new_privs. Before anything of the job is looked at. -errno.
int guest_fake_confine(void);

// Once in the job's user namespace: the capabilities to look up what the job's root may, to be in
// its root, to read its memory. -errno.
int guest_fake_keep_caps(void);

// Makes the directory behind fd (O_PATH) its root and where it is. -errno.
int guest_fake_root(int fd);

#endif
