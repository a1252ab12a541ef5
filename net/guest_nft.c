// SPDX-License-Identifier: Apache-2.0
#include "net/guest_nft.h"

#include "net/frame_build.h"
#include "net/guest_nl.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

// Shown by "nft list ruleset" inside the job: the name says whose it is.
#define TABLE "bryo"
#define FRESH "fresh" // see guest_nft.h
#define FIRST "first"

// How long a connection is in the one or the other, and how many are; one more is merely not
// protected. A key is in 32-bit registers, with the ports in two, and in FIRST a number as the
// third.
enum { KEPT_MS = 3000, KEPT_MAX = 65536 };
enum { FRESH_ID = 1, FRESH_KEY_LEN = 8, FIRST_ID = 2, FIRST_KEY_LEN = 12 };

enum { TH_SPORT_AT = 0, TH_DPORT_AT = 2, TH_SEQ_AT = 4, TH_ACK_AT = 8 };

enum { PRIORITY_MANGLE = -150 }; // NF_IP_PRI_MANGLE

enum { TH_FLAGS_AT = 13, TH_FIN = 1, TH_SYN = 2, TH_RST = 4, TH_ACK = 16 };

static struct nlmsghdr *nft_put(struct guest_nl *nl, int type, uint16_t flags)
{
    struct nlmsghdr *msg = guest_nl_put(nl, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
                                        flags | NLM_F_ACK, sizeof(struct nfgenmsg));
    struct nfgenmsg *nfg = guest_nl_extra(msg);
    nfg->nfgen_family = NFPROTO_INET;
    nfg->version = NFNETLINK_V0;
    return msg;
}

static void batch_mark(struct guest_nl *nl, uint16_t type)
{
    struct nfgenmsg *nfg = guest_nl_extra(guest_nl_put(nl, type, 0, sizeof(struct nfgenmsg)));
    nfg->nfgen_family = AF_UNSPEC;
    nfg->version = NFNETLINK_V0;
    nfg->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

static void put_be32(struct nlmsghdr *msg, uint16_t attr, uint32_t value)
{
    mnl_attr_put_u32(msg, attr, htonl(value));
}

// --- expressions ---------------------------------------------------------------------------------

struct expr {
    struct nlattr *elem;
    struct nlattr *data;
};

static struct expr expr_start(struct nlmsghdr *msg, const char *name)
{
    struct expr e = {.elem = mnl_attr_nest_start(msg, NFTA_LIST_ELEM)};
    mnl_attr_put_strz(msg, NFTA_EXPR_NAME, name);
    e.data = mnl_attr_nest_start(msg, NFTA_EXPR_DATA);
    return e;
}

static void expr_end(struct nlmsghdr *msg, struct expr e)
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
    struct expr e = expr_start(msg, "meta");
    put_be32(msg, NFTA_META_KEY, key);
    put_be32(msg, NFTA_META_DREG, NFT_REG_1);
    expr_end(msg, e);
}

static void compare(struct nlmsghdr *msg, uint32_t op, const void *bytes, size_t n)
{
    struct expr e = expr_start(msg, "cmp");
    put_be32(msg, NFTA_CMP_SREG, NFT_REG_1);
    put_be32(msg, NFTA_CMP_OP, op);
    put_value(msg, NFTA_CMP_DATA, bytes, n);
    expr_end(msg, e);
}

static void immediate(struct nlmsghdr *msg, const void *bytes, size_t n)
{
    struct expr e = expr_start(msg, "immediate");
    put_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_1);
    put_value(msg, NFTA_IMMEDIATE_DATA, bytes, n);
    expr_end(msg, e);
}

static void set_mark(struct nlmsghdr *msg, uint32_t mark)
{
    immediate(msg, &mark, sizeof(mark));
    struct expr e = expr_start(msg, "meta");
    put_be32(msg, NFTA_META_KEY, NFT_META_MARK);
    put_be32(msg, NFTA_META_SREG, NFT_REG_1);
    expr_end(msg, e);
}

