// SPDX-License-Identifier: Apache-2.0
// A value that a job is given and that must not show: --secret. Pure.
#ifndef BRYO_JOB_SECRET_H
#define BRYO_JOB_SECRET_H

#include <stddef.h>

struct err;
struct masker;

#define SECRET_MAX (64U << 10) // bytes; a GitHub secret has up to 48 KiB

struct secret {
    char *name;  // of its file in /run/secrets, and of its variable
    char *value; // owned; NUL-terminated behind len bytes
    size_t len;
};

// Takes a copy of the value. -EINVAL: the name is no file name of letters, digits, "_", "-", ".",
// or the value is empty; -EFBIG.
int secret_set(struct secret *ret, const char *name, const void *value, size_t len,
               struct err *err);
int secret_check_name(const char *name, size_t len, struct err *err);
void secret_done(struct secret *s); // overwrites the value

// Adds what is to be masked of it: the value without line ends behind it; each of its lines that
// has four bytes or more, since a terminal or a log changes what is between lines; and what
// programs make of it by accident: base64 (RFC 4648, at any offset, also in lines of 64 and 76),
// the inside of a JSON string (RFC 8259), percent-encoding (RFC 3986), a word that a shell quotes.
void secret_add_forms(const struct secret *s, struct masker *m);

#endif
