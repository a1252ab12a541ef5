// SPDX-License-Identifier: Apache-2.0
// What an entry's tree was when it was written: a text of one line a member, for verify. Pure.
//
//   bryo-manifest 1
//   SEQ TYPE MODE UID GID SIZE MTIME.NANOSECONDS CRC64 PATH [LINK]
//   end MEMBERS
//
// Separated by tabs; MODE octal, CRC64 hexadecimal, the rest decimal; "-" where a type has no such
// thing. Bytes of PATH and LINK below 0x21, above 0x7e and the backslash are \xNN. TYPE: f file, d
// directory, l symbolic link, h hard link (LINK: the member that it is another name of), p FIFO, w
// whiteout, x removed with all below it. Lines come in any order: what has the greatest SEQ for a
// PATH holds. UID and GID are those inside the user namespace.
#ifndef BRYO_IMAGE_MANIFEST_H
#define BRYO_IMAGE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

struct manifest_entry {
    uint64_t seq;
    char type;
    uint32_t mode; // 07777
    uint32_t uid;
    uint32_t gid;
    uint64_t size;
    bool has_mtime; // a directory that no member described has none
    int64_t mtime_s;
    uint32_t mtime_ns;
    uint64_t crc; // CRC-64 (ECMA-182, as in .xz) of a file's bytes
    char *path;   // owned after manifest_parse_line()
    char *link;   // or NULL
};

void manifest_begin(struct buf *out);
void manifest_add(struct buf *out, const struct manifest_entry *e);
void manifest_end(struct buf *out, uint64_t members);

void manifest_entry_done(struct manifest_entry *e);

// One line without its newline. 1: an entry; 0: "end", *ret_members filled; -EINVAL.
int manifest_parse_line(char *line, struct manifest_entry *ret, uint64_t *ret_members);
bool manifest_is_begin(const char *line);

#endif
