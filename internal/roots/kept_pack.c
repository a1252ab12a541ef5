// SPDX-License-Identifier: Apache-2.0
// bryo-unpack started to write a tarball.
#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/image/unpack_wire.h"
#include "internal/job/spec.h"
#include "internal/job/stage.h"
#include "internal/roots/host_bar.h"
#include "internal/roots/host_helper.h"
#include "internal/roots/host_output.h"
#include "internal/roots/host_worker.h"
#include "internal/roots/kept.h"
#include "internal/roots/kept_priv.h"
#include "internal/sandbox/host_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int choose_format(const char *output, const char *format, const char **ret, struct err *err)
{
    enum pack_format f = format                     ? pack_format_parse(format)
                         : strcmp(output, "-") == 0 ? PACK_TAR
                                                    : pack_format_of_file(output);
    if (f == PACK_UNKNOWN) {
        (void)err_set(err, EINVAL, "the name %s does not say what to write", output);
        return err_hint(err, "end it with .tar, .tar.gz, .tar.xz or .tar.zst, or give --format");
    }
    *ret = pack_format_name(f);
    return 0;
}

static void on_progress(void *ctx, const struct wire_record *rec)
{
    if (rec->kind == WIRE_PROGRESS)
        host_bar_draw(ctx, &rec->progress);
}

static int run_worker(const struct idmaps *maps, struct host_worker_plan *plan,
                      struct host_bar *bar, enum wire_kind want, struct wire_record *ret,
                      struct err *err)
{
    int r = host_worker_ask(maps, plan, want, on_progress, bar, ret, err);
    host_bar_erase(bar);
    return r;
}

int kept_commit(const char *id, const char *output, const char *format, struct kept_layer *ret,
                struct err *err)
{
    AUTO_KEPT struct kept k = {.scratch = {.parent = -1, .fd = -1}};
    AUTO_OUTPUT struct host_output out = {.fd = -1, .dirfd = -1};
    struct host_bar bar = host_bar_begin("packing", false);
    struct wire_record last;
    const char *name = NULL;
    char uid[16];
    char gid[16];
    int r = choose_format(output, format, &name, err);
    if (r == 0)
        r = kept_open(id, &k, err);
    if (r == 0)
        r = host_output_open(output, &out, err);
    if (r < 0)
        return r;
    (void)snprintf(uid, sizeof(uid), "%" PRIu32, k.uid);
    (void)snprintf(gid, sizeof(gid), "%" PRIu32, k.gid);
    char *argv[] = {NULL, (char *)"pack", (char *)name, (char *)"0", uid, gid, NULL};
    if (!k.renamed)
        argv[4] = NULL;
    struct host_worker_plan plan = {
        .argv = argv,
        .fds = {{k.scratch.fd, UNPACK_FD_TREE}, {out.fd, UNPACK_FD_OUTPUT}},
        .n_fds = 2};
    r = run_worker(&k.maps, &plan, &bar, WIRE_PACKED, &last, err);
    if (r == 0)
        r = host_output_publish(&out, err);
    if (r < 0)
        return err_stage(err, STAGE_REPORT);
    *ret = (struct kept_layer){last.packed.entries, last.packed.whiteouts, last.packed.left_out,
                               last.packed.bytes, last.packed.output_bytes};
    return 0;
}

static int open_input(const char *path, struct err *err)
{
    struct stat st;
    AUTO_FD int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, errno, "cannot open %s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, EINVAL, "%s is not a regular file", path);
    return TAKE_FD(fd);
}

int kept_repack(const char *input, const char *output, const char *format, unsigned level,
                struct repacked *ret, struct err *err)
{
    AUTO_OUTPUT struct host_output out = {.fd = -1, .dirfd = -1};
    struct host_bar bar = host_bar_begin("repacking", isatty(STDERR_FILENO));
    struct host_identity identity = {0};
    struct wire_record last;
    struct job_spec spec;
    const char *name = "";
    char number[16];
    AUTO_FD int in = open_input(input, err);
    int r = in < 0 ? in : choose_format(output, format, &name, err);
    if (r == 0)
        r = host_output_open(output, &out, err);
    if (r == 0 && !out.name)
        r = err_set(err, EINVAL, "%s is no file that could be read again, to see what was written",
                    output);
    if (r < 0)
        return r;
    // One id is enough for what reads one descriptor and writes another.
    job_spec_init(&spec);
    spec.userns = USERNS_SINGLE;
    r = host_identity_choose(&spec, 0, 0, &identity, err);
    job_spec_done(&spec);
    // The most where it costs whoever decodes nothing.
    bool zstd = strcmp(name, pack_format_name(PACK_ZSTD)) == 0;
    (void)snprintf(number, sizeof(number), "%u", level ? level : zstd ? 19 : 0);
    char *argv[] = {NULL, (char *)"repack", (char *)name, number, NULL};
    struct host_worker_plan plan = {
        .argv = argv, .fds = {{in, UNPACK_FD_INPUT}, {out.fd, UNPACK_FD_OUTPUT}}, .n_fds = 2};
    if (r == 0)
        r = run_worker(&identity.maps, &plan, &bar, WIRE_REPACKED, &last, err);
    idmaps_done(&identity.maps);
    if (r == 0)
        r = host_output_publish(&out, err);
    if (r < 0)
        return err_stage(err, STAGE_REPORT);
    *ret = (struct repacked){.input_bytes = last.repacked.input_bytes,
                             .output_bytes = last.repacked.output_bytes,
                             .tar_bytes = last.repacked.tar_bytes,
                             .input_us = last.repacked.input_us,
                             .output_us = last.repacked.output_us};
    (void)snprintf(ret->input_format, sizeof(ret->input_format), "%s", last.repacked.format);
    (void)snprintf(ret->output_format, sizeof(ret->output_format), "%s", name);
    return 0;
}
