// SPDX-License-Identifier: Apache-2.0
#include "internal/base/err.h"
#include "internal/job/stage.h"
#include "internal/run/supervise.h"

#include <errno.h>
#include <signal.h>

int supervise_block_signals(sigset_t *ret, struct err *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};
    struct sigaction dfl = {.sa_handler = SIG_DFL};
    sigset_t block;
    (void)sigemptyset(ret);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction was;
        if (sigaction(signals[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
            (void)sigaddset(ret, signals[i]);
    }
    block = *ret;
    (void)sigaddset(&block, SIGPIPE);
    (void)sigaddset(&block, SIGCHLD); // pidfds tell of the end of children
    if (sigprocmask(SIG_BLOCK, &block, NULL) < 0 || sigaction(SIGCHLD, &dfl, NULL) < 0) {
        (void)err_sys(err, errno, "cannot block signals");
        return err_stage(err, STAGE_SUPERVISE);
    }
    return 0;
}
