#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""stubdns.py ADDRESS PORT ZONEFILE: a resolver for tests, over UDP and TCP.

A line of the zone file is "NAME TYPE DATA [TTL]":
  www.example.org A 198.51.100.1 60
  www.example.org AAAA 2001:db8:2::1
  alias.example.org CNAME www.example.org
  text.example.org TXT LENGTH          a text of that many bytes
  slow.example.org FAULT drop          no answer; servfail, refused, truncate (UDP only) too
  forged.example.org FAULT forge       first a wrong id, a wrong question, then the right answer
NAME may be "*" for all others. The file is read again for each question. A name that is not in it
does not exist. Prints "ready", then "PROTO NAME TYPE [edns SIZE]" for each question, the name as it was asked.
"""
import ipaddress
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "TXT": 16, "AAAA": 28}


def say(text):
    print(text, flush=True)


def encode_name(name):
    labels = [part for part in name.rstrip(".").split(".") if part]
    return b"".join(bytes([len(part)]) + part.encode() for part in labels) + b"\0"


def read_name(msg, at):
    labels = []
    while msg[at]:
        labels.append(msg[at + 1 : at + 1 + msg[at]].decode("latin-1"))
        at += 1 + msg[at]
    return ".".join(labels), at + 1


def read_zone(path):
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            parts = line.split()
            if parts and not parts[0].startswith("#"):
                rows.append((parts[0].lower(), parts[1], parts[2], int(parts[3]) if parts[3:] else 60))
    return rows


def data_of(kind, text):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(text).packed
    if kind == "TXT":
        size, out = int(text), b""
        while size > 0:
            out += bytes([min(size, 255)]) + b"x" * min(size, 255)
            size -= 255
        return out
    return encode_name(text)


def records_for(rows, name, qtype):
    """Answers, and whether the name exists."""
    answers, known = [], False
    for _ in range(16):
        mine = [r for r in rows if r[0] == name and r[1] != "FAULT"]
        known = known or bool(mine) or any(r[0] == "*" and r[1] != "FAULT" for r in rows)
        mine = mine or [r for r in rows if r[0] == "*" and r[1] != "FAULT"]
        for row in mine:
            if TYPES[row[1]] == qtype:
                answers.append((name, row[1], row[2], row[3]))
        alias = [r for r in mine if r[1] == "CNAME"]
        if qtype == TYPES["CNAME"] or not alias or answers and answers[-1][1] != "CNAME":
            break
        answers.append((name, "CNAME", alias[0][2], alias[0][3]))
        name = alias[0][2].lower()
    return answers, known


def edns_size(msg, at):
    additional = struct.unpack("!H", msg[10:12])[0]
    if additional and msg[at : at + 3] == b"\0\0\x29":
        return struct.unpack("!H", msg[at + 3 : at + 5])[0]
    return 0


def answer(msg, proto, path):
    """The datagrams to send back."""
    ident, flags = struct.unpack("!HH", msg[:4])
    qname, at = read_name(msg, 12)
    qtype = struct.unpack("!H", msg[at : at + 2])[0]
    question = msg[12 : at + 4]
    size = edns_size(msg, at + 4)
    word = next((k for k, v in TYPES.items() if v == qtype), str(qtype))
    say(f"{proto} {qname} {word}" + (f" edns {size}" if size else ""))
    rows = read_zone(path)
    name = qname.lower()
    faults = [r[2] for r in rows if r[0] in (name, "*") and r[1] == "FAULT"]
    answers, known = records_for(rows, name, qtype)
    rcode = 0 if known else 3
    if "drop" in faults:
        return []
    if "servfail" in faults or "refused" in faults:
        rcode, answers = (2 if "servfail" in faults else 5), []
    truncated = "truncate" in faults and proto == "udp"
    body = b""
    for rname, kind, text, ttl in answers:
        data = data_of(kind, text)
        # the name of the question is written as it was asked, by a pointer
        owner = b"\xc0\x0c" if rname == name else encode_name(rname)
        body += owner + struct.pack("!HHIH", TYPES[kind], 1, ttl, len(data)) + data
    if proto == "udp" and 12 + len(question) + len(body) > max(size, 512):
        truncated = True
    if truncated:
        body, answers = b"", []
    flags = 0x8180 | (flags & 0x0100) | rcode | (0x0200 if truncated else 0)
    head = struct.pack("!HHHHHH", ident, flags, 1, len(answers), 0, 0)
    good = head + question + body
    if "forge" in faults:
        wrong_id = struct.pack("!H", ident ^ 1) + good[2:]
        other = encode_name("other.example.org") + question[-4:]
        return [wrong_id, head + other + body, good]
    return [good]


def serve_udp(sock, path):
    while True:
        msg, peer = sock.recvfrom(65536)
        for reply in answer(msg, "udp", path):
            sock.sendto(reply, peer)


def tcp_one(conn, path):
    with conn, conn.makefile("rb") as stream:
        while len(head := stream.read(2)) == 2:
            for reply in answer(stream.read(struct.unpack("!H", head)[0]), "tcp", path):
                conn.sendall(struct.pack("!H", len(reply)) + reply)


def serve_tcp(sock, path):
    while True:
        conn, _ = sock.accept()
        threading.Thread(target=tcp_one, args=(conn, path), daemon=True).start()


def main():
    address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    udp.bind((address, port))
    tcp = socket.socket(family, socket.SOCK_STREAM)
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((address, port))
    tcp.listen(64)
    threading.Thread(target=serve_tcp, args=(tcp, path), daemon=True).start()
    say("ready")
    serve_udp(udp, path)


main()
