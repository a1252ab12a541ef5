// SPDX-License-Identifier: Apache-2.0
// bryo run: one job.
#include "cmd/bryo/builder.h"
#include "cmd/bryo/cli.h"
#include "cmd/bryo/detach.h"
#include "cmd/bryo/result_file.h"
#include "cmd/bryo/run_options.h"
#include "internal/base/cleanup.h"
#include "internal/base/err.h"
#include "internal/base/log.h"
#include "internal/job/result.h"
#include "internal/job/stage.h"
#include "internal/job/stats.h"
#include "internal/run/run.h"

#include <errno.h>

// clang-format off
static const struct cli_option options[] = {
    {"rootfs", 0, "TARBALL|DIR|host", "Root file system",
     "a tarball (.tar, .xz, .gz, .zst, .bz2), a directory, or the machine's own system directories (default host)",
     CLI_FILES, NULL, set_rootfs},
    {"layer", 0, "TARBALL|DIR", "Root file system",
     "lay it above the root file system, and above the --layer before it; whiteouts of a tarball hide what lies below",
     CLI_FILES, NULL, set_layer},
    {"read-only", 0, NULL, "Root file system",
     "the job cannot write to it", CLI_NOTHING, NULL, set_read_only},
    {"keep", 0, NULL, "Root file system",
     "keep what the job wrote, and say where", CLI_NOTHING, NULL, set_keep},
    {"keep-on-failure", 0, NULL, "Root file system",
     "the same, unless the job ends with status 0", CLI_NOTHING, NULL, set_keep_on_failure},
    {"reuse", 0, "ID", "Root file system",
     "enter the root file system of a kept job again", CLI_NOTHING, NULL, set_reuse},
    {"rm", 0, NULL, "Root file system",
     "drop what the job wrote (the default); with --reuse, the kept job as well", CLI_NOTHING, NULL, set_rm},
    {"max-unpacked", 0, "SIZE", "Root file system",
     "refuse a tarball that unpacks to more (default 64g)", CLI_NOTHING, NULL, set_max_unpacked},
    {"max-entries", 0, "N", "Root file system",
     "refuse a tarball with more members (default 4000000)", CLI_NOTHING, NULL, set_max_entries},

    {"user", 'u', "USER[:GROUP]", "Identity",
     "names or numbers of the root file system (default 0:0)", CLI_NOTHING, NULL, set_user},
    {"userns", 0, "auto|subids|single", "Identity",
     "map the subordinate ids of the user, or only the user's own id (default: subids where they are granted)",
     CLI_NOTHING, NULL, set_userns},
    {"uidmap", 0, "INSIDE:FROM[:COUNT]", "Identity",
     "map these user ids instead; FROM counts in the user's ids, @FROM in the machine's",
     CLI_NOTHING, NULL, set_uidmap},
    {"gidmap", 0, "INSIDE:FROM[:COUNT]", "Identity",
     "the same for group ids (default: as --uidmap)", CLI_NOTHING, NULL, set_gidmap},
    {"fake-root", 0, NULL, "Identity",
     "a job with one id is made to believe that it has all: chown, setuid, setgroups, mknod succeed (default where "
     "there is only one id)",
     CLI_NOTHING, NULL, set_fake_root},
    {"no-fake-root", 0, NULL, "Identity",
     "they fail there, as the kernel has it", CLI_NOTHING, NULL, set_no_fake_root},

    {"network", 0, "slirp|none|host", "Network",
     "a network of the job's own, loopback alone, or the machine's (default slirp); slirp:fast=off does without the fast path for TCP",
     CLI_NOTHING, "net", set_network},
    {"publish", 'p', "[IP:][HOST:]JOB[/udp]", "Network",
     "let a port of the machine, or a range of them, lead to one of the job; HOST 0 takes one that is free and prints it",
     CLI_NOTHING, NULL, set_publish},
    {"mtu", 0, "BYTES", "Network",
     "of the job's interface", CLI_NOTHING, NULL, set_mtu},
    {"net-addr", 0, "A.B.C.D/PREFIX", "Network",
     "the job's network: .2 is the gateway, .3 the resolver (default 10.0.2.0/24, the job at .100)",
     CLI_NOTHING, "cidr", set_net_addr},
    {"dns", 0, "IP[:PORT],...", "Network",
     "ask these resolvers instead of the machine's", CLI_NOTHING, NULL, set_dns},
    {"dns-search", 0, "DOMAIN,...", "Network",
     "complete short names with these domains instead of the machine's; \".\" for none",
     CLI_NOTHING, NULL, set_dns_search},
    {"add-host", 0, "NAME:IP", "Network",
     "let NAME be this address; \"host-gateway\" is the machine (see --allow-host)",
     CLI_NOTHING, NULL, set_add_host},
    {"net-rate", 0, "RATE", "Network",
     "at most so much each way, such as 10mbit", CLI_NOTHING, NULL, set_net_rate},
    {"net-delay", 0, "TIME[,JITTER]", "Network",
     "delay what the job sends, such as 20ms,5ms", CLI_NOTHING, NULL, set_net_delay},
    {"net-loss", 0, "SHARE", "Network",
     "lose some of what the job sends, such as 1%", CLI_NOTHING, NULL, set_net_loss},

    {"allow", 0, "HOST[:PORTS][/PROTO],...", "Network policy",
     "let the job connect there, and nowhere else that no rule allows; first match of --allow and --deny wins",
     CLI_NOTHING, NULL, set_allow},
    {"deny", 0, "HOST[:PORTS][/PROTO],...", "Network policy",
     "do not let the job connect there", CLI_NOTHING, NULL, set_deny},
    {"allow-host", 0, "[=PORT,...]", "Network policy",
     "let the job reach the machine's own loopback, at 10.0.2.2: all of it, or these ports",
     CLI_NOTHING, NULL, set_allow_host},
    {"net-log", 0, "FILE", "Network policy",
     "write a line of JSON for each connection, refused ones too, and each name asked for",
     CLI_FILES, NULL, set_net_log},
    {"net-lock", 0, "FILE", "Network policy",
     "write what the job connected to; where FILE exists, allow that alone and say what differs",
     CLI_FILES, NULL, set_net_lock},
    {"pcap", 0, "FILE", "Network policy",
     "write all packets of the job's interface (pcapng); TCP then does without the fast path", CLI_FILES, NULL, set_pcap},

    {"hostname", 'h', "NAME", "Names and clocks",
     "the job's host name (default bryo)", CLI_NOTHING, NULL, set_hostname},
    {"time-offset", 0, "boottime=SECS,monotonic=SECS", "Names and clocks",
     "shift these clocks for the job; SECS may be negative, or a duration such as 1d",
     CLI_NOTHING, NULL, set_time_offset},

    {"volume", 'v', "SRC:DST[:ro]", "Files",
     "mount a file or directory of the machine; a relative SRC starts at the current directory",
     CLI_FILES, NULL, set_volume},
    {"tmpfs", 0, "DST[:OPTION,...]", "Files",
     "mount an empty directory in memory; size=64m, nr_inodes=1000, mode=1777, exec, ro", CLI_NOTHING, NULL, set_tmpfs},
    {"device", 0, "SRC[:DST]", "Files",
     "let the job use a device", CLI_FILES, NULL, set_device},
    {"workspace", 0, "DIR", "Files",
     "mount this directory at its own path and start there (default: the current directory, unless it is / or the home directory)",
     CLI_DIRS, NULL, set_workspace},
    {"no-workspace", 0, NULL, "Files",
     "mount no workspace", CLI_NOTHING, NULL, set_no_workspace},
    {"keep-owners", 0, NULL, "Files",
     "leave files of the workspace to the subordinate ids that the job gave them to; else they become the user's when it ends",
     CLI_NOTHING, NULL, set_keep_owners},
    {"workdir", 'w', "DIR", "Files",
     "start in this directory of the job", CLI_NOTHING, NULL, set_workdir},

    {"env", 'e', "NAME[=VALUE]", "Environment",
     "set a variable, or take it over from outside; nothing else comes in but TERM, LANG and CI",
     CLI_NOTHING, NULL, set_env},
    {"env-file", 0, "FILE", "Environment",
     "the same from a file, a line each", CLI_FILES, NULL, set_env_file},
    {"secret", 0, "NAME[=FILE]", "Environment",
     "give the job the variable NAME, or what is in FILE, as /run/secrets/NAME, and with -e NAME as a variable; "
     "where it is printed, *** shows",
     CLI_FILES, NULL, set_secret},

    {"cap-add", 0, "NAME", "Confinement",
     "give the job a capability in its user namespace, or ALL of them", CLI_NOTHING, NULL, set_cap_add},
    {"cap-drop", 0, "NAME", "Confinement",
     "take one from it, or ALL", CLI_NOTHING, NULL, set_cap_drop},
    {"no-userns", 0, NULL, "Confinement",
     "the job cannot make user namespaces of its own", CLI_NOTHING, NULL, set_no_userns},
    {"landlock", 0, NULL, "Confinement",
     "a second fence around the job; it can then mount nothing, also not in a namespace of its own",
     CLI_NOTHING, NULL, set_landlock},
    {"seccomp", 0, "FILE|unconfined", "Confinement",
     "system calls by this OCI or docker profile (default: bryo's own), or all of them",
     CLI_FILES, NULL, set_seccomp},
    {"seccomp-log", 0, NULL, "Confinement",
     "name each system call that is refused, once, and the program that made it", CLI_NOTHING, NULL, set_seccomp_log},

    {"detach", 'd', NULL, "Process",
     "run it in the background and print its id; bryo logs prints what it prints", CLI_NOTHING, NULL, set_detach},
    {"name", 0, "NAME", "Process",
     "call the job so, for bryo ps, exec, stop and the others", CLI_NOTHING, NULL, set_name},
    {"label", 'l', "NAME[=VALUE]", "Process",
     "write it down with the job, for bryo ps --filter label= and bryo inspect", CLI_NOTHING, NULL, set_label},
    {"tty", 't', NULL, "Process",
     "give the job a terminal of its own", CLI_NOTHING, NULL, set_tty},
    {"interactive", 'i', NULL, "Process",
     "let the job read standard input", CLI_NOTHING, NULL, set_interactive},
    {"ulimit", 0, "NAME=SOFT[:HARD]", "Process",
     "a resource limit, such as nofile=1024:4096", CLI_NOTHING, NULL, set_ulimit},
    {"umask", 0, "MASK", "Process",
     "octal (default 022)", CLI_NOTHING, NULL, set_umask},
    {"preserve-fd", 0, "FD[,FD...]", "Process",
     "let the command have these open descriptors too, under their numbers", CLI_NOTHING, NULL, set_preserve_fd},
    {"jobserver", 0, NULL, "Process",
     "let a make inside share the -j of the make that called bryo: MAKEFLAGS, MAKELEVEL and what they name",
     CLI_NOTHING, NULL, set_jobserver},
    {"timeout", 0, "DURATION", "Process",
     "end the job after 90, 90s, 15m, 1h30m; the status is 124", CLI_NOTHING, NULL, set_timeout},
    {"stall-timeout", 0, "DURATION", "Process",
     "end the job when it printed nothing for so long", CLI_NOTHING, NULL, set_stall_timeout},
    {"grace", 0, "DURATION", "Process",
     "between asking the job to end and killing it (default 5s)", CLI_NOTHING, NULL, set_grace},

    {"memory", 'm', "SIZE", "Limits",
     "kill what uses more memory, such as 512m or 2g; -1: no limit", CLI_NOTHING, NULL, set_memory},
    {"memory-swap", 0, "SIZE", "Limits",
     "memory and swap together (default: twice --memory); -1: no limit", CLI_NOTHING, NULL, set_memory_swap},
    {"memory-high", 0, "SIZE", "Limits",
     "slow the job down and reclaim memory above it", CLI_NOTHING, NULL, set_memory_high},
    {"cpus", 0, "N", "Limits",
     "processor time, such as 1.5", CLI_NOTHING, NULL, set_cpus},
    {"cpu-weight", 0, "N", "Limits",
     "share of processor time among others, 1 to 10000 (others have 100)", CLI_NOTHING, NULL, set_cpu_weight},
    {"cpuset-cpus", 0, "LIST", "Limits",
     "only these processors, such as 0-3,5", CLI_NOTHING, NULL, set_cpuset_cpus},
    {"cpuset-mems", 0, "LIST", "Limits",
     "memory of these nodes only", CLI_NOTHING, NULL, set_cpuset_mems},
    {"pids-limit", 0, "N", "Limits",
     "processes and threads at once, bryo's init among them; -1: no limit", CLI_NOTHING, NULL, set_pids_limit},
    {"io-max", 0, "DEV:KEY=N,...", "Limits",
     "rbps, wbps (bytes), riops, wiops (operations) a second on a disk, such as /dev/sda:wbps=10m",
     CLI_NOTHING, NULL, set_io_max},
    {"io-weight", 0, "N", "Limits",
     "share of disk time among others, 1 to 10000 (others have 100)", CLI_NOTHING, NULL, set_io_weight},
    {"hugetlb", 0, "PAGESIZE=SIZE", "Limits",
     "huge pages of one size, such as 2MB=64m", CLI_NOTHING, NULL, set_hugetlb},
    {"cgroup-set", 0, "FILE=VALUE", "Limits",
     "any other control of cgroup v2, such as memory.low=64M", CLI_NOTHING, NULL, set_cgroup_set},
    {"cgroup-parent", 0, "DIR|scope|none", "Limits",
     "a cgroup that was delegated to the user, a scope of the user's systemd, or none (default: the first that there is)",
     CLI_DIRS, NULL, set_cgroup_parent},
    {"best-effort", 0, NULL, "Limits",
     "run without a limit that cannot be held, and say which", CLI_NOTHING, NULL, set_best_effort},

    {"guard", 0, NULL, "Report",
     "take the power out of what the job prints: commands to the CI machine that reads the log, escape sequences to a "
     "terminal that is not the job's own (-t)",
     CLI_NOTHING, NULL, set_guard},
    {"result", 0, "FILE", "Report",
     "write one JSON object: how the job ended, times, resources", CLI_FILES, NULL, set_result},
    {"stats", 0, NULL, "Report",
     "print one line at the end: times, memory, processes, input and output, stalls", CLI_NOTHING, NULL, set_stats},
    {"stats-log", 0, "FILE", "Report",
     "write a sample of these every second as CSV; bryo plot draws it", CLI_FILES, NULL, set_stats_log},
    {"stats-interval", 0, "DURATION", "Report",
     "between two samples (default 1s)", CLI_NOTHING, NULL, set_stats_interval},
    {"quiet", 'q', NULL, "Report",
     "only errors", CLI_NOTHING, NULL, set_quiet},
    {"verbose", 0, NULL, "Report",
     "say what is done", CLI_NOTHING, NULL, set_verbose},
};

