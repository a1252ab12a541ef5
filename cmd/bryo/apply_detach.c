// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/builder.h"

#include "internal/base/cleanup.h"
#include "internal/base/err.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

int set_detach(void *ctx, const char *value, struct err *err)
{
    (void)value, (void)err;
    ((struct builder *)ctx)->spec.detach = true;
    return 0;
}

// docker's rule for names.
int set_name(void *ctx, const char *value, struct err *err)
{
    struct job_spec *spec = &((struct builder *)ctx)->spec;
    size_t n = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-");
    if (n < 2 || value[n] || n > 128 || !isalnum((unsigned char)value[0]))
        return err_set(err, EINVAL,
                       "\"%s\" is no name: expected 2 to 128 letters, digits, \"_\", \".\" and "
                       "\"-\", beginning with a letter or digit",
                       value);
    free_p(&spec->name);
    spec->name = str_dup(value);
    return 0;
}

// The last of a name wins; a name alone has an empty value, as docker has it.
int set_label(void *ctx, const char *value, struct err *err)
{
    struct strv *labels = &((struct builder *)ctx)->spec.labels;
    size_t n = strcspn(value, "=");
    if (n == 0)
        return err_set(err, EINVAL, "\"%s\" is not of the form NAME[=VALUE]", value);
    AUTO_FREE char *label = str_fmt("%s%s", value, value[n] ? "" : "=");
    for (size_t i = 0; i < labels->n; i++) {
        if (strncmp(labels->v[i], label, n + 1) != 0)
            continue;
        free_p(&labels->v[i]);
        labels->v[i] = TAKE_PTR(label);
        return 0;
    }
    strv_add(labels, label);
    return 0;
}
