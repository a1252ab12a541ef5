// SPDX-License-Identifier: Apache-2.0
// bryo shell: an interactive job.
#include "cmd/bryo/builder.h"
#include "cmd/bryo/cli.h"
#include "cmd/bryo/run_options.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/job/jobenv.h"

#include <string.h>
#include <unistd.h>

// bash where the root has it.
static void choose_shell(struct job_spec *spec)
{
    static const char *const words[] = {"sh", "-c",
                                        "command -v bash >/dev/null && exec bash; exec sh"};
    for (size_t i = 0; spec->argv.n < 3 && i < 3; i++)
        strv_add(&spec->argv, words[i]);
}

// Says where one is: "(debian.tar.xz) ". The shells of most systems set PS1 when they start; what
// PROMPT_COMMAND does comes after that, and each time.
static void set_prompt(struct job_spec *spec)
{
    const char *rootfs = spec->rootfs ? spec->rootfs : "host";
    const char *slash = strrchr(rootfs, '/');
    AUTO_BUF struct buf name = {0};
    for (const char *s = slash && slash[1] ? slash + 1 : rootfs; *s; s++)
        if (strchr("\\\"$`!'", *s) == NULL && (unsigned char)*s > ' ')
            buf_addc(&name, *s);
    if (!jobenv_get(spec->env.v, "PS1"))
        strv_addf(&spec->env, "PS1=(%s) $PWD # ", buf_str(&name));
    if (!jobenv_get(spec->env.v, "PROMPT_COMMAND"))
        strv_addf(&spec->env, "PROMPT_COMMAND=case $PS1 in '(%s) '*) ;; *) PS1='(%s) '$PS1 ;; esac",
                  buf_str(&name), buf_str(&name));
}

int run_shell(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_BUILDER struct builder b = {0};
    struct err err = {0};
    if (builder_init(&b, inv->envp, &err) < 0)
        return cli_fail(&err);
    int r = cli_parse(verb, argc, argv, &b, &b.spec.argv, &err);
    if (r == CLI_HELP) {
        AUTO_BUF struct buf text = {0};
        cli_usage(verb, &text);
        return cli_print(&text);
    }
    if (r == 0) {
        b.spec.interactive = true;
        b.spec.tty = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
        if (b.spec.argv.n == 0)
            choose_shell(&b.spec);
        set_prompt(&b.spec);
        (void)builder_finish(&b, &err);
    }
    return run_built(&b, inv, &err);
}
