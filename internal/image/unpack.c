// SPDX-License-Identifier: Apache-2.0
#include "internal/image/unpack.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "internal/image/chunk.h"
#include "internal/image/decode.h"
#include "internal/image/file_times.h"
#include "internal/image/layer.h"
#include "internal/image/member.h"
#include "internal/image/place.h"
#include "internal/image/tarscan.h"
#include "internal/image/unpack_wire.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

// A file is handed to its writer in parts of about this size, so that writing begins before the
// whole of it was decoded, and a large file does not hold all chunks (CHUNKS_AHEAD).
#define PART_SIZE (2U << 20)

#define PROGRESS_US 100000U

// Headers and padding of the largest archive within the limits, so that what is no file's data is
// bounded too: two headers and a pax record's blocks a member, and a generous end.
#define OVERHEAD_PER_ENTRY 4096U
#define OVERHEAD           (UINT64_C(64) << 20)

struct unpack {
    const struct unpack_job *job;
    struct unpack_stats *stats;
    struct decode *decode;
    uint64_t input_total;
    uint64_t next_report_us;
    struct tarscan *scan;
    struct placer placer;
    struct layer layer;
    struct file_times_range times; // what the destination's file system keeps
    struct chunk *chunk;           // the one that libarchive reads now
    uint64_t decoded;
    _Atomic uint64_t entries; // read by the decoder's thread
    bool refused;             // err is set: what libarchive says about it does not matter
    struct err err;
};

// --- decoding ---------------------------------------------------------------------------------

static void report(void *ctx, uint64_t taken)
{
    struct unpack *u = ctx;
    uint64_t now = loop_now_us();
    if (now < u->next_report_us)
        return;
    u->next_report_us = now + PROGRESS_US;
    struct wire_progress p = {
        .in = taken,
        .in_total = u->input_total,
        .out = writers_bytes(u->placer.writers),
        .entries = u->entries,
    };
    u->job->progress(u->job->progress_ctx, &p);
}

static uint64_t decoded_limit(const struct image_limits *l)
{
    uint64_t room = UINT64_MAX - OVERHEAD - l->max_bytes;
    uint64_t headers =
        l->max_entries > room / OVERHEAD_PER_ENTRY ? room : l->max_entries * OVERHEAD_PER_ENTRY;
    return l->max_bytes > UINT64_MAX - OVERHEAD ? UINT64_MAX : l->max_bytes + OVERHEAD + headers;
}

static int too_large(const struct image_limits *l, struct err *err)
{
    (void)err_set(err, EFBIG, "it unpacks to more than the %" PRIu64 " bytes that are allowed",
                  l->max_bytes);
    return err_hint(err, "--max-unpacked allows more; a file that grows so much may be a bomb");
}

static int too_many(const struct image_limits *l, struct err *err)
{
    (void)err_set(err, EFBIG, "it has more than the %" PRIu64 " members that are allowed",
                  l->max_entries);
    return err_hint(err, "--max-entries allows more; an archive of so many may be a bomb");
}

// The next chunk, seen by the strict reader before anybody else. 1, 0 at the end, or -errno.
static int next_chunk(struct unpack *u)
{
    chunk_unref(u->chunk);
    if (decode_would_wait(u->decode))
        writers_push(u->placer.writers);
    u->chunk = decode_next(u->decode);
    int r = 1;
    if (!u->chunk) {
        r = decode_failure(u->decode, &u->err);
    } else {
        u->decoded += u->chunk->len;
        if (u->decoded > decoded_limit(&u->job->limits))
            r = too_large(&u->job->limits, &u->err);
        else if (tarscan_push(u->scan, u->chunk->data, u->chunk->len, &u->err) < 0)
            r = -u->err.num;
        else if (u->entries + tarscan_extensions(u->scan) > 2 * u->job->limits.max_entries + 1024)
            r = too_many(&u->job->limits, &u->err);
    }
    u->refused = u->refused || r < 0;
    return r;
}

static la_ssize_t on_read(struct archive *a, void *ctx, const void **ret)
{
    (void)a;
    struct unpack *u = ctx;
    int r = next_chunk(u);
    if (r <= 0)
        return r; // ARCHIVE_FATAL is negative too, and the reason is in u->err
    *ret = u->chunk->data;
    return (la_ssize_t)u->chunk->len;
}

// --- data -------------------------------------------------------------------------------------

// Where libarchive points into the chunk we gave it, the bytes stay where they are and are held;
// what it had to put together from two chunks is copied out of its buffer.
static struct piece piece_of(struct unpack *u, const void *bytes, size_t n, uint64_t offset)
{
    const unsigned char *at = bytes;
    struct chunk *c = u->chunk;
    if (c && at >= c->data && at + n <= c->data + c->len) {
        chunk_ref(c);
        return (struct piece){(unsigned char *)at, n, offset, c};
    }
    return (struct piece){(unsigned char *)str_dupn(bytes, n), n, offset, NULL};
}

static int bad_data(const struct tar_member *m, struct err *err)
{
    return err_set(err, EBADMSG,
                   "the member \"%.200s\" at byte %" PRIu64
                   " of the archive has a sparse map that overlaps or leaves the file",
                   m->path, m->offset);
}

