// SPDX-License-Identifier: Apache-2.0
// Expressions of nftables rules (linux/netfilter/nf_tables.h), appended to a message whose nest
// NFTA_RULE_EXPRESSIONS is open. Where a rule's match fails, the rest of it is not looked at. Guest
// side.
#ifndef BRYO_NET_GUEST_NFT_EXPR_H
#define BRYO_NET_GUEST_NFT_EXPR_H

#include <stdint.h>

struct nlattr;
struct nlmsghdr;

// Flags of a TCP header.
enum { TH_FIN = 1, TH_SYN = 2, TH_RST = 4, TH_ACK = 16 };

void nft_be32(struct nlmsghdr *msg, uint16_t attr, uint32_t value);

// An expression of another kind: its attributes stand between these two.
struct nft_expr {
    struct nlattr *elem;
    struct nlattr *data;
};
struct nft_expr nft_expr_start(struct nlmsghdr *msg, const char *name);
void nft_expr_end(struct nlmsghdr *msg, struct nft_expr e);

// Loads n bytes of a header (NFT_PAYLOAD_*) into a register.
void nft_load_to(struct nlmsghdr *msg, uint32_t reg, uint32_t base, uint32_t at, uint32_t n);

void nft_match_ipv6(struct nlmsghdr *msg);
void nft_match_tcp(struct nlmsghdr *msg);

// "the interface is index, the protocol is TCP"; interface_key: NFT_META_IIF or NFT_META_OIF
void nft_match_tcp_on(struct nlmsghdr *msg, uint32_t interface_key, int index);

// "the sender's hardware address is mac"
void nft_match_sender(struct nlmsghdr *msg, const uint8_t mac[6]);

// "of the flags FIN, SYN, RST and ACK only this one is set", or not so (NFT_CMP_NEQ)
void nft_match_flag(struct nlmsghdr *msg, uint32_t op, uint8_t flag);

// "the route allows segments of mss bytes" (of the packet's route, and of that to its source, the
// smaller one counts)
void nft_match_mss(struct nlmsghdr *msg, uint16_t mss);

void nft_set_mark(struct nlmsghdr *msg, uint32_t mark);
void nft_to_listener(struct nlmsghdr *msg, uint16_t port); // TPROXY; host byte order
void nft_drop(struct nlmsghdr *msg);

#endif
