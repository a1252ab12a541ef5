// SPDX-License-Identifier: Apache-2.0
// bryo-unpack: started by bryo, never by a person. Reads what strangers made, confined.
// Its descriptors and its words are in internal/image/unpack_wire.h.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/parse.h"
#include "internal/image/confine.h"
#include "internal/image/digest.h"
#include "internal/image/lzma_trust.h"
#include "internal/image/pack.h"
#include "internal/image/unpack.h"
#include "internal/image/unpack_wire.h"
#include "internal/image/verify.h"
#include "internal/job/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

// What a decoder may use: an .xz of preset 9 needs 65 MiB with one thread, blocks of the default
// preset (24 MiB of output) 140 MiB with two.
#define DECODER_MEMORY (UINT64_C(160) << 20)
#define THREADS_MAX    8U
#define STACK_SIZE     (256U << 10)

#if defined(__SANITIZE_ADDRESS__)
// make SAN=1: the search for leaks needs /proc, which is out of reach when the program ends. The
// fuzz targets look for leaks in the same code.
int __lsan_is_turned_off(void); // NOLINT(bugprone-reserved-identifier): the sanitizer's name
int __lsan_is_turned_off(void)  // NOLINT(bugprone-reserved-identifier)
{
    return 1;
}
#endif

static int send_record(const struct wire_record *r, int flags)
{
    ssize_t n;
    while ((n = send(UNPACK_FD_REPORT, r, sizeof(*r), MSG_NOSIGNAL | flags)) < 0 && errno == EINTR)
        ;
    return n < 0 ? -errno : 0;
}

static int finish(struct wire_record *last, int r, const struct err *err)
{
    if (r < 0) {
        last->kind = WIRE_FAILED;
        last->failed = *err;
    }
    return send_record(last, 0) == 0 && r == 0 ? 0 : 1;
}

static int run_digest(struct err *err)
{
    const struct confinement c = {CONFINE_DIGEST, -1, 0};
    struct wire_record last = {.kind = WIRE_DIGEST};
    int r = confine(&c, err);
    if (r == 0)
        r = digest_fd(UNPACK_FD_INPUT, last.digest, err);
    return finish(&last, r, err);
}

static int read_map(const char *path, struct idmap *ret, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    int r = fd_read_file(AT_FDCWD, path, 64U << 10, &text);
    if (r == 0)
        r = idmap_parse_proc(ret, buf_str(&text));
    return r < 0 ? err_sys(err, -r, "cannot read %s", path) : 0;
}

static unsigned count_cpus(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int n = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : (unsigned)n < THREADS_MAX ? (unsigned)n : THREADS_MAX;
}

static void send_progress(void *ctx, const struct wire_progress *p)
{
    (void)ctx;
    struct wire_record r = {.kind = WIRE_PROGRESS, .progress = *p};
    (void)send_record(&r, MSG_DONTWAIT); // the next one says more
}

// Threads that liblzma starts ask for no stack size of their own.
static void small_stacks(void)
{
    pthread_attr_t attr;
    if (confine_is_sanitized() || pthread_attr_init(&attr) != 0)
        return;
    if (pthread_attr_setstacksize(&attr, STACK_SIZE) == 0)
        (void)pthread_setattr_default_np(&attr);
    (void)pthread_attr_destroy(&attr);
}

// Threads that decode share the cores with those that write. Each would be put aside whenever
// another has something to do again, thousands of times, and find its caches cold when its turn
// comes back. A policy that the user chose stays.
static void take_long_turns(void)
{
    const struct sched_param none = {0};
    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)sched_setscheduler(0, SCHED_BATCH, &none);
}

static int run_unpack(struct image_limits limits, bool layer, struct err *err)
{
    struct wire_record last = {.kind = WIRE_UNPACKED};
    unsigned cpus = count_cpus();
    struct unpack_job job = {
        .input_fd = UNPACK_FD_INPUT,
        .root_fd = UNPACK_FD_TREE,
        .manifest_fd = UNPACK_FD_MANIFEST,
        .limits = limits,
        .layer = layer,
        .decoders = cpus,
        .writers = cpus,
        .decoder_memory = DECODER_MEMORY,
        .progress = send_progress,
    };
    // So that names in UTF-8 need no conversion. Where this locale is missing, libarchive warns
    // about them, and is not asked for names (unpack.c).
    (void)setlocale(LC_CTYPE, "C.UTF-8");
    small_stacks();
    take_long_turns();
    const struct confinement c = {CONFINE_UNPACK, UNPACK_FD_TREE, limits.max_bytes};
    int r = read_map("/proc/self/uid_map", &job.uids, err);
    if (r == 0)
        r = read_map("/proc/self/gid_map", &job.gids, err);
    if (r == 0)
        r = confine(&c, err);
    if (r == 0)
        r = unpack_run(&job, &last.stats, err);
    idmap_done(&job.uids);
    idmap_done(&job.gids);
    return finish(&last, r, err);
}

