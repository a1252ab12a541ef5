// SPDX-License-Identifier: Apache-2.0
// Words that docker's and podman's users type and bryo does not have: what to type instead.
#ifndef BRYO_CMD_DOCKER_WORDS_H
#define BRYO_CMD_DOCKER_WORDS_H

// path: of the verb, "bryo run"; word: a verb of docker's ("images") or an option as it was typed,
// its value cut off. NULL: docker has no such word either.
const char *docker_word(const char *path, const char *word);

#endif
