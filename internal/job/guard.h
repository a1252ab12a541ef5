// SPDX-License-Identifier: Apache-2.0
// Takes the power out of what a job prints for the machine that reads its log, and for a terminal:
// --guard. Pure, and never holds anything back but a part of one terminal sequence.
//
// What counts as a command was read in the sources of those who read logs. GitHub's runner: the
// line (ended by \n, \r or both), its leading white space (Unicode's) trimmed, begins with "::"; or
// it has
// "##[" in it anywhere. Both are compared by the rules of a culture, to which control characters
// and zero-width ones are nothing. Azure Pipelines: "##vso[" or "##[" anywhere. TeamCity:
// "##teamcity[". So a backslash goes between the colons of a "::" that has nothing printable of
// ASCII before it on its line, and before the "[" of "##", letters, "[" wherever it is; what is
// neither ASCII nor printable counts as nothing. It stays readable, and says that it was changed.
#ifndef BRYO_JOB_GUARD_H
#define BRYO_JOB_GUARD_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

// Zeroed: at the beginning of a line.
struct guard {
    bool printed; // something printable is on this line
    bool colon;   // and that is one colon
    int hashes;   // 1: "#", 2: "##" and perhaps letters
    unsigned char before[2];
};

void guard_feed(struct guard *g, const void *bytes, size_t n, struct buf *out);

// What a terminal may be told by a stranger: colours (CSI ... m), to erase the rest of the line
// (CSI K), and \a \b \t \n \r. All else that begins with a control character comes out as \xNN: a
// terminal sets its title, its clipboard and its keys by such sequences, or answers them as if the
// user typed. Text is taken to be UTF-8.
struct termsafe {
    unsigned char seq[32]; // an escape sequence so far, or the first byte of U+0080 to U+009F
    size_t len;
    unsigned follow; // continuation bytes of UTF-8 still to come
};

void termsafe_feed(struct termsafe *t, const void *bytes, size_t n, struct buf *out);
void termsafe_end(struct termsafe *t, struct buf *out);

#endif
