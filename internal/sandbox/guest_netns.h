// SPDX-License-Identifier: Apache-2.0
// The job's network namespace. The kernel takes half a millisecond to make one, most of what it
// takes for all namespaces together, and PID 1 needs it last: so the stager makes it while PID 1
// makes the mounts, and PID 1 and the command's process, which exists by then, enter it. They share
// their memory: nothing here writes errno, but where it fails. Guest side.
#ifndef BRYO_SANDBOX_GUEST_NETNS_H
#define BRYO_SANDBOX_GUEST_NETNS_H

// Read by all three: written only by prepare.
struct guest_netns {
    int maker; // the stager's end of the pair by which it hands the namespace over
    int taker; // the other two's
};

// The stager, before PID 1 is born. 0 or -errno.
int guest_netns_prepare(struct guest_netns *ret);

// The stager, meanwhile: unshare(2). 0 or -errno.
int guest_netns_make(void);
// Gives it to both. 0 or -errno: they are gone.
int guest_netns_give(const struct guest_netns *netns);

// PID 1, first of all: the stager's end is its own alone, so that it shows when that is closed.
void guest_netns_await(const struct guest_netns *netns);
// Waits for the namespace and enters it. Where the stager failed it has said why, and this process
// ends. 0 or -errno.
int guest_netns_enter(const struct guest_netns *netns);
// PID 1, when both are there.
void guest_netns_done(const struct guest_netns *netns);

#endif
