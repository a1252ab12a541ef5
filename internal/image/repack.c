// SPDX-License-Identifier: Apache-2.0
// Three passes: the input is decoded for its time and its end, decoded once more into the other
// compression, and what came out is decoded for its time and compared in length. The first also
// finds out whether the input is a whole archive that bryo would take, before anything is written.
#include "internal/image/pack.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "internal/image/decode.h"
#include "internal/image/stream.h"
#include "internal/image/tarscan.h"
#include "internal/image/unpack_wire.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define BLOCK       (256U << 10)
#define PROGRESS_US 100000U

struct pass {
    const struct repack_job *job;
    unsigned char *block;
    struct archive *to; // of the pass that compresses
    uint64_t bytes;
    uint64_t us;
    uint64_t input_total;
    uint64_t next_report_us;
    char format[16];
};

static void report(struct pass *p, const struct stream *s)
{
    uint64_t now = loop_now_us();
    if (!p->job->progress || now < p->next_report_us)
        return;
    p->next_report_us = now + PROGRESS_US;
    struct wire_progress w = {
        .in = stream_input_offset(s), .in_total = p->input_total, .out = p->bytes};
    p->job->progress(p->job->progress_ctx, &w);
}

static uint64_t size_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

static int check_tar(const unsigned char *bytes, size_t n, struct err *err)
{
    static const unsigned char zeros[512];
    if (n >= 512 && (stream_is_tar_header(bytes) || memcmp(bytes, zeros, 512) == 0))
        return 0;
    return err_set(err, EBADMSG, "what is compressed in it is no tar archive");
}

static int read_all(struct pass *p, struct stream *s, struct err *err)
{
    ssize_t n;
    while ((n = stream_read(s, p->block, BLOCK, err)) > 0) {
        p->bytes += (uint64_t)n;
        if (archive_write_data(p->to, p->block, (size_t)n) != (la_ssize_t)n)
            return pack_failed(p->to, err);
        report(p, s);
    }
    return (int)n;
}

static int run_pass(struct pass *p, int fd, struct err *err)
{
    const struct stream_opts opts = {p->job->decoders, p->job->decoder_memory};
    struct stream *s = NULL;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(err, errno, "cannot read the tarball again from its start");
    int r = stream_open(fd, &opts, &s, err);
    if (r == 0)
        r = read_all(p, s, err);
    stream_close(s);
    return r;
}

static int check_chunk(struct pass *p, struct tarscan *scan, const struct chunk *c, struct err *err)
{
    struct tar_member m;
    int r = p->bytes == 0 ? check_tar(c->data, c->len, err) : 0;
    if (r == 0)
        r = tarscan_push(scan, c->data, c->len, err);
    while (tarscan_pop(scan, &m))
        tar_member_done(&m);
    p->bytes += c->len;
    return r;
}

// As an import decodes: what the first run pays.
static int run_timed(struct pass *p, int fd, struct err *err)
{
    const struct decode_opts opts = {
        .fd = fd, .threads = p->job->output.threads, .memory = p->job->decoder_memory};
    struct decode *d = NULL;
    struct tarscan *scan = NULL;
    struct chunk *c = NULL;
    uint64_t start = loop_now_us();
    if (lseek(fd, 0, SEEK_SET) < 0)
        return err_sys(err, errno, "cannot read the tarball again from its start");
    int r = decode_start(&opts, &d, err);
    if (r < 0)
        return r;
    scan = tarscan_new();
    while (r == 0 && (c = decode_next(d))) {
        r = check_chunk(p, scan, c, err);
        chunk_unref(c);
    }
    if (r == 0)
        r = decode_failure(d, err);
    if (r == 0 && p->bytes == 0)
        r = check_tar(p->block, 0, err);
    if (r == 0)
        r = tarscan_finish(scan, err);
    tarscan_free(scan);
    (void)snprintf(p->format, sizeof(p->format), "%s", stream_format_name(decode_format(d)));
    decode_free(d);
    p->us = loop_now_us() - start;
    return r;
}

static int compress(struct pass *p, int fd, const struct pack_output *out, uint64_t size,
                    struct err *err)
{
    p->to = pack_open_filter(out, err);
    if (!p->to)
        return -err->num;
    struct archive_entry *e = archive_entry_new();
    int r = e ? 0 : err_sys(err, ENOMEM, "cannot write the tarball");
    if (r == 0) {
        archive_entry_set_filetype(e, AE_IFREG);
        archive_entry_set_size(e, (la_int64_t)size);
        archive_entry_copy_pathname(e, "data");
    }
    if (r == 0 && (archive_write_set_format_raw(p->to) != ARCHIVE_OK ||
                   archive_write_open_fd(p->to, out->fd) != ARCHIVE_OK ||
                   archive_write_header(p->to, e) != ARCHIVE_OK))
        r = pack_failed(p->to, err);
    if (r == 0)
        r = run_pass(p, fd, err);
    if (r == 0 && archive_write_close(p->to) != ARCHIVE_OK)
        r = pack_failed(p->to, err);
    archive_entry_free(e);
    (void)archive_write_free(p->to);
    p->to = NULL;
    return r;
}

int repack_run(const struct repack_job *job, struct repack_stats *ret, struct err *err)
{
    const struct pack_output *output = &job->output;
    int input_fd = job->input_fd;
    AUTO_FREE unsigned char *block = mem_alloc(BLOCK);
    struct pass in = {.job = job, .block = block, .input_total = size_of(input_fd)};
    struct pass through = in;
    struct pass out = in;
    int r = run_timed(&in, input_fd, err);
    if (r == 0)
        r = compress(&through, input_fd, output, in.bytes, err);
    if (r == 0)
        r = run_timed(&out, output->fd, err);
    if (r == 0 && (through.bytes != in.bytes || out.bytes != in.bytes))
        r = err_set(err, EIO,
                    "what was written is not what was read: the tarball was changed "
                    "meanwhile, or the disk is bad");
    if (r < 0)
        return r;
    *ret = (struct repack_stats){.input_bytes = size_of(input_fd),
                                 .output_bytes = size_of(output->fd),
                                 .tar_bytes = in.bytes,
                                 .input_us = in.us,
                                 .output_us = out.us};
    memcpy(ret->format, in.format, sizeof(ret->format));
    return 0;
}
