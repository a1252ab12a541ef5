// SPDX-License-Identifier: Apache-2.0
// What the judges of a checkup share (checkup_judge.c, checkup_judge_host.c, checkup_finding.c).
#ifndef BRYO_JOB_CHECKUP_PRIV_H
#define BRYO_JOB_CHECKUP_PRIV_H

#include "internal/job/checkup.h"

struct judge {
    const struct machine *m;
    const struct attempted *tried;
    const struct err *said;
    struct checkup *out;
};

bool attempt_works(const struct judge *j, enum attempt a);
bool attempt_failed(const struct judge *j, enum attempt a);
const char *attempt_words(const struct judge *j, enum attempt a); // the kernel's, for its errno
bool machine_in_docker(const struct machine *m);                  // or podman: not in Kubernetes

// The pointer is good until the next one is added.
struct finding *finding_add(struct judge *j, const char *name, bool needed);

// Whether the attempt was not made, as what it needs failed: then the finding says so.
bool attempt_missing(const struct judge *j, enum attempt a, struct finding *f, const char *needs);

void finding_found(struct finding *f, enum health health, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_remedy(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_fix(struct finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

void finding_set_sysctl(struct finding *f, const char *name, const char *value);

// What something around this process refuses.
void finding_open_container(const struct machine *m, struct finding *f);

// What keeps an ordinary user from a user namespace, or from what root of one may do.
void finding_open_userns(const struct judge *j, int num, struct finding *f);

// checkup_judge_host.c: what is not of namespaces
void judge_disk(struct judge *j);
void judge_overlay(struct judge *j);
void judge_tun(struct judge *j);
void judge_network(struct judge *j);
void judge_fast_path(struct judge *j);
void judge_ping(struct judge *j);
void judge_limits(struct judge *j);
void judge_filters(struct judge *j);
void judge_quotas(struct judge *j);

#endif
