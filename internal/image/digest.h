// SPDX-License-Identifier: Apache-2.0
// The SHA-256 of a file's bytes (FIPS 180-4), by nettle. Its own process: what parses a stranger's
// archive must not be what says which archive it was.
#ifndef BRYO_IMAGE_DIGEST_H
#define BRYO_IMAGE_DIGEST_H

struct err;

// From the descriptor's start to its end, by pread(2): the position stays where it is.
int digest_fd(int fd, char ret_hex[65], struct err *err);

#endif
