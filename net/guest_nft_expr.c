// SPDX-License-Identifier: Apache-2.0
#include "net/guest_nft_expr.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <netinet/in.h>

enum { TH_FLAGS_AT = 13 };

void nft_be32(struct nlmsghdr *msg, uint16_t attr, uint32_t value)
{
    mnl_attr_put_u32(msg, attr, htonl(value));
}

struct nft_expr nft_expr_start(struct nlmsghdr *msg, const char *name)
{
    struct nft_expr e = {.elem = mnl_attr_nest_start(msg, NFTA_LIST_ELEM)};
    mnl_attr_put_strz(msg, NFTA_EXPR_NAME, name);
    e.data = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
    return e;
}

void nft_expr_end(struct nlmsghdr *msg, struct nft_expr e)
{
    mnl_attr_nest_end(msg, e.data);
    mnl_attr_nest_end(msg, e.elem);
}

static void put_value(struct nlmsghdr *msg, uint16_t attr, const void *bytes, size_t n)
{
    struct nlattr *nest = mnl_attr_nest_start(msg, attr);
    mnl_attr_put(msg, NFTA_DATA_VALUE, n, bytes);
    mnl_attr_nest_end(msg, nest);
}

static void meta_load(struct nlmsghdr *msg, uint32_t key)
{
    struct nft_expr e = nft_expr_start(msg, "meta");
    nft_be32(msg, NFTA_META_KEY, key);
    nft_be32(msg, NFTA_META_DREG, NFT_REG_1);
    nft_expr_end(msg, e);
}

static void compare(struct nlmsghdr *msg, uint32_t op, const void *bytes, size_t n)
{
    struct nft_expr e = nft_expr_start(msg, "cmp");
    nft_be32(msg, NFTA_CMP_SREG, NFT_REG_1);
    nft_be32(msg, NFTA_CMP_OP, op);
    put_value(msg, NFTA_CMP_DATA, bytes, n);
    nft_expr_end(msg, e);
}

static void immediate(struct nlmsghdr *msg, const void *bytes, size_t n)
{
    struct nft_expr e = nft_expr_start(msg, "immediate");
    nft_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    put_value(msg, NFTA_IMMEDIATE_DATA, bytes, n);
    nft_expr_end(msg, e);
}

void nft_set_mark(struct nlmsghdr *msg, uint32_t mark)
{
    immediate(msg, &mark, sizeof(mark));
    struct nft_expr e = nft_expr_start(msg, "meta");
    nft_be32(msg, NFTA_META_KEY, NFT_META_MARK);
    nft_be32(msg, NFTA_META_SREG, NFT_REG_1);
    nft_expr_end(msg, e);
}

void nft_match_tcp(struct nlmsghdr *msg)
{
    uint8_t tcp = IPPROTO_TCP;
    meta_load(msg, NFT_META_L4PROTO);
    compare(msg, NFT_CMP_EQ, &tcp, sizeof(tcp));
}

void nft_match_tcp_on(struct nlmsghdr *msg, uint32_t interface_key, int index)
{
    uint32_t host_order = (uint32_t)index;
    meta_load(msg, interface_key);
    compare(msg, NFT_CMP_EQ, &host_order, sizeof(host_order));
    nft_match_tcp(msg);
}

void nft_match_ipv6(struct nlmsghdr *msg)
{
    uint8_t ipv6 = NFPROTO_IPV6;
    meta_load(msg, NFT_META_NFPROTO);
    compare(msg, NFT_CMP_EQ, &ipv6, sizeof(ipv6));
}

void nft_load_to(struct nlmsghdr *msg, uint32_t reg, uint32_t base, uint32_t at, uint32_t n)
{
    struct nft_expr e = nft_expr_start(msg, "payload");
    nft_be32(msg, NFTA_PAYLOAD_DREG, reg);
    nft_be32(msg, NFTA_PAYLOAD_BASE, base);
    nft_be32(msg, NFTA_PAYLOAD_OFFSET, at);
    nft_be32(msg, NFTA_PAYLOAD_LEN, n);
    nft_expr_end(msg, e);
}

static void load_payload(struct nlmsghdr *msg, uint32_t base, uint32_t at, uint32_t n)
{
    nft_load_to(msg, NFT_REG_1, base, at, n);
}

void nft_match_sender(struct nlmsghdr *msg, const uint8_t mac[6])
{
    load_payload(msg, NFT_PAYLOAD_LL_HEADER, 6, 6);
    compare(msg, NFT_CMP_EQ, mac, 6);
}

void nft_match_flag(struct nlmsghdr *msg, uint32_t op, uint8_t flag)
{
    load_payload(msg, NFT_PAYLOAD_TRANSPORT_HEADER, TH_FLAGS_AT, 1);
    const uint8_t mask = TH_FIN | TH_SYN | TH_RST | TH_ACK;
    const uint8_t none = 0;
    struct nft_expr e = nft_expr_start(msg, "bitwise");
    nft_be32(msg, NFTA_BITWISE_SREG, NFT_REG_1);
    nft_be32(msg, NFTA_BITWISE_DREG, NFT_REG_1);
    nft_be32(msg, NFTA_BITWISE_LEN, 1);
    put_value(msg, NFTA_BITWISE_MASK, &mask, 1);
    put_value(msg, NFTA_BITWISE_XOR, &none, 1);
    nft_expr_end(msg, e);

    compare(msg, op, &flag, 1);
}

void nft_match_mss(struct nlmsghdr *msg, uint16_t mss)
{
    struct nft_expr e = nft_expr_start(msg, "rt");
    nft_be32(msg, NFTA_RT_KEY, NFT_RT_TCPMSS);
    nft_be32(msg, NFTA_RT_DREG, NFT_REG_1);
    nft_expr_end(msg, e);
    compare(msg, NFT_CMP_EQ, &mss, sizeof(mss));
}

void nft_to_listener(struct nlmsghdr *msg, uint16_t port)
{
    const uint16_t be_port = htons(port);
    immediate(msg, &be_port, sizeof(be_port));
    struct nft_expr e = nft_expr_start(msg, "tproxy");
    nft_be32(msg, NFTA_TPROXY_FAMILY, NFPROTO_UNSPEC); // both; the port alone is given
    nft_be32(msg, NFTA_TPROXY_REG_PORT, NFT_REG_1);
    nft_expr_end(msg, e);
}

void nft_drop(struct nlmsghdr *msg)
{
    struct nft_expr e = nft_expr_start(msg, "immediate");
    nft_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    struct nlattr *data = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
    struct nlattr *verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
    nft_be32(msg, NFTA_VERDICT_CODE, NF_DROP);
    mnl_attr_nest_end(msg, verdict);
    mnl_attr_nest_end(msg, data);
    nft_expr_end(msg, e);
}
