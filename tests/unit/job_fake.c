// SPDX-License-Identifier: Apache-2.0
#include "internal/job/fakefilter.h"
#include "internal/job/fakeids.h"
#include "internal/job/faketable.h"
#include "internal/job/seccomp.h"
#include "tests/unit/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define KEEP FAKEIDS_KEEP

// --- ids
// ------------------------------------------------------------------------------------------

static struct fake_ids ids;

static void set(int want, enum fakeids_call call, uint32_t a, uint32_t b, uint32_t c,
                const char *what)
{
    is_int(fakeids_set(&ids, call, (const uint32_t[]){a, b, c}, true), want, "%s", what);
}

static void uids(uint32_t r, uint32_t e, uint32_t s, uint32_t fs, const char *what)
{
    ok(ids.uid.real == r && ids.uid.effective == e && ids.uid.saved == s && ids.uid.fs == fs,
       "uid: %s", what);
}

static void check_uids(void)
{
    fakeids_init(&ids, 0, 0);
    set(-EINVAL, FAKEIDS_SETUID, KEEP, 0, 0, "setuid(-1)");
    set(0, FAKEIDS_SETRESUID, KEEP, 5, KEEP, "root: seteuid(5)");
    uids(0, 5, 0, 5, "the effective one");
    set(-EPERM, FAKEIDS_SETRESUID, 7, KEEP, KEEP, "then to another");
    set(-EPERM, FAKEIDS_SETUID, 7, 0, 0, "or by setuid");
    set(0, FAKEIDS_SETRESUID, KEEP, 0, KEEP, "back by the saved one");
    uids(0, 0, 0, 0, "root again");
    set(0, FAKEIDS_SETREUID, 3, 4, 0, "root: setreuid(3, 4)");
    uids(3, 4, 4, 4, "the saved one follows");
    set(-EPERM, FAKEIDS_SETREUID, KEEP, 0, 0, "no way back");
    set(0, FAKEIDS_SETREUID, 4, 3, 0, "swapped");
    uids(4, 3, 3, 3, "and so is it");
    set(0, FAKEIDS_SETREUID, KEEP, KEEP, 0, "setreuid(-1, -1)");
    uids(4, 3, 3, 3, "changes nothing");
    fakeids_init(&ids, 0, 0);
    set(0, FAKEIDS_SETUID, 1000, 0, 0, "root: setuid(1000)");
    uids(1000, 1000, 1000, 1000, "all of them");
    set(-EPERM, FAKEIDS_SETUID, 0, 0, 0, "setuid(0) from there");
    set(0, FAKEIDS_SETUID, 1000, 0, 0, "setuid to what one is");
    set(-EPERM, FAKEIDS_SETGID, 5, 0, 0, "setgid");
    is_int(fakeids_set_groups(&ids, (const uint32_t[]){1}, 1, true), -EPERM, "setgroups");
    fakeids_init(&ids, 0, 0);
    set(0, FAKEIDS_SETFSUID, 9, 0, 0, "setfsuid");
    uids(0, 0, 0, 9, "only that");
    fakeids_init(&ids, 1000, 1000);
    set(-EPERM, FAKEIDS_SETUID, 0, 0, 0, "a job that is not root");
    set(0, FAKEIDS_SETFSUID, 0, 0, 0, "setfsuid never fails");
    uids(1000, 1000, 1000, 1000, "and then does nothing");
}

