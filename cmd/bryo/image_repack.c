// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/image_repack.h"

#include "cmd/bryo/cli.h"
#include "internal/base/bytesize.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/parse.h"
#include "internal/roots/kept.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct repack_options {
    const char *output;
    uint64_t level;
};

static int set_output(void *ctx, const char *value, struct err *err)
{
    if (!*value)
        return err_set(err, EINVAL, "expected a file, not an empty word");
    ((struct repack_options *)ctx)->output = value;
    return 0;
}

static int set_level(void *ctx, const char *value, struct err *err)
{
    if (parse_u64(value, 1, 19, &((struct repack_options *)ctx)->level) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a number from 1 to 19", value);
    return 0;
}

static void add_line(struct buf *out, const char *path, const char *format, uint64_t bytes,
                     uint64_t us)
{
    escape_add(out, path, strlen(path));
    buf_addf(out, " (%s): ", format);
    bytesize_add(out, bytes);
    buf_addf(out, ", decoded in %" PRIu64 ".%02" PRIu64 " s\n", us / 1000000, us % 1000000 / 10000);
}

static void add_verdict(struct buf *out, const struct repacked *r)
{
    bool faster = r->output_us < r->input_us;
    uint64_t us = faster ? r->input_us - r->output_us : r->output_us - r->input_us;
    bool smaller = r->output_bytes < r->input_bytes;
    uint64_t bytes = smaller ? r->input_bytes - r->output_bytes : r->output_bytes - r->input_bytes;
    buf_addf(out, "%s %" PRIu64 ".%02" PRIu64 " s of decoding, ", faster ? "saves" : "costs",
             us / 1000000, us % 1000000 / 10000);
    buf_adds(out, smaller == faster ? "and " : smaller ? "saves " : "costs ");
    bytesize_add(out, bytes);
    buf_adds(out, "; the same ");
    bytesize_add(out, r->tar_bytes);
    buf_adds(out, " tar archive\n");
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct repack_options o = {0};
    struct repacked done = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    if (!o.output) {
        err_set(&err, EINVAL, "%s needs -o FILE for the new tarball", verb->path);
        err_hint(&err, "usage: %s %s", verb->path, verb->synopsis);
        return cli_fail(&err);
    }
    if (kept_repack(words.v[0], o.output, NULL, (unsigned)o.level, &done, &err) < 0)
        return cli_fail(&err);
    add_line(&out, words.v[0], done.input_format, done.input_bytes, done.input_us);
    add_line(&out, o.output, done.output_format, done.output_bytes, done.output_us);
    add_verdict(&out, &done);
    return cli_print(&out);
}

// clang-format off
static const struct cli_option options[] = {
    {"output", 'o', "FILE", "Options",
     "the new tarball: a name that ends in .tar.zst, .tar.xz, .tar.gz or .tar", CLI_FILES, NULL, set_output},
    {"level", 0, "N", "Options",
     "how hard to compress, 1 to 19 (default 19 for .tar.zst, 6 for the others, which end at 9)", CLI_NOTHING, NULL, set_level},
};
// clang-format on

const struct cli_verb verb_image_repack = {
    .name = "repack",
    .path = "bryo image repack",
    .synopsis = "TARBALL -o FILE [--level N]",
    .summary = "compress a tarball anew for a cheaper cold start, and say what that saves",
    .description =
        "Writes the same tar archive with another compression. A store that is empty, as on a "
        "hosted CI machine, is filled by decoding the tarball: Zstandard decodes many times as "
        "fast as xz, and is a little larger. Prints the sizes, and how long each took to decode "
        "here. The input is decoded to its end before anything is written; the new file is there "
        "when it is whole and was read back.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .words = CLI_FILES,
    .run = run,
};
