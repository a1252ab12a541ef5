// SPDX-License-Identifier: Apache-2.0
// A verb of bryo and its options as data. The parser, --help, the manual pages and the completions
// all read these tables, so none of them can miss an option.
#ifndef BRYO_CMD_CLI_H
#define BRYO_CMD_CLI_H

#include "internal/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct err;

#define CLI_FAILED 125 // exit status when bryo itself fails

// What stands where a shell could complete a word.
enum cli_words {
    CLI_NOTHING,
    CLI_FILES,
    CLI_DIRS,
    CLI_IMAGES,  // what "bryo image ls -q" prints
    CLI_JOBS,    // what "bryo ps -a --names" prints
    CLI_COMMAND, // a command and its arguments
    CLI_VERBS,   // verbs of bryo
    CLI_SHELLS,  // bash, zsh, fish
};

struct cli_option {
    const char *name;  // without the dashes
    char letter;       // 0: none
    const char *arg;   // its value's name; "a|b|c" when the value is one of these; NULL: no value;
                       // "[=NAME]": one may follow, behind a "=" and not as a word of its own
    const char *group; // heading in --help
    const char *help;  // one sentence, no full stop
    enum cli_words words; // of the value
    const char *alias;    // a second long name, or NULL; not shown
    // Takes the value ("" for an option without one) into ctx, which is the verb's own.
    // 0, or -errno with err; the option's name is put in front by the parser.
    int (*apply)(void *ctx, const char *value, struct err *err);
};

// Whether a value must follow.
static inline bool cli_needs_value(const struct cli_option *o)
{
    return o->arg && strncmp(o->arg, "[=", 2) != 0;
}

struct cli_section { // of the manual page
    const char *title;
    const char
        *text; // paragraphs, parted by empty lines; lines that begin with a blank stand as they are
};

// Of the root's help, which is one screen: two verbs on a line, below headings.
struct cli_overview {
    const char *title;           // a heading; or NULL, and these:
    const struct cli_verb *verb; // NULL and no title: the end
    const char *brief;           // at most 26 columns
};

struct invocation {
    char *const *envp;
    char **argv;
    uint64_t start_us; // CLOCK_MONOTONIC when bryo started
};

struct cli_verb {
    const char *name;
    const char *path;        // "bryo image ls"
    const char *synopsis;    // behind the path
    const char *summary;     // what it does, one line
    const char *description; // more of it, paragraphs as in cli_section
    const struct cli_option *options;
    size_t n_options;
    const struct cli_verb *const *subs;  // ends with NULL; NULL: none
    const struct cli_overview *overview; // in the place of subs in --help; NULL: none
    const struct cli_section *sections;  // ends with a title of NULL; NULL: none
    enum cli_words words;                // of its arguments
    bool options_first;                  // the first word that is no option ends the options
    // words: the arguments. Returns the exit status.
    int (*run)(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv);
};

enum { CLI_PARSED = 0, CLI_HELP = 1 };

// Reads argv[1..] by the verb's table: --name VALUE, --name=VALUE, -n VALUE, -nVALUE, -ab; "--"
// ends the options. The other words go to *words (borrowed strings are copied). Returns CLI_PARSED,
// CLI_HELP as soon as --help is met, or -errno with err.
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *ctx, struct strv *words,
              struct err *err);

// cli_parse() for a verb that takes between least and most words. CLI_PARSED, or CLI_HELP when
// there is nothing more to do: help or an error was printed, and *ret_status is the exit status.
int cli_begin(const struct cli_verb *verb, int argc, char **argv, void *ctx, size_t least,
              size_t most, struct strv *words, int *ret_status);

// For --format: whether "table" or "json".
int cli_set_json(const char *value, bool *ret, struct err *err);

// Prints the error (STAGE_USAGE is set unless it has a stage) and returns CLI_FAILED.
int cli_fail(struct err *err);

// The sub-verb of that name, or NULL.
const struct cli_verb *cli_find(const struct cli_verb *const *verbs, const char *name);

// Finds the verb that argv[1] names and runs it; handles --help of the parent.
int cli_dispatch(const struct cli_verb *parent, const struct invocation *inv, int argc,
                 char **argv);

// Records "no such WHAT" and names the nearest of the candidates as the hint.
int cli_unknown(const char *what, const char *word, const char *const *candidates, size_t n,
                const char *path, struct err *err);

// Text for people: 80 columns.
void cli_usage(const struct cli_verb *verb, struct buf *out);

// A manual page, man(7).
void cli_man(const struct cli_verb *verb, struct buf *out);

// Writes to stdout. 0, or CLI_FAILED with the reason printed.
int cli_print(const struct buf *text);

extern const struct cli_verb verb_bryo; // the root: its subs are the verbs
extern const struct cli_verb verb_run;
extern const struct cli_verb verb_image;
extern const struct cli_verb verb_shell;
extern const struct cli_verb verb_ps;
extern const struct cli_verb verb_logs;
extern const struct cli_verb verb_exec;
extern const struct cli_verb verb_attach;
extern const struct cli_verb verb_stats;
extern const struct cli_verb verb_pause;
extern const struct cli_verb verb_unpause;
extern const struct cli_verb verb_kill;
extern const struct cli_verb verb_stop;
extern const struct cli_verb verb_wait;
extern const struct cli_verb verb_inspect;
extern const struct cli_verb verb_rm;
extern const struct cli_verb verb_diff;
extern const struct cli_verb verb_commit;
extern const struct cli_verb verb_clean;
extern const struct cli_verb verb_doctor;
extern const struct cli_verb verb_plot;
extern const struct cli_verb verb_help;
extern const struct cli_verb verb_version;
extern const struct cli_verb verb_completion;

#endif
