// SPDX-License-Identifier: Apache-2.0
#ifndef BRYO_CMD_VERSION_H
#define BRYO_CMD_VERSION_H

#define BRYO_VERSION "0.1.0"
#define BRYO_DATE    "2026-11-22" // of the version, for the manual pages

#endif
