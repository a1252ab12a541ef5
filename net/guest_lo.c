// SPDX-License-Identifier: Apache-2.0
#include "net/guest_lo.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int guest_lo_up(struct err *err)
{
    // A Unix socket would do for the ioctl as well, and on machines without IPv4 it is what there
    // is.
    AUTO_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq req = {.ifr_flags = IFF_UP | IFF_RUNNING};
    (void)strncpy(req.ifr_name, "lo", sizeof(req.ifr_name) - 1);
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &req) < 0)
        return err_sys(err, errno, "cannot bring the loopback interface up");
    return 0;
}
