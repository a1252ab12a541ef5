// SPDX-License-Identifier: Apache-2.0
// bryo's own profile, call by call. The yardsticks are the profiles that moby and podman publish
// (moby/profiles seccomp/default.json, containers/common pkg/seccomp/seccomp.json); every
// difference to either stands in the table, and is argued above it. tests/helpers/peers.py holds
// the table against their files.
//
// Every call that Linux has (6.18) stands in one of the lists: allowed; refused with EPERM; or
// absent, which is ENOSYS, for what a kernel may well be built without, so that programs take
// another way. What stands in none of them is newer than this file and absent too: moby gives EPERM
// there, on which libc does not fall back. A test holds the lists against libseccomp's.
//
// i386 is filtered by the same names, since 32-bit programs are built and tested on 64-bit
// machines. x32 is absent as a whole (both peers allow it): kernels have it off by default, nothing
// in a distribution uses it, and it is a second set of doors to guard. So are foreign ABIs.
#include "internal/base/cleanup.h"
#include "internal/job/seccomp.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>

enum verdict {
    SAME, // as here: what a peer has that this table does not differ from
    ALLOW,
    REFUSE, // EPERM
    ABSENT, // ENOSYS
    NEST, // what a user namespace of the job's own is made and furnished with: not with --no-userns
    NEEDS, // allowed where the job has the capability; a peer's may be another one
};

struct group {
    enum verdict verdict;
    int cap;
    enum verdict moby; // what becomes of a job that has docker's capabilities, by its profile
    enum verdict podman;
    const char *calls;
};

