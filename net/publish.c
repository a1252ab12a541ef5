// SPDX-License-Identifier: Apache-2.0
#include "net/publish.h"

#include "internal/base/buf.h"
#include "internal/base/err.h"
#include "net/publish_priv.h"

#include <errno.h>
#include <string.h>

static bool is_loopback(const struct ip_addr *a)
{
    static const uint8_t one[16] = {[15] = 1};
    return a->family == IP_V4 ? a->bytes[0] == 127 : memcmp(a->bytes, one, sizeof(one)) == 0;
}

bool publish_route(const struct netconfig *config, const struct ip_addr *client,
                   struct ip_addr *ret_seen, struct ip_addr *ret_job)
{
    const struct net_opts *o = &config->opts;
    bool v6 = client->family == IP_V6 && config->ipv6;
    // A client of IPv6 reaches a job without IPv6 through the gateway, as one of the loopback does.
    bool as_gateway = is_loopback(client) || (client->family == IP_V6 && !v6);
    *ret_job = v6 ? o->job6 : o->job4;
    *ret_seen = !as_gateway ? *client : v6 ? o->gateway6 : o->gateway4;
    return client->family != IP_NONE;
}

int publish_new(struct engine *engine, struct fast *fast, int maker, struct publish **ret,
                struct err *err)
{
    const struct netconfig *config = engine_config(engine);
    struct publish *p = mem_alloc(sizeof(*p));
    bool tcp = false;
    bool udp = false;
    for (size_t i = 0; i < config->n_ports; i++) {
        udp = udp || config->ports[i].udp;
        tcp = tcp || !config->ports[i].udp;
    }
    if (udp)
        p->udp = publish_udp_new(engine, err);
    if (tcp && fast && maker >= 0 && (!udp || p->udp))
        p->tcp = publish_tcp_new(engine, fast, maker, err);
    if ((udp && !p->udp) || (tcp && fast && maker >= 0 && !p->tcp)) {
        publish_free(p);
        return err && err->num ? -err->num : -EIO;
    }
    *ret = p;
    return 0;
}

void publish_free(struct publish *p)
{
    if (!p)
        return;
    publish_tcp_free(p->tcp);
    publish_udp_free(p->udp);
    free(p);
}

bool publish_input(struct publish *p, const struct frame *frame)
{
    return p->udp && publish_udp_input(p->udp, frame);
}
