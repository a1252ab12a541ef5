// SPDX-License-Identifier: Apache-2.0
#include "net/guest_nft.h"

#include "net/frame_build.h"
#include "net/guest_lo.h"
#include "net/guest_nft_expr.h"
#include "net/guest_nl.h"
#include "net/guest_out.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
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
    nft_be32(msg, NFTA_SET_FLAGS, NFT_SET_TIMEOUT | NFT_SET_EVAL);
    nft_be32(msg, NFTA_SET_KEY_TYPE, 0);
    nft_be32(msg, NFTA_SET_KEY_LEN, set->key_len);
    nft_be32(msg, NFTA_SET_ID, set->id);
    mnl_attr_put_u64(msg, NFTA_SET_TIMEOUT, htobe64(KEPT_MS));
    struct nlattr *nest = mnl_attr_nest_start(msg, NFTA_SET_DESC);
    nft_be32(msg, NFTA_SET_DESC_SIZE, KEPT_MAX);
    mnl_attr_nest_end(msg, nest);
}

// The key, as the first register: the port of the job's end and that of the other.
static void load_ports(struct nlmsghdr *msg, uint32_t job_at, uint32_t other_at)
{
    nft_load_to(msg, NFT_REG32_00, NFT_PAYLOAD_TRANSPORT_HEADER, job_at, 2);
    nft_load_to(msg, NFT_REG32_01, NFT_PAYLOAD_TRANSPORT_HEADER, other_at, 2);
}

static void load_number(struct nlmsghdr *msg, uint32_t at)
{
    nft_load_to(msg, NFT_REG32_02, NFT_PAYLOAD_TRANSPORT_HEADER, at, 4);
}

// What is loaded goes into the set, or out of it.
static void change_set(struct nlmsghdr *msg, const struct set *set, uint32_t op)
{
    struct nft_expr e = nft_expr_start(msg, "dynset");
    mnl_attr_put_strz(msg, NFTA_DYNSET_SET_NAME, set->name);
    nft_be32(msg, NFTA_DYNSET_SET_ID, set->id);
    nft_be32(msg, NFTA_DYNSET_OP, op);
    nft_be32(msg, NFTA_DYNSET_SREG_KEY, NFT_REG_1);
    nft_expr_end(msg, e);
}

// "what is loaded is in the set"
static void match_set(struct nlmsghdr *msg, const struct set *set)
{
    struct nft_expr e = nft_expr_start(msg, "lookup");
    mnl_attr_put_strz(msg, NFTA_LOOKUP_SET, set->name);
    nft_be32(msg, NFTA_LOOKUP_SET_ID, set->id);
    nft_be32(msg, NFTA_LOOKUP_SREG, NFT_REG_1);
    nft_expr_end(msg, e);
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
    nft_be32(msg, NFTA_HOOK_HOOKNUM, hook);
    nft_be32(msg, NFTA_HOOK_PRIORITY, (uint32_t)PRIORITY_MANGLE);
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
    nft_match_ipv6(msg);
    nft_match_tcp_on(msg, NFT_META_OIF, GUEST_LO_INDEX);
    nft_match_flag(msg, NFT_CMP_EQ, TH_RST);
    load_ports(msg, TH_DPORT_AT, TH_SPORT_AT);
    load_number(msg, TH_SEQ_AT);
    match_set(msg, &first_set);
    nft_drop(msg);
    mnl_attr_nest_end(msg, nest);
    msg = rule_start(nl, "out", &nest);
    nft_match_ipv6(msg);
    nft_match_tcp(msg);
    nft_match_flag(msg, NFT_CMP_EQ, TH_ACK);
    load_ports(msg, TH_SPORT_AT, TH_DPORT_AT);
    match_set(msg, &fresh_set);
    load_number(msg, TH_ACK_AT);
    change_set(msg, &first_set, NFT_DYNSET_OP_UPDATE);
    change_set(msg, &fresh_set, NFT_DYNSET_OP_DELETE);
    mnl_attr_nest_end(msg, nest);
    // A rule of its own: where the set is full, it ends here, and the next one is as ever.
    msg = rule_start(nl, "in", &nest);
    nft_match_ipv6(msg);
    nft_match_tcp_on(msg, NFT_META_IIF, nft->tap);
    nft_match_sender(msg, frame_back_mac);
    load_ports(msg, TH_SPORT_AT, TH_DPORT_AT);
    change_set(msg, &fresh_set, NFT_DYNSET_OP_UPDATE);
    mnl_attr_nest_end(msg, nest);
}

static void put_out_rules(struct guest_nl *nl, const struct guest_nft *nft)
{
    struct nlattr *nest;
    struct nlmsghdr *msg = rule_start(nl, "out", &nest);
    nft_match_tcp_on(msg, NFT_META_OIF, nft->tap);
    nft_match_flag(msg, NFT_CMP_NEQ, TH_SYN);
    nft_set_mark(msg, nft->mark);
    mnl_attr_nest_end(msg, nest);
    msg = rule_start(nl, "out", &nest);
    nft_match_tcp_on(msg, NFT_META_OIF, GUEST_LO_INDEX);
    nft_match_flag(msg, NFT_CMP_EQ, TH_SYN);
    nft_match_mss(msg, GUEST_OUT_MSS);
    nft_set_mark(msg, GUEST_OUT_MARK);
    mnl_attr_nest_end(msg, nest);
}

static void put_rules(struct guest_nl *nl, const struct guest_nft *nft)
{
    struct nlattr *nest;
    if (!nft->all_by_tap)
        put_out_rules(nl, nft);
    struct nlmsghdr *msg = rule_start(nl, "in", &nest);
    nft_match_tcp_on(msg, NFT_META_IIF, nft->tap);
    nft_match_sender(msg, frame_back_mac);
    nft_to_listener(msg, nft->port);
    nft_set_mark(msg, nft->mark);
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
