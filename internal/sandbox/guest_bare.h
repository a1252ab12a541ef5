// SPDX-License-Identifier: Apache-2.0
// What needs no overlay. Guest side.
//
// Programs, headers and libraries of the machine belong to its root, who has no id in the job: the
// job can change nothing there, overlay or not (overlayfs.rst, "permission model"). An overlay only
// makes it dearer to look things up and to open them, which opens each file twice: it made a C
// preprocessor two to three percent slower. So these directories are shown as they are, read-only.
#ifndef BRYO_SANDBOX_GUEST_BARE_H
#define BRYO_SANDBOX_GUEST_BARE_H

struct err;

// Lays the directories that hold them, of the machine's /usr, over the same ones of the job's; not
// those that have another owner, are links, or cannot be made read-only by this kernel (before
// Linux 5.12): the overlay shows these. 0 or -errno with err.
//
// Not usr/local, usr/share or usr/src: a machine may have given a part of them to the user, and
// what is the job's own it can write to.
int guest_bare_show(int machine_usr, int job_usr, struct err *err);

#endif