static const struct group groups[] = {
    // Files.
    {ALLOW, 0, SAME, SAME,
     "access chdir chmod chown chown32 close close_range copy_file_range creat dup dup2 dup3 "
     "faccessat faccessat2 fadvise64 fadvise64_64 arm_fadvise64_64 fallocate fchdir fchmod "
     "fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr "
     "flock fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate "
     "ftruncate64 futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init "
     "inotify_init1 inotify_rm_watch lchown lchown32 lgetxattr link linkat listxattr llistxattr "
     "_llseek lremovexattr lseek lsetxattr lstat lstat64 mkdir mkdirat mknod mknodat "
     "name_to_handle_at newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev "
     "pwritev2 read readahead readlink readlinkat readv removexattr rename renameat renameat2 "
     "rmdir sendfile sendfile64 setxattr splice stat stat64 statfs statfs64 statx symlink "
     "symlinkat sync sync_file_range sync_file_range2 arm_sync_file_range syncfs tee truncate "
     "truncate64 umask unlink unlinkat utime utimensat utimensat_time64 utimes write writev"},
    // Waiting for descriptors; asynchronous files (not io_uring, see below).
    {ALLOW, 0, SAME, SAME,
     "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 "
     "io_cancel io_destroy io_getevents io_setup io_submit fanotify_mark _newselect pipe pipe2 "
     "poll ppoll ppoll_time64 pselect6 pselect6_time64 select signalfd signalfd4 timerfd_create "
     "timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64"},
    // Memory; memfd_secret hides it from nobody but the job's own tracers.
    {ALLOW, 0, SAME, SAME,
     "brk madvise membarrier memfd_create memfd_secret mincore mlock mlock2 mlockall mmap mmap2 "
     "mprotect mremap msync munlock munlockall munmap pkey_alloc pkey_free pkey_mprotect "
     "remap_file_pages"},
    // Processes, threads, signals. What may be sent a signal is what the PID namespace shows.
    {ALLOW, 0, SAME, SAME,
     "alarm capget capset execve execveat exit exit_group fork vfork futex futex_time64 getcpu "
     "getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpgid "
     "getpgrp getpid getppid getpriority getresgid getresgid32 getresuid getresuid32 getrlimit "
     "get_robust_list getrusage getsid get_thread_area gettid getuid getuid32 ioprio_get "
     "ioprio_set kill nanosleep pause pidfd_open pidfd_send_signal prctl prlimit64 "
     "process_mrelease restart_syscall rseq rt_sigaction rt_sigpending rt_sigprocmask "
     "rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
     "rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max "
     "sched_get_priority_min sched_getscheduler sched_rr_get_interval "
     "sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
     "sched_setscheduler sched_yield setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 "
     "setgroups setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid "
     "setresgid32 setresuid setresuid32 setreuid setreuid32 setrlimit set_robust_list setsid "
     "set_thread_area set_tid_address setuid setuid32 sigaltstack sigprocmask sigreturn tgkill "
     "tkill timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 "
     "timer_settime timer_settime64 ugetrlimit wait4 waitid waitpid"},
    // The processor's own.
    {ALLOW, 0, SAME, SAME, "arch_prctl cacheflush breakpoint set_tls"},
    // Clocks can be read by all of these; setting one is for CAP_SYS_TIME of the machine.
    {ALLOW, 0, SAME, SAME,
     "adjtimex clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
     "clock_gettime64 clock_nanosleep clock_nanosleep_time64 getrandom gettimeofday sysinfo time "
     "times uname"},
    // Messages. socket, socketpair and socketcall have rules of their own below.
    {ALLOW, 0, SAME, SAME,
     "accept accept4 bind connect getpeername getsockname getsockopt listen recv recvfrom recvmmsg "
     "recvmmsg_time64 recvmsg send sendmmsg sendmsg sendto setsockopt shutdown ipc mq_getsetattr "
     "mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 "
     "mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat "
     "shmctl shmdt shmget"},
    // A job may shut itself in further.
    {ALLOW, 0, SAME, SAME,
     "landlock_add_rule landlock_create_ruleset landlock_restrict_self "
     "seccomp"},
    // Debuggers trace their own children; both readers ask the same question of the kernel as
    // ptrace(2), and it says no for whatever is not the job's own. Both peers have them so; moby
    // since Linux 4.8, where tracing no longer gets around a filter.
    {ALLOW, 0, SAME, SAME, "ptrace process_vm_readv process_vm_writev"},

    // What podman's list has not caught up with, and moby's has. Each does to the job's own files,
    // memory and threads what an older call, allowed by both, has long done.
    {ALLOW, 0, SAME, ABSENT,
     "getxattrat listxattrat removexattrat setxattrat listmount statmount mseal"},
    // podman refuses these by name. moby allows them: each acts on the caller's own memory, threads
    // and descriptors, and libraries use them (map_shadow_stack is what -fcf-protection programs
    // get
    // theirs by; io_pgetevents is io_getevents with a signal mask).
    {ALLOW, 0, SAME, REFUSE,
     "cachestat futex_requeue futex_wait futex_waitv futex_wake io_pgetevents "
     "io_pgetevents_time64 map_shadow_stack vmsplice"},
    // The kernel's own trampolines call uretprobe and uprobe when the machine's administrator
    // traces a program, and refusing them would kill it. moby has the first, podman neither.
    {ALLOW, 0, SAME, ABSENT, "uretprobe"},
    {ALLOW, 0, REFUSE, ABSENT, "uprobe"},
    // Newer (6.17) than moby's and podman's lists: what ioctl(FS_IOC_FSSETXATTR) has long done.
    {ALLOW, 0, REFUSE, ABSENT, "file_getattr file_setattr"},
    // Both peers ask for the capability here; the kernel does as well, in whatever user namespace
    // counts, so that one inside of the job has it.
    {ALLOW, 0, NEEDS, NEEDS, "chroot"},

    // Namespaces in namespaces: bryo in bryo, browsers, bubblewrap. As podman; moby allows them
    // with SYS_ADMIN only. In the job's own namespace they all end in EPERM for want of SYS_ADMIN.
    {NEST, 0, NEEDS, SAME,
     "fsconfig fsmount fsopen fspick mount mount_setattr move_mount open_tree setns umount "
     "umount2"},
    // As podman; moby refuses it whatever the capabilities.
    {NEST, 0, REFUSE, SAME, "pivot_root"},
    // As open_tree and mount_setattr in one; newer (6.15) than moby's and podman's lists.
    {NEST, 0, REFUSE, ABSENT, "open_tree_attr"},
    // For the name of a UTS namespace of the job's own; both peers ask for SYS_ADMIN.
    {NEST, 0, NEEDS, NEEDS, "setdomainname sethostname"},

    // As both peers have them. Most ask for the capability in the machine's own user namespace,
    // where a job has none: the rule only spares a job that was given it from a second no.
    {NEEDS, CAP_DAC_READ_SEARCH, SAME, SAME, "open_by_handle_at"},
    {NEEDS, CAP_SYS_PTRACE, SAME, SAME, "kcmp process_madvise"},
    {NEEDS, CAP_SYS_TTY_CONFIG, SAME, SAME, "vhangup"},
    {NEEDS, CAP_SYS_ADMIN, SAME, SAME, "quotactl quotactl_fd"},
    {NEEDS, CAP_SYS_PACCT, SAME, SAME, "acct"},
    {NEEDS, CAP_SYS_TIME, SAME, SAME, "clock_settime clock_settime64 settimeofday stime"},
    // As moby has them; podman allows them to all. No build needs them: pidfd_getfd takes
    // descriptors out of another process, the next three say on which node of the machine memory
    // lies, syslog reads the machine's log where a setting lets it (dmesg_restrict), fanotify_init
    // watches files, and reboot is for the machine.
    {NEEDS, CAP_SYS_PTRACE, SAME, ALLOW, "pidfd_getfd"},
    {NEEDS, CAP_SYS_NICE, SAME, ALLOW, "get_mempolicy mbind set_mempolicy"},
    {NEEDS, CAP_SYSLOG, SAME, ALLOW, "syslog"},
    {NEEDS, CAP_SYS_ADMIN, SAME, ALLOW, "fanotify_init"},
    {NEEDS, CAP_SYS_BOOT, SAME, ALLOW, "reboot"},
    // As its three kin above, which podman's list is too old for.
    {NEEDS, CAP_SYS_NICE, SAME, ABSENT, "set_mempolicy_home_node"},

    // No capability opens these, since a job's count for nothing there and all have been ways in.
    // As both peers: kexec, swap, ports of a PCI bus, page faults handled by the job (races won at
    // leisure), moving pages of other processes between nodes.
    {REFUSE, 0, SAME, SAME,
     "userfaultfd kexec_file_load kexec_load migrate_pages move_pages swapoff swapon "
     "pciconfig_iobase pciconfig_read pciconfig_write"},
    // The kernel's keys are not namespaced. podman has no word of the first two (ENOSYS: programs
    // believe that there is no such thing), and its keyctl reads them.
    {REFUSE, 0, SAME, ABSENT, "add_key request_key"},
    {REFUSE, 0, SAME, ALLOW, "keyctl"},
    // A second table of system calls that no filter sees. EPERM, as by moby and by a machine whose
    // administrator has switched it off (kernel.io_uring_disabled); podman says ENOSYS.
    {REFUSE, 0, SAME, ABSENT, "io_uring_enter io_uring_register io_uring_setup"},
    // Its tracing and its BPF, modules, ports, old profiles: both peers (create_module: neither)
    // open them to PERFMON, BPF, SYS_MODULE, SYS_RAWIO or SYS_ADMIN, which mean the machine's.
    {REFUSE, 0, NEEDS, NEEDS,
     "bpf perf_event_open delete_module finit_module init_module ioperm iopl lookup_dcookie"},
    {REFUSE, 0, SAME, ABSENT, "create_module"},
    // What libraries have long replaced, as both peers have it. podman knows no word of some
    // (ENOSYS there), and lets in signal(2) of i386, which no libc of today calls.
    {REFUSE, 0, SAME, SAME,
     "bdflush nice oldfstat oldlstat oldolduname oldstat olduname sgetmask ssetmask sysfs uselib "
     "ustat vm86 vm86old"},
    {REFUSE, 0, SAME, ABSENT, "idle readdir sigaction sigpending sigsuspend"},
    {REFUSE, 0, SAME, ALLOW, "signal"},

    // 16-bit segments: kernels are built without them (CONFIG_MODIFY_LDT_SYSCALL), and they have
    // needed workarounds for years. moby and podman allow it, for Wine's 16-bit programs.
    {ABSENT, 0, ALLOW, ALLOW, "modify_ldt"},
    // For a library that asks a security module about itself; it then reads /proc/self/attr. moby
    // has them with SYS_ADMIN.
    {ABSENT, 0, NEEDS, SAME, "lsm_get_self_attr lsm_list_modules lsm_set_self_attr"},
    // Numbers without a call behind them in any kernel of today, whatever moby (EPERM) and podman
    // say of them: ENOSYS is what the kernel itself says.
    {ABSENT, 0, REFUSE, SAME,
     "_sysctl afs_syscall break ftime get_kernel_syms getpmsg gtty lock mpx prof profil putpmsg "
     "security stty tuxcall ulimit vserver"},
    {ABSENT, 0, REFUSE, REFUSE, "nfsservctl"},
    {ABSENT, 0, REFUSE, NEEDS, "query_module"},
    {ABSENT, 0, ALLOW, ALLOW, "epoll_ctl_old epoll_wait_old"},
};

