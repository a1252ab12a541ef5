// SPDX-License-Identifier: Apache-2.0
// Whether this machine's liblzma may decode a stranger's bytes with threads.
//
// The threaded decoder of 5.3.3alpha to 5.8.0 uses memory after freeing it when the input is
// invalid (CVE-2025-31115). 5.8.1 has the repair, and distributions have put it into older versions
// without changing what lzma_version_number() says; asking the bug itself is no option either,
// since a program with that bug may do anything. So an older liblzma is believed when the package
// database of the machine it runs on (dpkg's) names a version that has the repair, and decodes with
// one thread otherwise: slower, never wrong.
#ifndef BRYO_IMAGE_LZMA_TRUST_H
#define BRYO_IMAGE_LZMA_TRUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Pure. library: as lzma_version_number(3) counts; package: the version of the liblzma5 package, or
// NULL when it is not known.
bool lzma_threads_safe(uint32_t library, const char *package);

// Pure. The version of a package that the text of /var/lib/dpkg/status says is installed; false:
// none.
bool lzma_dpkg_version(const char *status, const char *package, char *ret, size_t size);

// Asks this machine. Reads dpkg's database: before the process confines itself.
bool lzma_threads_safe_here(void);

#endif
