// SPDX-License-Identifier: Apache-2.0
// The initramfs of the test machine: loads the modules it was packed with, mounts the three disks,
// and hands over to the root disk's init (systemd).
//
// Mounts the root with writes going to a snapshot that qemu throws away, /modules (where
// /lib/modules points) and /bryo read-only, and leaves the files of /job (what this boot is for) in
// /run/bryo-vm.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what, const char *name)
{
    printf("bryo-vm: %s %s: %s\n", what, name, strerror(errno));
    fflush(stdout);
    sync();
    reboot(RB_POWER_OFF);
    _exit(1);
}

static void load_modules(void)
{
    FILE *order = fopen("/modules/order", "re");
    char name[128], path[160];
    while (order && fscanf(order, "%127s", name) == 1) {
        snprintf(path, sizeof(path), "/modules/%s", name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
            die("cannot load", name);
        close(fd);
    }
    if (order)
        fclose(order);
}

// Disks appear a moment after their driver.
static void mount_disk(const char *disk, const char *where, unsigned long flags)
{
    for (int i = 0; i < 1000 && access(disk, F_OK) < 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    mkdir(where, 0755);
    if (mount(disk, where, "ext4", flags, NULL) < 0)
        die("cannot mount", disk);
}

static void copy_job(const char *name)
{
    char from[64], to[64], block[4096];
    snprintf(from, sizeof(from), "/job/%s", name);
    snprintf(to, sizeof(to), "/new/run/bryo-vm/%s", name);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ssize_t n;
    while (in >= 0 && out >= 0 && (n = read(in, block, sizeof(block))) > 0) {
        if (write(out, block, (size_t)n) != n)
            die("cannot write", to);
    }
    if (in < 0 || out < 0)
        die("cannot copy", from);
    close(in);
    close(out);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "probe") == 0) { // by ci/vm/accel: is there a processor at all
        puts("bryo-vm: up");
        fflush(stdout);
        reboot(RB_POWER_OFF);
    }
    mkdir("/dev", 0755);
    mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, NULL);
    load_modules();
    mkdir("/new", 0755);
    mount_disk("/dev/vda", "/new", 0);
    // A mount below /usr would change what bryo can do with the machine's own root.
    mount_disk("/dev/vdb", "/new/modules", MS_RDONLY | MS_NOATIME);
    rmdir("/new/usr/lib/modules");
    if (symlink("/modules", "/new/usr/lib/modules") < 0)
        die("cannot link", "/lib/modules");
    mount_disk("/dev/vdc", "/new/bryo", MS_RDONLY | MS_NOATIME);
    if (mount("tmpfs", "/new/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
        die("cannot mount", "/run");
    mkdir("/new/run/bryo-vm", 0755);
    copy_job("setup");
    copy_job("command");
    if (mount("/dev", "/new/dev", NULL, MS_MOVE, NULL) < 0)
        die("cannot move", "/dev");
    if (chdir("/new") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0)
        die("cannot enter", "the root disk");
    execl("/sbin/init", "/sbin/init", (char *)NULL);
    die("cannot run", "/sbin/init");
}