static const struct cli_section sections[] = {
    {"Exit status",
     "The command's own, or 128+N when signal N ended it.\n\n"
     "  124  --timeout or --stall-timeout ended the job\n"
     "  125  bryo itself failed; --result tells this from a job's own 125\n"
     "  126  the command was found but could not be executed\n"
     "  127  the command was not found"},
    {"The machine's own directories",
     "Without --rootfs the root has the machine's own system directories (/usr, /etc, /var, /opt and their like), each below "
     "a layer that takes what the job writes there; programs, headers and libraries in /usr (bin, include, lib, lib64, libexec), where root's files cannot "
     "be changed anyway, are read-only and as fast as outside. /home, /root, /run, /tmp, /var/tmp and others are empty.\n\n"
     "Where something is mounted below one of them (a disk at /var/log, say), an ordinary user can lay nothing over it: that "
     "would uncover what the mount hides. The job then sees it with all its mounts, but cannot write to it, and bryo says so when the "
     "job starts. --tmpfs DIR or -v SRC:DIR makes a directory in it one that can be written to; a --rootfs is not concerned."},
    {"Layers",
     "Each --layer is an OCI layer: a tarball, unpacked once, or a directory that is used where it is. Of "
     "what several have under one name the uppermost counts; directories are joined, with owner and mode "
     "of the uppermost. In a tarball \".wh.NAME\" hides NAME and \".wh..wh..opq\" all of its directory in "
     "the layers below; in the tarball of --rootfs these are ordinary names. A directory that a layer only "
     "passes through, without a member of its own, is root's with mode 0755.\n\n"
     "bryo commit makes a layer of what a kept job wrote."},
    {"Limits",
     "They are held by a cgroup of the job's own (cgroup v2), made in the first of these places that there is: "
     "the directory that --cgroup-parent or BRYO_CGROUP names; the cgroup in which bryo runs, where it was "
     "delegated to the user; a scope of the user's systemd (loginctl enable-linger starts one without a login), "
     "which is asked for only with a limit or --stats-log. Without a place a job runs without a cgroup, and with a "
     "limit it is refused, unless --best-effort is given.\n\n"
     "To delegate by hand, as root:\n\n"
     "  mkdir /sys/fs/cgroup/ci\n"
     "  echo '+cpu +memory +pids' >/sys/fs/cgroup/cgroup.subtree_control\n"
     "  cd /sys/fs/cgroup/ci && chown USER . cgroup.{procs,threads,subtree_control}\n"
     "  echo PID_OF_THE_SHELL >cgroup.procs\n\n"
     "The job sees its own cgroup as the root of /sys/fs/cgroup, and may divide it: another bryo, a container "
     "engine or systemd runs in it. Whatever it forked is killed with it.\n\n"
     "When a limit, a deadline or a signal ended the job, one paragraph on standard error says so, and what to "
     "set; --result has it too, beside what the job used. What the kernel does not tell is null there."},
    {"Environment",
     "The job gets PATH, HOME and USER of its root file system, TERM and LANG as outside, CI=true where "
     "CI is set outside, and what --env and --env-file name.\n\n"
     "bryo itself reads XDG_CACHE_HOME (else ~/.cache): unpacked tarballs and scratch are in its folder "
     "bryo."},
    {"Confinement",
     "A job runs as root of a user namespace with docker's capabilities less NET_RAW and MKNOD; what they open "
     "counts inside only. System calls go by a list much like docker's, in which user namespaces (bryo in bryo) are "
     "allowed; --no-userns takes them out. A call that the list refuses gives EPERM, one that it does not know "
     "ENOSYS; --seccomp-log tells which, and by whom.\n\n"
     "--seccomp takes the JSON of OCI and docker: actions, operators, flags, archMap, includes and excludes; not "
     "SCMP_ACT_NOTIFY. A name that bryo does not know is reported and ignored, anything else that it does not know "
     "is an error.\n\n"
     "32-bit programs of an old C library (Debian's i386) have no sockets under bryo's own list, since they ask "
     "for them by socketcall, where no list can look. SECURITY.md says what is promised, and what is not."},
    {"A job with one id",
     "Without subordinate ids the job is root, and there is nobody else: the kernel refuses it to give a file to another, and to "
     "become another. Package managers do both. So bryo answers these calls itself: chown, setuid and their kin succeed; "
     "stat shows the owner that was given, getuid and its kin who a process has become, through "
     "fork and exec; mknod of a device makes an empty file that shows as one. A process that became another sees the "
     "job's own files as its own.\n\n"
     "What is not so: nobody is kept from anything by such an owner or id, all remain one to the kernel, to open and kill, in "
     "/proc and on sockets; a process that became another keeps its capabilities; set-user-id programs "
     "run as whoever starts them; what such a process makes is root's until it is given away; a device made so cannot be used; programs "
     "of 32 bits are told that a call succeeded and no more; files that a kept job gave away are root's when it is entered again. "
     "Each of these calls, stat too, waits for another process: some 5 to 15 microseconds, more where the machine is busy. --no-fake-root where that counts more. In a bryo within bryo the outer one "
     "answers."},
    {"Secrets",
     "A secret is a file of mode 0400 in memory, of the job's user, and no part of what is kept. bryo takes the variable "
     "out of its own environment, and writes no core. In all that the job prints, *** stands for the value, for each "
     "of its lines of four bytes or more, and for what it becomes in base64, in a JSON string, percent-encoded, and "
     "quoted by a shell. The beginning of a value is held back until it is known what follows; after a tenth of "
     "a second a few bytes of it are let out, so that a prompt shows.\n\n"
     "What a further command prints (bryo exec) is masked and guarded in the same way.\n\n"
     "This is against accidents. A job that means to give a secret away can write it in a form that "
     "nobody knows: give secrets only to jobs that may have them."},
    {"What the job prints",
     "With --guard a backslash comes between the colons of a line's leading \"::\", and before the [ of ##[, ##vso[ and the "
     "like: GitHub, Azure Pipelines and TeamCity take none of it for a command. Where GITHUB_ACTIONS is true, the job's "
     "output also stands between ::stop-commands::TOKEN and ::TOKEN::, with a token drawn anew each time. On a terminal colours pass, and "
     "all other escape sequences are shown as text; with -t, and without --guard, they pass, as docker lets them."},
    {"Network",
     "The job has an interface tap0 with a default route. Its TCP is taken over by the kernel inside the job's network, once the "
     "policy has seen the first packet and the other end has answered: what passes tap0 are the first packets of TCP, and UDP and ICMP. Root of the "
     "job (--cap-add NET_ADMIN) may add links, addresses and routes, and they lead where they say. Where there is no route any more, "
     "because the default route or tap0 was taken away, a new connection gets no answer, and fails by its own timeout.\n\n"
     "--mtu, --pcap and the shaping options count for what passes tap0; with --pcap and with shaping that is everything."},
    {"Network policy",
     "A rule is HOST[:PORTS][/PROTO]. HOST is a name, *.NAME for every name below it, an address, a network such as "
     "10.0.0.0/8 or [2001:db8::]/32, or *. PORTS is a port, a range, *, or dns (the name may be asked for, and nothing "
     "connected to). PROTO is tcp, udp or icmp. The first rule that matches decides; without one the connection is "
     "allowed, unless there is an --allow.\n\n"
     "A name matches an address that the job's own resolver gave for it, aliases included; other names are not even "
     "asked for. With rules about names no other resolver can be reached.\n\n"
     "Closed to every job, whatever its rules: the machine's loopback and all of its own addresses, link-local "
     "addresses, multicast, and the metadata services of clouds. --allow-host opens the loopback, at the job's "
     "gateway.\n\n"
     "What is refused is refused at once, and told. --net-log has a line of JSON for each connection (time, protocol, "
     "name, address, port, verdict, rule, bytes_out, bytes_in, duration) and for each name that was asked for."},
    {"Examples",
     "  bryo run -- make test\n"
     "  bryo run --rootfs debian.tar.xz -it -- bash\n"
     "  bryo run --rootfs debian.tar.xz -- apt-get install -y gcc\n"
     "  bryo run --allow deb.debian.org:80 --net-log net.json -- apt-get update\n"
     "  bryo run -p 8080:80 -- ./server\n"
     "  bryo run --timeout 15m --result result.json -- ./ci/test.sh"},
    {NULL, NULL},
};
// clang-format on

