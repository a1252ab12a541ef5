// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_shed.h"

#include "internal/base/raw.h"
#include "internal/job/stage.h"
#include "internal/sandbox/guest_fault.h"
#include "internal/sandbox/guest_privileges.h"
#include "internal/sandbox/guest_seccomp.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdint.h>

// In a session of its own the job has no controlling terminal but the one it is given: what it
// could otherwise type into the user's (TIOCSTI) has nowhere to go.
static int leave_session(struct guest_fault *fault)
{
    fault->stage = STAGE_TTY;
    return guest_fault_note(fault, (int)raw_syscall(SYS_setsid, 0, 0, 0, 0, 0),
                            "cannot make a session for the command");
}

// Whoever possesses the launcher's session keyring (session-keyring(7)) may read what is in it, in
// whatever user namespace: the job gets one of its own. Where the call itself is refused (a
// container's seccomp profile, a kernel without keys) the job is refused it as well.
static int leave_keyring(struct guest_fault *fault)
{
    long r = raw_syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0, 0);
    if (r >= 0 || r == -ENOSYS || r == -EPERM)
        return 0;
    (void)guest_fault_note(fault, (int)r, "cannot give the job a session keyring of its own");
    fault->hint = "the user's quota of keys may be used up (/proc/key-users); as root: "
                  "sysctl -w kernel.keys.maxkeys=2000";
    return (int)r;
}

// Whatever the launcher's parent ignored is handled by default.
static void reset_signals(void)
{
    const struct {
        void *handler; // SIG_DFL
        unsigned long flags;
        void *restorer;
        uint64_t mask;
    } dfl = {0};                         // struct sigaction as the kernel has it
    for (int sig = 1; sig < NSIG; sig++) // KILL and STOP refuse: they are as they are
        (void)raw_syscall(SYS_rt_sigaction, sig, raw_address(&dfl), 0, sizeof(dfl.mask), 0);
}

bool guest_shed_filter_early(const struct sandbox_config *c)
{
    return c->seccomp.own && !c->landlock;
}

int guest_shed(const struct sandbox_config *c, int chan, struct guest_fault *fault)
{
    int r = leave_session(fault);
    if (r < 0)
        return r;
    reset_signals();
    fault->stage = STAGE_PRIVILEGES;
    r = guest_privileges_drop(c, fault);
    if (r >= 0)
        r = leave_keyring(fault);
    if (r >= 0 && guest_shed_filter_early(c))
        r = guest_seccomp_install(&c->seccomp, chan, fault);
    return r < 0 ? r : 0;
}
