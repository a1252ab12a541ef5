// SPDX-License-Identifier: Apache-2.0
// Names that take something away: the whiteouts of a layer, as the OCI image specification defines
// them (layer.md, "Whiteouts"). Pure.
//
// They concern what lies in the layers below only: a file of the same layer is never hidden, and
// the order of the members says nothing.
#ifndef BRYO_IMAGE_WHITEOUT_H
#define BRYO_IMAGE_WHITEOUT_H

#define WHITEOUT_PREFIX      ".wh."
#define WHITEOUT_OPAQUE_NAME ".wh..wh..opq"

enum whiteout_kind {
    WHITEOUT_NONE,   // an ordinary member
    WHITEOUT_NAME,   // ".wh.NAME": NAME beside it is gone
    WHITEOUT_OPAQUE, // ".wh..wh..opq": all that lower layers have in its directory is gone
    WHITEOUT_AUFS,   // ".wh..wh.NAME" and all below it: bookkeeping of AUFS, which says nothing
    WHITEOUT_BAD,    // of the form, but names nothing that could be hidden
};

// path: clean (member_clean_path). *ret_name: for WHITEOUT_NAME the NAME, which points into path
// and is a single component, neither "." nor ".."; for WHITEOUT_BAD what is wrong with it, in
// words.
enum whiteout_kind whiteout_of(const char *path, const char **ret_name);

#endif
