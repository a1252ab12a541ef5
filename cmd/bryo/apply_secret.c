// SPDX-License-Identifier: Apache-2.0
// --secret and --guard.
#include "cmd/bryo/builder.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/job/jobenv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>

int set_guard(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->spec.guard = true;
    return 0;
}

static int add(struct job_spec *spec, const char *name, const char *value, size_t len,
               struct err *err)
{
    struct secret s = {0};
    for (size_t i = 0; i < spec->n_secrets; i++)
        if (strcmp(spec->secrets[i].name, name) == 0)
            return err_set(err, EINVAL, "the secret %s is given twice", name);
    int r = secret_set(&s, name, value, len, err);
    if (r < 0)
        return r;
    spec->secrets = mem_grow(spec->secrets, spec->n_secrets + 1, sizeof(s));
    spec->secrets[spec->n_secrets++] = s;
    return 0;
}

static int add_file(struct builder *b, const char *name, const char *file, struct err *err)
{
    struct buf text = {0};
    // A link, a FIFO and <(...) are the user's own here.
    AUTO_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 ? -errno : fd_read_all(fd, SECRET_MAX, &text);
    if (r == -EFBIG)
        r = err_set(err, EFBIG, "%s has more than %u KiB", file, SECRET_MAX >> 10);
    else if (r < 0)
        r = err_sys(err, -r, "reading %s", file);
    else
        r = add(&b->spec, name, buf_str(&text), text.len, err);
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_done(&text);
    return r;
}

int set_secret(void *ctx, const char *value, struct err *err)
{
    struct builder *b = ctx;
    size_t n = strcspn(value, "=");
    int r = secret_check_name(value, n, err);
    if (r < 0)
        return r;
    AUTO_FREE char *name = str_dupn(value, n);
    if (value[n] == '=')
        return add_file(b, name, value + n + 1, err);
    const char *outside = jobenv_get(b->envp, name);
    if (outside)
        return add(&b->spec, name, outside, strlen(outside), err);
    (void)err_set(err, ENOENT, "there is no variable %s in bryo's environment", name);
    return err_hint(err, "set it, or name a file that holds the value: --secret %s=FILE", name);
}

static bool is_in(const struct strv *words, const char *word)
{
    for (size_t i = 0; i < words->n; i++)
        if (strcmp(words->v[i], word) == 0)
            return true;
    return false;
}

// -e NAME hands a secret on as a variable, wherever its value came from; a file's without the line
// end that an editor puts behind it.
static int hand_on(struct builder *b, const struct secret *s, struct err *err)
{
    if (!is_in(&b->bare_env, s->name))
        return 0;
    if (memchr(s->value, '\0', s->len))
        return err_set(err, EINVAL, "-e %s: the secret holds a NUL byte, which no variable can",
                       s->name);
    size_t n = s->len;
    while (n && (s->value[n - 1] == '\n' || s->value[n - 1] == '\r'))
        n--;
    strv_addf(&b->spec.env, "%s=%.*s", s->name, (int)n, s->value);
    return 0;
}

int builder_finish_secrets(struct builder *b, struct err *err)
{
    for (size_t i = 0; i < b->spec.n_secrets; i++) {
        const struct secret *s = &b->spec.secrets[i];
        int r = hand_on(b, s, err);
        if (r < 0)
            return r;
        // Whoever may read /proc/PID/environ of this process finds it there no longer.
        char *outside = (char *)(uintptr_t)jobenv_get(b->envp, s->name);
        if (outside)
            explicit_bzero(outside, strlen(outside));
    }
    return 0;
}
