// SPDX-License-Identifier: Apache-2.0
// Whether this program was started by its name, or by way of a process that happened to run it.
#ifndef BRYO_BASE_OWN_IMAGE_H
#define BRYO_BASE_OWN_IMAGE_H

struct err;

// The first program of a job may be a link to /proc/self/exe, or name it in its "#!" line: at that
// moment this is the launcher's program, on the machine's own file system, which is out of the
// job's sight. A process that runs it would hold /proc/PID/exe open to the job: the job, root to
// the user that owns the file, could change its mode, and its bytes once no bryo runs
// (CVE-2019-5736). So whoever is started from a mount that its own root does not show ends here, at
// once and undumpable, before it reads a word of what it was started with. -EPERM with err filled
// in.
//
// Holds for a program that is linked statically: a loader would be the image's own.
int own_image_check(struct err *err);

#endif
