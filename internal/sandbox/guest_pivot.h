// SPDX-License-Identifier: Apache-2.0
// The last step of the set-up: the machine's tree goes out of reach. Guest side.
#ifndef BRYO_SANDBOX_GUEST_PIVOT_H
#define BRYO_SANDBOX_GUEST_PIVOT_H

struct err;

// Makes the mount behind rootfd (O_PATH) the root of this process and lets go of the old one.
// *ret_notice: set to a static string where pivot_root(2) is not possible (the machine's root is an
// initramfs) and chroot(2) onto the moved mount has to do; else untouched.
int guest_pivot(int rootfd, const char **ret_notice, struct err *err);

#endif
