// SPDX-License-Identifier: Apache-2.0
#include "internal/job/jobenv.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\n\v\f\r";

const char *jobenv_get(char *const envp[], const char *name)
{
    size_t n = strlen(name);
    for (; envp && *envp; envp++)
        if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
            return *envp + n + 1;
    return NULL;
}

int jobenv_assign(const char *value, char *const outer[], struct strv *ret, struct err *err)
{
    size_t n = strcspn(value, "=");
    if (n == 0)
        return err_set(err, EINVAL, "\"%s\" names no variable: expected NAME=VALUE or NAME", value);
    if (strcspn(value, blanks) < n)
        return err_set(err, EINVAL, "the variable name \"%.*s\" has a blank in it", (int)n, value);
    if (value[n] == '=') {
        strv_add(ret, value);
        return 0;
    }
    const char *outside = jobenv_get(outer, value);
    if (outside)
        strv_addf(ret, "%s=%s", value, outside);
    return 0;
}

static int file_line(const char *line, size_t len, char *const outer[], struct strv *ret,
                     struct err *err)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    if (memchr(line, '\0', len))
        return err_set(err, EINVAL, "a NUL byte");
    AUTO_FREE char *copy = str_dupn(line, len);
    const char *start = copy + strspn(copy, blanks);
    if (!*start || *start == '#')
        return 0;
    return jobenv_assign(start, outer, ret, err);
}

int jobenv_parse_file(const char *file, const char *text, size_t len, char *const outer[],
                      struct strv *ret, struct err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (len >= 3 && memcmp(text, mark, 3) == 0) {
        text += 3;
        len -= 3;
    }
    for (size_t number = 1; len > 0; number++) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        struct err why = {0};
        int r = file_line(text, n, outer, ret, &why);
        if (r < 0)
            return err_set(err, -r, "%s, line %zu: %s", file, number, why.text);
        size_t step = end ? n + 1 : n;
        text += step;
        len -= step;
    }
    return 0;
}

void jobenv_set(struct strv *env, const char *assignment)
{
    size_t name = strcspn(assignment, "=") + 1;
    for (size_t i = 0; i < env->n; i++) {
        if (strncmp(env->v[i], assignment, name) == 0) {
            free(env->v[i]);
            env->v[i] = str_dup(assignment);
            return;
        }
    }
    strv_add(env, assignment);
}

// CI machines set CI=true; a person who wants a dry run of that sets CI=false or empties it.
static bool says_yes(const char *value)
{
    return value && *value && strcmp(value, "false") != 0 && strcmp(value, "0") != 0;
}

void jobenv_build(const struct job_spec *spec, char *const outer[], const char *home,
                  const char *user, struct strv *ret)
{
    const char *term = jobenv_get(outer, "TERM");
    const char *lang = jobenv_get(outer, "LANG");
    strv_done(ret);
    strv_add(ret, "PATH=" JOBENV_PATH);
    strv_addf(ret, "HOME=%s", home && *home ? home : "/");
    if (user)
        strv_addf(ret, "USER=%s", user);
    if (term || spec->tty)
        strv_addf(ret, "TERM=%s", term ? term : "xterm");
    if (lang)
        strv_addf(ret, "LANG=%s", lang);
    if (says_yes(jobenv_get(outer, "CI")))
        strv_add(ret, "CI=true");
    for (size_t i = 0; i < spec->env.n; i++)
        jobenv_set(ret, spec->env.v[i]);
}
