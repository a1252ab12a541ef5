// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_privileges.h"

#include "internal/base/err.h"
#include "internal/job/idmap.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(cap) (UINT64_C(1) << (cap))

static int set_ids(const struct sandbox_config *c, struct err *err)
{
    // With one id only, setgroups(2) is denied in the namespace, as user_namespaces(7) has it: the
    // launcher's supplementary groups stay, and show as the overflow group.
    if (c->maps->kind != IDMAP_SINGLE && setgroups(c->n_groups, c->groups) < 0)
        return err_sys(err, errno, "cannot set the supplementary groups");
    if (setresgid(c->gid, c->gid, c->gid) < 0) {
        (void)err_sys(err, errno, "cannot become group %u", c->gid);
        return err_hint(err, "the id map of this job does not hold it");
    }
    if (setresuid(c->uid, c->uid, c->uid) < 0) {
        (void)err_sys(err, errno, "cannot become user %u", c->uid);
        return err_hint(err, "the id map of this job does not hold it");
    }
    return 0;
}

int guest_privileges_bound(uint64_t kept, struct err *err)
{
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (!(kept & BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
            return err_sys(err, errno, "cannot drop capability %d", cap);
    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return 0;
}

// Where the job's user is not root, no program makes it one again; a user namespace of its own
// starts anew (capabilities(7)). Root's are the kernel's default: programs that run as root have
// what the bounding set leaves them.
static int set_securebits(bool is_root, struct err *err)
{
    const unsigned long bits =
        is_root ? SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED
                : SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_NOROOT |
                      SECBIT_NOROOT_LOCKED;
    return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0
               ? err_sys(err, errno, "cannot set the secure bits")
               : 0;
}

static int reduce_capabilities(uint64_t kept, bool is_root, struct err *err)
{
    struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    for (int i = 0; i < 2 && is_root; i++) {
        uint32_t part = (uint32_t)(kept >> (32 * i));
        data[i] = (struct __user_cap_data_struct){.effective = part, .permitted = part};
    }
    if (syscall(SYS_capset, &hdr, data) < 0)
        return err_sys(err, errno, "cannot reduce the capabilities");
    return 0;
}

int guest_privileges_drop(const struct sandbox_config *c, struct err *err)
{
    int r = set_securebits(c->uid == 0, err);
    if (r == 0)
        r = set_ids(c, err);
    if (r == 0)
        r = reduce_capabilities(c->caps, c->uid == 0, err);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = err_sys(err, errno, "cannot set no_new_privs");
    return r;
}
