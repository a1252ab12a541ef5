// SPDX-License-Identifier: Apache-2.0
#include "internal/doctor/doctor.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/proc.h"
#include "internal/doctor/host_machine.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/roots/host_paths.h"
#include "internal/sandbox/guest_attempts.h"
#include "internal/sandbox/host_identity.h"
#include "internal/sandbox/userns.h"
#include "net/netconfig.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SAID_MAX 65536

struct exam {
    char *const *envp;
    struct machine *machine;
    struct attempted tried[ATTEMPTS];
    struct err said[ATTEMPTS];
    char *cache; // NULL: there is none to use
};

static void note(struct exam *x, enum attempt a, int r)
{
    x->tried[a] = (struct attempted){.done = true, .num = r < 0 ? -r : 0};
}

// --- a place on the disk ----------------------------------------------------------------------

static int make_in(const char *dir)
{
    static const char *const names[] = {"lower", "upper", "work", "merged"};
    AUTO_FD int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && r == 0; i++)
        r = mkdirat(fd, names[i], 0700) < 0 ? -errno : 0;
    return r == 0 ? fd_create_file(fd, "lower/file", 0600, "below\n", 6) : r;
}

static void remove_place(const char *dir)
{
    // what is below work is the kernel's, and has mode 0
    static const char *const files[] = {"lower/file", "upper/file",
                                        "work/work/incompat/volatile/dirty"};
    static const char *const dirs[] = {"work/work/incompat/volatile",
                                       "work/work/incompat",
                                       "work/work",
                                       "work",
                                       "upper",
                                       "lower",
                                       "merged"};
    AUTO_FD int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 3; i-- > 0;) // from work/work on
        if (fchmodat(fd, dirs[i], 0700, 0) < 0)
            break;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        (void)unlinkat(fd, files[i], 0);
    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
        (void)unlinkat(fd, dirs[i], AT_REMOVEDIR);
    (void)rmdir(dir);
}

// NULL and errno where the cache cannot be written.
static char *make_place(const char *cache)
{
    AUTO_FREE char *own = str_fmt("%s/bryo", cache);
    AUTO_FREE char *dir = str_fmt("%s/doctor.XXXXXX", own);
    if ((mkdir(cache, 0700) < 0 && errno != EEXIST) || (mkdir(own, 0700) < 0 && errno != EEXIST) ||
        !mkdtemp(dir))
        return NULL;
    int r = make_in(dir);
    if (r == 0)
        return TAKE_PTR(dir);
    remove_place(dir);
    errno = -r;
    return NULL;
}

// --- attempts ---------------------------------------------------------------------------------

static void listen_to(struct exam *x, int fd)
{
    struct attempt_record rec;
    while (fd_read_full(fd, &rec, sizeof(rec)) == (ssize_t)sizeof(rec))
        if (rec.attempt >= 0 && rec.attempt < ATTEMPTS)
            note(x, (enum attempt)rec.attempt, -rec.num);
}

static int try_plain(struct exam *x)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    AUTO_FD int in = ends[0];
    AUTO_FD int out = ends[1];
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0) {
        struct guest_attempts a = {.report = out};
        guest_attempts_plain(&a);
        _exit(0);
    }
    fd_closep(&out);
    listen_to(x, in);
    int status;
    return proc_wait(pid, &status);
}

// With these maps; the outcome of the namespace itself is noted as kind.
static int try_in_userns(struct exam *x, const struct idmaps *maps, enum attempt kind,
                         const char *dir)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    AUTO_FD int in = ends[0];
    AUTO_FD int out = ends[1];
    struct guest_attempts a = {.report = out, .dir = dir};
    struct userns_task task;
    int r = userns_start(maps, 0, guest_attempts_in_userns, &a, &task, &x->said[kind]);
    note(x, kind, r);
    fd_closep(&out);
    if (r < 0)
        return 0;
    listen_to(x, in);
    int status;
    struct err err = {0};
    r = userns_finish(&task, &status, &err);
    if (r < 0) {
        note(x, kind, r);
        x->said[kind] = err;
    }
    return 0;
}