// docker's order of words: "run debian.tar.xz bash", "run debian:12 bash".
static bool is_root_for_command(const struct job_spec *spec, const struct err *err)
{
    const char *word = spec->argv.n ? spec->argv.v[0] : "";
    return err->stage == STAGE_EXEC && !spec->rootfs && !spec->reuse &&
           (strstr(word, ".tar") || (strchr(word, ':') && !strchr(word, ' ')));
}

// Prints what went wrong, or why the job was ended, and what it used.
static void tell(const struct job_spec *spec, const struct job_result *r)
{
    struct err err = r->err;
    switch (r->outcome) {
    case OUTCOME_FAILED:
        if (is_root_for_command(spec, &err))
            err_hint(&err, "is that a root file system? bryo run --rootfs FILE -- COMMAND; it is a "
                           "tarball or a directory, and nothing is fetched");
        if (!err.hint[0] && stage_remedy(err.stage)[0])
            err_hint(&err, "%s", stage_remedy(err.stage));
        log_err(&err);
        break;
    case OUTCOME_TIMEOUT:
    case OUTCOME_STALLED:
    case OUTCOME_EXITED:
    case OUTCOME_SIGNAL:
        break;
    }
    // (that the command could not be executed has just been said)
    if (r->cause && r->err.stage != STAGE_EXEC)
        log_warn("%s", r->verdict);
    if (spec->stats) {
        AUTO_BUF struct buf line = {0};
        stats_line(r, &line);
        log_warn("%s", buf_str(&line));
    }
}

