// SPDX-License-Identifier: Apache-2.0
#include "net/guest_lo.h"

#include "internal/base/err.h"
#include "internal/base/raw.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int guest_lo_up(struct err *err)
{
    // A Unix socket would do for the ioctl as well, and on machines without IPv4 it is what there
    // is.
    long fd = raw_syscall(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
    if (fd < 0)
        fd = raw_syscall(SYS_socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
    struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    long r = fd < 0 ? fd : raw_syscall(SYS_ioctl, fd, SIOCSIFFLAGS, raw_address(&req), 0, 0);
    if (fd >= 0)
        (void)raw_syscall(SYS_close, fd, 0, 0, 0, 0);
    return r < 0 ? err_sys(err, (int)-r, "cannot bring the loopback interface up") : 0;
}
