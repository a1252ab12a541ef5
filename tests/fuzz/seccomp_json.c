// SPDX-License-Identifier: Apache-2.0
// A profile of anything: refused, or a program that the kernel would take, and that answers.
#include "internal/base/err.h"
#include "internal/job/caps.h"
#include "internal/job/seccomp.h"

#include <linux/audit.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct sock_filter insns[BPF_MAXINSNS];
    const struct seccomp_given given = {
        .native = seccomp_native(), .caps = caps_default(), .kernel = {6, 1}};
    AUTO_SECCOMP struct seccomp_profile p = {0};
    AUTO_STRV struct strv notes = {0};
    struct err err = {0};
    size_t n = 0;
    int r = seccomp_from_json((const char *)data, size, &given, &p, &notes, &err);
    if (r < 0 && (!err.num || !err.text[0]))
        abort();
    if (r < 0 || seccomp_compile(&p, insns, &n) < 0)
        return 0;
    if (!seccomp_is_valid(insns, n))
        abort();
    for (int nr = 0; nr < 500; nr += 7) {
        const struct seccomp_data d = {
            .nr = nr, .arch = nr % 2 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_I386, .args = {size, 1, 2}};
        (void)seccomp_eval(insns, n, &d);
    }
    return 0;
}