static void send_bad(void *ctx, const char *line)
{
    (void)ctx;
    struct wire_record r = {.kind = WIRE_BAD};
    (void)snprintf(r.line, sizeof(r.line), "%s", line);
    (void)send_record(&r, 0);
}

static int run_verify(bool owners, struct err *err)
{
    const struct confinement c = {CONFINE_VERIFY, UNPACK_FD_TREE, UINT64_MAX};
    struct wire_record last = {.kind = WIRE_VERIFIED};
    const struct verify_job job = {
        .root_fd = UNPACK_FD_TREE,
        .manifest_fd = UNPACK_FD_MANIFEST,
        .owners = owners,
        .bad = send_bad,
    };
    int r = confine(&c, err);
    if (r == 0)
        r = verify_run(&job, &last.checked, err);
    return finish(&last, r, err);
}

static bool parse_output(char **argv, struct pack_output *ret)
{
    uint64_t level = 0;
    *ret = (struct pack_output){.fd = UNPACK_FD_OUTPUT, .threads = count_cpus()};
    ret->format = pack_format_parse(argv[2]);
    if (ret->format == PACK_UNKNOWN || parse_u64(argv[3], 0, 22, &level) < 0)
        return false;
    ret->level = (int)level;
    return true;
}

static int run_pack(struct pack_job *job, struct err *err)
{
    struct wire_record last = {.kind = WIRE_PACKED};
    const struct confinement c = {CONFINE_PACK, UNPACK_FD_TREE, UINT64_MAX};
    job->scratch_fd = UNPACK_FD_TREE;
    (void)setlocale(LC_CTYPE, "C.UTF-8"); // names are written as they are
    int r = confine(&c, err);
    if (r == 0)
        r = pack_run(job, &last.packed, err);
    return finish(&last, r, err);
}

static int run_repack(const struct pack_output *output, struct err *err)
{
    struct wire_record last = {.kind = WIRE_REPACKED};
    const struct confinement c = {CONFINE_REPACK, -1, UINT64_MAX};
    const struct repack_job job = {
        .input_fd = UNPACK_FD_INPUT,
        .decoders = lzma_threads_safe_here() ? count_cpus() : 1,
        .decoder_memory = DECODER_MEMORY,
        .output = *output,
        .progress = send_progress,
    };
    int r = confine(&c, err);
    if (r == 0)
        r = repack_run(&job, &last.repacked, err);
    return finish(&last, r, err);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct image_limits limits = {0};
    if (argc == 2 && strcmp(argv[1], "digest") == 0)
        return run_digest(&err);
    bool layer = argc > 1 && strcmp(argv[1], "layer") == 0;
    if (argc == 4 && (layer || strcmp(argv[1], "unpack") == 0) &&
        parse_u64(argv[2], 0, UINT64_MAX, &limits.max_bytes) == 0 &&
        parse_u64(argv[3], 0, UINT64_MAX, &limits.max_entries) == 0)
        return run_unpack(limits, layer, &err);
    struct pack_job job = {.one_owner = argc == 6};
    if ((argc == 4 || argc == 6) && strcmp(argv[1], "pack") == 0 &&
        parse_output(argv, &job.output) &&
        (argc == 4 || (parse_u32(argv[4], &job.uid) == 0 && parse_u32(argv[5], &job.gid) == 0)))
        return run_pack(&job, &err);
    if (argc == 4 && strcmp(argv[1], "repack") == 0 && parse_output(argv, &job.output))
        return run_repack(&job.output, &err);
    if (argc == 3 && strcmp(argv[1], "verify") == 0)
        return run_verify(strcmp(argv[2], "owners") == 0, &err);
    (void)fprintf(stderr,
                  "bryo-unpack: bryo starts this program to unpack tarballs; it is of no use "
                  "by itself\n");
    return 125;
}
