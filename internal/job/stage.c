// SPDX-License-Identifier: Apache-2.0
#include "internal/job/stage.h"

static const struct {
    const char *name;
    const char *phrase;
    const char *remedy;
} table[] = {{"", "", ""},
#define STAGE_ROW(id, json, phrase, remedy) {json, phrase, remedy},
             STAGES(STAGE_ROW)
#undef STAGE_ROW
};

_Static_assert(sizeof(table) / sizeof(table[0]) == STAGE_COUNT_, "a row a stage");

static int known(int stage)
{
    return stage > 0 && stage < STAGE_COUNT_ ? stage : 0;
}

const char *stage_name(int stage)
{
    return table[known(stage)].name;
}

const char *stage_phrase(int stage)
{
    return table[known(stage)].phrase;
}

const char *stage_remedy(int stage)
{
    return table[known(stage)].remedy;
}
