// SPDX-License-Identifier: Apache-2.0
// Laps over TCP, for tests/bench/net.
//
//   netlap serve CC ADDRESS PORT        until it is killed; prints "ready"
//   netlap up|down CC HOST PORT SECONDS Gbit/s from here, to here
//   netlap crr CC HOST PORT N           connect, 64 bytes there, 64 back, close: a second
//   netlap rr CC HOST PORT N            64 bytes there, 64 back, on one connection: a second
//   netlap hold CC HOST PORT N          opens N connections, prints "held", keeps them until stdin
//   ends
//
// CC: the congestion control of every socket: results under an unknown one cannot be compared.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, CHUNK = 128 << 10 };

static const char *cc;
static char chunk[CHUNK];

static double now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static double number(const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (end == text || *end || !(n >= 0 && n <= 1e9)) {
        (void)fprintf(stderr, "netlap: %s is not a number to use\n", text);
        exit(2);
    }
    return n;
}

static int tcp_socket(void)
{
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        die("socket");
    if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, cc, (socklen_t)strlen(cc)) < 0)
        die("TCP_CONGESTION");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    return fd;
}

static struct sockaddr_in address(const char *host, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(int)number(port))};
    if (inet_pton(AF_INET, host, &at.sin_addr) != 1)
        die(host);
    return at;
}

static int dial(const struct sockaddr_in *to, char kind)
{
    int fd = tcp_socket();
    if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
        die("connect");
    if (kind && write(fd, &kind, 1) != 1)
        die("write");
    return fd;
}

// False at the end of the stream.
static bool read_full(int fd, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, chunk + got, n - got);
        if (r <= 0)
            return false;
        got += (size_t)r;
    }
    return true;
}

// --- the server: a process a connection, but the short ones, which it answers itself
// --------------

static void answer(int fd)
{
    char kind = 0;
    if (read(fd, &kind, 1) != 1)
        return;
    if (kind == 'c') { // the kind is the first of its bytes
        if (read_full(fd, MESSAGE - 1) && write(fd, chunk, MESSAGE) == MESSAGE)
            (void)read_full(fd, 1);
        return;
    }
    if (kind == 'h') {
        if (dup(fd) < 0) // stays open
            die("dup");
        return;
    }
    if (fork() != 0)
        return;
    if (kind == 'u') {
        uint64_t sum = 0;
        for (ssize_t n; (n = read(fd, chunk, CHUNK)) > 0;)
            sum += (uint64_t)n;
        if (write(fd, &sum, sizeof(sum)) < 0)
            _exit(1);
    } else if (kind == 'd') {
        while (write(fd, chunk, CHUNK) > 0)
            continue;
    } else if (kind == 'r') {
        while (read_full(fd, MESSAGE) && write(fd, chunk, MESSAGE) == MESSAGE)
            continue;
    }
    _exit(0);
}

static _Noreturn void serve(const struct sockaddr_in *at)
{
    int fd = tcp_socket();
    (void)signal(SIGCHLD, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); // a bench that was stopped leaves nothing

    if (bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || listen(fd, 4096) < 0)
        die("listen");
    printf("ready\n");
    (void)fflush(stdout);
    for (;;) {
        int c = accept(fd, NULL, NULL);
        if (c < 0)
            die("accept");
        answer(c);
        (void)close(c);
    }
}

// --- the laps
// ---------------------------------------------------------------------------------------

static double up(const struct sockaddr_in *to, double seconds)
{
    int fd = dial(to, 'u');
    double begin = now();
    uint64_t sum = 0;
    while (now() - begin < seconds)
        if (write(fd, chunk, CHUNK) != CHUNK)
            die("write");
    (void)shutdown(fd, SHUT_WR);
    if (read(fd, &sum, sizeof(sum)) != (ssize_t)sizeof(sum))
        die("read");
    return (double)sum * 8 / (now() - begin) / 1e9;
}

static double down(const struct sockaddr_in *to, double seconds)
{
    int fd = dial(to, 'd');
    double begin = now();
    uint64_t sum = 0;
    while (now() - begin < seconds) {
        ssize_t n = read(fd, chunk, CHUNK);
        if (n <= 0)
            die("read");
        sum += (uint64_t)n;
    }
    return (double)sum * 8 / (now() - begin) / 1e9;
}

static double crr(const struct sockaddr_in *to, int n)
{
    double begin = now();
    for (int i = 0; i < n; i++) {
        int fd = dial(to, 0);
        chunk[0] = 'c';
        if (write(fd, chunk, MESSAGE) != MESSAGE || !read_full(fd, MESSAGE))
            die("crr");
        (void)close(fd);
    }
    return n / (now() - begin);
}

static double rr(const struct sockaddr_in *to, int n)
{
    int fd = dial(to, 'r');
    double begin = now();
    for (int i = 0; i < n; i++)
        if (write(fd, chunk, MESSAGE) != MESSAGE || !read_full(fd, MESSAGE))
            die("rr");
    return n / (now() - begin);
}

static double hold(const struct sockaddr_in *to, int n)
{
    for (int i = 0; i < n; i++)
        (void)dial(to, 'h');
    printf("held\n");
    (void)fflush(stdout);
    while (read(0, chunk, 1) > 0)
        continue;
    return n;
}

int main(int argc, char **argv)
{
    struct rlimit lim;
    if (argc < 5)
        return 2;
    if (getrlimit(RLIMIT_NOFILE, &lim) == 0) {
        lim.rlim_cur = lim.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &lim);
    }
    cc = argv[2];
    struct sockaddr_in at = address(argv[3], argv[4]);
    const char *lap = argv[1];
    const char *n = argc > 5 ? argv[5] : "1";
    if (strcmp(lap, "serve") == 0)
        serve(&at);
    double result = strcmp(lap, "up") == 0     ? up(&at, number(n))
                    : strcmp(lap, "down") == 0 ? down(&at, number(n))
                    : strcmp(lap, "crr") == 0  ? crr(&at, (int)number(n))
                    : strcmp(lap, "rr") == 0   ? rr(&at, (int)number(n))
                    : strcmp(lap, "hold") == 0 ? hold(&at, (int)number(n))
                                               : -1;
    printf("%.6f\n", result);
    return result < 0 ? 2 : 0;
}
