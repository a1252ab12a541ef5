// SPDX-License-Identifier: Apache-2.0
// A program is looked up by all that it depends on: the words below, and the whole text of a
// profile. The name in the cache is a digest of that, the entry holds it in full, and only an entry
// that holds the same is taken: no two profiles can be mistaken for each other. What is in the
// cache counts only where it is this user's own and nobody else could have written it.
#include "internal/run/seccomp_program.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/fspath.h"
#include "internal/base/proc.h"
#include "internal/job/seccomp.h"
#include "internal/job/seccomp_wire.h"
#include "internal/job/spec.h"
#include "internal/roots/host_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRY_MAX (SECCOMP_JSON_MAX + SECCOMP_WIRE_TEXT_MAX + BPF_MAXINSNS * 8 + 8192)

// FNV-1a, for names and against bytes that went bad, not against an adversary.
static uint64_t digest(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

void seccomp_program_done(struct seccomp_program *p)
{
    free(p->insns);
    free(p->notes);
    *p = (struct seccomp_program){0};
}

// --- the key -------------------------------------------------------------------------------------

static int read_profile(const char *path, struct buf *ret, struct err *err)
{
    // A link, a FIFO and <(...) are the user's own here.
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd_read_all(fd, SECCOMP_JSON_MAX, ret);
    if (r == -EFBIG)
        return err_set(err, EFBIG, "--seccomp %s: larger than a megabyte", path);
    return r < 0 ? err_sys(err, -r, "--seccomp: cannot read %s", path) : 0;
}

// Who makes it is part of the key: another build may make another program of the same profile.
static int add_identity(const char *program, struct buf *ret, struct err *err)
{
    struct stat st;
    if (stat(program, &st) < 0)
        return err_sys(err, errno, "cannot look at %s", program);
    buf_addf(ret, " by %" PRIu64 ":%" PRIu64 ":%" PRId64 ":%" PRId64 ".%09ld", (uint64_t)st.st_dev,
             (uint64_t)st.st_ino, (int64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
             st.st_mtim.tv_nsec);
    return 0;
}

static int write_key(const struct job_spec *spec, const struct seccomp_given *given,
                     const char *maker, const struct buf *json, struct buf *ret, struct err *err)
{
    struct utsname u;
    if (uname(&u) < 0)
        return err_sys(err, errno, "cannot ask for the kernel's version");
    buf_addf(ret, "caps %" PRIx64 " userns %d json %d kernel %s", given->caps, given->no_userns,
             spec->seccomp != NULL, u.release);
    int r = add_identity(maker, ret, err);
    buf_addc(ret, '\n');
    buf_add(ret, buf_str(json), json->len);
    return r;
}

// --- what the helper says ------------------------------------------------------------------------

// -EBADMSG for what no bryo-seccomp wrote; an error of the profile as the helper tells it.
static int take_answer(const char *bytes, size_t len, const char *what, struct seccomp_program *ret,
                       struct err *err)
{
    struct seccomp_wire head;
    if (len < sizeof(head))
        return -EBADMSG;
    memcpy(&head, bytes, sizeof(head));
    if (head.magic != SECCOMP_WIRE_MAGIC || head.text > SECCOMP_WIRE_TEXT_MAX ||
        head.insns > BPF_MAXINSNS || head.error > 0 ||
        len != sizeof(head) + head.text + head.insns * sizeof(struct sock_filter))
        return -EBADMSG;
    if (head.error < 0)
        return err_set(err, -head.error, "--seccomp %s: %.*s", what, (int)head.text,
                       bytes + sizeof(head));
    // Copied, so that it is aligned.
    AUTO_FREE struct sock_filter *insns = mem_alloc((head.insns + 1) * sizeof(*insns));
    memcpy(insns, bytes + sizeof(head) + head.text, head.insns * sizeof(*insns));
    if (!seccomp_is_valid(insns, head.insns))
        return -EBADMSG;
    *ret = (struct seccomp_program){.insns = TAKE_PTR(insns),
                                    .n = head.insns,
                                    .flags = head.flags,
                                    .notes = str_dupn(bytes + sizeof(head), head.text)};
    return 0;
}

static int run_helper(const struct seccomp_given *given, char *helper, const struct buf *json,
                      struct buf *ret, struct err *err)
{
    AUTO_STRV struct strv argv = {0};
    strv_add(&argv, helper);
    strv_addf(&argv, "%" PRIx64, given->caps);
    // Files in memory: neither side ever waits for the other.
    AUTO_FD int in = memfd_create("profile", MFD_CLOEXEC);
    AUTO_FD int out = memfd_create("program", MFD_CLOEXEC);
    int r = in < 0 || out < 0 ? -errno : fd_write_all(in, buf_str(json), json->len);
    if (r == 0 && lseek(in, 0, SEEK_SET) < 0)
        r = -errno;
    pid_t pid;
    int status = 0;
    const struct proc_fd fds[] = {{in, 0}, {out, 1}};
    if (r == 0)
        r = proc_spawn(argv.v, NULL, fds, 2, &pid);
    if (r == 0)
        r = proc_wait(pid, &status);
    if (r == 0 && lseek(out, 0, SEEK_SET) < 0)
        r = -errno;
    if (r == 0)
        r = fd_read_all(out, ENTRY_MAX, ret);
    if (r < 0)
        return err_sys(err, -r, "cannot run %s", helper);
    return status == 0
               ? 0
               : err_set(err, EPROTO, "%s ended with status %d", helper, proc_shell_status(status));
}

// bryo's own profile, in the form of a helper's answer.
static int make_default(const struct seccomp_given *given, struct buf *ret, struct err *err)
{
    AUTO_SECCOMP struct seccomp_profile p = {0};
    AUTO_FREE struct sock_filter *insns = mem_alloc(BPF_MAXINSNS * sizeof(*insns));
    struct seccomp_wire head = {.magic = SECCOMP_WIRE_MAGIC};
    size_t n = 0;
    seccomp_default(given, &p);
    int r = seccomp_compile(&p, insns, &n);
    if (r < 0)
        return err_sys(err, -r, "cannot make the system call filter");
    head.insns = (uint32_t)n;
    buf_add(ret, &head, sizeof(head));
    buf_add(ret, insns, n * sizeof(*insns));
    return 0;
}

// --- the cache -----------------------------------------------------------------------------------

// An entry: the length of the key, a digest of all that follows, the key, the helper's answer.
struct entry_head {
    uint64_t digest;
    uint64_t key_len;
};

static bool is_ours(int fd, struct stat *st)
{
    return fstat(fd, st) == 0 && st->st_uid == geteuid() && (st->st_mode & 077) == 0;
}

static int load(int dir, const char *name, const struct buf *key, struct seccomp_program *ret)
{
    AUTO_BUF struct buf entry = {0};
    struct entry_head head;
    struct stat st;
    AUTO_FD int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (!is_ours(fd, &st) || !S_ISREG(st.st_mode))
        return -EPERM;
    int r = fd_read_all(fd, ENTRY_MAX, &entry);
    if (r < 0)
        return r;
    if (entry.len < sizeof(head) + key->len)
        return -EBADMSG;
    memcpy(&head, buf_str(&entry), sizeof(head));
    const char *rest = buf_str(&entry) + sizeof(head);
    if (head.key_len != key->len || memcmp(rest, buf_str(key), key->len) != 0 ||
        head.digest != digest(rest, entry.len - sizeof(head)))
        return -EBADMSG;
    return take_answer(rest + key->len, entry.len - sizeof(head) - key->len, "", ret, NULL);
}

// Under a name of its own, then renamed: another bryo may do the same at the same time.
static int save(int dir, const char *name, const struct buf *key, const struct buf *answer)
{
    AUTO_BUF struct buf entry = {0};
    struct entry_head head = {.key_len = key->len};
    char temp[48];
    uint64_t random = 0;
    buf_add(&entry, &head, sizeof(head));
    buf_add(&entry, buf_str(key), key->len);
    buf_add(&entry, buf_str(answer), answer->len);
    head.digest = digest(entry.data + sizeof(head), entry.len - sizeof(head));
    memcpy(entry.data, &head, sizeof(head));
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return -errno;
    (void)snprintf(temp, sizeof(temp), ".new-%016" PRIx64, random);
    int r = fd_create_file(dir, temp, 0600, entry.data, entry.len);
    if (r == 0 && renameat(dir, temp, dir, name) < 0)
        r = -errno;
    if (r < 0)
        (void)unlinkat(dir, temp, 0);
    return r;
}

static int open_cache(const char *bryo_dir)
{
    AUTO_FREE char *path = str_fmt("%s/seccomp", bryo_dir);
    struct stat st;
    for (int tries = 0; tries < 2; tries++) {
        AUTO_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (dir >= 0)
            return is_ours(dir, &st) ? TAKE_FD(dir) : -EPERM;
        if (errno != ENOENT || tries > 0)
            return -errno;
        int r = fspath_make_dirs(path, 0700);
        if (r < 0)
            return r;
    }
    return -ENOENT;
}

int seccomp_program_get(const struct job_spec *spec, const char *bryo_dir,
                        struct seccomp_program *ret, struct err *err)
{
    AUTO_BUF struct buf json = {0};
    AUTO_BUF struct buf key = {0};
    AUTO_BUF struct buf answer = {0};
    AUTO_FREE char *helper = NULL;
    const struct seccomp_given given = {
        .native = seccomp_native(), .caps = spec->caps, .no_userns = spec->no_userns};
    char name[20];
    int r = spec->seccomp ? read_profile(spec->seccomp, &json, err) : 0;
    if (r == 0 && spec->seccomp)
        r = host_helper_path("bryo-seccomp", &helper, err);
    if (r == 0)
        r = write_key(spec, &given, helper ? helper : "/proc/self/exe", &json, &key, err);
    if (r < 0)
        return r;
    (void)snprintf(name, sizeof(name), "%016" PRIx64, digest(key.data, key.len));
    AUTO_FD int dir = open_cache(bryo_dir);
    if (dir >= 0 && load(dir, name, &key, ret) == 0)
        return 0;
    r = helper ? run_helper(&given, helper, &json, &answer, err)
               : make_default(&given, &answer, err);
    if (r == 0)
        r = take_answer(buf_str(&answer), answer.len, spec->seccomp ? spec->seccomp : "", ret, err);
    if (r == -EBADMSG)
        return err_set(err, EPROTO, "%s gave no answer that can be used",
                       helper ? helper : "the profile");
    // Without a cache it works all the same, and is slower.
    if (r == 0 && dir >= 0)
        (void)save(dir, name, &key, &answer);
    return r;
}
