// SPDX-License-Identifier: Apache-2.0
// bryo image: the store of unpacked tarballs.
#include "cmd/bryo/builder.h"
#include "cmd/bryo/cli.h"
#include "cmd/bryo/image_print.h"
#include "cmd/bryo/image_repack.h"
#include "internal/base/bytesize.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/base/parse.h"
#include "internal/roots/images.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

// ctx of the apply functions of all sub-verbs but import, whose is the builder.
struct image_options {
    bool json;
    bool quiet;
    struct strv layers;
    uint64_t older_than_us;
    bool force;
};

static void image_options_done(struct image_options *o)
{
    strv_done(&o->layers);
}

static int set_format(void *ctx, const char *value, struct err *err)
{
    return cli_set_json(value, &((struct image_options *)ctx)->json, err);
}

static int set_digests_only(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct image_options *)ctx)->quiet = true;
    return 0;
}

static int add_layer(void *ctx, const char *value, struct err *err)
{
    (void)err;
    strv_add(&((struct image_options *)ctx)->layers, value);
    return 0;
}

static int set_force(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct image_options *)ctx)->force = true;
    return 0;
}

static int set_older_than(void *ctx, const char *value, struct err *err)
{
    if (parse_duration(value, &((struct image_options *)ctx)->older_than_us) < 0)
        return err_set(err, EINVAL, "\"%s\" is not a duration such as 12h or 30d", value);
    return 0;
}

static int run_ls(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct image_options o = {0};
    struct image_info *images = NULL;
    struct err err = {0};
    size_t n = 0;
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 0, 0, &words, &status) != CLI_PARSED)
        return status;
    if (images_list(&images, &n, &err) < 0)
        return cli_fail(&err);
    if (o.quiet)
        for (size_t i = 0; i < n; i++)
            buf_addf(&out, "%s\n", images[i].digest);
    else if (o.json)
        print_image_json(images, n, &out);
    else
        print_image_table(images, n, (int64_t)time(NULL), &out);
    image_infos_free(images, n);
    return cli_print(&out);
}

// Goes on after a failure, so that one bad name does not hide the others.
static int run_rm(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    struct image_options o = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, SIZE_MAX, &words, &status) != CLI_PARSED)
        return status;
    for (size_t i = 0; i < words.n; i++) {
        struct err err = {0};
        if (images_remove(words.v[i], o.force, &err) < 0)
            status = cli_fail(&err);
    }
    return status;
}

static int run_prune(const struct cli_verb *verb, const struct invocation *inv, int argc,
                     char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct image_options o = {0};
    struct err err = {0};
    struct images_pruned done = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 0, 0, &words, &status) != CLI_PARSED)
        return status;
    if (images_prune(o.older_than_us / 1000000, o.force, &done, &err) < 0)
        return cli_fail(&err);
    buf_addf(&out, "removed %" PRIu64 " image%s, ", done.n, done.n == 1 ? "" : "s");
    bytesize_add(&out, done.bytes);
    buf_addc(&out, '\n');
    if (done.kept)
        log_note("%" PRIu64 " on which kept jobs stand were left; --force removes them too",
                 done.kept);
    return cli_print(&out);
}

static int run_inspect(const struct cli_verb *verb, const struct invocation *inv, int argc,
                       char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    AUTO(image_options_done) struct image_options o = {0};
    struct image_info *infos = NULL;
    struct err err = {0};
    size_t n = 1;
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    if (o.layers.n) {
        if (images_inspect_stack(words.v[0], &o.layers, &infos, &n, &err) < 0)
            return cli_fail(&err);
    } else {
        infos = mem_alloc(sizeof(*infos));
        if (images_inspect(words.v[0], infos, &err) < 0) {
            free(infos);
            return cli_fail(&err);
        }
    }
    if (o.json)
        print_image_json(infos, n, &out);
    else if (o.layers.n)
        print_image_stack(infos, n, &out);
    else
        print_image_fields(infos, (int64_t)time(NULL), &out);
    image_infos_free(infos, n);
    return cli_print(&out);
}

