// SPDX-License-Identifier: Apache-2.0
#include "internal/fake/guest_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static const uint16_t allowed[] = {
    SYS_ioctl,        SYS_close,
    SYS_read,         SYS_write, // of the listener, /proc/PID/status, standard error
    SYS_pwrite64,     SYS_process_vm_readv,
    SYS_prlimit64, // a caller's memory and ids
    SYS_statx,        SYS_newfstatat,
    SYS_fstat,        SYS_readlinkat,
    SYS_fchownat,     SYS_mknodat, // its files
    SYS_setns,        SYS_fchdir,
    SYS_chroot,       SYS_capset, // to where it is
    SYS_brk,          SYS_mmap,
    SYS_munmap,       SYS_mremap,
    SYS_madvise, // malloc(3)
    SYS_futex,        SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_restart_syscall,
    SYS_getpid,       SYS_gettid,
    SYS_tgkill,       SYS_exit,
    SYS_exit_group};

#define N_ALLOWED (sizeof(allowed) / sizeof(allowed[0]))

int guest_fake_confine(void)
{
    struct sock_filter f[2 * N_ALLOWED + 16];
    size_t n = 0;
    f[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE, 1, 0);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    f[n++] =
        (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < N_ALLOWED; i++) {
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
        f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    // Nothing is made or emptied by opening it.
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                                          offsetof(struct seccomp_data, args[2]));
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
                                          O_CREAT | O_TRUNC | O_WRONLY | O_APPEND, 1, 0);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    const struct sock_fprog prog = {.len = (unsigned short)n, .filter = f};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        // It stands between a job and its files for microseconds: no other speculation than the
        // job's (internal/job/seccomp.h).
        syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &prog) < 0)
        return -errno;
    return 0;
}

#define BIT(cap) (1U << (cap))

int guest_fake_keep_caps(void)
{
    struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
    const uint32_t kept = BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER) |
                          BIT(CAP_SYS_CHROOT) | BIT(CAP_SYS_PTRACE);
    struct __user_cap_data_struct data[2] = {{.effective = kept, .permitted = kept}};
    return syscall(SYS_capset, &hdr, data) < 0 ? -errno : 0;
}

int guest_fake_root(int fd)
{
    return fchdir(fd) < 0 || chroot(".") < 0 ? -errno : 0;
}
