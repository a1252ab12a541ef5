// SPDX-License-Identifier: Apache-2.0
// Files of a cgroup, as the kernel writes them and as it never would.
#include "internal/job/usage.h"
#include "tests/unit/tap.h"

static void files(void)
{
    struct usage u;
    usage_init(&u);
    is_int(u.cpu_user_us == USAGE_UNKNOWN && u.io_stall_us == USAGE_UNKNOWN, 1,
           "nothing is known before a file was read");
    usage_parse(&u, "cpu.stat",
                "usage_usec 3006421\nuser_usec 2831159\nsystem_usec 175262\nnr_periods 62\n"
                "nr_throttled 59\nthrottled_usec 3266536\n");
    ok(u.cpu_usage_us == 3006421 && u.cpu_user_us == 2831159 && u.cpu_system_us == 175262 &&
           u.throttled_us == 3266536 && u.throttled_times == 59,
       "cpu.stat");
    usage_parse(&u, "cpu.stat", "usage_usec 1\nuser_usec 1\nsystem_usec 0\n");
    ok(u.throttled_us == USAGE_UNKNOWN, "without the controller nothing is throttled, nor not");
    usage_parse(&u, "memory.peak", "104857600\n");
    is_int(u.memory_peak_bytes, 104857600, "memory.peak");
    usage_parse(&u, "memory.max", "max\n");
    ok(u.memory_max_bytes == USAGE_UNKNOWN, "\"max\" is no number");
    usage_parse(&u, "memory.events",
                "low 0\nhigh 0\nmax 77\noom 1\noom_kill 3\noom_group_kill 0\n");
    ok(u.oom_kills == 3 && u.memory_max_hits == 77, "memory.events: the whole key counts");
    usage_parse(&u, "memory.events.local", "low 0\nhigh 0\nmax 77\noom 1\noom_kill 3\n");
    is_int(u.ooms_here, 1, "memory.events.local");
    usage_parse(&u, "pids.events", "max 12\n");
    is_int(u.pids_max_hits, 12, "pids.events");
    usage_parse(&u, "io.stat",
                "8:0 rbytes=4096 wbytes=100 rios=1 wios=2 dbytes=0 dios=0\n"
                "8:16 rbytes=1 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n");
    ok(u.read_bytes == 4097 && u.write_bytes == 100 && u.read_ops == 2 && u.write_ops == 2,
       "io.stat: all devices");
    usage_parse(&u, "io.stat", "");
    ok(u.read_bytes == 0 && u.write_ops == 0, "an empty io.stat: nothing was read or written");
    usage_parse(&u, "io.pressure",
                "some avg10=0.00 avg60=0.00 avg300=0.00 total=125\n"
                "full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n");
    is_int(u.io_stall_us, 125, "pressure: some");
}

static void nonsense(void)
{
    static const char *const texts[] = {"",
                                        "usage_usec\n",
                                        "usage_usec \n",
                                        "usage_usec x\n",
                                        "usage_usec -1\n",
                                        "usage_usecs 5\n",
                                        " usage_usec 5\n",
                                        "usage_usec 5x\n",
                                        "usage_usec 99999999999999999999\n",
                                        "some total=\n",
                                        "full total=5\n",
                                        "\n\n\n"};
    static const char *const files[] = {"cpu.stat", "memory.peak", "cpu.pressure"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct usage u;
        usage_init(&u);
        for (size_t f = 0; f < 3; f++)
            usage_parse(&u, files[f], texts[i]);
        ok(u.cpu_usage_us == USAGE_UNKNOWN && u.memory_peak_bytes == USAGE_UNKNOWN &&
               u.cpu_stall_us == USAGE_UNKNOWN,
           "row %zu says nothing", i);
    }
}

int main(void)
{
    files();
    nonsense();
    return done_testing();
}
