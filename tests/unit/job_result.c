// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/job/result.h"
#include "internal/job/stage.h"
#include "tests/unit/tap.h"

#include <errno.h>

static void statuses(void)
{
    static const struct {
        struct job_result r;
        int want;
        const char *what;
    } rows[] = {
        {{.outcome = OUTCOME_EXITED, .status = 0}, 0, "success"},
        {{.outcome = OUTCOME_EXITED, .status = 125}, 125, "the command's own 125"},
        {{.outcome = OUTCOME_EXITED, .status = 255}, 255, "255"},
        {{.outcome = OUTCOME_EXITED, .status = 256}, 125, "a status that is none is never 0"},
        {{.outcome = OUTCOME_EXITED, .status = -1}, 125, "nor a negative one"},
        {{.outcome = OUTCOME_SIGNAL, .signal = 9}, 137, "SIGKILL"},
        {{.outcome = OUTCOME_SIGNAL, .signal = 64}, 192, "the last signal"},
        {{.outcome = OUTCOME_SIGNAL, .signal = 0}, 125, "no signal"},
        {{.outcome = OUTCOME_TIMEOUT, .status = 0}, 124, "--timeout"},
        {{.outcome = OUTCOME_STALLED}, 124, "--stall-timeout"},
        {{.outcome = OUTCOME_FAILED}, 125, "bryo failed"},
        {{.outcome = OUTCOME_FAILED, .err = {.stage = STAGE_MAPS, .num = ENOENT}},
         125,
         "at a stage"},
        {{.outcome = OUTCOME_FAILED, .err = {.stage = STAGE_EXEC, .num = ENOENT}},
         127,
         "not found"},
        {{.outcome = OUTCOME_FAILED, .err = {.stage = STAGE_EXEC, .num = ENOTDIR}},
         127,
         "no such path"},
        {{.outcome = OUTCOME_FAILED, .err = {.stage = STAGE_EXEC, .num = EACCES}},
         126,
         "not executable"},
        {{.outcome = OUTCOME_FAILED, .err = {.stage = STAGE_EXEC, .num = ENOEXEC}},
         126,
         "no program"},
        {{.outcome = (enum outcome)99}, 125, "an outcome that is none"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        is_int(result_exit_status(&rows[i].r), rows[i].want, "%s", rows[i].what);
}

static void json(const struct job_result *r, const char *want, const char *what)
{
    AUTO_BUF struct buf b = {0};
    result_to_json(r, &b);
    is_str(buf_str(&b), want, "%s", what);
}

#define NO_CGROUP                                                                        \
    "\"throttled_us\":null,\"peak_memory_bytes\":null,\"peak_swap_bytes\":null,"         \
    "\"page_faults\":null,\"major_page_faults\":null,\"read_bytes\":null,"               \
    "\"write_bytes\":null,\"read_ops\":null,\"write_ops\":null,\"peak_processes\":null," \
    "\"cpu_stall_us\":null,\"memory_stall_us\":null,\"io_stall_us\":null,\"oom_kills\":null}\n"

#define NO_USAGE                                                                        \
    "\"user_us\":null,\"system_us\":null,\"max_rss_bytes\":null,\"minor_faults\":null," \
    "\"major_faults\":null,\"read_blocks\":null,\"write_blocks\":null," NO_CGROUP

int main(void)
{
    statuses();
    struct job_result r = {.outcome = OUTCOME_EXITED,
                           .status = 3,
                           .started = true,
                           .has_usage = true,
                           .wall_us = 1,
                           .launch_us = 2,
                           .user_us = 3,
                           .system_us = 4,
                           .max_rss_bytes = 5,
                           .minor_faults = 6,
                           .major_faults = 7,
                           .read_blocks = 8,
                           .write_blocks = UINT64_MAX,
                           .id = "0123456789abcdef",
                           .kept = "/x/\"y\"\n"};
    usage_init(&r.usage);
    r.usage.memory_peak_bytes = 0;
    r.usage.page_faults = 9;
    json(&r,
         "{\"outcome\":\"exited\",\"exit_status\":3,\"status\":3,\"signal\":null,"
         "\"core_dumped\":false,\"started\":true,\"error\":null,\"verdict\":null,\"id\":"
         "\"0123456789abcdef\","
         "\"kept\":\"/x/"
         "\\\"y\\\"\\u000a\",\"wall_us\":1,\"launch_us\":2,\"user_us\":3,\"system_us\":4,"
         "\"max_rss_bytes\":5,\"minor_faults\":6,\"major_faults\":7,\"read_blocks\":8,"
         "\"write_blocks\":18446744073709551615,\"throttled_us\":null,\"peak_memory_bytes\":0,"
         "\"peak_swap_bytes\":null,\"page_faults\":9,\"major_page_faults\":null,"
         "\"read_bytes\":null,\"write_bytes\":null,\"read_ops\":null,\"write_ops\":null,"
         "\"peak_processes\":null,\"cpu_stall_us\":null,\"memory_stall_us\":null,"
         "\"io_stall_us\":null,\"oom_kills\":null}\n",
         "a command that ended");
    struct job_result s = {
        .outcome = OUTCOME_SIGNAL, .signal = 11, .core_dumped = true, .started = true};
    usage_init(&s.usage);
    json(&s,
         "{\"outcome\":\"signal\",\"exit_status\":139,\"status\":null,\"signal\":11,"
         "\"core_dumped\":true,\"started\":true,\"error\":null,\"verdict\":null,\"id\":null,"
         "\"kept\":null,"
         "\"wall_us\":0,\"launch_us\":0," NO_USAGE,
         "one that a signal ended");
    struct job_result f = {.outcome = OUTCOME_FAILED,
                           .err = {STAGE_MAPS, EPERM, "a \x1b", "do\xff"},
                           .cause = "c",
                           .verdict = "t\x1b",
                           .id = "1"};
    usage_init(&f.usage);
    json(
        &f,
        "{\"outcome\":\"bryo-error\",\"exit_status\":125,\"status\":null,\"signal\":null,"
        "\"core_dumped\":false,\"started\":false,\"error\":{\"stage\":\"maps\",\"errno\":\"EPERM\","
        "\"message\":\"a "
        "\\u001b\",\"hint\":\"do\\ufffd\"},\"verdict\":{\"cause\":\"c\",\"text\":\"t\\u001b\"},"
        "\"id\":\"1\",\"kept\":null,"
        "\"wall_us\":null,\"launch_us\":null," NO_USAGE,
        "a failure of bryo");
    return done_testing();
}
