// SPDX-License-Identifier: Apache-2.0
#include "net/splice.h"

#include "internal/base/buf.h"
#include "internal/base/cleanup.h"
#include "internal/base/loop.h"
#include "net/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    COPY_MAX = 32 << 10, // one recv; a message that fills it is the first of much data
    BULK_MIN = 8 << 10,  // a splice that moved less ends the bulk
    TURN = 8 << 20,      // bytes one direction may move before the others have their turn
};

// Bytes of all stalled connections together that may wait here; beyond it data stays in the
// kernel's buffers, at the price of a third system call a message.
enum { KEPT_MAX = 4 << 20 };

// One direction. Of its bytes some may wait: in kept, or in the pipe, never in both.
struct half {
    struct pipe_ends *pipe;
    size_t in_pipe;
    char *kept;
    size_t kept_at, kept_len;
    char urgent; // the byte, with has_urgent
    uint64_t bytes;
    bool has_urgent; // read, not yet sent
    bool readable;   // not known to be empty
    bool blocked;    // the other end takes no more for now
    bool hangup;     // the source's end is in sight: read until it comes
    bool mark;       // urgent data is in sight
    bool bulk;
    bool eof;
    bool shut; // eof was passed on
};

struct pair {
    struct splicer *s;
    struct pair *next, **prev;
    int fd[2];
    struct loop_watch watch[2];
    struct half half[2]; // [i]: from fd[i] to fd[!i]
    struct loop_task task;
    bool again; // the task is to go on, not to free
    bool closed;
    splice_done_fn *done;
    void *ctx;
};

struct splicer {
    struct loop *loop;
    struct pipes *pipes;
    struct pair *pairs;
    unsigned n;
    size_t kept;
    char scratch[COPY_MAX];
};

enum step { STEP_GO, STEP_WAIT, STEP_DEAD }; // DEAD: errno says why

void splice_reset(int fd)
{
    // close(2) then sends RST, whatever is still unsent.
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close(fd);
}

static void half_done(struct splicer *s, struct half *h)
{
    if (h->pipe)
        pipes_put(s->pipes, h->pipe, h->in_pipe);
    h->pipe = NULL;
    s->kept -= h->kept_len;
    free(h->kept);
    h->kept = NULL;
}

// error 0: in order. A reset goes out at once. Else both ends have been told all but perhaps one
// FIN, and taking two connections down costs as much as opening one: what waits goes first.
static void pair_close(struct pair *p, int error)
{
    if (p->closed)
        return;
    p->closed = true;
    for (int i = 0; i < 2; i++) {
        half_done(p->s, &p->half[i]);
        if (error) {
            splice_reset(p->fd[i]);
            p->fd[i] = -1;
        }
    }
    *p->prev = p->next;
    if (p->next)
        p->next->prev = p->prev;
    p->s->n--;
    const struct splice_end end = {
        .a_to_b = p->half[0].bytes, .b_to_a = p->half[1].bytes, .error = error};
    if (p->done)
        p->done(p->ctx, &end);
    if (error)
        loop_defer(p->s->loop, &p->task);
    else
        loop_when_idle(p->s->loop, &p->task);
}

// --- towards the destination --------------------------------------------------------------------

static enum step sent(struct half *h, ssize_t n)
{
    if (n >= 0)
        return STEP_GO;
    if (errno != EAGAIN)
        return STEP_DEAD;
    h->blocked = true;
    return STEP_WAIT;
}

static enum step flush_kept(struct splicer *s, struct half *h, int to)
{
    while (h->kept_len > 0) {
        ssize_t n = send(to, h->kept + h->kept_at, h->kept_len, MSG_NOSIGNAL);
        enum step step = sent(h, n);
        if (step != STEP_GO)
            return step;
        h->kept_at += (size_t)n;
        h->kept_len -= (size_t)n;
        s->kept -= (size_t)n;
    }
    free(h->kept);
    h->kept = NULL;
    return STEP_GO;
}

static enum step flush_pipe(struct half *h, int to)
{
    while (h->in_pipe > 0) {
        ssize_t n = splice(h->pipe->read, NULL, to, NULL, h->in_pipe, SPLICE_F_NONBLOCK);
        enum step step = sent(h, n);
        if (step != STEP_GO)
            return step;
        h->in_pipe -= (size_t)n;
    }
    return STEP_GO;
}

