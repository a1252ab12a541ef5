// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "tests/unit/tap.h"

#include <sys/wait.h>

static void buffers(void)
{
    AUTO_BUF struct buf b = {0};
    is_str(buf_str(&b), "", "an untouched buffer reads as the empty string");
    buf_adds(&b, "ab");
    buf_addc(&b, 'c');
    buf_addf(&b, "%d-%s", 42, "x");
    buf_add(&b, "\0y", 2);
    is_int(b.len, 9, "length counts every byte");
    ok(memcmp(b.data, "abc42-x\0y", 10) == 0, "bytes, a NUL among them, and a NUL behind");
    buf_clear(&b);
    is_str(buf_str(&b), "", "cleared");
    for (int i = 0; i < 10000; i++)
        buf_addf(&b, "%04d", i);
    ok(b.len == 40000 && memcmp(b.data + 39996, "9999", 5) == 0, "grows");
    char *where = buf_reserve(&b, 100000);
    memset(where, 'z', 100000);
    ok(where == b.data + 40000 && b.len == 40000, "reserving adds nothing");
    AUTO_FREE char *taken = buf_take(&b);
    ok(strncmp(taken, "00000001", 8) == 0 && b.len == 0 && !b.data, "taken, and empty again");
    AUTO_FREE char *empty = buf_take(&b);
    is_str(empty, "", "an empty buffer gives an empty string");
    buf_done(&b);
    buf_done(&b);
    ok(b.cap == 0, "done twice");
}

static void lists(void)
{
    AUTO_STRV struct strv s = {0};
    ok(!s.v && s.n == 0, "an empty list has no array");
    strv_add(&s, "one");
    strv_addf(&s, "%s-%d", "two", 2);
    strv_take(&s, str_dup("three"));
    ok(s.n == 3 && s.v[3] == NULL, "three strings, then NULL");
    is_str(s.v[1], "two-2", "formatted");
    strv_done(&s);
    ok(!s.v && s.n == 0, "freed");
}

static void strings(void)
{
    AUTO_FREE char *a = str_dupn("abcdef", 3);
    AUTO_FREE char *b = str_fmt("%s/%d", a, 7);
    is_str(a, "abc", "a part of a string");
    is_str(b, "abc/7", "a formatted string");
    unsigned char *zero = mem_alloc(64);
    int sum = 0;
    for (int i = 0; i < 64; i++)
        sum += zero[i];
    is_int(sum, 0, "memory is zeroed");
    free(zero);
}

// In a child, since it ends the process.
static void out_of_memory(void)
{
    int pipefd[2];
    if (!ok(pipe(pipefd) == 0, "pipe"))
        return;
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(pipefd[1], STDERR_FILENO);
        struct buf b = {0};
        (void)buf_reserve(&b, SIZE_MAX / 2);
        _exit(0);
    }
    (void)close(pipefd[1]);
    char text[100] = "";
    ssize_t n = read(pipefd[0], text, sizeof(text) - 1);
    (void)close(pipefd[0]);
    int status = 0;
    (void)waitpid(pid, &status, 0);
    ok(WIFEXITED(status) && WEXITSTATUS(status) == 125, "out of memory ends with 125");
    ok(n > 0, "and says something");
    is_str(text, "bryo: out of memory\n", "and says so");
}

int main(void)
{
    buffers();
    lists();
    strings();
    out_of_memory();
    return done_testing();
}
