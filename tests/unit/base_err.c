// SPDX-License-Identifier: Apache-2.0
#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "tests/unit/tap.h"

#include <errno.h>

int main(void)
{
    struct err e = {0};
    is_int(err_set(&e, ENOENT, "no %s", "file"), -ENOENT, "err_set returns -num");
    is_str(e.text, "no file", "its text is all there is");
    is_int(e.num, ENOENT, "its number");
    is_int(err_hint(&e, "make %d", 1), -ENOENT, "err_hint returns -num");
    is_str(e.hint, "make 1", "its hint");
    is_int(err_stage(&e, STAGE_MAPS), -ENOENT, "err_stage returns -num");
    err_stage(&e, STAGE_ROOT);
    is_int(e.stage, STAGE_MAPS, "the deepest stage stays");

    is_int(err_sys(&e, EACCES, "opening %s", "x"), -EACCES, "err_sys returns -num");
    is_str(e.text, "opening x: Permission denied", "with the kernel's words");
    ok(e.stage == 0 && e.hint[0] == '\0', "a new failure forgets the stage and hint of the last");

    is_int(err_set(NULL, EBUSY, "x"), -EBUSY, "without a struct only the value");
    is_int(err_set(&e, 0, "x"), -EIO, "0 is no errno: never success");
    is_int(err_sys(&e, -5, "x"), -EIO, "nor is a negative number");

    char longer[2000];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    err_sys(&e, EPERM, "%s", longer);
    is_int(strlen(e.text), sizeof(e.text) - 1, "a long text is cut");
    err_hint(&e, "%s", longer);
    is_int(strlen(e.hint), sizeof(e.hint) - 1, "a long hint is cut");

    is_str(err_words(12345), "unknown error", "words for a number that is no errno");
    ok(*err_words(EPERM), "words for one that is");

    is_str(stage_name(STAGE_MAPS), "maps", "stage names");
    is_str(stage_phrase(STAGE_EXEC), "starting the command", "stage phrases");
    is_str(stage_name(STAGE_NONE), "", "no stage");
    is_str(stage_name(-1), "", "a number below");
    is_str(stage_name(STAGE_COUNT_), "", "a number above");
    for (int i = 1; i < STAGE_COUNT_; i++)
        ok(*stage_name(i) && *stage_phrase(i), "stage %d has a name and a phrase", i);
    return done_testing();
}