static void check_gids(void)
{
    fakeids_init(&ids, 0, 0);
    is_int(fakeids_set_groups(&ids, (const uint32_t[]){44, 100}, 2, true), 0, "root: setgroups");
    set(0, FAKEIDS_SETRESGID, 5, 6, 7, "root: setresgid");
    ok(ids.gid.real == 5 && ids.gid.effective == 6 && ids.gid.saved == 7 && ids.gid.fs == 6 &&
           ids.uid.effective == 0 && ids.n_groups == 2 && ids.groups[1] == 100,
       "gids, groups, and no uid");
    set(0, FAKEIDS_SETUID, 33, 0, 0, "and setuid");
    is_int(fakeids_may_chown(&ids, 33, 6, KEEP, 100, true), 0, "an own file to an own group");
    is_int(fakeids_may_chown(&ids, 33, 6, KEEP, 101, true), -EPERM, "to a foreign one");
    is_int(fakeids_may_chown(&ids, 0, 0, KEEP, 44, true), -EPERM, "a foreign file");
    is_int(fakeids_may_chown(&ids, 33, 6, 34, KEEP, true), -EPERM, "to somebody else");
    is_int(fakeids_may_chown(&ids, 33, 6, 33, 6, true), 0, "to whom it belongs");
    fakeids_init(&ids, 0, 0);
    is_int(fakeids_may_chown(&ids, 0, 0, 5, KEEP, false), -EPERM, "root without CAP_CHOWN");
    is_int(fakeids_may_chown(&ids, 0, 0, 0, 0, false), 0, "may leave a file to itself");
    is_int(fakeids_set(&ids, FAKEIDS_SETUID, (const uint32_t[]){5, 0, 0}, false), -EPERM,
           "root without CAP_SETUID");
    is_int(fakeids_set_groups(&ids, NULL, 0, false), -EPERM, "and without CAP_SETGID");
    uint32_t many[FAKEIDS_GROUPS + 1] = {0};
    fakeids_init(&ids, 0, 0);
    is_int(fakeids_set_groups(&ids, many, FAKEIDS_GROUPS + 1, true), -EINVAL, "too many groups");
    fakeids_keep(&ids, true);
    set(0, FAKEIDS_SETRESUID, 8, 8, 8, "setresuid with PR_SET_KEEPCAPS");
    set(0, FAKEIDS_SETRESGID, 8, 8, 8, "groups can be chosen after it");
    is_int(fakeids_set_groups(&ids, NULL, 0, true), 0, "all of them");
    set(-EPERM, FAKEIDS_SETUID, 0, 0, 0, "but no way back");
}

// --- files
// ----------------------------------------------------------------------------------------

static struct fake_file file(uint64_t n)
{
    // Many of one home: two devices, numbers a power of two apart.
    return (struct fake_file){.dev = n & 1, .ino = n / 2 << 20, .birth_ns = n};
}

static void check_table(void)
{
    enum { N = 4000 };
    struct fake_table t = {0};
    static bool there[N];
    bool right = true;
    struct fake_file f = file(1);
    ok(!fake_table_find(&t, &f), "an empty table");
    fake_table_drop(&t, &f);
    unsigned seed = 5;
    for (int round = 0; round < 40000; round++) {
        unsigned i = (unsigned)rand_r(&seed) % N;
        f = file(i);
        there[i] = rand_r(&seed) % 3 != 0;
        struct fake_entry e = {.file = f, .uid = i};
        if (there[i])
            right &= fake_table_put(&t, &e) == 0;
        else
            fake_table_drop(&t, &f);
    }
    size_t n = 0;
    for (unsigned i = 0; i < N; i++) {
        f = file(i);
        const struct fake_entry *e = fake_table_find(&t, &f);
        right &= there[i] ? e && e->uid == i : !e;
        n += there[i];
    }
    ok(right && t.n == n, "forty thousand changes");
    unsigned i = 0;
    while (!there[i])
        i++;
    f = file(i);
    f.birth_ns++;
    ok(!fake_table_find(&t, &f), "a new file with the numbers of a removed one");
    struct fake_entry e = {.file = f, .uid = 77};
    ok(fake_table_put(&t, &e) == 0 && t.n == n && fake_table_find(&t, &f)->uid == 77,
       "replaces it");
    fake_table_done(&t);
}

// --- the filter
// -----------------------------------------------------------------------------------

static struct sock_filter insns[FAKEFILTER_MAX + 1];
static size_t n_insns;

#define GO_ON SECCOMP_RET_LOG // of what stands behind it here

static void call(uint32_t want, uint32_t arch, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
                 uint64_t a3, const char *what)
{
    struct seccomp_data d = {.nr = (int)nr, .arch = arch, .args = {a0, a1, a2, a3}};
    is_int(seccomp_eval(insns, n_insns, &d), want, "%s", what);
}

#define NATIVE(want, nr, a0, a1, a2, a3, what) \
    call(want, seccomp_audit_arch(), nr, a0, a1, a2, a3, what)

