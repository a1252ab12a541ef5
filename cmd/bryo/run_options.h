// SPDX-License-Identifier: Apache-2.0
// What bryo run and bryo shell share, besides their table of options (verb_run.c).
#ifndef BRYO_CMD_RUN_OPTIONS_H
#define BRYO_CMD_RUN_OPTIONS_H

struct builder;
struct cli_verb;
struct err;
struct invocation;

// Runs the job and reports; usage: what the command line got wrong, if it did. The exit status.
int run_built(const struct builder *b, const struct invocation *inv, const struct err *usage);

// cli_verb.run of bryo shell.
int run_shell(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv);

#endif