// "the interface is index, the protocol is TCP"
static void match_tcp_on(struct nlmsghdr *msg, uint32_t interface_key, int index)
{
    uint32_t host_order = (uint32_t)index;
    meta_load(msg, interface_key);
    compare(msg, NFT_CMP_EQ, &host_order, sizeof(host_order));
    uint8_t tcp = IPPROTO_TCP;
    meta_load(msg, NFT_META_L4PROTO);
    compare(msg, NFT_CMP_EQ, &tcp, sizeof(tcp));
}

static void match_ipv6(struct nlmsghdr *msg)
{
    uint8_t ipv6 = NFPROTO_IPV6;
    meta_load(msg, NFT_META_NFPROTO);
    compare(msg, NFT_CMP_EQ, &ipv6, sizeof(ipv6));
}

static void load_to(struct nlmsghdr *msg, uint32_t reg, uint32_t base, uint32_t at, uint32_t n)
{
    struct expr e = expr_start(msg, "payload");
    put_be32(msg, NFTA_PAYLOAD_DREG, reg);
    put_be32(msg, NFTA_PAYLOAD_BASE, base);
    put_be32(msg, NFTA_PAYLOAD_OFFSET, at);
    put_be32(msg, NFTA_PAYLOAD_LEN, n);
    expr_end(msg, e);
}

static void load_payload(struct nlmsghdr *msg, uint32_t base, uint32_t at, uint32_t n)
{
    load_to(msg, NFT_REG_1, base, at, n);
}

// "the sender's hardware address is mac"
static void match_sender(struct nlmsghdr *msg, const uint8_t mac[6])
{
    load_payload(msg, NFT_PAYLOAD_LL_HEADER, 6, 6);
    compare(msg, NFT_CMP_EQ, mac, 6);
}

// "of the flags FIN, SYN, RST and ACK only this one is set", or not so (NFT_CMP_NEQ)
static void match_flag(struct nlmsghdr *msg, uint32_t op, uint8_t flag)
{
    load_payload(msg, NFT_PAYLOAD_TRANSPORT_HEADER, TH_FLAGS_AT, 1);
    const uint8_t mask = TH_FIN | TH_SYN | TH_RST | TH_ACK;
    const uint8_t none = 0;
    struct expr e = expr_start(msg, "bitwise");
    put_be32(msg, NFTA_BITWISE_SREG, NFT_REG_1);
    put_be32(msg, NFTA_BITWISE_DREG, NFT_REG_1);
    put_be32(msg, NFTA_BITWISE_LEN, 1);
    put_value(msg, NFTA_BITWISE_MASK, &mask, 1);
    put_value(msg, NFTA_BITWISE_XOR, &none, 1);
    expr_end(msg, e);

    compare(msg, op, &flag, 1);
}

static void to_listener(struct nlmsghdr *msg, uint16_t port)
{
    const uint16_t be_port = htons(port);
    immediate(msg, &be_port, sizeof(be_port));
    struct expr e = expr_start(msg, "tproxy");
    put_be32(msg, NFTA_TPROXY_FAMILY, NFPROTO_UNSPEC); // both; the port alone is given
    put_be32(msg, NFTA_TPROXY_REG_PORT, NFT_REG_1);
    expr_end(msg, e);
}

// --- fresh connections
// ---------------------------------------------------------------------------------

struct set {
    const char *name;
    uint32_t id;
    uint32_t key_len;
};
static const struct set fresh_set = {FRESH, FRESH_ID, FRESH_KEY_LEN};
static const struct set first_set = {FIRST, FIRST_ID, FIRST_KEY_LEN};