static int try_userns(struct exam *x, enum userns_mode userns, enum attempt kind, struct err *err)
{
    struct job_spec spec;
    struct host_identity id = {0};
    job_spec_init(&spec);
    spec.userns = userns;
    int r = host_identity_choose(&spec, 0, 0, &id, err);
    if (r == 0 && !(kind == ATTEMPT_IDS && id.single)) {
        // a new one each time: overlayfs takes no "volatile" upper layer twice
        AUTO_FREE char *dir = x->cache ? make_place(x->cache) : NULL;
        r = try_in_userns(x, &id.maps, kind, dir);
        if (dir)
            remove_place(dir);
    }
    idmaps_done(&id.maps);
    job_spec_done(&spec);
    return r;
}

// --- jobs -------------------------------------------------------------------------------------

// The first lines that begin with "bryo: ": what failed, and what to do.
static void read_said(char *text, struct err *ret)
{
    static const char mark[] = "bryo: ";
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, mark, sizeof(mark) - 1) != 0)
            continue;
        line += sizeof(mark) - 1;
        if (ret->text[0]) {
            (void)err_hint(ret, "%s", line);
            return;
        }
        (void)err_set(ret, EIO, "%s", line);
    }
}

// The line that has the words.
static char *line_of(char *text, const char *words)
{
    char *at = strstr(text, words);
    while (at > text && at[-1] != '\n')
        at--;
    return at;
}

static int run_quietly(char *const argv[], char *const envp[], int *ret_status, struct buf *said)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    AUTO_FD int in = ends[0];
    AUTO_FD int out = ends[1];
    AUTO_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const struct proc_fd fds[] = {{null, 1}, {out, 2}};
    pid_t pid;
    int r = proc_spawn(argv, envp, fds, 2, &pid);
    if (r < 0)
        return r;
    fd_closep(&out);
    (void)fd_read_all(in, SAID_MAX, said);
    int status = 0;
    r = proc_wait(pid, &status);
    *ret_status = proc_shell_status(status);
    return r;
}

static void try_job(struct exam *x, enum attempt a, const char *const words[])
{
    AUTO_STRV struct strv argv = {0};
    AUTO_BUF struct buf said = {0};
    strv_add(&argv, x->machine->bryo);
    strv_add(&argv, "run");
    if (a != ATTEMPT_NETWORK) // whose notes are heard
        strv_add(&argv, "--quiet");
    strv_add(&argv, "--no-workspace");
    strv_add(&argv, "--timeout");
    strv_add(&argv, "60");
    for (; *words; words++)
        strv_add(&argv, *words);
    int status = 0;
    int r = run_quietly(argv.v, x->envp, &status, &said);
    note(x, a, r < 0 ? r : status != 0 ? -EIO : 0);
    if (said.len && (status != 0 || (a == ATTEMPT_NETWORK && strstr(said.data, NET_NOTE_SLOW))))
        read_said(status != 0 ? said.data : line_of(said.data, NET_NOTE_SLOW), &x->said[a]);
}

static void try_jobs(struct exam *x)
{
    static const char *const plain[] = {"--", "true", NULL};
    // The resolver of the job's network knows the name; /etc/hosts is not asked.
    static const char *const network[] = {
        "--network",  "slirp",
        "--add-host", "probe.bryo.internal:192.0.2.1",
        "--",         "sh",
        "-c",         "getent -s dns hosts probe.bryo.internal || nslookup probe.bryo.internal",
        NULL};
    static const char *const memory[] = {"-m", "256m", "--", "true", NULL};
    static const char *const cpu[] = {"--cpus", "1", "--", "true", NULL};
    static const char *const pids[] = {"--pids-limit", "100", "--", "true", NULL};
    static const char *const io[] = {"--io-weight", "50", "--", "true", NULL};
    static const struct {
        enum attempt a;
        const char *const *words;
    } jobs[] = {{ATTEMPT_NETWORK, network},
                {ATTEMPT_MEMORY, memory},
                {ATTEMPT_CPU, cpu},
                {ATTEMPT_PIDS, pids},
                {ATTEMPT_IO, io}};
    try_job(x, ATTEMPT_JOB, plain);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]) && x->tried[ATTEMPT_JOB].num == 0; i++)
        try_job(x, jobs[i].a, jobs[i].words);
}