static enum step flush(struct splicer *s, struct half *h, int to)
{
    enum step step = STEP_GO;
    if (h->blocked)
        return STEP_WAIT;
    if (h->kept)
        step = flush_kept(s, h, to);
    if (step == STEP_GO && h->in_pipe > 0)
        step = flush_pipe(h, to);
    if (step == STEP_GO && h->has_urgent) {
        step = sent(h, send(to, &h->urgent, 1, MSG_OOB | MSG_NOSIGNAL));
        h->has_urgent = step == STEP_WAIT;
    }
    return step;
}

// --- from the source -----------------------------------------------------------------------------

// What a read of any kind came to.
static enum step got(struct half *h, ssize_t n)
{
    if (n > 0) {
        h->bytes += (uint64_t)n;
        return STEP_GO;
    }
    if (n == 0) {
        h->eof = true;
        return STEP_GO;
    }
    if (errno != EAGAIN)
        return STEP_DEAD;
    h->readable = false;
    return STEP_WAIT;
}

// Less than was asked for: there was no more, and the next will be told. Not at the end or at
// urgent data, where a read stops early.
static void short_read(struct half *h)
{
    if (!h->hangup && !h->mark)
        h->readable = false;
}

static enum step keep(struct splicer *s, struct half *h, const char *bytes, size_t n)
{
    h->kept = mem_alloc(n);
    memcpy(h->kept, bytes, n);
    h->kept_at = 0;
    h->kept_len = n;
    s->kept += n;
    h->blocked = true;
    return STEP_WAIT;
}

static enum step copy(struct splicer *s, struct half *h, int from, int to)
{
    ssize_t n = recv(from, s->scratch, COPY_MAX, 0);
    enum step step = got(h, n);
    if (n <= 0)
        return step;
    h->bulk = n == COPY_MAX;
    if (n < COPY_MAX)
        short_read(h);
    ssize_t out = send(to, s->scratch, (size_t)n, MSG_NOSIGNAL);
    if (out < 0 && errno != EAGAIN)
        return STEP_DEAD;
    size_t left = (size_t)(n - (out < 0 ? 0 : out));
    return left > 0 ? keep(s, h, s->scratch + n - left, left) : STEP_GO;
}

// As copy(), but what cannot be sent is left where it was.
static enum step copy_peek(struct splicer *s, struct half *h, int from, int to)
{
    ssize_t n = recv(from, s->scratch, COPY_MAX, MSG_PEEK);
    if (n <= 0)
        return got(h, n);
    ssize_t out = send(to, s->scratch, (size_t)n, MSG_NOSIGNAL);
    enum step step = sent(h, out);
    if (step != STEP_GO)
        return step;
    return got(h, recv(from, s->scratch, (size_t)out, 0));
}

static enum step fill_pipe(struct half *h, int from)
{
    ssize_t n = splice(from, NULL, h->pipe->write, NULL, h->pipe->size * 4, SPLICE_F_NONBLOCK);
    enum step step = got(h, n);
    if (n > 0)
        h->in_pipe = (size_t)n;
    h->bulk = n >= BULK_MIN;
    return step;
}

// Up to the mark as ever; the byte at the mark by its own call (tcp(7), SIOCATMARK).
static enum step read_urgent(struct splicer *s, struct half *h, int from, int to)
{
    int at_mark = 0;
    if (ioctl(from, SIOCATMARK, &at_mark) == 0 && !at_mark)
        return copy(s, h, from, to);
    ssize_t n = recv(from, &h->urgent, 1, MSG_OOB);
    if (n < 0 && errno == EAGAIN)
        return got(h, n); // announced, and not there yet
    h->mark = false;
    h->bulk = false; // splice(2) stands still before a mark that recv(2) steps over
    h->has_urgent = n == 1;
    h->bytes += n == 1;
    return STEP_GO;
}

static enum step take(struct splicer *s, struct half *h, int from, int to)
{
    if (h->mark)
        return read_urgent(s, h, from, to);
    if (h->bulk && !h->pipe)
        h->pipe = pipes_get(s->pipes);
    if (h->bulk && h->pipe)
        return fill_pipe(h, from);
    return s->kept > KEPT_MAX ? copy_peek(s, h, from, to) : copy(s, h, from, to);
}

