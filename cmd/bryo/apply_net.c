// SPDX-License-Identifier: Apache-2.0
// What each option of the network does to the spec: the parsers are in internal/job/netopts*.c.
#include "cmd/bryo/builder.h"
#include "internal/job/netopts.h"

static struct net_opts *net_of(void *ctx)
{
    return &((struct builder *)ctx)->spec.net;
}

int set_network(void *ctx, const char *value, struct err *err)
{
    return net_opt_network(net_of(ctx), value, err);
}

int set_mtu(void *ctx, const char *value, struct err *err)
{
    return net_opt_mtu(net_of(ctx), value, err);
}

int set_net_addr(void *ctx, const char *value, struct err *err)
{
    return net_opt_addr(net_of(ctx), value, err);
}

int set_publish(void *ctx, const char *value, struct err *err)
{
    return net_opt_publish(net_of(ctx), value, err);
}

int set_dns(void *ctx, const char *value, struct err *err)
{
    return net_opt_dns(net_of(ctx), value, err);
}

int set_dns_search(void *ctx, const char *value, struct err *err)
{
    return net_opt_dns_search(net_of(ctx), value, err);
}

int set_add_host(void *ctx, const char *value, struct err *err)
{
    return net_opt_add_host(net_of(ctx), value, err);
}

int set_allow(void *ctx, const char *value, struct err *err)
{
    return net_opt_allow(net_of(ctx), value, err);
}

int set_deny(void *ctx, const char *value, struct err *err)
{
    return net_opt_deny(net_of(ctx), value, err);
}

int set_allow_host(void *ctx, const char *value, struct err *err)
{
    return net_opt_allow_host(net_of(ctx), value, err);
}

int set_net_log(void *ctx, const char *value, struct err *err)
{
    return net_opt_log(net_of(ctx), value, err);
}

int set_net_lock(void *ctx, const char *value, struct err *err)
{
    return net_opt_lock(net_of(ctx), value, err);
}

int set_pcap(void *ctx, const char *value, struct err *err)
{
    return net_opt_pcap(net_of(ctx), value, err);
}

int set_net_rate(void *ctx, const char *value, struct err *err)
{
    return net_opt_rate(net_of(ctx), value, err);
}

int set_net_delay(void *ctx, const char *value, struct err *err)
{
    return net_opt_delay(net_of(ctx), value, err);
}

int set_net_loss(void *ctx, const char *value, struct err *err)
{
    return net_opt_loss(net_of(ctx), value, err);
}