static int run_import(const struct cli_verb *verb, const struct invocation *inv, int argc,
                      char **argv)
{
    AUTO_BUILDER struct builder b = {0};
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct image_info info = {0};
    struct err err = {0};
    int status = 0;
    if (builder_init(&b, inv->envp, &err) < 0)
        return cli_fail(&err);
    if (cli_begin(verb, argc, argv, &b, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    if (builder_finish(&b, &err) < 0 ||
        images_import(&b.spec, words.v[0], b.as_layer, &info, &err) < 0)
        return cli_fail(&err);
    buf_addf(&out, "%s\n", info.digest);
    image_info_done(&info);
    return cli_print(&out);
}

static int set_repair(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->repair = true;
    return 0;
}

static int run_verify(const struct cli_verb *verb, const struct invocation *inv, int argc,
                      char **argv)
{
    AUTO_BUILDER struct builder b = {0};
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct image_verdict verdict = {0};
    struct err err = {0};
    int status = 0;
    if (builder_init(&b, inv->envp, &err) < 0)
        return cli_fail(&err);
    if (cli_begin(verb, argc, argv, &b, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    const struct images_verify_opts opts = {&b.spec, b.repair};
    if (builder_finish(&b, &err) < 0 || images_verify(words.v[0], &opts, &verdict, &err) < 0)
        return cli_fail(&err);
    bool sound = verdict.bad.n == verdict.repaired_faults;
    for (size_t i = 0; i < verdict.bad.n; i++)
        buf_addf(&out, "%s\n", verdict.bad.v[i]);
    buf_addf(&out, "%" PRIu64 " entries checked, %zu differ\n", verdict.checked, verdict.bad.n);
    if (verdict.repaired)
        buf_addf(&out, "unpacked again: %" PRIu64 "\n", verdict.repaired);
    image_verdict_done(&verdict);
    status = cli_print(&out);
    return status ? status : sound ? 0 : 1;
}

// clang-format off
static const struct cli_option ls_options[] = {
    {"format", 0, "table|json", "Options", "how to print them (default table)", CLI_NOTHING, NULL, set_format},
    {"quiet", 'q', NULL, "Options", "only the digests", CLI_NOTHING, NULL, set_digests_only},
};
static const struct cli_option inspect_options[] = {
    {"layer", 0, "IMAGE|DIR", "Options", "a layer above it, and above the --layer before it", CLI_IMAGES, NULL, add_layer},
    {"format", 0, "table|json", "Options", "how to print it (default table)", CLI_NOTHING, NULL, set_format},
};
static const struct cli_option rm_options[] = {
    {"force", 'f', NULL, "Options", "also where a kept job stands on it", CLI_NOTHING, NULL, set_force},
};
static const struct cli_option prune_options[] = {
    {"force", 'f', NULL, "Options", "also images that kept jobs stand on", CLI_NOTHING, NULL, set_force},
    {"older-than", 0, "DURATION", "Options",
     "only what no run used for so long, such as 30d (default: all that is not in use)",
     CLI_NOTHING, NULL, set_older_than},
};
#define MAP_OPTIONS \
    {"userns", 0, "auto|subids|single", "Options", "as for bryo run", CLI_NOTHING, NULL, set_userns}, \
    {"uidmap", 0, "INSIDE:FROM[:COUNT]", "Options", "as for bryo run", CLI_NOTHING, NULL, set_uidmap}, \
    {"gidmap", 0, "INSIDE:FROM[:COUNT]", "Options", "as for bryo run", CLI_NOTHING, NULL, set_gidmap}
static const struct cli_option import_options[] = {
    MAP_OPTIONS,
    {"max-unpacked", 0, "SIZE", "Options", "as for bryo run", CLI_NOTHING, NULL, set_max_unpacked},
    {"max-entries", 0, "N", "Options", "as for bryo run", CLI_NOTHING, NULL, set_max_entries},
    {"as-layer", 0, NULL, "Options", "unpack it as --layer of bryo run would: its whiteouts are honoured", CLI_NOTHING, NULL, set_as_layer},
    {"quiet", 'q', NULL, "Options", "no progress", CLI_NOTHING, NULL, set_quiet},
};
static const struct cli_option verify_options[] = {
    {"repair", 0, NULL, "Options",
     "unpack again what differs, from the tarball, where that is still the same", CLI_NOTHING, NULL, set_repair},
    MAP_OPTIONS,
};
// clang-format on

#define OPTIONS(table) .options = (table), .n_options = sizeof(table) / sizeof((table)[0])

static const struct cli_verb ls = {
    .name = "ls",
    .path = "bryo image ls",
    .synopsis = "[--format table|json] [-q]",
    .summary = "list the unpacked tarballs, newest first",
    OPTIONS(ls_options),
    .run = run_ls,
};
static const struct cli_verb rm = {
    .name = "rm",
    .path = "bryo image rm",
    .synopsis = "[-f] IMAGE...",
    .summary = "remove unpacked tarballs; one that a run uses is kept",
    OPTIONS(rm_options),
    .words = CLI_IMAGES,
    .run = run_rm,
};
static const struct cli_verb prune = {
    .name = "prune",
    .path = "bryo image prune",
    .synopsis = "[-f] [--older-than DURATION]",
    .summary = "remove what is not in use, and leftovers of killed runs",
    OPTIONS(prune_options),
    .run = run_prune,
};
static const struct cli_verb inspect = {
    .name = "inspect",
    .path = "bryo image inspect",
    .synopsis = "[--format table|json] IMAGE [--layer IMAGE|DIR]...",
    .summary = "say what is known of one, or of a stack of them",
    OPTIONS(inspect_options),
    .words = CLI_IMAGES,
    .run = run_inspect,
};
static const struct cli_verb import = {
    .name = "import",
    .path = "bryo image import",
    .synopsis = "[OPTION...] TARBALL",
    .summary = "unpack a tarball now, so that the first run finds it; print its digest",
    .description =
        "The tree is the one that GNU tar makes as root, but for what a job cannot have: device "
        "nodes are left out (bryo image inspect counts them), an owner that is no id of the job "
        "becomes its root, and of extended attributes only user.* are kept, without those of "
        "overlays. Of ACLs stays what the mode says, its group bits being the mask. An archive "
        "that is damaged, or that two programs could read differently, is refused.",
    OPTIONS(import_options),
    .words = CLI_FILES,
    .run = run_import,
};
static const struct cli_verb verify = {
    .name = "verify",
    .path = "bryo image verify",
    .synopsis = "[OPTION...] IMAGE",
    .summary = "compare the files with what was unpacked; status 1 when any differ",
    .description = "Owners are compared where the image was unpacked under the id maps that the "
                   "options say (without any: all ids of the user, or the single one).",
    OPTIONS(verify_options),
    .words = CLI_IMAGES,
    .run = run_verify,
};

static const struct cli_verb *const subs[] = {
    &ls, &rm, &prune, &inspect, &import, &verify, &verb_image_repack, NULL};

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    return cli_dispatch(verb, inv, argc, argv);
}

const struct cli_verb verb_image = {
    .name = "image",
    .path = "bryo image",
    .synopsis = "COMMAND [ARG...]",
    .summary = "list, check and remove unpacked tarballs",
    .description =
        "The tarballs that runs unpacked, kept so that the next run starts at once. IMAGE is "
        "a digest, at least 4 digits of one, or the path of the tarball.",
    .subs = subs,
    .run = run,
};
