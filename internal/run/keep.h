// SPDX-License-Identifier: Apache-2.0
// --keep, --keep-on-failure, --reuse: whether and how a job's scratch stays. Host side.
#ifndef BRYO_RUN_KEEP_H
#define BRYO_RUN_KEEP_H

#include <stdbool.h>

struct idmaps;
struct job_result;
struct job_spec;
struct layers;
struct rootfs;
struct scratch;

// However the job ends.
bool keep_possible(const struct job_spec *spec);
bool keep_wanted(const struct job_spec *spec, const struct job_result *result);

struct keep {
    const struct job_spec *spec;
    const struct rootfs *root;
    const struct layers *layers;
    char *init_layer; // NULL: the run ended before its root was open
    const struct idmaps *maps;
};

// Writes down what it takes to enter the scratch again, says how, and notes its place in *result.
// True: it is closed and stays. False: it is the caller's to remove.
bool keep_scratch(const struct keep *keep, struct scratch *scratch, struct job_result *result);

#endif
