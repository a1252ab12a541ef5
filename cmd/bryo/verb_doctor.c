// SPDX-License-Identifier: Apache-2.0
// bryo doctor: what works here, what does not, and what mends it.
#include "cmd/bryo/cli.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/escape.h"
#include "internal/base/log.h"
#include "internal/doctor/doctor.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define NAME_COLUMNS   16
#define STATUS_COLUMNS 9

struct doctor_options {
    bool json;
    bool fix;
    bool yes;
};

static int set_json(void *ctx, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    ((struct doctor_options *)ctx)->json = true;
    return 0;
}

static int set_fix(void *ctx, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    ((struct doctor_options *)ctx)->fix = true;
    return 0;
}

static int set_yes(void *ctx, const char *value, struct err *err)
{
    (void)value;
    (void)err;
    ((struct doctor_options *)ctx)->yes = true;
    return 0;
}

static const char *color_of(enum health health)
{
    const char *no_color = getenv("NO_COLOR"); // no-color.org: set and not empty
    const char *term = getenv("TERM");
    if ((no_color && no_color[0]) || !term || strcmp(term, "dumb") == 0 || !isatty(STDOUT_FILENO))
        return "";
    return health == HEALTH_WORKS      ? "\033[32m"
           : health == HEALTH_DEGRADED ? "\033[33m"
                                       : "\033[31m";
}

static void add_row(struct buf *out, const struct finding *f)
{
    const char *color = color_of(f->health);
    buf_addf(out, "%s%-*s%s %-*s ", color, STATUS_COLUMNS, health_word(f->health),
             *color ? "\033[0m" : "", NAME_COLUMNS, f->name);
    escape_add(out, f->found, strlen(f->found));
    buf_addc(out, '\n');
    if (f->health == HEALTH_WORKS || !f->remedy[0])
        return;
    buf_addf(out, "%*s -> ", STATUS_COLUMNS + NAME_COLUMNS - 2, "");
    escape_add(out, f->remedy, strlen(f->remedy));
    buf_addc(out, '\n');
}

static int print_table(const struct machine *m, const struct checkup *c)
{
    AUTO_BUF struct buf out = {0};
    size_t fixes = 0;
    buf_addf(&out, "%s, Linux %s%s%s\n", m->os_name[0] ? m->os_name : "an unknown system",
             m->release, m->container ? ", in " : "", m->container ? m->container : "");
    for (size_t i = 0; i < c->n; i++) {
        add_row(&out, &c->v[i]);
        fixes += c->v[i].health == HEALTH_WORKS ? 0 : c->v[i].fix.n;
    }
    if (!checkup_fit(c))
        buf_adds(&out, "Jobs cannot run here yet.\n");
    if (fixes)
        buf_adds(&out, "\"bryo doctor --fix\" shows what root can mend, and does it by sudo.\n");
    return cli_print(&out);
}

static bool agreed(const struct doctor_options *o)
{
    // Without a terminal there is nobody to ask, and --fix has said what is wanted.
    if (o->yes || !isatty(STDIN_FILENO))
        return true;
    static const char question[] = "Do this as root? [y/N] ";
    char answer[8] = "";
    ssize_t n = write(STDERR_FILENO, question, sizeof(question) - 1);
    n = n < 0 ? n : read(STDIN_FILENO, answer, sizeof(answer) - 1);
    return n > 0 && (answer[0] == 'y' || answer[0] == 'Y');
}

// The lines of what is not well that were not run before: *ret, and their names to the user.
static void show_lines(const struct checkup *c, const struct strv *done, struct strv *ret)
{
    for (size_t i = 0; i < c->n; i++)
        for (size_t j = 0; c->v[i].health != HEALTH_WORKS && j < c->v[i].fix.n; j++) {
            const char *line = c->v[i].fix.v[j];
            bool again = false;
            for (size_t k = 0; k < done->n && !again; k++)
                again = strcmp(done->v[k], line) == 0;
            if (again)
                continue;
            log_warn("%s: %s", c->v[i].name, line);
            strv_add(ret, line);
        }
}

