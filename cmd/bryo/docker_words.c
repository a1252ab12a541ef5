// SPDX-License-Identifier: Apache-2.0
#include "cmd/bryo/docker_words.h"

#include <stddef.h>
#include <string.h>

struct word {
    const char *words; // several, parted by blanks
    const char *instead;
};

// clang-format off
static const struct word verbs[] = {
    {"images", "bryo image ls lists the unpacked root file systems"},
    {"rmi", "bryo image rm removes an unpacked root file system"},
    {"pull push login logout search tag manifest buildx",
     "bryo talks to no registry: a root file system is a tarball or a directory, bryo run --rootfs FILE"},
    {"build", "bryo reads no Dockerfile: bryo run --keep runs the steps, bryo commit makes a layer of them"},
    {"load import", "bryo image import FILE unpacks a tarball now; bryo run --rootfs FILE does it when it is needed"},
    {"save export", "bryo commit writes what a kept job (bryo run --keep) changed as a layer"},
    {"history", "bryo image inspect tells where a root file system comes from"},
    {"create start restart", "a job is started when it is made, and once: bryo run -d"},
    {"container", "leave the word out: bryo ps, bryo logs, bryo rm"},
    {"system", "bryo image prune frees disk space, bryo doctor tells of the machine"},
    {"info", "bryo doctor tells what this machine can do"},
    {"top", "bryo exec JOB ps lists the processes of a job"},
    {"cp", "files are handed in and out by the workspace and -v, or by tar: bryo exec JOB tar -c FILE | tar -x"},
    {"port", "bryo ps has the published ports of each job, bryo inspect JOB those of one"},
    {"events", "bryo wait JOB returns when a job ends; bryo run --result FILE tells how"},
    {"rename update", "a job has its name and its limits from bryo run"},
    {"volume network compose pod secret swarm service stack plugin context node config",
     "there is no such thing outside a job: -v, --network, --allow and --secret of bryo run"},
    {"-v", "bryo --version"},
    {NULL, NULL},
};

static const struct word run_words[] = {
    {"--init", "leave it out: process 1 of a job is an init always"},
    {"--privileged", "say --cap-add ALL --seccomp unconfined, which is what an ordinary user can have"},
    {"--entrypoint", "leave it out: the command is what runs, its first word is the program"},
    {"--mount --volumes-from --volume-driver", "say -v SRC:DST[:ro] or --tmpfs DST[:size=SIZE]"},
    {"--shm-size", "say --tmpfs /dev/shm:size=SIZE"},
    {"--security-opt", "say --seccomp FILE; no-new-privileges is on always"},
    {"--cpu-shares -c", "say --cpu-weight N, from 1 to 10000, where others have 100"},
    {"--cpu-period --cpu-quota --cpu-count --cpu-percent", "say --cpus N: the quota divided by the period"},
    {"--memory-reservation", "say --cgroup-set memory.low=BYTES, or --memory-high SIZE"},
    {"--memory-swappiness --kernel-memory --oom-kill-disable", "cgroup v2 has no such control; bryo run --help lists the limits"},
    {"--oom-score-adj", "leave it out: where memory ends the kernel takes a job first"},
    {"--blkio-weight", "say --io-weight N"},
    {"--device-read-bps --device-write-bps --device-read-iops --device-write-iops", "say --io-max DEV:rbps=N,wbps=N,riops=N,wiops=N"},
    {"--device-cgroup-rule --gpus", "say --device FILE for each device that you may open yourself"},
    {"--restart", "a job runs once; systemd or the CI system starts it again"},
    {"--stop-timeout", "say --grace DURATION, or bryo stop -t DURATION"},
    {"--stop-signal", "bryo stop sends SIGTERM; bryo kill -s SIGNAL sends another"},
    {"--log-driver --log-opt", "the log of a detached job is a file: bryo logs prints it"},
    {"--cidfile --pidfile", "say --result FILE, which has the id; run -d prints it"},
    {"--pull --platform --disable-content-trust --authfile --tls-verify",
     "nothing is fetched: --rootfs names a tarball or a directory"},
    {"--publish-all -P --expose", "say -p [HOST:]JOB for each port; HOST 0 takes one that is free"},
    {"--link --network-alias --ip --ip6 --mac-address", "say --add-host NAME:IP, --net-addr A.B.C.D/PREFIX"},
    {"--dns-opt --dns-option", "say -e RES_OPTIONS=OPTION"},
    {"--pid --ipc --uts --cgroupns", "a job has a namespace of its own of each kind always"},
    {"--group-add", "say -u USER: the groups that the root file system gives the user are taken"},
    {"--sysctl", "settings of the kernel are the machine's: a job cannot change them"},
    {"--sig-proxy --attach -a --detach-keys", "leave it out: a job that is not detached (-d) is attached, and gets bryo's signals"},
    {"--replace", "say bryo rm -f NAME first"},
    {"--health-cmd --health-interval --no-healthcheck", "say --stall-timeout DURATION: a job that prints nothing for so long is ended"},
    {"--runtime --isolation --storage-opt", "leave it out"},
    {"--label-file --annotation", "say --label NAME=VALUE"},
    {"--no-hosts --no-hostname", "leave it out"},
    {"--domainname", "say --hostname NAME.DOMAIN"},
    {NULL, NULL},
};

