// SPDX-License-Identifier: Apache-2.0
#include "internal/base/err.h"
#include "internal/job/jobenv.h"
#include "tests/unit/tap.h"

#include <errno.h>

static char *const outer[] = {(char *)"FOO=bar",
                              (char *)"EMPTY=",
                              (char *)"FOOD=x",
                              (char *)"LANG=de_DE.UTF-8",
                              (char *)"TERM=screen",
                              (char *)"TOKEN=secret",
                              NULL};

static void is_list(const struct strv *v, const char *want, const char *what)
{
    AUTO_BUF struct buf b = {0};
    for (size_t i = 0; i < v->n; i++)
        buf_addf(&b, "%s|", v->v[i]);
    is_str(buf_str(&b), want, "%s", what);
}

static void assignments(void)
{
    AUTO_STRV struct strv env = {0};
    struct err err = {0};
    static const char *const good[] = {"A=1",    "B=",      "C=x=y z", "FOO",
                                       "EMPTY",  "NOT_SET", "FO",      "BASH_FUNC_f%%=() { :; }",
                                       "x.y-z=1"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        is_int(jobenv_assign(good[i], outer, &env, &err), 0, "\"%s\"", good[i]);
    is_list(&env, "A=1|B=|C=x=y z|FOO=bar|EMPTY=|BASH_FUNC_f%%=() { :; }|x.y-z=1|",
            "what they add");
    static const char *const bad[] = {"", "=1", "A B=1", "A\t=1", " A=1", "A\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        is_int(jobenv_assign(bad[i], outer, &env, &err), -EINVAL, "row %zu is refused", i);
    is_int(env.n, 7, "and adds nothing");
    is_str(jobenv_get(outer, "FOO"), "bar", "a variable outside");
    ok(!jobenv_get(outer, "FO") && !jobenv_get(outer, "") && !jobenv_get(NULL, "FOO"), "none");
}

static void good_file(const char *text, size_t len, const char *want, const char *what)
{
    AUTO_STRV struct strv env = {0};
    struct err err = {0};
    is_int(jobenv_parse_file("f", text, len, outer, &env, &err), 0, "%s", what);
    is_list(&env, want, what);
}

static void bad_file(const char *text, size_t len, const char *want, const char *what)
{
    AUTO_STRV struct strv env = {0};
    struct err err = {0};
    is_int(jobenv_parse_file("f", text, len, outer, &env, &err), -EINVAL, "%s", what);
    is_str(err.text, want, "%s", what);
}

// A literal may hold NUL bytes.
#define FILE_TEXT(s, want, what) good_file(s, sizeof(s) - 1, want, what)
#define BAD_FILE(s, want, what)  bad_file(s, sizeof(s) - 1, want, what)

static void files(void)
{
    FILE_TEXT("", "", "an empty file");
    FILE_TEXT("A=1\nB=2", "A=1|B=2|", "lines, the last without an end");
    FILE_TEXT("# x\n\n  \t\n   # y=1\nA=1\n", "A=1|", "comments and empty lines");
    FILE_TEXT("  A= 1 # no comment \n", "A= 1 # no comment |", "a value is taken as it stands");
    FILE_TEXT("A=\"q\"\nB='$A'\n", "A=\"q\"|B='$A'|", "quotes and $ mean nothing");
    FILE_TEXT("FOO\nNOT_SET\nB\n", "FOO=bar|", "names alone");
    FILE_TEXT("A=1\r\nB=2\r\n\r\n", "A=1|B=2|", "CRLF");
    FILE_TEXT("\xef\xbb\xbf"
              "A=1\n",
              "A=1|", "a byte order mark");
    BAD_FILE("A=1\nexport B=2\n", "f, line 2: the variable name \"export B\" has a blank in it",
             "a line of a shell script");
    BAD_FILE("\n=x\n", "f, line 2: \"=x\" names no variable: expected NAME=VALUE or NAME",
             "no name");
    BAD_FILE("A=1\0\n", "f, line 1: a NUL byte", "a NUL byte");
}

static void whole(void)
{
    AUTO_STRV struct strv env = {0};
    AUTO_SPEC struct job_spec spec;
    char *const none[] = {NULL};
    job_spec_init(&spec);
    jobenv_build(&spec, none, "/root", "root", &env);
    is_list(&env, "PATH=" JOBENV_PATH "|HOME=/root|USER=root|", "nothing outside");
    jobenv_build(&spec, outer, "/users/ann", NULL, &env);
    is_list(&env, "PATH=" JOBENV_PATH "|HOME=/users/ann|TERM=screen|LANG=de_DE.UTF-8|",
            "no secret comes in, nor a name that is not known");
    strv_add(&spec.env, "HOME=/x");
    strv_add(&spec.env, "A=1");
    strv_add(&spec.env, "PATHS=2");
    strv_add(&spec.env, "A=2");
    jobenv_build(&spec, none, "", "u", &env);
    is_list(&env, "PATH=" JOBENV_PATH "|HOME=/x|USER=u|A=2|PATHS=2|", "the last assignment wins");
    spec.tty = true;
    strv_done(&spec.env);
    jobenv_build(&spec, none, NULL, NULL, &env);
    is_list(&env, "PATH=" JOBENV_PATH "|HOME=/|TERM=xterm|", "a terminal of unknown kind");
    spec.tty = false;
    static const struct {
        const char *ci;
        bool passed;
    } rows[] = {{"CI=true", true},   {"CI=1", true},  {"CI=woodpecker", true}, {"CI=", false},
                {"CI=false", false}, {"CI=0", false}, {"CIX=1", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *const ci[] = {(char *)rows[i].ci, NULL};
        jobenv_build(&spec, ci, "/", NULL, &env);
        is_list(&env,
                rows[i].passed ? "PATH=" JOBENV_PATH "|HOME=/|CI=true|"
                               : "PATH=" JOBENV_PATH "|HOME=/|",
                rows[i].ci);
    }
}

int main(void)
{
    assignments();
    files();
    whole();
    return done_testing();
}
