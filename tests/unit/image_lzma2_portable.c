// SPDX-License-Identifier: Apache-2.0
// The same without the instructions of this machine's processor, as other processors run it.
#define LZMA_PORTABLE 1
// NOLINTBEGIN(bugprone-suspicious-include)
#include "internal/image/lzma2.c"
#include "internal/image/lzma_core.c"
#include "tests/unit/image_lzma2.c"
// NOLINTEND(bugprone-suspicious-include)