static uint32_t action_of(const struct group *g, const struct seccomp_given *given)
{
    switch (g->verdict) {
    case ALLOW:
        return SECCOMP_RET_ALLOW;
    case NEST:
        return given->no_userns ? SECCOMP_DENY(EPERM) : SECCOMP_RET_ALLOW;
    case NEEDS:
        return given->caps >> g->cap & 1 ? SECCOMP_RET_ALLOW : SECCOMP_DENY(EPERM);
    case ABSENT:
        return SECCOMP_DENY(ENOSYS);
    case REFUSE:
    case SAME: // of peers only
        break;
    }
    return SECCOMP_DENY(EPERM);
}

static void add_group(struct seccomp_profile *p, const char *calls, uint32_t action)
{
    while (*calls) {
        size_t n = strcspn(calls, " ");
        AUTO_FREE char *name = str_dupn(calls, n);
        (void)seccomp_add(p, name, action);
        calls += n + strspn(calls + n, " ");
    }
}

static void add_if(struct seccomp_profile *p, const char *call, uint32_t action, unsigned index,
                   uint64_t mask, uint64_t value)
{
    seccomp_add_cond(seccomp_add(p, call, action), index, SECCOMP_OP_MASKED_EQ, value, mask);
}

// The kernel takes 32 bits of a family, a request, flags: what stands above them must not matter.
#define INT_MASK UINT64_C(0xffffffff)