// Moves what can be moved from fd[i]. DEAD: an end failed.
static enum step pump(struct pair *p, int i)
{
    struct splicer *s = p->s;
    struct half *h = &p->half[i];
    uint64_t until = h->bytes + TURN;
    enum step step = STEP_GO;
    while (step == STEP_GO) {
        step = flush(s, h, p->fd[!i]);
        if (step != STEP_GO || h->shut)
            break;
        if (h->eof) {
            h->shut = true;
            if (!p->half[!i].shut) // else both are closed at once, which says the same
                (void)shutdown(p->fd[!i], SHUT_WR);
            break;
        }
        if (!h->readable)
            break;
        if (h->bytes >= until) {
            p->again = true;
            loop_defer(s->loop, &p->task);
            break;
        }
        step = take(s, h, p->fd[i], p->fd[!i]);
    }
    if (h->pipe && h->in_pipe == 0) {
        pipes_put(s->pipes, h->pipe, 0);
        h->pipe = NULL;
    }
    return step == STEP_DEAD ? STEP_DEAD : STEP_GO;
}

// --- events
// -----------------------------------------------------------------------------------------

static void run(struct pair *p, int first)
{
    for (int k = 0; k < 2; k++) {
        int i = k == 0 ? first : !first;
        if (pump(p, i) == STEP_DEAD) {
            int error = errno ? errno : ECONNRESET;
            // What the failed end had sent before it failed is still passed on.
            if (k == 0)
                (void)pump(p, !i);
            pair_close(p, error);
            return;
        }
    }
    if (p->half[0].shut && p->half[1].shut)
        pair_close(p, 0);
}

static void on_side(struct pair *p, int i, uint32_t events)
{
    if (p->closed)
        return;
    struct half *from = &p->half[i];
    struct half *to = &p->half[!i];
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        from->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        from->hangup = true;
    if (events & EPOLLPRI)
        from->mark = from->readable = true;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        to->blocked = false;
    // After its FIN nothing is read that would tell of a reset.
    int error = 0;
    socklen_t n = sizeof(error);
    if (events & EPOLLERR && from->eof &&
        getsockopt(p->fd[i], SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error) {
        pair_close(p, error);
        return;
    }
    run(p, i);
}

static void on_a(struct loop_watch *w, uint32_t events)
{
    on_side((struct pair *)((char *)w - offsetof(struct pair, watch[0])), 0, events);
}

static void on_b(struct loop_watch *w, uint32_t events)
{
    on_side((struct pair *)((char *)w - offsetof(struct pair, watch[1])), 1, events);
}

static void on_task(struct loop_task *t)
{
    struct pair *p = (struct pair *)((char *)t - offsetof(struct pair, task));
    if (p->closed) {
        fd_closep(&p->fd[0]);
        fd_closep(&p->fd[1]);
        free(p);
    } else if (p->again) {
        p->again = false;
        run(p, 0);
    }
}

// --- life
// ------------------------------------------------------------------------------------------

struct splicer *splicer_new(struct loop *loop, unsigned max_pipes)
{
    struct splicer *s = mem_alloc(sizeof(*s));
    s->loop = loop;
    s->pipes = pipes_new(max_pipes);
    return s;
}

void splicer_free(struct splicer *s)
{
    if (!s)
        return;
    while (s->pairs)
        pair_close(s->pairs, ECONNABORTED);
    pipes_free(s->pipes);
    free(s);
}

static bool waits(const struct pair *p)
{
    const struct half *h = p->half;
    return (!h[0].shut && !h[1].shut) || (h[0].blocked && !h[0].shut) ||
           (h[1].blocked && !h[1].shut);
}

unsigned splicer_finish(struct splicer *s)
{
    unsigned left = 0;
    for (struct pair *p = s->pairs, *next; p; p = next) {
        next = p->next;
        p->half[0].readable = p->half[1].readable = true;
        run(p, 0); // may close it, and no other
        if (p->closed)
            continue;
        if (p->again || waits(p))
            left++;
        else
            pair_close(p, 0);
    }
    return left;
}

unsigned splicer_count(const struct splicer *s)
{
    return s->n;
}

int splice_join(struct splicer *s, int fd_a, int fd_b, splice_done_fn *done, void *ctx)
{
    const uint32_t events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI;
    struct pair *p = mem_alloc(sizeof(*p));
    *p = (struct pair){.s = s,
                       .fd = {fd_a, fd_b},
                       .watch = {{.fn = on_a}, {.fn = on_b}},
                       .task = {.fn = on_task},
                       .done = done,
                       .ctx = ctx};
    int r = loop_watch(s->loop, fd_a, events, &p->watch[0]);
    if (r == 0)
        r = loop_watch(s->loop, fd_b, events, &p->watch[1]);
    if (r < 0) {
        splice_reset(fd_a); // leaves epoll by being closed
        splice_reset(fd_b);
        free(p);
        return r;
    }
    p->next = s->pairs;
    p->prev = &s->pairs;
    if (p->next)
        p->next->prev = &p->next;
    s->pairs = p;
    s->n++;
    return 0;
}
