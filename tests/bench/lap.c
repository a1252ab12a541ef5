// SPDX-License-Identifier: Apache-2.0
// lap [--all] ROUNDS <CONTESTANTS: times commands against each other, in alternating rounds.
//
// Each line of stdin is a contestant: a name, a tab, a command whose words are separated by single
// blanks (no quoting; the program by absolute path). In every round each runs once, in turn, so
// that what disturbs the machine disturbs all of them alike; every other round goes backwards, so
// that nobody always has to write out what another one left. Times are from before posix_spawn(3)
// to after wait4(2), CLOCK_MONOTONIC; with --all to when whatever it started has ended as well:
// some return while their sandbox is still being taken down. Prints the median, the tenth and
// ninetieth percentile, and the ratio to the first contestant: that of the medians, the median of
// the ratios of each round (a machine that gets slower meanwhile does not touch it), and the latter
// for the processor time of all that was waited for, of which others take nothing. A command that
// fails ends the race.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONTESTANTS = 32, MAX_WORDS = 64, WARM_UP = 3 };

struct contestant {
    char *name;
    char *argv[MAX_WORDS + 1];
    double *ms;
    double *cpu_ms;
    double by_round; // to the first
    double cpu;
};

extern char **environ;

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms_of(const struct rusage *u)
{
    return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e3 +
           (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e3;
}

static double run_once(const struct contestant *c, posix_spawn_file_actions_t *quiet, int all,
                       double *ret_cpu_ms)
{
    pid_t pid;
    int status;
    struct rusage usage;
    double start = now_ms();
    int r = posix_spawn(&pid, c->argv[0], quiet, NULL, c->argv, environ);
    if (r != 0) {
        fprintf(stderr, "lap: %s: %s: %s\n", c->name, c->argv[0], strerror(r));
        exit(1);
    }
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR)
        ;
    while (all && (waitpid(-1, NULL, __WALL) > 0 || errno == EINTR)) // see PR_SET_CHILD_SUBREAPER
        ;
    double ms = now_ms() - start;
    *ret_cpu_ms = cpu_ms_of(&usage);
    if (status != 0) {
        fprintf(stderr, "lap: %s: wait status 0x%x\n", c->name, (unsigned)status);
        exit(1);
    }
    return ms;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double percentile(const double *sorted, int n, int percent)
{
    return sorted[(n - 1) * percent / 100];
}

static double median(const double *sorted, int n)
{
    return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

// Of the ratios of each round. scratch has room for n.
static double median_ratio(const double *v, const double *first, int n, double *scratch)
{
    for (int i = 0; i < n; i++)
        scratch[i] = first[i] > 0 ? v[i] / first[i] : 1;
    qsort(scratch, (size_t)n, sizeof(double), compare);
    return median(scratch, n);
}

static void print_all(struct contestant *list, int n, int rounds)
{
    double first = 0;
    double *scratch = calloc((size_t)rounds, sizeof(double));
    if (!scratch)
        exit(1);
    for (int i = 0; i < n; i++) { // before they are sorted
        list[i].by_round = median_ratio(list[i].ms, list[0].ms, rounds, scratch);
        list[i].cpu = median_ratio(list[i].cpu_ms, list[0].cpu_ms, rounds, scratch);
    }
    printf("%-34s %9s %9s %9s %7s %8s %7s\n", "", "median ms", "10 %", "90 %", "ratio", "by round",
           "cpu");
    for (int i = 0; i < n; i++) {
        qsort(list[i].ms, (size_t)rounds, sizeof(double), compare);
        double middle = median(list[i].ms, rounds);
        if (i == 0)
            first = middle;
        printf("%-34s %9.2f %9.2f %9.2f %7.3f %8.3f %7.3f\n", list[i].name, middle,
               percentile(list[i].ms, rounds, 10), percentile(list[i].ms, rounds, 90),
               middle / first, list[i].by_round, list[i].cpu);
    }
    free(scratch);
}

static int read_contestants(struct contestant *list)
{
    char *line = NULL;
    size_t size = 0;
    int n = 0;
    while (n < MAX_CONTESTANTS && getline(&line, &size, stdin) > 0) {
        char *rest = strdup(line);
        if (!rest)
            exit(1);
        rest[strcspn(rest, "\n")] = '\0';
        list[n].name = strsep(&rest, "\t");
        if (!rest)
            continue;
        for (int i = 0; i < MAX_WORDS && rest; i++)
            list[n].argv[i] = strsep(&rest, " ");
        n++;
    }
    free(line);
    return n;
}

int main(int argc, char **argv)
{
    static struct contestant list[MAX_CONTESTANTS];
    int all = argc == 3 && strcmp(argv[1], "--all") == 0;
    int rounds = argc == 2 + all ? (int)strtol(argv[1 + all], NULL, 10) : 0;
    int n = rounds > 0 ? read_contestants(list) : 0;
    if (n == 0) {
        fprintf(stderr, "usage: lap [--all] ROUNDS <CONTESTANTS\n");
        return 2;
    }
    if (all && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
        return 1;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);

    double unused;
    for (int i = 0; i < n; i++) {
        list[i].ms = calloc((size_t)rounds, sizeof(double));
        list[i].cpu_ms = calloc((size_t)rounds, sizeof(double));
        if (!list[i].ms || !list[i].cpu_ms)
            return 1;
        for (int w = 0; w < WARM_UP; w++)
            run_once(&list[i], &quiet, all, &unused);
    }
    for (int round = 0; round < rounds; round++)
        for (int k = 0; k < n; k++) {
            int i = round % 2 ? n - 1 - k : k;
            list[i].ms[round] = run_once(&list[i], &quiet, all, &list[i].cpu_ms[round]);
        }
    print_all(list, n, rounds);
    return 0;
}
