// SPDX-License-Identifier: Apache-2.0
// The verbs of bryo. The only way out of the program is the end of main().
#include "cmd/bryo/cli.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/base/log.h"
#include "internal/base/loop.h"
#include "internal/base/own_image.h"

#include <string.h>

extern char **environ;

static const struct cli_verb *const verbs[] = {
    &verb_run,     &verb_shell,  &verb_exec,  &verb_ps,      &verb_logs,       &verb_attach,
    &verb_stats,   &verb_stop,   &verb_kill,  &verb_wait,    &verb_pause,      &verb_unpause,
    &verb_inspect, &verb_rm,     &verb_image, &verb_diff,    &verb_commit,     &verb_plot,
    &verb_clean,   &verb_doctor, &verb_help,  &verb_version, &verb_completion, NULL,
};

static const struct cli_overview overview[] = {
    {"A job, in a root file system of its own", NULL, NULL},
    {NULL, &verb_run, "run a command"},
    {NULL, &verb_shell, "start an interactive shell"},
    {"Jobs that run or ran", NULL, NULL},
    {NULL, &verb_ps, "list them"},
    {NULL, &verb_inspect, "tell all of one, as JSON"},
    {NULL, &verb_exec, "run a further command"},
    {NULL, &verb_attach, "see one, and type to it"},
    {NULL, &verb_logs, "print what one printed"},
    {NULL, &verb_stats, "show what they use"},
    {NULL, &verb_pause, "stop them where they are"},
    {NULL, &verb_unpause, "let them go on"},
    {NULL, &verb_stop, "ask them to end, then kill"},
    {NULL, &verb_kill, "send a signal"},
    {NULL, &verb_wait, "wait for their end"},
    {NULL, &verb_rm, "forget those that ended"},
    {"Files", NULL, NULL},
    {NULL, &verb_image, "list and remove images"},
    {NULL, &verb_clean, "give stray files back"},
    {NULL, &verb_diff, "what a kept job changed"},
    {NULL, &verb_commit, "write that as a layer"},
    {NULL, &verb_plot, "draw samples as SVG"},
    {"This machine and bryo itself", NULL, NULL},
    {NULL, &verb_doctor, "what works, what mends it"},
    {NULL, &verb_help, "help, manual pages"},
    {NULL, &verb_completion, "for bash, zsh and fish"},
    {NULL, &verb_version, "print the version"},
    {NULL, NULL, NULL},
};

static const struct cli_section sections[] = {
    {"Jobs",
     "A job is a command in user, PID, mount, UTS, IPC, network and cgroup namespaces of its own, "
     "on "
     "a root file system that comes from a tarball. No daemon, no root, nothing left behind.\n\n"
     "  bryo run -- make test\n"
     "  bryo run --rootfs debian.tar.xz -- COMMAND"},
    {"Files",
     "$XDG_CACHE_HOME/bryo, else ~/.cache/bryo: unpacked tarballs and the scratch of jobs.\n\n"
     "/etc/subuid, /etc/subgid: the subordinate ids that the user may give to jobs."},
    {"Exit status", "That of the verb; 125 when bryo itself failed. See bryo-run(1)."},
    {NULL, NULL},
};

const struct cli_verb verb_bryo = {
    .name = "bryo",
    .path = "bryo",
    .synopsis = "COMMAND [ARG...]",
    .summary = "run CI jobs without root",
    .description = "\"bryo COMMAND --help\" tells more of each; bryo run -- COMMAND runs a job.",
    .subs = verbs,
    .overview = overview,
    .sections = sections,
};

int main(int argc, char **argv)
{
    struct invocation inv = {.envp = environ, .argv = argv, .start_us = loop_now_us()};
    struct err err = {0};
    int own = own_image_check(&err);
    if (fd_fill_stdio() < 0)
        return CLI_FAILED; // there is nowhere to say it
    if (own < 0) {
        log_err(&err);
        return CLI_FAILED;
    }
    if (argc > 1 && strcmp(argv[1], "--version") == 0)
        return verb_version.run(&verb_version, &inv, 1, argv + 1);
    return cli_dispatch(&verb_bryo, &inv, argc, argv);
}
