// SPDX-License-Identifier: Apache-2.0
// The kinds of tarball that bryo writes. Pure.
#ifndef BRYO_IMAGE_PACK_FORMAT_H
#define BRYO_IMAGE_PACK_FORMAT_H

enum pack_format { PACK_TAR, PACK_GZIP, PACK_XZ, PACK_ZSTD, PACK_UNKNOWN };

// "tar", "tar.gz", "tar.xz", "tar.zst" and back. PACK_UNKNOWN for anything else.
const char *pack_format_name(enum pack_format format);
enum pack_format pack_format_parse(const char *name);

// What a file of this name is to hold: by ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst",
// ".tzst" at its end.
enum pack_format pack_format_of_file(const char *path);

#endif
