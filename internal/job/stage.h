// SPDX-License-Identifier: Apache-2.0
// What bryo was doing when something failed. The number crosses from inside to outside in struct
// err; --result names it; each stage has its phrase and its usual remedy in one table (stage.c).
#ifndef BRYO_JOB_STAGE_H
#define BRYO_JOB_STAGE_H

// X(NAME, "name-in-json", "doing what", "usual remedy, or empty")
#define STAGES(X)                                               \
    X(USAGE, "usage", "reading the command line", "")           \
    X(HOST, "host", "looking at this machine", "")              \
    X(IDENTITY, "identity", "choosing the ids of the job", "")  \
    X(IMAGE, "image", "getting the root file system", "")       \
    X(UNPACK, "unpack", "unpacking the tarball", "")            \
    X(STORE, "store", "using the image store", "")              \
    X(SCRATCH, "scratch", "making the scratch layer", "")       \
    X(CGROUP, "cgroup", "making the cgroup of the job", "")     \
    X(USERNS, "userns", "creating the user namespace", "")      \
    X(MAPS, "maps", "writing the id maps", "")                  \
    X(NAMESPACES, "namespaces", "creating the namespaces", "")  \
    X(TIME, "time", "setting the time offsets", "")             \
    X(INIT, "init", "starting the job's init process", "")      \
    X(NETWORK, "network", "setting up the network", "")         \
    X(ROOT, "root", "mounting the root file system", "")        \
    X(MOUNT, "mount", "mounting into the root file system", "") \
    X(PIVOT, "pivot", "entering the root file system", "")      \
    X(USER, "user", "looking up the user", "")                  \
    X(TTY, "tty", "setting up the terminal", "")                \
    X(LIMITS, "limits", "setting resource limits", "")          \
    X(PRIVILEGES, "privileges", "dropping privileges", "")      \
    X(WORKDIR, "workdir", "entering the working directory", "") \
    X(EXEC, "exec", "starting the command", "")                 \
    X(SUPERVISE, "supervise", "watching over the job", "")      \
    X(REPORT, "report", "writing the report", "")

enum stage {
    STAGE_NONE = 0,
#define STAGE_ENUM(name, json, phrase, remedy) STAGE_##name,
    STAGES(STAGE_ENUM)
#undef STAGE_ENUM
        STAGE_COUNT_
};

// "" for STAGE_NONE and for numbers that are no stage.
const char *stage_name(int stage);   // as in --result: "maps"
const char *stage_phrase(int stage); // "writing the id maps"
const char *stage_remedy(int stage);

#endif
