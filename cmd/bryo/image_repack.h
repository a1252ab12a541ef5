// SPDX-License-Identifier: Apache-2.0
// bryo image repack.
#ifndef BRYO_CMD_IMAGE_REPACK_H
#define BRYO_CMD_IMAGE_REPACK_H

struct cli_verb;

extern const struct cli_verb verb_image_repack;

#endif
