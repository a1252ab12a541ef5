// SPDX-License-Identifier: Apache-2.0
// A strict reader of tar headers (POSIX.1-2017 pax and ustar; GNU and old formats as GNU tar's
// manual describes them). Pure: bytes in, members out.
//
// libarchive reads the same bytes after it, leniently, as a general library must. Every attack by
// sizes and names that different readers take differently lives in that leniency, so a member is
// unpacked only when both readers see the same thing, and what the strict one finds ambiguous,
// malformed or out of bounds ends the unpacking. Names come from here, byte for byte; libarchive
// would turn them through a character set.
#ifndef BRYO_IMAGE_TARSCAN_H
#define BRYO_IMAGE_TARSCAN_H

#include "internal/image/tar_pax.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define TARSCAN_PAX_MAX    (1U << 20)  // bytes of one extended header
#define TARSCAN_NAME_MAX   (64U << 10) // bytes of one GNU long name record
#define TARSCAN_EXT_MAX    1000U       // extension blocks a member may have
#define TARSCAN_SPARSE_MAX 65536U      // pieces of one sparse file

enum tar_type {
    TAR_FILE,
    TAR_DIR,
    TAR_SYMLINK,
    TAR_HARDLINK,
    TAR_FIFO,
    TAR_DEVICE, // block or character
};

struct tar_member {
    uint64_t offset; // of its header in the archive
    enum tar_type type;
    bool sparse;
    uint64_t size;         // of a file, as it will appear
    struct pax_time mtime; // where a pax header has it
    struct pax_time atime;
    char *path; // not empty, no NUL; as the archive has it
    char *link; // of TAR_SYMLINK and TAR_HARDLINK; otherwise NULL
};

void tar_member_done(struct tar_member *m);

struct tarscan;

struct tarscan *tarscan_new(void);
void tarscan_free(struct tarscan *s); // NULL is fine

// Takes the next bytes of the archive. -EBADMSG with what is wrong, and where.
int tarscan_push(struct tarscan *s, const void *bytes, size_t n, struct err *err);

// The next member whose headers were read completely; false: none yet. The caller owns it.
bool tarscan_pop(struct tarscan *s, struct tar_member *ret);

// There are no more bytes: 0 when the archive was whole.
int tarscan_finish(struct tarscan *s, struct err *err);

// Extension headers seen so far: they cost work like members, and are counted against the limit.
uint64_t tarscan_extensions(const struct tarscan *s);

#endif
