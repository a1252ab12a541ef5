// SPDX-License-Identifier: Apache-2.0
// Values of --hostname.
#ifndef BRYO_JOB_HOSTNAME_H
#define BRYO_JOB_HOSTNAME_H

struct err;

// Whether name is a host name: RFC 1123 section 2.1 (letters, digits and hyphens in labels of 1 to
// 63, none beginning or ending in a hyphen, joined by dots), at most the 64 bytes that
// sethostname(2) takes. -EINVAL with err.
int hostname_check(const char *name, struct err *err);

#endif
