// SPDX-License-Identifier: Apache-2.0
// Queues and threads; what a task does is in writer_file.c.
#include "internal/image/writer.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/fd.h"
#include "internal/image/chunk.h"
#include "internal/image/manifest.h"
#include "internal/image/writer_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE_MAX      4096U      // tasks a thread may have waiting
#define BATCH_TASKS    64U        // collected before the thread is told
#define BATCH_BYTES    (1U << 20) // of their files
#define MANIFEST_FLUSH (64U << 10)
#define STACK_SIZE     (256U << 10)

struct thread {
    pthread_t id;
    bool started;
    struct writers *all;
    pthread_mutex_t lock;
    pthread_cond_t more; // tasks, or the end
    pthread_cond_t less; // room in the queue, or nothing left to do
    struct task *head;
    struct task **tail;
    unsigned pending; // queued, and those being done
    bool idle;        // waits for more
    bool waited_for;  // the submitter waits for less
    bool end;
    // the submitter's own
    struct task *batch;
    struct task **batch_tail;
    unsigned batch_n;
    size_t batch_bytes;
    _Atomic uint64_t load; // what is pending, in bytes and a share for each file
    struct writer_state state;
};

struct writers {
    int manifest_fd;
    pthread_mutex_t lock; // of failure
    _Atomic bool failed;
    struct err failure;
    struct writer_state own; // for what the caller makes itself
    unsigned n;
    struct thread threads[];
};

void xattrs_free(struct xattr *x)
{
    while (x) {
        struct xattr *next = x->next;
        free(x->name);
        free(x->value);
        free(x);
        x = next;
    }
}

struct task *task_new(enum task_kind kind, struct tree_dir *dir, const char *path)
{
    struct task *t = mem_alloc(sizeof(*t));
    t->kind = kind;
    t->dir = dir;
    tree_dir_ref(dir);
    t->path = str_dup(path);
    const char *slash = strrchr(t->path, '/');
    t->name = slash ? slash + 1 : t->path;
    return t;
}

void task_add_piece(struct task *t, const struct piece *p)
{
    if ((t->n_pieces & (t->n_pieces - 1)) == 0)
        t->pieces = mem_grow(t->pieces, t->n_pieces ? 2 * t->n_pieces : 1, sizeof(*t->pieces));
    t->pieces[t->n_pieces++] = *p;
    t->bytes += p->len;
}

void task_free(struct task *t)
{
    for (size_t i = 0; i < t->n_pieces; i++) {
        if (t->pieces[i].chunk)
            chunk_unref(t->pieces[i].chunk);
        else
            free(t->pieces[i].at);
    }
    tree_dir_put(t->dir);
    xattrs_free(t->meta.xattrs);
    free(t->pieces);
    free(t->path);
    free(t->link);
    free(t);
}

static uint64_t weight(const struct task *t)
{
    return t->bytes + (64U << 10); // creating a file costs about as much as writing this much
}

static void fail(struct writers *w, const struct err *err)
{
    (void)pthread_mutex_lock(&w->lock);
    if (!w->failed)
        w->failure = *err;
    w->failed = true;
    (void)pthread_mutex_unlock(&w->lock);
}

static int flush_manifest(struct writers *w, struct writer_state *st, size_t above, struct err *err)
{
    if (st->manifest.len <= above)
        return 0;
    // One write(2): the threads share the file's position, and the kernel keeps writes apart.
    int r = fd_write_all(w->manifest_fd, st->manifest.data, st->manifest.len);
    buf_clear(&st->manifest);
    return r < 0 ? err_sys(err, -r, "cannot write the manifest") : 0;
}

static void do_task(struct thread *me, struct task *t)
{
    struct err err = {0};
    uint64_t w = weight(t);
    if (!me->all->failed && (writer_do(&me->state, t, &err) < 0 ||
                             flush_manifest(me->all, &me->state, MANIFEST_FLUSH, &err) < 0))
        fail(me->all, &err);
    task_free(t);
    me->load -= w;
}

// Takes all that is queued at once.
static void *thread_main(void *arg)
{
    struct thread *me = arg;
    (void)pthread_mutex_lock(&me->lock);
    for (;;) {
        me->idle = true;
        while (!me->head && !me->end)
            (void)pthread_cond_wait(&me->more, &me->lock);
        me->idle = false;
        struct task *t = me->head;
        if (!t)
            break;
        me->head = NULL;
        me->tail = &me->head;
        (void)pthread_mutex_unlock(&me->lock);

        unsigned n = 0;
        for (; t; n++) {
            struct task *next = t->next;
            do_task(me, t);
            t = next;
        }

        (void)pthread_mutex_lock(&me->lock);
        me->pending -= n;
        if (me->waited_for && me->pending <= QUEUE_MAX / 2)
            (void)pthread_cond_signal(&me->less);
    }
    (void)pthread_mutex_unlock(&me->lock);
    return NULL;
}

