// SPDX-License-Identifier: Apache-2.0
// bryo plot: samples as a picture.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/plot.h"
#include "internal/job/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FILE_MAX (64 << 20)

struct plot_options {
    const char *output; // NULL: standard output
    const char *title;  // NULL: the file's name
};

static int set_output(void *ctx, const char *value, struct err *err)
{
    if (!*value)
        return err_set(err, EINVAL, "expected a file, not an empty word");
    ((struct plot_options *)ctx)->output = strcmp(value, "-") == 0 ? NULL : value;
    return 0;
}

static int set_title(void *ctx, const char *value, struct err *err)
{
    (void)err;
    ((struct plot_options *)ctx)->title = value;
    return 0;
}

static int read_rows(const char *path, struct stats_row **ret, size_t *ret_n, struct err *err)
{
    AUTO_BUF struct buf text = {0};
    size_t line = 0;
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd_read_all(fd, FILE_MAX, &text);
    if (r < 0)
        return err_sys(err, -r, "cannot read %s", path);
    if (stats_csv_parse(buf_str(&text), ret, ret_n, &line) < 0) {
        (void)err_set(err, EINVAL, "%s, line %zu is no sample", path, line);
        return err_hint(err, "bryo run --stats-log FILE writes them");
    }
    return 0;
}

static int write_out(const struct buf *svg, const char *path, struct err *err)
{
    AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int r = fd < 0 ? -errno : fd_write_all(fd, svg->data, svg->len);
    return r < 0 ? err_sys(err, -r, "cannot write %s", path) : 0;
}

static int draw(const char *path, const struct plot_options *o)
{
    struct stats_row *rows = NULL;
    AUTO_BUF struct buf svg = {0};
    struct err err = {0};
    size_t n = 0;
    const char *slash = strrchr(path, '/');
    int r = read_rows(path, &rows, &n, &err);
    if (r == 0 && plot_svg(rows, n, o->title ? o->title : slash ? slash + 1 : path, &svg) < 0)
        r = err_set(&err, EINVAL, "%s holds fewer than two samples: there is nothing to draw",
                    path);
    free(rows);
    if (r == 0 && !o->output)
        return cli_print(&svg);
    if (r == 0)
        r = write_out(&svg, o->output, &err);
    return r < 0 ? cli_fail(&err) : 0;
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_STRV struct strv words = {0};
    struct plot_options o = {0};
    struct err err = {0};
    (void)inv;
    int r = cli_parse(verb, argc, argv, &o, &words, &err);
    if (r == CLI_HELP) {
        AUTO_BUF struct buf text = {0};
        cli_usage(verb, &text);
        return cli_print(&text);
    }
    if (r == 0 && words.n != 1) {
        err_set(&err, EINVAL, words.n < 1 ? "%s needs a file" : "%s takes one file", verb->path);
        r = err_hint(&err, "usage: %s %s", verb->path, verb->synopsis);
    }
    return r < 0 ? cli_fail(&err) : draw(words.v[0], &o);
}

static const struct cli_option options[] = {
    {"output", 'o', "FILE", "Output", "write the SVG there (default: standard output)", CLI_FILES,
     NULL, set_output},
    {"title", 0, "TEXT", "Output", "what stands at the top (default: the name of the file)",
     CLI_NOTHING, NULL, set_title},
};

const struct cli_verb verb_plot = {
    .name = "plot",
    .path = "bryo plot",
    .synopsis = "[OPTION...] FILE",
    .summary = "draw the samples of bryo run --stats-log as SVG",
    .description = "Draws processor time, memory against its limit, disk and stalls over time.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .words = CLI_FILES,
    .run = run,
};
