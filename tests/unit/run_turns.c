// SPDX-License-Identifier: Apache-2.0
// When the kernel is told to switch between who asks and who answers.
#include "internal/run/seccomp_turns.h"
#include "tests/unit/tap.h"

static void ask(struct seccomp_turns *t, uint32_t pid, int times)
{
    for (int i = 0; i < times; i++)
        seccomp_turns_take(t, -1, pid);
}

int main(void)
{
    struct seccomp_turns t = {0};
    ask(&t, 7, 1000);
    ok(t.on, "one that asks many times in a row");
    ask(&t, 8, 1);
    ok(!t.on, "until another asks");
    for (int i = 0; i < 1000; i++)
        ask(&t, i % 2 ? 7 : 8, 3);
    ok(!t.on, "two that ask in turn: not at all");
    ask(&t, 9, 1000);
    ok(t.on, "and again for one");
    return done_testing();
}