static void check_filter(void)
{
    const uint32_t notify = SECCOMP_RET_USER_NOTIF;
    n_insns = fakefilter_write(insns);
    ok(n_insns <= FAKEFILTER_MAX, "it has room");
    insns[n_insns++] = (struct sock_filter){BPF_RET | BPF_K, 0, 0, GO_ON};
    ok(seccomp_is_valid(insns, n_insns), "a program that the kernel takes");
    NATIVE(notify, SYS_fchownat, 0, 0, 1, 1, "fchownat");
    NATIVE(notify, SYS_setresuid, 1, 1, 1, 0, "setresuid");
    NATIVE(notify, SYS_getgroups, 0, 0, 0, 0, "getgroups");
    NATIVE(GO_ON, SYS_read, 0, 0, 0, 0, "read");
    NATIVE(GO_ON, SYS_openat, 0, 0, 0, 0, "openat");
    NATIVE(notify, SYS_newfstatat, 0, 0, 0, AT_SYMLINK_NOFOLLOW, "fstatat");
    NATIVE(notify, SYS_statx, 0, 0, 0, STATX_BASIC_STATS, "statx");
    NATIVE(notify, SYS_statx, 0, 0, 0, STATX_TYPE, "statx for what kind of file it is");
    NATIVE(notify, SYS_statx, 0, 0, 0, STATX_SIZE | STATX_GID, "statx for a group");
    NATIVE(GO_ON, SYS_statx, 0, 0, 0, STATX_SIZE | STATX_INO, "statx for neither goes on");
    NATIVE(notify, SYS_fstat, 0, 0, 0, 0, "fstat");
    NATIVE(notify, SYS_mknodat, 0, 0, S_IFCHR | 0600, 0, "mknod of a device");
    NATIVE(notify, SYS_mknodat, 0, 0, S_IFBLK | 0600, 0, "and of the other kind");
    NATIVE(GO_ON, SYS_mknodat, 0, 0, S_IFIFO | 0600, 0, "of a FIFO");
    NATIVE(GO_ON, SYS_mknodat, 0, 0, 0600, 0, "of a file");
    NATIVE(SECCOMP_RET_ERRNO, SYS_prlimit64, 0, RLIMIT_LOCKS, 0x100, 0, "the limit that is a mark");
    NATIVE(SECCOMP_RET_ERRNO, SYS_prlimit64, 0, RLIMIT_LOCKS, UINT64_C(1) << 32, 0, "high up");
    NATIVE(GO_ON, SYS_prlimit64, 0, RLIMIT_LOCKS, 0, 0x100, "reading it");
    NATIVE(GO_ON, SYS_prlimit64, 0, RLIMIT_NOFILE, 0x100, 0, "another");
    NATIVE(notify, SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, "PR_SET_KEEPCAPS");
    NATIVE(notify, SYS_prctl, PR_SET_SECUREBITS, 1, 0, 0, "PR_SET_SECUREBITS");
    NATIVE(GO_ON, SYS_prctl, PR_SET_NAME, 1, 0, 0, "another prctl");
#ifdef __x86_64__
    NATIVE(notify, SYS_lstat, 0, 0, 0, 0, "lstat");
    NATIVE(notify, SYS_mknod, 0, S_IFCHR, 0x103, 0, "mknod");
    NATIVE(GO_ON, SYS_mknod, 0, S_IFSOCK, 0, 0, "of a socket");
    call(SECCOMP_RET_ERRNO, AUDIT_ARCH_I386, 212, 0, 0, 0, 0, "32 bits: chown32");
    call(GO_ON, AUDIT_ARCH_I386, 4, 0, 0, 0, 0, "32 bits: write");
    call(GO_ON, AUDIT_ARCH_I386, SYS_fchownat, 0, 0, 0, 0, "32 bits: a number of the other ABI");
    NATIVE(GO_ON, SYS_chown | 0x40000000, 0, 0, 0, 0, "x32");
    call(GO_ON, AUDIT_ARCH_AARCH64, SYS_chown, 0, 0, 0, 0, "another machine's");
#endif
}

int main(void)
{
    check_uids();
    check_gids();
    check_table();
    check_filter();
    return done_testing();
}
