// SPDX-License-Identifier: Apache-2.0
// floor single|subids LOWER SCRATCH COMMAND [ARGUMENT...]
//
// The bare floor of a launch: the namespaces and mounts that bryo makes, in the same order, and
// nothing else. No option is parsed, nothing is looked up or checked beyond what the kernel says,
// no init, no seccomp, no report. What bryo costs above this is what its promises cost.
//
// LOWER is an unpacked root that has /proc, /sys, /dev and /tmp; SCRATCH is an absolute path whose
// directory exists. "subids" takes the first range that /etc/subuid and /etc/subgid have for $USER.
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    _exit(99);
}

static void must(int r, const char *what)
{
    if (r < 0)
        die(what);
}

static pid_t clone_into(unsigned long long flags, int exit_signal)
{
    struct clone_args args = {.flags = flags, .exit_signal = (unsigned)exit_signal};
    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    must(fd, path);
    must((int)write(fd, text, strlen(text)), path);
    close(fd);
}

// --- maps
// -----------------------------------------------------------------------------------------

static void map_single(pid_t pid)
{
    char path[64], line[64];
    snprintf(path, sizeof(path), "/proc/%d/setgroups", pid);
    write_file(path, "deny");
    snprintf(path, sizeof(path), "/proc/%d/uid_map", pid);
    snprintf(line, sizeof(line), "0 %u 1", getuid());
    write_file(path, line);
    snprintf(path, sizeof(path), "/proc/%d/gid_map", pid);
    snprintf(line, sizeof(line), "0 %u 1", getgid());
    write_file(path, line);
}

static void first_range(const char *file, const char *user, char start[32], char count[32])
{
    char line[256];
    size_t n = strlen(user);
    FILE *f = fopen(file, "re");
    if (!f)
        die(file);
    while (fgets(line, sizeof(line), f)) {
        if (strncmp(line, user, n) == 0 && line[n] == ':') {
            char *first = line + n + 1, *colon = strchr(first, ':');
            if (!colon)
                continue;
            *colon = '\0';
            colon[1 + strcspn(colon + 1, "\n")] = '\0';
            snprintf(start, 32, "%s", first);
            snprintf(count, 32, "%s", colon + 1);
            fclose(f);
            return;
        }
    }
    errno = ENOENT;
    die(file);
}

static pid_t start_mapper(const char *helper, const char *file, const char *user, pid_t pid,
                          unsigned own)
{
    char target[16], id[16], start[32], count[32];
    first_range(file, user, start, count);
    snprintf(target, sizeof(target), "%d", pid);
    snprintf(id, sizeof(id), "%u", own);
    char *argv[] = {(char *)helper, target, "0", id, "1", "1", start, count, NULL};
    char *envp[] = {NULL};
    pid_t child;
    errno = posix_spawn(&child, helper, NULL, NULL, argv, envp);
    if (errno)
        die(helper);
    return child;
}

static void map_subids(pid_t pid)
{
    const char *user = getenv("USER");
    if (!user)
        die("USER");
    pid_t mapper[2] = {
        start_mapper("/usr/bin/newuidmap", "/etc/subuid", user, pid, getuid()),
        start_mapper("/usr/bin/newgidmap", "/etc/subgid", user, pid, getgid()),
    };
    for (int i = 0; i < 2; i++) {
        int status;
        must(waitpid(mapper[i], &status, 0), "waitpid");
        if (status != 0) {
            errno = EPERM;
            die("newuidmap, newgidmap");
        }
    }
}

// --- inside
// -----------------------------------------------------------------------------------------

