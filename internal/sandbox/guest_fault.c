// SPDX-License-Identifier: Apache-2.0
#include "internal/sandbox/guest_fault.h"

#include "internal/base/err.h"

int guest_fault_tell(const struct guest_fault *f, struct err *err)
{
    if (f->id)
        (void)err_sys(err, f->num, "%s %u", f->what, *f->id);
    else
        (void)err_sys(err, f->num, "%s", f->what);
    if (f->hint)
        (void)err_hint(err, "%s", f->hint);
    return err_stage(err, f->stage);
}
