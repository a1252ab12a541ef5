// SPDX-License-Identifier: Apache-2.0
#include "internal/image/pack.h"

#include "internal/base/err.h"

#include <archive.h>
#include <errno.h>
#include <stdio.h>

int pack_failed(struct archive *a, struct err *err)
{
    int num = archive_errno(a);
    const char *why = archive_error_string(a);
    (void)err_set(err, num > 0 ? num : EIO, "cannot write the tarball: %.300s",
                  why ? why : "libarchive does not say why");
    if (num == ENOSPC || num == EDQUOT)
        return err_hint(err, "make room where it is written to");
    return -err->num;
}

static int add_filter(struct archive *a, const struct pack_output *o)
{
    switch (o->format) {
    case PACK_GZIP:
        return archive_write_add_filter_gzip(a);
    case PACK_XZ:
        return archive_write_add_filter_xz(a);
    case PACK_ZSTD:
        return archive_write_add_filter_zstd(a);
    default:
        return archive_write_add_filter_none(a);
    }
}

static int set_number(struct archive *a, const char *option, int value)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", value);
    return archive_write_set_filter_option(a, NULL, option, text);
}

struct archive *pack_open_filter(const struct pack_output *o, struct err *err)
{
    struct archive *a = archive_write_new();
    int r = a ? add_filter(a, o) : ARCHIVE_FATAL;
    // A version that cannot compress in parallel says so by a warning, and does it slower.
    if (r == ARCHIVE_OK && o->threads > 1 && (o->format == PACK_XZ || o->format == PACK_ZSTD))
        (void)set_number(a, "threads", (int)o->threads);
    if (r == ARCHIVE_OK && o->format == PACK_GZIP)
        r = archive_write_set_filter_option(a, NULL, "timestamp", NULL); // the same bytes each time
    if (r == ARCHIVE_OK && o->level > 0 && o->format != PACK_TAR)
        r = set_number(a, "compression-level",
                       o->format != PACK_ZSTD && o->level > 9 ? 9 : o->level);
    // No padding, whatever it is written to.
    if (r == ARCHIVE_OK)
        r = archive_write_set_bytes_in_last_block(a, 1);
    if (r == ARCHIVE_OK)
        return a;
    if (a)
        (void)pack_failed(a, err);
    else
        (void)err_sys(err, ENOMEM, "cannot write the tarball");
    (void)archive_write_free(a);
    return NULL;
}