// One round: shows the lines, runs them, adds them to *done. Returns how many there were; -1 with
// err when nothing was done.
static int mend(const struct doctor_options *o, const struct checkup *c, struct strv *done,
                int *failures, struct err *err)
{
    AUTO_STRV struct strv lines = {0};
    const char *sudo = NULL;
    show_lines(c, done, &lines);
    if (lines.n == 0)
        return 0;
    if (doctor_find_sudo(&sudo, err) < 0)
        return -1;
    if (!agreed(o)) {
        (void)err_set(err, ECANCELED, "nothing was changed");
        return -1;
    }
    for (size_t i = 0; i < lines.n; i++) {
        struct err one = {0};
        if (doctor_fix(sudo, lines.v[i], &one) < 0) {
            log_err(&one);
            ++*failures;
        }
        strv_add(done, lines.v[i]);
    }
    return (int)lines.n;
}

// Until a round finds nothing new: what was missing kept other things from being tried.
static int mend_all(const struct doctor_options *o, char *const envp[], struct machine *machine,
                    struct checkup *found, int *failures, struct err *err)
{
    AUTO_STRV struct strv done = {0};
    for (int n = 1; n > 0;) {
        n = mend(o, found, &done, failures, err);
        if (n < 0)
            return -err->num;
        if (n == 0)
            break;
        checkup_done(found);
        int r = doctor_examine(envp, machine, found, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int show(const struct doctor_options *o, const struct machine *m, const struct checkup *c)
{
    if (!o->json)
        return print_table(m, c);
    AUTO_BUF struct buf out = {0};
    checkup_to_json(m, c, &out);
    return cli_print(&out);
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_STRV struct strv words = {0};
    AUTO_CHECKUP struct checkup found = {0};
    struct doctor_options o = {0};
    struct machine machine = {0};
    struct err err = {0};
    int r = cli_parse(verb, argc, argv, &o, &words, &err);
    if (r == CLI_HELP) {
        AUTO_BUF struct buf text = {0};
        cli_usage(verb, &text);
        return cli_print(&text);
    }
    if (r == 0 && words.n)
        r = err_set(&err, EINVAL, "%s takes no argument: \"%s\"", verb->path, words.v[0]);
    if (r == 0)
        r = doctor_examine(inv->envp, &machine, &found, &err);
    int failures = 0;
    if (r == 0 && o.fix)
        r = mend_all(&o, inv->envp, &machine, &found, &failures, &err);
    if (r < 0)
        return cli_fail(&err);
    r = show(&o, &machine, &found);
    return r != 0 ? r : checkup_fit(&found) && failures == 0 ? 0 : 1;
}

// clang-format off
static const struct cli_option options[] = {
    {"json", 0, NULL, "Options", "print one JSON object", CLI_NOTHING, NULL, set_json},
    {"fix", 0, NULL, "Options",
     "show the commands that mend what root can mend, then run them by sudo", CLI_NOTHING, NULL, set_fix},
    {"yes", 'y', NULL, "Options", "do not ask before that", CLI_NOTHING, NULL, set_yes},
};

static const struct cli_section sections[] = {
    {"Exit status",
     "0 when jobs can run here; 1 when something that they need is missing, or a command of --fix failed; "
     "125 when bryo itself failed."},
    {NULL, NULL},
};
// clang-format on

const struct cli_verb verb_doctor = {
    .name = "doctor",
    .path = "bryo doctor",
    .synopsis = "[--json] [--fix [--yes]]",
    .summary = "try what jobs need of this machine, and say what mends it",
    .description =
        "Does each thing that a job needs, as this user: makes the namespaces one by one, maps "
        "ids, mounts, opens a tap device, asks for a cgroup, installs filters, runs a job. Each "
        "line says whether it works, is degraded (jobs run, with less) or missing, and behind "
        "the arrow what mends it on this distribution.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .sections = sections,
    .run = run,
};