int writers_start(unsigned n, int manifest_fd, struct writers **ret, struct err *err)
{
    struct writers *w = mem_alloc(sizeof(*w) + n * sizeof(struct thread));
    w->manifest_fd = manifest_fd;
    (void)pthread_mutex_init(&w->lock, NULL);
    writer_state_init(&w->own);
    manifest_begin(&w->own.manifest);
    int r = flush_manifest(w, &w->own, 0, err); // the first line is the first
    if (r < 0) {
        writers_stop(w);
        return r;
    }
    pthread_attr_t attr;
    r = pthread_attr_init(&attr);
    if (r == 0)
        r = pthread_attr_setstacksize(&attr, STACK_SIZE);
    for (; r == 0 && w->n < n; w->n++) {
        struct thread *t = &w->threads[w->n];
        t->all = w;
        t->tail = &t->head;
        t->batch_tail = &t->batch;
        writer_state_init(&t->state);
        (void)pthread_mutex_init(&t->lock, NULL);
        (void)pthread_cond_init(&t->more, NULL);
        (void)pthread_cond_init(&t->less, NULL);
        r = pthread_create(&t->id, &attr, thread_main, t);
        t->started = r == 0;
    }
    (void)pthread_attr_destroy(&attr);
    if (r != 0) {
        writers_stop(w);
        return err_sys(err, r, "cannot start a thread");
    }
    *ret = w;
    return 0;
}

static struct thread *least_loaded(struct writers *w)
{
    struct thread *best = &w->threads[0];
    for (unsigned i = 1; i < w->n; i++)
        if (w->threads[i].load < best->load)
            best = &w->threads[i];
    return best;
}

static void wait_for(struct thread *t, unsigned most)
{
    t->waited_for = true;
    while (t->pending > most)
        (void)pthread_cond_wait(&t->less, &t->lock);
    t->waited_for = false;
}

static void push(struct thread *to)
{
    if (!to->batch)
        return;
    (void)pthread_mutex_lock(&to->lock);
    if (to->pending >= QUEUE_MAX)
        wait_for(to, QUEUE_MAX / 2);
    *to->tail = to->batch;
    to->tail = to->batch_tail;
    to->pending += to->batch_n;
    bool wake = to->idle;
    (void)pthread_mutex_unlock(&to->lock);
    if (wake)
        (void)pthread_cond_signal(&to->more);
    to->batch = NULL;
    to->batch_tail = &to->batch;
    to->batch_n = 0;
    to->batch_bytes = 0;
}

void writers_submit(struct writers *w, struct task *t)
{
    // The task itself holds the directory once, and so does the caller: more than that means that
    // others for it are pending, and their thread must have this one too.
    if (t->dir->refs <= 2 && t->kind != TASK_MORE)
        t->dir->writer = (unsigned)(least_loaded(w) - w->threads);
    struct thread *to = &w->threads[t->dir->writer];
    to->load += weight(t);
    *to->batch_tail = t;
    to->batch_tail = &t->next;
    to->batch_bytes += t->bytes;
    if (++to->batch_n >= BATCH_TASKS || to->batch_bytes >= BATCH_BYTES)
        push(to);
}

void writers_push(struct writers *w)
{
    for (unsigned i = 0; i < w->n; i++)
        push(&w->threads[i]);
}

int writers_failed(struct writers *w, struct err *err)
{
    if (!w->failed)
        return 0;
    (void)pthread_mutex_lock(&w->lock);
    *err = w->failure;
    (void)pthread_mutex_unlock(&w->lock);
    return -err->num;
}

int writers_wait(struct writers *w, struct err *err)
{
    writers_push(w);
    for (unsigned i = 0; i < w->n; i++) {
        struct thread *t = &w->threads[i];
        (void)pthread_mutex_lock(&t->lock);
        wait_for(t, 0);
        (void)pthread_mutex_unlock(&t->lock);
    }
    return writers_failed(w, err);
}

uint64_t writers_bytes(const struct writers *w)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < w->n; i++)
        sum += w->threads[i].state.bytes;
    return sum;
}

uint64_t writers_skipped_xattrs(const struct writers *w)
{
    uint64_t sum = w->own.skipped_xattrs;
    for (unsigned i = 0; i < w->n; i++)
        sum += w->threads[i].state.skipped_xattrs;
    return sum;
}

void writers_note(struct writers *w, const struct manifest_entry *e)
{
    manifest_add(&w->own.manifest, e);
}

int writers_flush(struct writers *w, uint64_t members, struct err *err)
{
    int r = flush_manifest(w, &w->own, 0, err);
    for (unsigned i = 0; r == 0 && i < w->n; i++)
        r = flush_manifest(w, &w->threads[i].state, 0, err);
    if (r < 0)
        return r;
    manifest_end(&w->own.manifest, members);
    return flush_manifest(w, &w->own, 0, err);
}

void writers_stop(struct writers *w)
{
    if (!w)
        return;
    w->failed = true; // what is still queued is dropped
    writers_push(w);
    for (unsigned i = 0; i < w->n; i++) {
        struct thread *t = &w->threads[i];
        (void)pthread_mutex_lock(&t->lock);
        t->end = true;
        (void)pthread_cond_signal(&t->more);
        (void)pthread_mutex_unlock(&t->lock);
    }
    for (unsigned i = 0; i < w->n; i++) {
        struct thread *t = &w->threads[i];
        if (t->started)
            (void)pthread_join(t->id, NULL);
        writer_state_done(&t->state);
        (void)pthread_cond_destroy(&t->less);
        (void)pthread_cond_destroy(&t->more);
        (void)pthread_mutex_destroy(&t->lock);
    }
    writer_state_done(&w->own);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}
