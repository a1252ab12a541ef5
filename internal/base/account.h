// SPDX-License-Identifier: Apache-2.0
// The account of a user of this machine.
//
// Not by getpwuid(3): that loads whatever nsswitch.conf names into the process, which a static
// program cannot and a launcher should not. /etc/passwd is read; a user who is not in there (LDAP,
// systemd-homed) is asked for at getent(1), in a process of its own.
#ifndef BRYO_BASE_ACCOUNT_H
#define BRYO_BASE_ACCOUNT_H

#include <sys/types.h>

struct account {
    char *name;
    char *home;
};

void account_done(struct account *a);
#define AUTO_ACCOUNT AUTO(account_done)

// 0, or -ENOENT where nothing knows the user (a container started with a bare number).
int account_of(uid_t uid, struct account *ret);

#endif
