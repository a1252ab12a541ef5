// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_command.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fspath.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_mnt.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_pair(int rootfd, struct guest_tty *tty)
{
    int unlock = 0;
    tty->master = fspath_open(rootfd, "dev/pts/ptmx", O_RDWR | O_NOCTTY);
    if (tty->master < 0)
        return tty->master;
    if (ioctl(tty->master, TIOCSPTLCK, &unlock) < 0)
        return -errno;
    // By ioctl and not by name: /dev/pts/N could be anything by the time it is opened.
    tty->slave = ioctl(tty->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return tty->slave < 0 ? -errno : 0;
}

static int show_console(int rootfd, int slave)
{
    AUTO_FD int dev = fspath_open(rootfd, "dev", O_PATH | O_DIRECTORY);
    if (dev < 0)
        return dev;
    if (mknodat(dev, "console", S_IFREG | 0600, 0) < 0)
        return -errno;
    AUTO_FD int tree = guest_mnt_clone(slave, "", false);
    return tree < 0 ? tree : guest_mnt_attach_at(tree, dev, "console");
}

static int open_tty(int rootfd, const struct sandbox_config *c, bool console, struct guest_tty *ret,
                    struct err *err)
{
    int r = open_pair(rootfd, ret);
    if (r == 0 && fchown(ret->slave, c->uid, (gid_t)-1) < 0)
        r = -errno;
    if (r == 0 && c->winsize.ws_row && ioctl(ret->master, TIOCSWINSZ, &c->winsize) < 0)
        r = -errno;
    if (r == 0 && console)
        r = show_console(rootfd, ret->slave);
    if (r < 0) {
        (void)err_sys(err, -r, "cannot open a terminal for the job");
        return err_stage(err, STAGE_TTY);
    }
    return 0;
}

int guest_tty_open(int rootfd, const struct sandbox_config *c, struct guest_tty *ret,
                   struct err *err)
{
    return open_tty(rootfd, c, true, ret, err);
}

int guest_tty_open_more(int rootfd, const struct sandbox_config *c, struct guest_tty *ret,
                        struct err *err)
{
    return open_tty(rootfd, c, false, ret, err);
}