// --- all of it --------------------------------------------------------------------------------

static int own_path(char *ret, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", ret, size - 1);
    if (n < 0)
        return -errno;
    ret[n] = '\0';
    return 0;
}

static void try_cache(struct exam *x)
{
    struct err no_cache = {0};
    struct machine *m = x->machine;
    int r = host_paths_cache(x->envp, &x->cache, &no_cache);
    if (r < 0) {
        (void)snprintf(m->cache, sizeof(m->cache), "the cache directory");
        note(x, ATTEMPT_STORE, r);
        return;
    }
    AUTO_FREE char *dir = make_place(x->cache);
    note(x, ATTEMPT_STORE, dir ? 0 : -errno);
    host_machine_read_disk(x->cache, m);
    if (dir)
        remove_place(dir);
    else
        free_p(&x->cache);
}

static int examine(struct exam *x, struct err *err)
{
    int r = try_plain(x);
    if (r < 0)
        return err_sys(err, -r, "cannot start a process");
    r = try_userns(x, USERNS_SINGLE, ATTEMPT_USERNS, err);
    if (r == 0 && x->tried[ATTEMPT_USERNS].num == 0)
        r = try_userns(x, USERNS_AUTO, ATTEMPT_IDS, err);
    if (r == 0 && x->tried[ATTEMPT_USERNS].num == 0)
        try_jobs(x);
    return r;
}

int doctor_examine(char *const envp[], struct machine *ret_machine, struct checkup *ret,
                   struct err *err)
{
    struct exam x = {.envp = envp, .machine = ret_machine};
    host_machine_read("", envp, ret_machine);
    int r = own_path(ret_machine->bryo, sizeof(ret_machine->bryo));
    if (r < 0)
        return err_sys(err, -r, "cannot find bryo's own program by /proc/self/exe");
    try_cache(&x);
    r = examine(&x, err);
    free(x.cache);
    if (r == 0)
        checkup_judge(ret_machine, x.tried, x.said, ret);
    return r;
}

// --- mending ----------------------------------------------------------------------------------

int doctor_find_sudo(const char **ret, struct err *err)
{
    static const char *const places[] = {"/usr/bin/sudo", "/bin/sudo", "/usr/local/bin/sudo",
                                         "/run/wrappers/bin/sudo"};
    *ret = NULL;
    if (geteuid() == 0)
        return 0;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], X_OK) == 0) {
            *ret = places[i];
            return 0;
        }
    (void)err_set(err, ENOENT, "there is no sudo here, and bryo was not started by root");
    return err_hint(err, "as root, run the lines shown above");
}

int doctor_fix(const char *sudo, const char *line, struct err *err)
{
    char sh[] = "/bin/sh";
    char dash_c[] = "-c";
    AUTO_FREE char *copy = str_dup(line);
    AUTO_FREE char *program = str_dup(sudo ? sudo : "");
    char *argv[5] = {0};
    size_t n = 0;
    if (sudo)
        argv[n++] = program;
    argv[n++] = sh;
    argv[n++] = dash_c;
    argv[n] = copy;
    // sudo asks for a password where it needs one; standard output is the table's
    const struct proc_fd fds[] = {{STDIN_FILENO, 0}, {STDERR_FILENO, 1}, {STDERR_FILENO, 2}};
    pid_t pid;
    int status = 0;
    int r = proc_spawn(argv, NULL, fds, 3, &pid);
    if (r == 0)
        r = proc_wait(pid, &status);
    if (r < 0)
        return err_sys(err, -r, "cannot run %s", argv[0]);
    int code = proc_shell_status(status);
    return code == 0 ? 0 : err_set(err, EIO, "it failed with exit status %d: %s", code, line);
}
