// SPDX-License-Identifier: Apache-2.0
// bryo diff and bryo commit: what a kept job wrote.
#include "cmd/bryo/cli.h"
#include "internal/base/bytesize.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/log.h"
#include "internal/roots/kept.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

struct kept_options {
    bool json;
    const char *output;
    const char *format;
};

static int set_format(void *ctx, const char *value, struct err *err)
{
    return cli_set_json(value, &((struct kept_options *)ctx)->json, err);
}

static int set_output(void *ctx, const char *value, struct err *err)
{
    if (!*value)
        return err_set(err, EINVAL, "expected a file, not an empty word");
    ((struct kept_options *)ctx)->output = value;
    return 0;
}

static int set_kind(void *ctx, const char *value, struct err *err)
{
    static const char *const kinds[] = {"tar", "tar.gz", "tar.xz", "tar.zst"};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(value, kinds[i]) == 0) {
            ((struct kept_options *)ctx)->format = kinds[i];
            return 0;
        }
    return err_set(err, EINVAL, "\"%s\" is not one of tar, tar.gz, tar.xz or tar.zst", value);
}

static void print_json(struct buf *out, const struct kept_change *changes, size_t n)
{
    static const struct {
        char what;
        const char *word;
    } words[] = {{'A', "added"}, {'C', "changed"}, {'D', "deleted"}};
    buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
            if (words[j].what == changes[i].what)
                buf_addf(out, "%s{\"change\":\"%s\",\"path\":\"", i ? ",\n" : "\n", words[j].word);
        escape_add_json(out, changes[i].path, strlen(changes[i].path));
        buf_adds(out, "\"}");
    }
    buf_adds(out, n ? "\n]\n" : "]\n");
}

static int run_diff(const struct cli_verb *verb, const struct invocation *inv, int argc,
                    char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    AUTO_BUF struct buf out = {0};
    struct kept_options o = {0};
    struct kept_change *changes = NULL;
    struct err err = {0};
    size_t n = 0;
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    if (kept_diff(words.v[0], &changes, &n, &err) < 0)
        return cli_fail(&err);
    if (o.json)
        print_json(&out, changes, n);
    for (size_t i = 0; !o.json && i < n; i++) {
        buf_addc(&out, changes[i].what);
        buf_addc(&out, ' ');
        escape_add(&out, changes[i].path, strlen(changes[i].path));
        buf_addc(&out, '\n');
    }
    kept_changes_free(changes, n);
    return cli_print(&out);
}

static void tell_commit(const struct kept_layer *l, const char *output)
{
    AUTO_BUF struct buf sizes = {0};
    bytesize_add(&sizes, l->bytes);
    buf_adds(&sizes, " in ");
    bytesize_add(&sizes, l->output_bytes);
    log_note("%s: %" PRIu64 " members, %" PRIu64 " of them whiteouts; %s", output, l->entries,
             l->whiteouts, buf_str(&sizes));
    if (l->left_out)
        log_note("%" PRIu64 " sockets or devices were left out: a layer has none", l->left_out);
}

static int run_commit(const struct cli_verb *verb, const struct invocation *inv, int argc,
                      char **argv)
{
    (void)inv;
    AUTO_STRV struct strv words = {0};
    struct kept_options o = {0};
    struct kept_layer layer = {0};
    struct err err = {0};
    int status = 0;
    if (cli_begin(verb, argc, argv, &o, 1, 1, &words, &status) != CLI_PARSED)
        return status;
    if (!o.output) {
        err_set(&err, EINVAL, "bryo commit needs to be told where to: -o FILE");
        err_hint(&err, "usage: %s %s", verb->path, verb->synopsis);
        return cli_fail(&err);
    }
    if (kept_commit(words.v[0], o.output, o.format, &layer, &err) < 0)
        return cli_fail(&err);
    tell_commit(&layer, o.output);
    return 0;
}

// clang-format off
static const struct cli_option diff_options[] = {
    {"format", 0, "table|json", "Options", "how to print it (default table)", CLI_NOTHING, NULL, set_format},
};
static const struct cli_option commit_options[] = {
    {"output", 'o', "FILE", "Options",
     "where to: a name that ends in .tar, .tar.gz, .tar.xz or .tar.zst, or - for standard output", CLI_FILES, NULL, set_output},
    {"format", 0, "tar|tar.gz|tar.xz|tar.zst", "Options",
     "what to write, whatever the name is (default for -: tar)", CLI_NOTHING, NULL, set_kind},
};
// clang-format on

#define OPTIONS(table) .options = (table), .n_options = sizeof(table) / sizeof((table)[0])

const struct cli_verb verb_diff = {
    .name = "diff",
    .path = "bryo diff",
    .synopsis = "[--format table|json] ID",
    .summary = "list what a kept job added, changed and deleted",
    .description =
        "Lists what a job that was kept (bryo run --keep) wrote to its root file system: A for "
        "what it added, C for what it changed, D for what it deleted. A directory is changed "
        "when something in it is. What is mounted into the job is not part of its root; a mount "
        "point "
        "that was not there was made in it, and stays.",
    OPTIONS(diff_options),
    .run = run_diff,
};

const struct cli_verb verb_commit = {
    .name = "commit",
    .path = "bryo commit",
    .synopsis = "-o FILE [--format tar|tar.gz|tar.xz|tar.zst] ID",
    .summary = "write what a kept job wrote as a layer",
    .description =
        "Writes what a job that was kept (bryo run --keep) left in its root file system as an "
        "OCI layer: a tarball that --layer of bryo run lays upon the same root again. Owners are "
        "the ids inside the job; what was deleted becomes whiteouts.\n\n"
        "The file is there when it is whole, and not before.",
    OPTIONS(commit_options),
    .run = run_commit,
};
