// SPDX-License-Identifier: Apache-2.0
// Reads what a machine says of itself, for bryo doctor. Host side, read-only.
#ifndef BRYO_DOCTOR_HOST_MACHINE_H
#define BRYO_DOCTOR_HOST_MACHINE_H

struct machine;

// root: a directory in the place of "/", "" for the machine's own. What is not there stays unknown,
// which is no failure. Fills everything but cache, free_bytes, free_inodes and bryo.
void host_machine_read(const char *root, char *const envp[], struct machine *ret);

// The disk below dir: cache, its kind, and what is free there.
void host_machine_read_disk(const char *dir, struct machine *ret);

#endif