static const struct word exec_words[] = {
    {"--privileged", "a further command has the privileges of the job: bryo run --cap-add NAME"},
    {"--env-file", "say -e NAME=VALUE for each"},
    {"--detach-keys", "leave it out"},
    {NULL, NULL},
};

static const struct word ps_words[] = {
    {"--size -s", "bryo stats has what a job uses, bryo diff what a kept one wrote"},
    {"--sync --ns --pod -p --external --sort --watch -w --noheading", "bryo ps --format json has it all, for jq"},
    {NULL, NULL},
};

static const struct word stop_words[] = {
    {"--signal -s", "bryo kill -s SIGNAL sends another than SIGTERM"},
    {"--all -a", "bryo stop $(bryo ps -q)"},
    {NULL, NULL},
};

static const struct word other_words[] = { // of every verb
    {"--format -f", "the output is JSON: jq takes what is wanted out of it"},
    {"--latest -l", "bryo ps -lq prints the id of the newest job"},
    {"--all -a", "bryo ps -q prints the ids of all jobs that run, bryo ps -aq of those that ended as well"},
    {"--volumes -v --link --depend", "leave it out: nothing of a job outlives bryo rm"},
    {"--size -s --type", "leave it out"},
    {"--no-trunc --no-reset --interval -i --condition --cidfile --ignore --details --names --color --colors", "leave it out"},
    {"--detach-keys", "leave it out: Ctrl-P Ctrl-Q leaves a job that has a terminal"},
    {NULL, NULL},
};
// clang-format on

static const struct {
    const char *path;
    const struct word *words;
} tables[] = {
    {"bryo", verbs},
    {"bryo run", run_words},
    {"bryo shell", run_words},
    {"bryo exec", exec_words},
    {"bryo ps", ps_words},
    {"bryo logs", other_words},
    {"bryo attach", other_words},
    {"bryo stats", other_words},
    {"bryo stop", stop_words},
    {"bryo kill", other_words},
    {"bryo wait", other_words},
    {"bryo pause", other_words},
    {"bryo unpause", other_words},
    {"bryo inspect", other_words},
    {"bryo rm", other_words},
};

static const char *find(const struct word *w, const char *word)
{
    size_t n = strlen(word);
    for (; w->words; w++)
        for (const char *s = w->words; (s = strstr(s, word)); s += n)
            if ((s == w->words || s[-1] == ' ') && (!s[n] || s[n] == ' '))
                return w->instead;
    return NULL;
}

const char *docker_word(const char *path, const char *word)
{
    for (size_t i = 0; *word && i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(tables[i].path, path) == 0)
            return find(tables[i].words, word);
    return NULL;
}
