// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_privileges.h"

#include "internal/base/err.h"
#include "internal/base/raw.h"
#include "internal/job/idmap.h"
#include "internal/sandbox/guest_fault.h"
#include "internal/sandbox/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>

#define BIT(cap) (UINT64_C(1) << (cap))

// By the kernel's own calls: libc's would carry a change of ids to threads, and there are none.
static int set_ids(const struct sandbox_config *c, struct guest_fault *fault)
{
    static const char hint[] = "the id map of this job does not hold it";
    long r = 0;
    // With one id only, setgroups(2) is denied in the namespace, as user_namespaces(7) has it: the
    // launcher's supplementary groups stay, and show as the overflow group.
    if (c->maps->kind != IDMAP_SINGLE)
        r = raw_syscall(SYS_setgroups, (long)c->n_groups, raw_address(c->groups), 0, 0, 0);
    if (r < 0)
        return guest_fault_note(fault, (int)r, "cannot set the supplementary groups");
    const uint32_t *id = &c->gid;
    r = raw_syscall(SYS_setresgid, c->gid, c->gid, c->gid, 0, 0);
    if (r == 0) {
        id = &c->uid;
        r = raw_syscall(SYS_setresuid, c->uid, c->uid, c->uid, 0, 0);
    }
    if (guest_fault_note(fault, (int)r,
                         id == &c->uid ? "cannot become user" : "cannot become group") < 0) {
        fault->id = id;
        fault->hint = hint;
    }
    return (int)r;
}

// No program that descends from this process can ever gain a capability that is not kept.
static int bound(uint64_t kept, struct guest_fault *fault)
{
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++) {
        long r = kept & BIT(cap) ? 0 : raw_syscall(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
        if (r < 0 && r != -EINVAL) // an older kernel's last one comes earlier
            return guest_fault_note(fault, (int)r, "cannot drop a capability");
    }
    (void)raw_syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return 0;
}

// Where the job's user is not root, no program makes it one again; a user namespace of its own
// starts anew (capabilities(7)). Root's are the kernel's default: programs that run as root have
// what the bounding set leaves them.
static int set_securebits(bool is_root, struct guest_fault *fault)
{
    const long bits = is_root ? SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED
                              : SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED |
                                    SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;
    return guest_fault_note(fault, (int)raw_syscall(SYS_prctl, PR_SET_SECUREBITS, bits, 0, 0, 0),
                            "cannot set the secure bits");
}

static int reduce_capabilities(uint64_t kept, bool is_root, struct guest_fault *fault)
{
    struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};
    for (int i = 0; i < 2 && is_root; i++) {
        uint32_t part = (uint32_t)(kept >> (32 * i));
        data[i] = (struct __user_cap_data_struct){.effective = part, .permitted = part};
    }
    long r = raw_syscall(SYS_capset, raw_address(&hdr), raw_address(data), 0, 0, 0);
    return guest_fault_note(fault, (int)r, "cannot reduce the capabilities");
}

int guest_privileges_drop(const struct sandbox_config *c, struct guest_fault *fault)
{
    int r = bound(c->caps, fault);
    if (r == 0)
        r = set_securebits(c->uid == 0, fault);
    if (r == 0)
        r = set_ids(c, fault);
    if (r == 0)
        r = reduce_capabilities(c->caps, c->uid == 0, fault);
    if (r == 0)
        r = guest_fault_note(fault, (int)raw_syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                             "cannot set no_new_privs");
    return r;
}
