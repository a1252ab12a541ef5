// SPDX-License-Identifier: Apache-2.0
// Where this machine has newuidmap(1) and newgidmap(1). Host side.
#ifndef BRYO_SANDBOX_HOST_IDHELPER_H
#define BRYO_SANDBOX_HOST_IDHELPER_H

// The absolute path of newuidmap or newgidmap, NULL when this machine has none. Not looked for in
// $PATH: what is found there would get to choose the ids.
const char *host_idhelper_path(const char *name);

#endif