static int report(const struct result_file *file, const struct job_result *r)
{
    AUTO_BUF struct buf json = {0};
    struct err err = {0};
    result_to_json(r, &json);
    if (result_file_write(file, &json, &err) == 0)
        return result_exit_status(r);
    err_stage(&err, STAGE_REPORT);
    return cli_fail(&err);
}

// usage: what the command line got wrong, if it did; that goes into the report too.
int run_built(const struct builder *b, const struct invocation *inv, const struct err *usage)
{
    AUTO_RESULT_FILE struct result_file file = RESULT_FILE_NONE;
    struct launcher launcher = {
        .argv = inv->argv, .envp = inv->envp, .start_us = inv->start_us, .detach_fd = -1};
    struct job_result r = {.outcome = OUTCOME_FAILED, .err = *usage};
    usage_init(&r.usage);
    struct err err = {0};
    int prepared = result_file_prepare(b->spec.result_file, &file, &err);
    if (prepared < 0 && usage->num == 0)
        r.err = err;
    if (r.err.num == 0)
        (void)builder_check_host(b, &r.err);
    int status = 0;
    if (r.err.num == 0 && b->spec.detach && detach(&launcher.detach_fd, &status, &r.err) > 0)
        return status;
    launcher.tell = r.err.num == 0 && b->spec.detach ? tell : NULL;
    if (r.err.num == 0)
        run_job(&b->spec, &launcher, &r);
    else
        err_stage(&r.err, STAGE_USAGE);
    if (!launcher.tell)
        tell(&b->spec, &r);
    return report(&file, &r);
}

