// SPDX-License-Identifier: Apache-2.0
#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "internal/base/loop.h"
#include "net/frame_build.h"
#include "net/publish_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { SECOND = 1000000 };

// A client that neither sent nor was answered for so long is forgotten, as a NAT does with
// datagrams that go both ways.
enum { CLIENT_KEPT = 180 * SECOND };

// Datagrams taken from one socket before others have their turn.
enum { TURN = 64 };

enum { CLIENTS = 1024 }; // places; a newer client takes the place of one that hashes alike

struct client {
    uint64_t last; // 0: a free place
    struct ip_addr from;
    struct ip_addr seen; // by the job
    uint16_t from_port;
    uint16_t job_port;
    struct port *port;
};

struct port {
    struct publish_udp *owner;
    int fd;
    uint16_t job;
};

struct publish_udp {
    struct engine *engine;
    struct port *ports;
    size_t n_ports;
    struct client clients[CLIENTS];
    uint8_t datagram[65536];
    uint8_t frame[FRAME_MAX];
};

static struct client *place_of(struct publish_udp *p, const struct ip_addr *seen, uint16_t from,
                               uint16_t job)
{
    uint32_t h = 2166136261; // FNV-1a
    for (size_t i = 0; i < sizeof(seen->bytes); i++)
        h = (h ^ seen->bytes[i]) * 16777619;
    h = (h ^ from) * 16777619;
    h = (h ^ job) * 16777619;
    return &p->clients[(h ^ h >> 15) % CLIENTS];
}

// Told to the log when the client is forgotten: not each datagram.
static void take_in(struct port *port, const union ipsock *peer, size_t n)
{
    struct publish_udp *p = port->owner;
    struct client c = {.last = loop_now_us(), .job_port = port->job, .port = port};
    struct ip_addr job;
    c.from = ipsock_addr(peer, &c.from_port);
    if (!publish_route(engine_config(p->engine), &c.from, &c.seen, &job))
        return;
    *place_of(p, &c.seen, c.from_port, c.job_port) = c;
    size_t len = frame_build_udp(p->frame, &c.seen, c.from_port, &job, port->job, p->datagram, n);
    if (len > 0)
        (void)engine_inject(p->engine, p->frame, len);
}

static int on_port(void *ctx, uint32_t events)
{
    struct port *port = ctx;
    struct publish_udp *p = port->owner;
    (void)events;
    for (int i = 0; i < TURN; i++) {
        union ipsock peer;
        socklen_t len = sizeof(peer);
        ssize_t n =
            recvfrom(port->fd, p->datagram, sizeof(p->datagram), MSG_DONTWAIT, &peer.sa, &len);
        if (n >= 0)
            take_in(port, &peer, (size_t)n);
        else if (errno == EAGAIN)
            break;
        // Other errors are ICMP's, about an answer that was sent: each is told once.
    }
    return 0;
}

bool publish_udp_input(struct publish_udp *p, const struct frame *frame)
{
    if (frame->class != FRAME_UDP)
        return false;
    struct client *c = place_of(p, &frame->dst, frame->dport, frame->sport);
    uint64_t now = loop_now_us();
    if (!c->last || now - c->last > CLIENT_KEPT || !ip_equal(&c->seen, &frame->dst) ||
        c->from_port != frame->dport || c->job_port != frame->sport)
        return false;
    union ipsock to;
    c->last = now;
    socklen_t n = ipsock_set(&to, &c->from, c->from_port);
    (void)sendto(c->port->fd, frame->bytes + frame->payload, frame_payload_len(frame),
                 MSG_DONTWAIT | MSG_NOSIGNAL, &to.sa, n);
    return true;
}

struct publish_udp *publish_udp_new(struct engine *engine, struct err *err)
{
    const struct netconfig *config = engine_config(engine);
    struct publish_udp *p = mem_alloc(sizeof(*p));
    p->engine = engine;
    p->ports = mem_alloc(config->n_ports * sizeof(*p->ports));
    for (size_t i = 0; i < config->n_ports; i++) {
        if (!config->ports[i].udp)
            continue;
        struct port *port = &p->ports[p->n_ports];
        *port = (struct port){.owner = p, .fd = config->ports[i].fd, .job = config->ports[i].job};
        int r = loop_add(engine_loop(engine), port->fd, EPOLLIN, on_port, port);
        if (r < 0) {
            (void)err_sys(err, -r, "cannot watch the published port %u", config->ports[i].host);
            publish_udp_free(p);
            return NULL;
        }
        p->n_ports++;
    }
    return p;
}

void publish_udp_free(struct publish_udp *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_ports; i++)
        loop_remove(engine_loop(p->engine), p->ports[i].fd);
    free(p->ports);
    free(p);
}
