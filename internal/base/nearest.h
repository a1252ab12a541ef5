// SPDX-License-Identifier: Apache-2.0
// How far a word is from one that may have been meant. Pure; allocates nothing.
#ifndef BRYO_BASE_NEAREST_H
#define BRYO_BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_FAR 48 // too far, and longer than any word that is looked at

// 0 for the same word; small for few typing errors, or a beginning that fits; NEAREST_FAR for what
// nobody would have meant.
size_t nearest_score(const char *word, const char *candidate);

#endif