// A list of the families that are open, where moby refuses two (AF_ALG and AF_VSOCK) and podman
// one protocol (NETLINK_AUDIT, to a job without AUDIT_WRITE); the others are
// "not supported", as by a kernel without their module, and so AF_ALG (a page cache that all jobs
// share was written through it), AF_VSOCK (the hypervisor), AF_PACKET, and the rare ones that an
// open socket makes the kernel load, cannot be had.
static const int families[] = {AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6};

// Of netlink, what tells about the network and devices. Not NETLINK_NETFILTER (nf_tables), XFRM,
// CRYPTO and the rest: with a user namespace of its own a job would be root there, and no other
// part of the kernel has let more people in. Both peers leave them open; podman with user
// namespaces.
static const int netlinks[] = {NETLINK_ROUTE, NETLINK_USERSOCK,       NETLINK_SOCK_DIAG,
                               NETLINK_AUDIT, NETLINK_KOBJECT_UEVENT, NETLINK_GENERIC};

static void add_sockets(struct seccomp_profile *p)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
        add_if(p, "socket", SECCOMP_RET_ALLOW, 0, INT_MASK, (uint64_t)families[i]);
    for (size_t i = 0; i < sizeof(netlinks) / sizeof(netlinks[0]); i++) {
        struct seccomp_rule *rule = seccomp_add(p, "socket", SECCOMP_RET_ALLOW);
        seccomp_add_cond(rule, 0, SECCOMP_OP_MASKED_EQ, AF_NETLINK, INT_MASK);
        seccomp_add_cond(rule, 2, SECCOMP_OP_MASKED_EQ, (uint64_t)netlinks[i], INT_MASK);
    }
    add_if(p, "socket", SECCOMP_DENY(EPROTONOSUPPORT), 0, INT_MASK, AF_NETLINK);
    (void)seccomp_add(p, "socket", SECCOMP_DENY(EAFNOSUPPORT));
    add_if(p, "socketpair", SECCOMP_RET_ALLOW, 0, INT_MASK, AF_UNIX);
    (void)seccomp_add(p, "socketpair", SECCOMP_DENY(EAFNOSUPPORT));
    // i386: the family is behind a pointer, where no filter can look, and what a filter's listener
    // would find there can be another value by the time the kernel reads it. Both peers allow the
    // call, and with it every family. Here the two that take a family are absent; programs that
    // know the calls of their own (Linux 4.3), such as those built on musl or for a newer kernel,
    // use these. Those of an old glibc have no sockets: the price of not having AF_ALG.
    add_if(p, "socketcall", SECCOMP_DENY(ENOSYS), 0, INT_MASK, 1); // SYS_SOCKET
    add_if(p, "socketcall", SECCOMP_DENY(ENOSYS), 0, INT_MASK, 8); // SYS_SOCKETPAIR
    (void)seccomp_add(p, "socketcall", SECCOMP_RET_ALLOW);
}

