// SPDX-License-Identifier: Apache-2.0
// The machine's resolv.conf, which may change while a job runs: another network, a VPN. Host side.
#ifndef BRYO_RUN_RESOLV_WATCH_H
#define BRYO_RUN_RESOLV_WATCH_H

#include <stdint.h>
#include <sys/stat.h>

struct buf;
struct loop;

struct resolv_watch {
    struct stat seen; // of what was read last
    struct loop *loop;
    int timer;
    void (*changed)(void *ctx, const struct buf *text);
    void *ctx;
};

// Appends the file's text (nothing where there is none) and remembers which it was.
void resolv_watch_read(struct resolv_watch *w, struct buf *text);

// Looks once a second whether it is still the same file, and calls changed with the new text. Not
// by inotify(7): the file is a link here and replaced there, in directories that may come and go,
// and a look costs a microsecond. -errno on failure.
int resolv_watch_start(struct resolv_watch *w, struct loop *loop,
                       void (*changed)(void *ctx, const struct buf *text), void *ctx);
void resolv_watch_stop(struct resolv_watch *w);

#endif
