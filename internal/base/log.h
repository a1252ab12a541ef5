// SPDX-License-Identifier: Apache-2.0
// bryo's own words: one line each, to stderr, prefixed "bryo: ", one write(2) a line so that lines
// of concurrent runs do not mix. Control characters are escaped (escape.h). The level is the only
// file-scope state of the project. Library code returns errors; it does not log them.
#ifndef BRYO_BASE_LOG_H
#define BRYO_BASE_LOG_H

struct err;

enum log_level { LOG_QUIET = 0, LOG_NORMAL = 1, LOG_VERBOSE = 2 };

void log_set_level(enum log_level level);
enum log_level log_get_level(void);

void log_err(const struct err *e);                                            // always shown
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    // always shown
void log_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));    // not with --quiet
void log_verbose(const char *fmt, ...) __attribute__((format(printf, 1, 2))); // with --verbose

#endif
