// SPDX-License-Identifier: Apache-2.0
// bryo-scope NAME DESCRIPTION SLICE PID ADDRESS...
//
// Asks the user's systemd for a transient scope that is delegated, with the process PID in it, and
// ends once it is there (org.freedesktop.systemd1(5), StartTransientUnit). ADDRESS is "bus=ADDRESS"
// of a message bus, or "private=ADDRESS" of systemd itself; the first that answers counts.
//
// Status 0; or 1, with the reason in one line on standard error, and perhaps the remedy in another.
#include "internal/base/cleanup.h"
#include "internal/base/parse.h"
#include "internal/base/sys.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define WAIT_US     (UINT64_C(60) * 1000000) // a machine that starts may take its time
#define DESTINATION "org.freedesktop.systemd1"
#define MANAGER     "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

struct scope {
    const char *name;
    const char *description;
    const char *slice;
    uint32_t pid;
    int pidfd;
};

static void bus_closep(sd_bus **bus)
{
    *bus = sd_bus_close_unref(*bus);
}

static void message_unrefp(sd_bus_message **m)
{
    *m = sd_bus_message_unref(*m);
}

static int say(const char *what, int r)
{
    (void)fprintf(stderr, "%s: %s\n", what, strerrordesc_np(-r));
    return r;
}

// --- the connection -----------------------------------------------------------------------------

static int connect_to(const char *address, sd_bus **ret)
{
    AUTO(bus_closep) sd_bus *bus = NULL;
    const char *at = strchr(address, '=');
    bool is_bus = strncmp(address, "bus=", 4) == 0;
    int r = at ? sd_bus_new(&bus) : -EINVAL;
    if (r >= 0)
        r = sd_bus_set_address(bus, at + 1);
    if (r >= 0 && is_bus)
        r = sd_bus_set_bus_client(bus, 1);
    if (r >= 0)
        r = sd_bus_set_method_call_timeout(bus, WAIT_US);
    if (r >= 0)
        r = sd_bus_start(bus);
    // Only now it shows whether somebody is there.
    if (r >= 0 && is_bus) {
        const char *name = NULL;
        r = sd_bus_get_unique_name(bus, &name);
    }
    if (r < 0)
        return r;
    *ret = bus;
    bus = NULL;
    return 0;
}

// --- the request --------------------------------------------------------------------------------

static int append_process(sd_bus_message *m, const struct scope *s, bool by_pidfd)
{
    return by_pidfd ? sd_bus_message_append(m, "(sv)", "PIDFDs", "ah", 1, s->pidfd)
                    : sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, s->pid);
}

static int request(sd_bus *bus, const struct scope *s, bool by_pidfd, sd_bus_message **ret)
{
    AUTO(message_unrefp) sd_bus_message *m = NULL;
    int r = sd_bus_message_new_method_call(bus, &m, DESTINATION, MANAGER, "StartTransientUnit");
    if (r >= 0)
        r = sd_bus_message_append(m, "ss", s->name, "fail");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'a', "(sv)");
    if (r >= 0)
        r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s", s->description,
                                  "Slice", "s", s->slice, "Delegate", "b", 1, "CollectMode", "s",
                                  "inactive-or-failed");
    if (r >= 0)
        r = append_process(m, s, by_pidfd);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    if (r >= 0)
        r = sd_bus_message_append(m, "a(sa(sv))", 0);
    if (r >= 0) {
        *ret = m;
        m = NULL;
    }
    return r;
}

static int start(sd_bus *bus, const struct scope *s, sd_bus_error *error, sd_bus_message **ret)
{
    AUTO(message_unrefp) sd_bus_message *m = NULL;
    int r = -ENOTSUP;
    // A pidfd cannot come to mean another process; systemd takes them since version 253.
    if (s->pidfd >= 0) {
        r = request(bus, s, true, &m);
        if (r >= 0)
            r = sd_bus_call(bus, m, 0, error, ret);
    }
    if (r >= 0)
        return 0;
    sd_bus_error_free(error);
    message_unrefp(&m);
    r = request(bus, s, false, &m);
    return r < 0 ? r : sd_bus_call(bus, m, 0, error, ret);
}

// --- the answer ---------------------------------------------------------------------------------

// systemd's job, as it is told of by the JobRemoved signal.
struct job {
    const char *path;  // NULL until the request was answered
    char removed[128]; // path of the one that was told of last
    char result[32];
    bool done;
};

static int on_removed(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
    struct job *job = userdata;
    const char *path = NULL;
    const char *result = NULL;
    (void)error;
    if (sd_bus_message_read(m, "uoss", NULL, &path, NULL, &result) < 0)
        return 0;
    if (job->path && strcmp(path, job->path) != 0)
        return 0;
    (void)snprintf(job->removed, sizeof(job->removed), "%s", path);
    (void)snprintf(job->result, sizeof(job->result), "%s", result);
    job->done = job->path != NULL;
    return 0;
}

static int wait_for(sd_bus *bus, struct job *job)
{
    // It may have been told of while the answer was on its way.
    job->done = strcmp(job->removed, job->path) == 0;
    while (!job->done) {
        int r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, WAIT_US);
        if (r < 0)
            return say("the connection to systemd broke", r);
        if (r == 0) {
            (void)fprintf(stderr, "systemd did not finish starting it within a minute\n");
            return -ETIMEDOUT;
        }
    }
    if (strcmp(job->result, "done") == 0)
        return 0;
    (void)fprintf(stderr, "systemd says: %s\njournalctl --user -n 20 tells more\n", job->result);
    return -EIO;
}

static int make_scope(sd_bus *bus, const struct scope *s)
{
    AUTO(message_unrefp) sd_bus_message *reply = NULL;
    sd_bus_error error = SD_BUS_ERROR_NULL;
    struct job job = {0};
    int r = sd_bus_match_signal(bus, NULL, NULL, MANAGER, "JobRemoved", on_removed, &job);
    if (r < 0)
        return say("cannot listen to systemd", r);
    r = start(bus, s, &error, &reply);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", error.message ? error.message : strerrordesc_np(-r));
    sd_bus_error_free(&error);
    if (r >= 0)
        r = sd_bus_message_read(reply, "o", &job.path);
    return r < 0 ? r : wait_for(bus, &job);
}

int main(int argc, char **argv)
{
    AUTO(bus_closep) sd_bus *bus = NULL;
    uint32_t pid = 0;
    int r = -ENOENT;
    if (argc < 6 || parse_u32(argv[4], &pid) < 0) {
        (void)fprintf(stderr, "usage: bryo-scope NAME DESCRIPTION SLICE PID ADDRESS...\n");
        return 1;
    }
    AUTO_FD int pidfd = sys_pidfd_open((pid_t)pid, 0);
    const struct scope scope = {
        .name = argv[1], .description = argv[2], .slice = argv[3], .pid = pid, .pidfd = pidfd};
    for (int i = 5; i < argc && !bus; i++)
        r = connect_to(argv[i], &bus);
    if (!bus) {
        (void)say("the user's systemd does not answer", r);
        return 1;
    }
    return make_scope(bus, &scope) < 0;
}
