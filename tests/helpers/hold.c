// SPDX-License-Identifier: Apache-2.0
// hold SECONDS COMMAND [ARGUMENT...]: runs one test and lets nothing of it survive.
//
// The test gets a session of its own, default signal handling, /dev/null as stdin and no descriptor
// beyond 2 (the driver above leaks its number 3). hold is a child subreaper (prctl(2)), so whatever
// the test leaves behind becomes its child: it is given a moment to end, then named on stdout as a
// failed test line, and killed. After SECONDS everything is killed.
//
// SIGHUP, SIGINT and SIGTERM end the test the same way.
//
// Exit status: the test's own; 124 after SECONDS or a signal; 98 when something was left behind.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SETTLE_MS = 2000, POLL_MS = 10 };

static volatile sig_atomic_t told_to_end;

static void on_signal(int sig)
{
    told_to_end = sig;
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int status_of(int wait_status)
{
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

static void run_test(char **argv)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // By the system call: libc refuses its own two (32 and 33), which posix_spawn(3), and so make,
    // leaves ignored in whatever it starts.
    const unsigned long dfl[4] = {0};
    for (int sig = 1; sig < NSIG; sig++)
        syscall(SYS_rt_sigaction, sig, dfl, NULL, sizeof(unsigned long));
    setsid();
    int null = open("/dev/null", O_RDONLY);
    if (null > 0) {
        dup2(null, 0);
        close(null);
    }
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    execvp(argv[0], argv);
    fprintf(stderr, "hold: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

// Reads the parent and the name of a process; false when it is gone.
static bool parent_of(const char *pid, pid_t *ret_parent, char *ret_name, size_t size)
{
    char path[64], line[512];
    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool got = fgets(line, sizeof(line), f) != NULL;
    fclose(f);
    char *open_paren = got ? strchr(line, '(') : NULL;
    char *close_paren = got ? strrchr(line, ')') : NULL; // the name itself may hold one
    if (!open_paren || !close_paren)
        return false;
    *ret_parent = (pid_t)strtol(close_paren + 4, NULL, 10); // after ") S "
    *close_paren = '\0';
    snprintf(ret_name, size, "%s", open_paren + 1);
    return true;
}

// Names (when asked) and kills the children that are left; a grandchild becomes a child when its
// parent is gone, so that calling again gets them all.
static void kill_children(bool tell)
{
    DIR *proc = opendir("/proc");
    for (struct dirent *d; proc && (d = readdir(proc));) {
        pid_t parent;
        char name[128];
        if (d->d_name[0] < '0' || d->d_name[0] > '9' ||
            !parent_of(d->d_name, &parent, name, sizeof(name)) || parent != getpid())
            continue;
        if (tell)
            printf("# left behind: process %s (%s)\n", d->d_name, name);
        kill((pid_t)strtol(d->d_name, NULL, 10), SIGKILL);
    }
    if (proc)
        closedir(proc);
}

// Reaps until deadline_ms. Returns true once there is no child; keeps main_pid's status.
static bool reap(pid_t main_pid, int *main_status, bool until_main, long deadline_ms)
{
    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == main_pid)
            *main_status = status_of(status);
        if (pid < 0 && errno == ECHILD)
            return true;
        if (until_main && *main_status >= 0)
            return false;
        if (pid > 0)
            continue;
        if (told_to_end || now_ms() >= deadline_ms)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
    }
}

int main(int argc, char **argv)
{
    long seconds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
    if (seconds <= 0) {
        fprintf(stderr, "usage: hold SECONDS COMMAND [ARGUMENT...]\n");
        return 2;
    }
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0) {
        perror("hold: PR_SET_CHILD_SUBREAPER");
        return 2;
    }
    pid_t pid = fork();
    if (pid == 0)
        run_test(argv + 2);
    if (pid < 0) {
        perror("hold: fork");
        return 2;
    }

    const int ending[] = {SIGHUP, SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
        sigaction(ending[i], &(struct sigaction){.sa_handler = on_signal}, NULL);

    int status = -1;
    bool empty = reap(pid, &status, true, now_ms() + seconds * 1000);
    bool late = status < 0;
    if (late && told_to_end)
        printf("Bail out! stopped by signal %d\n", (int)told_to_end);
    else if (late)
        printf("Bail out! not done after %ld s\n", seconds);
    else if (!empty)
        empty = reap(pid, &status, false, now_ms() + SETTLE_MS);

    bool left = !late && !empty;
    for (int round = 0; !empty && round < 500; round++) {
        kill_children(left && round == 0);
        fflush(stdout);
        told_to_end = 0;
        empty = reap(pid, &status, false, now_ms() + POLL_MS);
    }
    fflush(stdout);
    if (late)
        return 124;
    return left ? 98 : status;
}