static int archive_failed(struct unpack *u, struct archive *a, struct err *err)
{
    if (u->refused) {
        *err = u->err;
        return -err->num;
    }
    // At the end of the bytes the strict reader knows better what is missing.
    if (!u->chunk && tarscan_finish(u->scan, err) < 0)
        return -err->num;
    const char *why = archive_error_string(a);
    return err_set(err, EBADMSG, "the tar archive is damaged before byte %" PRIu64 ": %.200s",
                   u->decoded, why ? why : "libarchive does not say why");
}

// Hands the task over, and begins the next one of the same file.
static struct task *hand_over(struct unpack *u, struct task *t)
{
    struct task *more = task_new(TASK_MORE, t->dir, t->path);
    more->seq = t->seq;
    more->size = t->size;
    more->meta = t->meta;
    t->meta.xattrs = NULL;
    writers_submit(u->placer.writers, t);
    return more;
}

static int copy_data(struct unpack *u, struct archive *a, const struct tar_member *m,
                     struct task **task, struct err *err)
{
    uint64_t at = 0;
    unsigned pieces = 0;
    for (;;) {
        const void *bytes;
        size_t n;
        la_int64_t offset;
        int r = archive_read_data_block(a, &bytes, &n, &offset);
        if (r == ARCHIVE_EOF)
            break;
        if (r != ARCHIVE_OK)
            return archive_failed(u, a, err);
        if (n == 0)
            continue;
        if (offset < 0 || (uint64_t)offset < at || (uint64_t)offset > m->size ||
            n > m->size - (uint64_t)offset ||
            (m->sparse && ++pieces > 2 * TARSCAN_SPARSE_MAX + 1024 && (uint64_t)offset != at))
            return bad_data(m, err);
        struct piece p = piece_of(u, bytes, n, (uint64_t)offset);
        task_add_piece(*task, &p);
        at = (uint64_t)offset + n;
        if ((*task)->bytes >= PART_SIZE)
            *task = hand_over(u, *task);
    }
    if (!m->sparse && at != m->size)
        return err_set(err, EBADMSG,
                       "the member \"%.200s\" at byte %" PRIu64 " of the archive is cut off",
                       m->path, m->offset);
    return 0;
}

static int do_file(struct unpack *u, struct archive *a, const struct tar_member *m,
                   struct file_meta *meta, struct err *err)
{
    struct task *t = NULL;
    int r = place_file(&u->placer, m, meta, &t, err);
    if (r < 0)
        return r;
    struct tree_dir *dir = t->dir; // place_file() holds it for us
    if (m->size > 0)
        r = copy_data(u, a, m, &t, err);
    if (r == 0) {
        t->last = true;
        writers_submit(u->placer.writers, t);
    } else {
        task_free(t);
    }
    tree_dir_put(dir);
    return r;
}

// --- members ----------------------------------------------------------------------------------

static int do_member(struct unpack *u, struct archive *a, struct archive_entry *e,
                     struct tar_member *m, struct err *err)
{
    const struct owner_map map = {&u->job->uids, &u->job->gids};
    struct file_meta meta;
    bool squashed = false;
    bool skipped = false;
    bool taken = false;
    int r = member_clean_path(m->path, "name", m->offset, err);
    if (r == 0 && u->job->layer)
        r = layer_take(&u->layer, &u->placer, m, &taken, err);
    if (r < 0 || taken)
        return r;
    if (m->type == TAR_HARDLINK)
        r = member_clean_path(m->link, "link target", m->offset, err);
    if (r < 0)
        return r;
    if (m->type == TAR_DEVICE) {
        u->stats->skipped_devices++;
        return place_device(&u->placer, m, err);
    }
    if (m->type == TAR_HARDLINK) {
        r = place_hardlink(&u->placer, m, &skipped, err);
        u->stats->skipped_devices += skipped;
        return r;
    }
    member_meta(m, e, &map, &meta, &squashed, &u->stats->skipped_xattrs);
    file_times_fit(&u->times, &meta.times);
    u->stats->squashed_owners += squashed;
    switch (m->type) {
    case TAR_DIR:
        return place_dir(&u->placer, m, &meta, err);
    case TAR_FILE:
        return do_file(u, a, m, &meta, err);
    default:
        xattrs_free(meta.xattrs); // a user may have none on links and FIFOs (xattr(7))
        meta.xattrs = NULL;
        return place_node(&u->placer, m, &meta, err);
    }
}

static int check_limits(struct unpack *u, const struct tar_member *m, struct err *err)
{
    const struct image_limits *l = &u->job->limits;
    if (++u->entries > l->max_entries)
        return too_many(l, err);
    if (m->size > l->max_bytes || u->stats->unpacked_bytes > l->max_bytes - m->size)
        return too_large(l, err);
    u->stats->unpacked_bytes += m->size;
    return 0;
}

// libarchive's warnings are refusals: each means that it read something else than what is written.
// The one exception: a name that it cannot turn into this process's character set. Names are taken
// from tarscan, as the bytes they are, so that conversion decides nothing.
static bool is_charset_warning(struct archive *a)
{
    const char *text = archive_error_string(a);
    return text && strstr(text, "can't be converted");
}