static int check_command(const struct cli_verb *verb, const struct strv *argv, struct err *err)
{
    if (argv->n == 0) {
        err_set(err, EINVAL, "no command given: %s %s", verb->path, verb->synopsis);
        return err_hint(err, "\"%s --help\" lists the options", verb->path);
    }
    return argv->v[0][0] ? 0 : err_set(err, EINVAL, "the command is an empty word");
}

static int run(const struct cli_verb *verb, const struct invocation *inv, int argc, char **argv)
{
    AUTO_BUILDER struct builder b = {0};
    struct err err = {0};
    if (builder_init(&b, inv->envp, &err) < 0)
        return cli_fail(&err);
    int r = cli_parse(verb, argc, argv, &b, &b.spec.argv, &err);
    if (r == CLI_HELP) {
        AUTO_BUF struct buf text = {0};
        cli_usage(verb, &text);
        return cli_print(&text);
    }
    if (r == 0)
        r = check_command(verb, &b.spec.argv, &err);
    if (r == 0)
        (void)builder_finish(&b, &err);
    return run_built(&b, inv, &err);
}

const struct cli_verb verb_run = {
    .name = "run",
    .path = "bryo run",
    .synopsis = "[OPTION...] [--] COMMAND [ARG...]",
    .summary = "run a command in a root file system of its own, without root",
    .description = "Runs a command without root, in namespaces of its own, on a root file system "
                   "that comes from a tarball. Nothing is left behind when it ends.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .sections = sections,
    .words = CLI_COMMAND,
    .options_first = true,
    .run = run,
};

const struct cli_verb verb_shell = {
    .name = "shell",
    .path = "bryo shell",
    .synopsis = "[OPTION...] [--] [SHELL [ARG...]]",
    .summary = "start an interactive shell in a root file system of its own",
    .description =
        "bryo run -it with a shell: bash where the root has one, else sh, or the one that is "
        "named. Its prompt says where it is. It reads standard input where that is no terminal. "
        "The options are those of bryo run, which tells more of each.",
    .options = options,
    .n_options = sizeof(options) / sizeof(options[0]),
    .words = CLI_COMMAND,
    .options_first = true,
    .run = run_shell,
};
