// SPDX-License-Identifier: Apache-2.0
// The few settings of a new network namespace that a job expects otherwise than the kernel sets
// them. Guest side.
#ifndef BRYO_NET_GUEST_SYSCTL_H
#define BRYO_NET_GUEST_SYSCTL_H

// As docker has them: ping(8) works without a capability for every group of the job's
// (net.ipv4.ping_group_range; a job has no CAP_NET_RAW), and whoever is not root may listen on low
// ports (net.ipv4.ip_unprivileged_port_start): the namespace is the job's own. Needs a /proc. What
// the kernel refuses stays as it is.
void guest_sysctl_set(void);

#endif