static void make_dev(void)
{
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    char from[64], to[64];
    must(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k"), "dev");
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
        snprintf(to, sizeof(to), "dev/%s", nodes[i]);
        int fd = open(to, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        must(fd, to);
        close(fd);
        must(mount(from, to, NULL, MS_BIND, NULL), to);
    }
    must(mkdir("dev/pts", 0755), "dev/pts");
    must(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
               "newinstance,ptmxmode=0666,mode=0620"),
         "devpts");
    must(mkdir("dev/shm", 01777), "dev/shm");
    must(mount("tmpfs", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "shm");
    must(mkdir("dev/mqueue", 01777), "dev/mqueue");
    must(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mqueue");
    must(symlink("pts/ptmx", "dev/ptmx"), "ptmx");
    must(symlink("/proc/self/fd", "dev/fd"), "fd");
    must(symlink("/proc/self/fd/0", "dev/stdin"), "stdin");
    must(symlink("/proc/self/fd/1", "dev/stdout"), "stdout");
    must(symlink("/proc/self/fd/2", "dev/stderr"), "stderr");
}

// The visible /proc with its masks, above a whole one that lets a nested user namespace mount its
// own (see internal/sandbox/guest_kernelfs.c).
static void make_proc(void)
{
    static const char *const hidden[] = {"keys", "interrupts", "timer_list"};
    static const char *const read_only[] = {"bus", "fs", "irq", "sys"};
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    char path[64];
    must(mount("tmpfs", "proc", "tmpfs", flags, "mode=0555,size=4k,nr_inodes=4"), "proc");
    must(mkdir("proc/whole", 0555), "proc/whole");
    must(mount("proc", "proc/whole", "proc", flags, NULL), "proc/whole");
    must(mount("proc", "proc", "proc", flags, NULL), "proc");
    if (access("proc/acpi", F_OK) == 0)
        must(mount("tmpfs", "proc/acpi", "tmpfs", flags | MS_RDONLY, "mode=0555,size=0"), "acpi");
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        snprintf(path, sizeof(path), "proc/%s", hidden[i]);
        if (access(path, F_OK) == 0)
            must(mount("/dev/null", path, NULL, MS_BIND, NULL), path);
    }
    for (size_t i = 0; i < sizeof(read_only) / sizeof(read_only[0]); i++) {
        snprintf(path, sizeof(path), "proc/%s", read_only[i]);
        must(mount(path, path, NULL, MS_BIND, NULL), path);
        must(mount(NULL, path, NULL, flags | MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), path);
    }
}

static void loopback_up(void)
{
    struct ifreq req = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    must(fd, "socket");
    must(ioctl(fd, SIOCSIFFLAGS, &req), "lo");
    close(fd);
}

static void enter_root(const char *lower, const char *scratch)
{
    char options[4096], root[1024];
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
    snprintf(options, sizeof(options),
             "lowerdir=%s,upperdir=%s/upper,workdir=%s/work,userxattr,volatile", lower, scratch,
             scratch);
    snprintf(root, sizeof(root), "%s/root", scratch);
    must(mount("overlay", root, "overlay", 0, options), "overlay");
    must(chdir(root), "root");
    make_dev();
    make_proc();
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY;
    must(mount("sysfs", "sys", "sysfs", flags, NULL), "sys");
    must(mount("cgroup2", "sys/fs/cgroup", "cgroup2", flags, NULL), "sys/fs/cgroup");
    must(mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "tmp");
    must(sethostname("floor", 5), "hostname");
    loopback_up();
    must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(umount2(".", MNT_DETACH), "umount");
    must(chdir("/"), "/");
}

static void stage(int sock, const char *lower, const char *scratch, char **argv)
{
    char go;
    if (read(sock, &go, 1) != 1)
        _exit(98);
    must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP),
         "unshare");
    pid_t pid = clone_into(CLONE_NEWPID | CLONE_PARENT, 0);
    must(pid, "clone3");
    if (pid > 0) {
        must((int)write(sock, &pid, sizeof(pid)), "write");
        _exit(0);
    }
    enter_root(lower, scratch);
    char *envp[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    execve(argv[0], argv, envp);
    die(argv[0]);
}

// --- outside
// ------------------------------------------------------------------------------------------

static const char *const scratch_parts[] = {"root", "upper", "work", "work/work"};

static void make_scratch(const char *scratch)
{
    char path[1024];
    must(mkdir(scratch, 0700), scratch);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", scratch, scratch_parts[i]);
        must(mkdir(path, 0755), path);
    }
}

// A volatile overlay leaves work/work/incompat/volatile/dirty, all of mode 0000.
static void remove_scratch(const char *scratch)
{
    static const char *const marks[] = {"work/work", "work/work/incompat",
                                        "work/work/incompat/volatile",
                                        "work/work/incompat/volatile/dirty"};
    char path[1024];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", scratch, marks[i]);
        must(chmod(path, 0700), path);
    }
    for (int i = 3; i > 0; i--) {
        snprintf(path, sizeof(path), "%s/%s", scratch, marks[i]);
        must(i == 3 ? unlink(path) : rmdir(path), path);
    }
    for (int i = 3; i >= 0; i--) {
        snprintf(path, sizeof(path), "%s/%s", scratch, scratch_parts[i]);
        must(rmdir(path), path);
    }
    must(rmdir(scratch), scratch);
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: floor single|subids LOWER SCRATCH COMMAND [ARGUMENT...]\n");
        return 99;
    }
    int sock[2], status;
    make_scratch(argv[3]);
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock), "socketpair");
    pid_t stager = clone_into(CLONE_NEWUSER, SIGCHLD);
    must(stager, "clone3");
    if (stager == 0)
        stage(sock[1], argv[2], argv[3], argv + 4);
    close(sock[1]);
    if (strcmp(argv[1], "subids") == 0)
        map_subids(stager);
    else
        map_single(stager);
    pid_t pid = -1;
    must((int)write(sock[0], "g", 1), "write");
    if (read(sock[0], &pid, sizeof(pid)) != sizeof(pid))
        die("the stager");
    must(waitpid(stager, NULL, 0), "waitpid");
    must(waitpid(pid, &status, __WALL), "waitpid");
    remove_scratch(argv[3]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