static void put_set(struct guest_nl *nl, const struct set *set)
{
    struct nlmsghdr *msg = nft_put(nl, NFT_MSG_NEWSET, NLM_F_CREATE);
    mnl_attr_put_strz(msg, NFTA_SET_TABLE, TABLE);
    mnl_attr_put_strz(msg, NFTA_SET_NAME, set->name);
    put_be32(msg, NFTA_SET_FLAGS, NFT_SET_TIMEOUT | NFT_SET_EVAL);
    put_be32(msg, NFTA_SET_KEY_TYPE, 0);
    put_be32(msg, NFTA_SET_KEY_LEN, set->key_len);
    put_be32(msg, NFTA_SET_ID, set->id);
    mnl_attr_put_u64(msg, NFTA_SET_TIMEOUT, htobe64(KEPT_MS));
    struct nlattr *nest = mnl_attr_nest_start(msg, NFTA_SET_DESC);
    put_be32(msg, NFTA_SET_DESC_SIZE, KEPT_MAX);
    mnl_attr_nest_end(msg, nest);
}

// The key, as the first register: the port of the job's end and that of the other.
static void load_ports(struct nlmsghdr *msg, uint32_t job_at, uint32_t other_at)
{
    load_to(msg, NFT_REG32_00, NFT_PAYLOAD_TRANSPORT_HEADER, job_at, 2);
    load_to(msg, NFT_REG32_01, NFT_PAYLOAD_TRANSPORT_HEADER, other_at, 2);
}

static void load_number(struct nlmsghdr *msg, uint32_t at)
{
    load_to(msg, NFT_REG32_02, NFT_PAYLOAD_TRANSPORT_HEADER, at, 4);
}

// What is loaded goes into the set, or out of it.
static void change_set(struct nlmsghdr *msg, const struct set *set, uint32_t op)
{
    struct expr e = expr_start(msg, "dynset");
    mnl_attr_put_strz(msg, NFTA_DYNSET_SET_NAME, set->name);
    put_be32(msg, NFTA_DYNSET_SET_ID, set->id);
    put_be32(msg, NFTA_DYNSET_OP, op);
    put_be32(msg, NFTA_DYNSET_SREG_KEY, NFT_REG_1);
    expr_end(msg, e);
}

// "what is loaded is in the set"
static void match_set(struct nlmsghdr *msg, const struct set *set)
{
    struct expr e = expr_start(msg, "lookup");
    mnl_attr_put_strz(msg, NFTA_LOOKUP_SET, set->name);
    put_be32(msg, NFTA_LOOKUP_SET_ID, set->id);
    put_be32(msg, NFTA_LOOKUP_SREG, NFT_REG_1);
    expr_end(msg, e);
}

