// SPDX-License-Identifier: Apache-2.0
// --env-file, and the environment that is built from it.
#include "internal/base/err.h"
#include "internal/job/jobenv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const outer[] = {(char *)"FOO=bar", (char *)"LANG=C", NULL};
    AUTO_SPEC struct job_spec spec;
    AUTO_STRV struct strv env = {0};
    struct err err = {0};
    job_spec_init(&spec);
    int r = jobenv_parse_file("file", (const char *)data, size, outer, &spec.env, &err);
    require(r == 0 ? err.num == 0 : err.num == -r && strncmp(err.text, "file, line ", 11) == 0);
    jobenv_build(&spec, outer, "/", NULL, &env);
    for (size_t i = 0; i < env.n; i++) {
        size_t name = strcspn(env.v[i], "=");
        require(name > 0 && env.v[i][name] == '=' && strcspn(env.v[i], " \t\n\v\f\r") >= name);
        for (size_t j = 0; j < i; j++) // each name once
            require(strncmp(env.v[i], env.v[j], name + 1) != 0);
    }
    return 0;
}