// TIOCSTI types into a terminal, TIOCLINUX selects and pastes on a console, TIOCSETD has the kernel
// load line disciplines. Compared as the kernel does, by the low half: TIOCSTI with something above
// it is TIOCSTI (CVE-2019-7303). Both peers allow every ioctl and rely on the terminal being the
// container's own.
static void add_ioctls(struct seccomp_profile *p)
{
    add_if(p, "ioctl", SECCOMP_DENY(EPERM), 1, INT_MASK, 0x5412); // TIOCSTI
    add_if(p, "ioctl", SECCOMP_DENY(EPERM), 1, INT_MASK, 0x541C); // TIOCLINUX
    add_if(p, "ioctl", SECCOMP_DENY(EPERM), 1, INT_MASK, 0x5423); // TIOCSETD
    (void)seccomp_add(p, "ioctl", SECCOMP_RET_ALLOW);
}

// As both peers, and ADDR_NO_RANDOMIZE: gdb sets it for the program under test, thread sanitizer
// for itself, and it weakens nobody but who asks for it. Not READ_IMPLIES_EXEC and its like.
static void add_personality(struct seccomp_profile *p)
{
    const uint64_t harmless = PER_LINUX32 | UNAME26 | ADDR_NO_RANDOMIZE;
    add_if(p, "personality", SECCOMP_RET_ALLOW, 0, INT_MASK, INT_MASK); // asks what it is
    add_if(p, "personality", SECCOMP_RET_ALLOW, 0, INT_MASK & ~harmless, 0);
    (void)seccomp_add(p, "personality", SECCOMP_DENY(EPERM));
}

// What clone(2), unshare(2) make that asks for a capability, in a user namespace or not.
#define NEW_NAMESPACES                                                                            \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

static void add_clones(struct seccomp_profile *p, bool no_userns)
{
    if (no_userns) {
        add_if(p, "clone", SECCOMP_RET_ALLOW, 0, NEW_NAMESPACES, 0);
        (void)seccomp_add(p, "clone", SECCOMP_DENY(EPERM));
        // Its flags are behind a pointer: libc then takes clone(2).
        (void)seccomp_add(p, "clone3", SECCOMP_DENY(ENOSYS));
        add_if(p, "unshare", SECCOMP_RET_ALLOW, 0, NEW_NAMESPACES | CLONE_NEWTIME, 0);
        (void)seccomp_add(p, "unshare", SECCOMP_DENY(EPERM));
    } else {
        add_group(p, "clone clone3 unshare", SECCOMP_RET_ALLOW);
    }
}

void seccomp_default(const struct seccomp_given *given, struct seccomp_profile *ret)
{
    unsigned compat = given->native == SECCOMP_X86_64 ? SECCOMP_I386 : SECCOMP_ARM;
    *ret = (struct seccomp_profile){
        .abis = given->native | compat, .otherwise = SECCOMP_DENY(ENOSYS), .flags = SECCOMP_FLAGS};
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        add_group(ret, groups[i].calls, action_of(&groups[i], given));
    add_sockets(ret);
    add_ioctls(ret);
    add_personality(ret);
    add_clones(ret, given->no_userns);
}