static void drop(struct nlmsghdr *msg)
{
    struct expr e = expr_start(msg, "immediate");
    put_be32(msg, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    struct nlattr *data = mnl_attr_nest_start(msg, NFTA_IMMEDIATE_DATA);
    struct nlattr *verdict = mnl_attr_nest_start(msg, NFTA_DATA_VERDICT);
    put_be32(msg, NFTA_VERDICT_CODE, NF_DROP);
    mnl_attr_nest_end(msg, verdict);
    mnl_attr_nest_end(msg, data);
    expr_end(msg, e);
}

// --- table, chains, rules
// --------------------------------------------------------------------------

static void put_chain(struct guest_nl *nl, const char *name, const char *type, uint32_t hook)
{
    struct nlmsghdr *msg = nft_put(nl, NFT_MSG_NEWCHAIN, NLM_F_CREATE);
    mnl_attr_put_strz(msg, NFTA_CHAIN_TABLE, TABLE);
    mnl_attr_put_strz(msg, NFTA_CHAIN_NAME, name);
    mnl_attr_put_strz(msg, NFTA_CHAIN_TYPE, type);
    struct nlattr *nest = mnl_attr_nest_start(msg, NFTA_CHAIN_HOOK);
    put_be32(msg, NFTA_HOOK_HOOKNUM, hook);
    put_be32(msg, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY_MANGLE);
    mnl_attr_nest_end(msg, nest);
}

static struct nlmsghdr *rule_start(struct guest_nl *nl, const char *chain, struct nlattr **ret_nest)
{
    struct nlmsghdr *msg = nft_put(nl, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND);
    mnl_attr_put_strz(msg, NFTA_RULE_TABLE, TABLE);
    mnl_attr_put_strz(msg, NFTA_RULE_CHAIN, chain);
    *ret_nest = mnl_attr_nest_start(msg, NFTA_RULE_EXPRESSIONS);
    return msg;
}

static void put_fresh_rules(struct guest_nl *nl, const struct guest_nft *nft)
{
    struct nlattr *nest;
    struct nlmsghdr *msg = rule_start(nl, "out", &nest);
    match_ipv6(msg);
    match_tcp_on(msg, NFT_META_OIF, (int)if_nametoindex("lo"));
    match_flag(msg, NFT_CMP_EQ, TH_RST);
    load_ports(msg, TH_DPORT_AT, TH_SPORT_AT);
    load_number(msg, TH_SEQ_AT);
    match_set(msg, &first_set);
    drop(msg);
    mnl_attr_nest_end(msg, nest);
    msg = rule_start(nl, "out", &nest);
    match_ipv6(msg);
    match_tcp_on(msg, NFT_META_OIF, nft->tap);
    match_flag(msg, NFT_CMP_EQ, TH_ACK);
    load_ports(msg, TH_SPORT_AT, TH_DPORT_AT);
    match_set(msg, &fresh_set);
    load_number(msg, TH_ACK_AT);
    change_set(msg, &first_set, NFT_DYNSET_OP_UPDATE);
    change_set(msg, &fresh_set, NFT_DYNSET_OP_DELETE);
    mnl_attr_nest_end(msg, nest);
    // A rule of its own: where the set is full, it ends here, and the next one is as ever.
    msg = rule_start(nl, "in", &nest);
    match_ipv6(msg);
    match_tcp_on(msg, NFT_META_IIF, nft->tap);
    match_sender(msg, frame_back_mac);
    load_ports(msg, TH_SPORT_AT, TH_DPORT_AT);
    change_set(msg, &fresh_set, NFT_DYNSET_OP_UPDATE);
    mnl_attr_nest_end(msg, nest);
}

static void put_rules(struct guest_nl *nl, const struct guest_nft *nft)
{
    struct nlattr *nest;
    struct nlmsghdr *msg;
    if (!nft->all_by_tap) {
        msg = rule_start(nl, "out", &nest);
        match_tcp_on(msg, NFT_META_OIF, nft->tap);
        match_flag(msg, NFT_CMP_NEQ, TH_SYN);
        set_mark(msg, nft->mark);
        mnl_attr_nest_end(msg, nest);
    }
    msg = rule_start(nl, "in", &nest);
    match_tcp_on(msg, NFT_META_IIF, nft->tap);
    match_sender(msg, frame_back_mac);
    to_listener(msg, nft->port);
    set_mark(msg, nft->mark);
    mnl_attr_nest_end(msg, nest);
}

static int apply(const struct guest_nft *nft, bool fresh)
{
    struct guest_nl nl = {.len = 0};
    batch_mark(&nl, NFNL_MSG_BATCH_BEGIN);
    struct nlmsghdr *msg = nft_put(&nl, NFT_MSG_NEWTABLE, NLM_F_CREATE);
    mnl_attr_put_strz(msg, NFTA_TABLE_NAME, TABLE);
    put_chain(&nl, "out", "route", NF_INET_LOCAL_OUT);
    put_chain(&nl, "in", "filter", NF_INET_PRE_ROUTING);
    if (fresh) {
        put_set(&nl, &fresh_set);
        put_set(&nl, &first_set);
        put_fresh_rules(&nl, nft);
    }
    put_rules(&nl, nft);
    batch_mark(&nl, NFNL_MSG_BATCH_END);
    return guest_nl_talk(&nl, NETLINK_NETFILTER);
}

int guest_nft_apply(const struct guest_nft *nft)
{
    // By way of the tap the handshake's parts come one after the other, and nothing overtakes.
    int r = nft->all_by_tap ? -EOPNOTSUPP : apply(nft, true);
    return r < 0 ? apply(nft, false) : r; // sets that time out are the newer part
}