// 1: a member was unpacked; 0: the archive ended.
static int one_member(struct unpack *u, struct archive *a, struct err *err)
{
    struct archive_entry *e = NULL;
    struct tar_member m = {0};
    int r = archive_read_next_header(a, &e);
    if (r == ARCHIVE_EOF && !u->refused)
        return 0;
    bool names = r == ARCHIVE_OK;
    if (u->refused || (r != ARCHIVE_OK && !(r == ARCHIVE_WARN && is_charset_warning(a))))
        return archive_failed(u, a, err);
    if (!tarscan_pop(u->scan, &m))
        return err_set(err, EBADMSG,
                       "the tar archive is ambiguous before byte %" PRIu64
                       ": one reader sees a member where another sees none",
                       u->decoded);
    r = member_agrees(&m, e, names, err);
    if (r == 0)
        r = check_limits(u, &m, err);
    if (r == 0)
        r = do_member(u, a, e, &m, err);
    u->placer.seq++;
    tar_member_done(&m);
    return r < 0 ? r : 1;
}

// The archive ends before its file does: padding of zeros, and the checksums of the compression.
static int finish_input(struct unpack *u, struct err *err)
{
    struct tar_member m;
    int r;
    while ((r = next_chunk(u)) > 0)
        ;
    if (r < 0) {
        *err = u->err;
        return r;
    }
    if (tarscan_pop(u->scan, &m)) {
        r = err_set(err, EBADMSG,
                    "the tar archive is ambiguous: one reader sees \"%.200s\" at byte %" PRIu64
                    " where another sees the end",
                    m.path, m.offset);
        tar_member_done(&m);
        return r;
    }
    return tarscan_finish(u->scan, err);
}

static int read_archive(struct unpack *u, struct archive *a, struct err *err)
{
    // Formats and filters one by one: nothing is guessed, and no program is ever started.
    if (archive_read_support_filter_none(a) != ARCHIVE_OK ||
        archive_read_support_format_tar(a) != ARCHIVE_OK ||
        archive_read_open2(a, u, NULL, on_read, NULL, NULL) != ARCHIVE_OK)
        return archive_failed(u, a, err);
    for (;;) {
        int r = one_member(u, a, err);
        if (r == 0)
            return finish_input(u, err);
        if (r > 0)
            r = writers_failed(u->placer.writers, err);
        if (r < 0)
            return r;
    }
}

static int start(struct unpack *u, struct err *err)
{
    const struct unpack_job *job = u->job;
    const struct decode_opts opts = {
        .fd = job->input_fd,
        .threads = job->decoders,
        .memory = job->decoder_memory,
        .tick = job->progress ? report : NULL,
        .tick_ctx = u,
    };
    struct stat st;
    u->scan = tarscan_new();
    u->placer.root_fd = job->root_fd;
    if (fstat(job->input_fd, &st) == 0 && st.st_size > 0)
        u->input_total = (uint64_t)st.st_size;
    // The place it stands in may have given it a set-group-ID bit and another group, and all below
    // would inherit them.
    if (fchown(job->root_fd, 0, 0) < 0 || fchmod(job->root_fd, 0755) < 0)
        return err_sys(err, errno, "cannot own the directory to unpack into");
    u->times = file_times_probe(job->root_fd);
    int r = tree_new(job->root_fd, &u->placer.tree, err);
    if (r == 0)
        r = writers_start(job->writers, job->manifest_fd, &u->placer.writers, err);
    if (r == 0)
        r = decode_start(&opts, &u->decode, err);
    if (r == 0)
        (void)snprintf(u->stats->format, sizeof(u->stats->format), "%s",
                       stream_format_name(decode_format(u->decode)));
    return r;
}

static void stop(struct unpack *u, struct archive *a)
{
    (void)archive_read_free(a);
    chunk_unref(u->chunk);
    if (u->decode)
        decode_stop(u->decode);
    writers_stop(u->placer.writers);
    layer_done(&u->layer);
    tree_free(u->placer.tree);
    tarscan_free(u->scan);
    decode_free(u->decode);
}

int unpack_run(const struct unpack_job *job, struct unpack_stats *ret, struct err *err)
{
    struct unpack u = {.job = job, .stats = ret};
    struct archive *a = archive_read_new();
    int r = a ? start(&u, err) : err_sys(err, ENOMEM, "cannot unpack");
    if (r == 0)
        r = read_archive(&u, a, err);
    if (r == 0)
        r = writers_wait(u.placer.writers, err);
    if (r == 0)
        r = layer_apply(&u.layer, &u.placer, err);
    if (r == 0)
        r = tree_apply_final(u.placer.tree, err);
    if (r == 0)
        r = writers_flush(u.placer.writers, u.entries, err);
    ret->entries = u.entries;
    if (r == 0)
        ret->input_bytes = u.input_total; // all of it was read
    if (r == 0)
        ret->skipped_xattrs += writers_skipped_xattrs(u.placer.writers) + u.placer.skipped_xattrs;
    stop(&u, a);
    return r;
}
