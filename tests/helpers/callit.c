// SPDX-License-Identifier: Apache-2.0
// Makes one system call by its number and prints what came of it: "= RESULT" or "-ERRNAME".
//
//     callit [64|32|x32] NR [ARG...]
//
// An argument is a number (0x.. too), or @ followed by comma separated numbers: the address of an
// array of these (of 32 bits each in the 32-bit ABI), or a word in quotes: the address of that
// text.
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM = 4096 };

static long call64(long nr, const unsigned long a[6])
{
    long r = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    return r < 0 ? -errno : r;
}

static long call32(long nr, const unsigned long a[6])
{
#if defined(__x86_64__)
    long r;
    // The sixth argument goes in %ebp, which is left alone: no call here has six.
    __asm__ volatile("int $0x80"
                     : "=a"(r)
                     : "a"(nr), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4])
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)r;
#else
    (void)nr, (void)a;
    return -ENOSYS;
#endif
}

// Below 4 GiB, where both ABIs can point.
static char *room(void)
{
    static char *next;
    if (!next)
        next = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
                    -1, 0);
    if (next == MAP_FAILED)
        exit(99);
    next += ROOM;
    return next - ROOM;
}

static unsigned long argument(char *text, size_t size)
{
    if (*text == '"') {
        char *p = room();
        text[strlen(text) - 1] = '\0';
        (void)snprintf(p, ROOM, "%s", text + 1);
        return (unsigned long)p;
    }
    if (*text != '@')
        return strtoul(text, NULL, 0);
    char *p = room();
    size_t n = 0;
    for (char *word = strtok(text + 1, ","); word; word = strtok(NULL, ","), n++) {
        uint64_t value = strtoul(word, NULL, 0);
        memcpy(p + n * size, &value, size);
    }
    return (unsigned long)p;
}

int main(int argc, char **argv)
{
    unsigned long a[6] = {0};
    int at = 1;
    int abi = 64;
    if (at < argc && (!strcmp(argv[at], "32") || !strcmp(argv[at], "64")))
        abi = (int)strtol(argv[at++], NULL, 10);
    else if (at < argc && !strcmp(argv[at], "x32") && at++)
        abi = 0;
    if (at >= argc)
        return 2;
    long nr = strtol(argv[at++], NULL, 0);
    for (int i = 0; i < 6 && at < argc; i++, at++)
        a[i] = argument(argv[at], abi == 32 ? 4 : 8);
    long r = abi == 32 ? call32(nr, a) : call64(abi == 0 ? nr | 0x40000000 : nr, a);
    if (r < 0)
        printf("-%s\n", strerrorname_np((int)-r));
    else
        printf("= %ld\n", r);
    return r < 0;
}
