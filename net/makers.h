// SPDX-License-Identifier: Apache-2.0
// Sockets made inside the job's network namespace by guest_maker_main() (guest_fast.h), a few kept
// ready. Never blocks.
#ifndef BRYO_NET_MAKERS_H
#define BRYO_NET_MAKERS_H

#include <stdbool.h>

struct makers;
struct loop;

// sock: FAST_FD_MAKER, the caller's; made non-blocking. refilled(ctx) is called when sockets have
// come after makers_take() had none. ipv6: sockets of that family are wanted too.
struct makers *makers_new(struct loop *loop, int sock, bool ipv6, void (*refilled)(void *ctx),
                          void *ctx);
void makers_free(struct makers *m); // NULL is fine

bool makers_ready(struct makers *m); // one of each family is there; else they are on their way
int makers_take(struct makers *m, int family); // -EAGAIN: none there

#endif
