// SPDX-License-Identifier: Apache-2.0
// bryo-seccomp: makes the program of a system call profile, and ends.
//
//     bryo-seccomp CAPS <profile.json >program
//
// CAPS: hexadecimal, the job's capabilities. CALL: goes to the listener where it is allowed. What
// is written is in seccomp_wire.h. A process of its own, since the profile may be a stranger's.
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/seccomp.h"
#include "internal/job/seccomp_wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>

static int read_given(int argc, char **argv, struct seccomp_given *ret)
{
    struct utsname u;
    char *end;
    if (argc != 2)
        return -EINVAL;
    *ret = (struct seccomp_given){.native = seccomp_native(), .caps = strtoull(argv[1], &end, 16)};
    if (*end || end == argv[1])
        return -EINVAL;
    if (uname(&u) == 0)
        (void)sscanf(u.release, "%u.%u", &ret->kernel[0], &ret->kernel[1]); // NOLINT(cert-err34-c)
    return 0;
}

static int make_profile(const struct seccomp_given *given, struct seccomp_profile *ret,
                        struct strv *notes, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    int r = fd_read_all(STDIN_FILENO, SECCOMP_JSON_MAX, &text);
    if (r == -EFBIG)
        return err_set(err, EFBIG, "larger than a megabyte");
    return r < 0 ? err_sys(err, -r, "cannot be read")
                 : seccomp_from_json(buf_str(&text), text.len, given, ret, notes, err);
}

static int answer(struct seccomp_wire *head, const struct buf *text,
                  const struct sock_filter *insns)
{
    head->magic = SECCOMP_WIRE_MAGIC;
    head->text = (uint32_t)(text->len < SECCOMP_WIRE_TEXT_MAX ? text->len : SECCOMP_WIRE_TEXT_MAX);
    int r = fd_write_all(STDOUT_FILENO, head, sizeof(*head));
    if (r == 0)
        r = fd_write_all(STDOUT_FILENO, buf_str(text), head->text);
    if (r == 0)
        r = fd_write_all(STDOUT_FILENO, insns, head->insns * sizeof(*insns));
    return r < 0;
}

int main(int argc, char **argv)
{
    AUTO_FREE struct sock_filter *insns = mem_alloc(BPF_MAXINSNS * sizeof(*insns));
    AUTO_SECCOMP struct seccomp_profile p = {0};
    AUTO_STRV struct strv notes = {0};
    AUTO_BUF struct buf text = {0};
    struct seccomp_wire head = {0};
    struct seccomp_given given;
    struct err err = {0};
    size_t n = 0;
    const struct rlimit no_core = {0};
    (void)setrlimit(RLIMIT_CORE, &no_core);
    if (read_given(argc, argv, &given) < 0) {
        (void)fputs("bryo-seccomp: started by bryo, not by hand\n", stderr);
        return 125;
    }
    int r = make_profile(&given, &p, &notes, &err);
    if (r == 0 && (r = seccomp_compile(&p, insns, &n)) < 0)
        (void)err_sys(&err, -r, "cannot be made into a program of %d instructions", BPF_MAXINSNS);
    for (size_t i = 0; r == 0 && i < notes.n; i++)
        buf_addf(&text, "%s\n", notes.v[i]);
    if (r < 0)
        buf_adds(&text, err.text);
    head.error = r;
    head.flags = p.flags;
    head.insns = (uint32_t)n;
    return answer(&head, &text, insns);
}
