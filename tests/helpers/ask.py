#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ask.py, run inside of jobs; each line of output is one answer.

  ask.py resolve NAME...          what the C library makes of the names: addresses, or the error
  ask.py dns PROTO NAME TYPE [EDNS] [SERVER]   one question, by hand: result, flags, how much came
  ask.py connect ADDRESS:PORT...  "yes", or the error, by TCP; [IPv6]:PORT
  ask.py send ADDRESS:PORT...     the same with one datagram that is echoed
"""
import errno
import socket
import struct
import sys

RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}
TYPES = {"A": 1, "PTR": 12, "TXT": 16, "AAAA": 28}


def resolve(name):
    try:
        found = socket.getaddrinfo(name, 0, type=socket.SOCK_STREAM)
        return " ".join(sorted({str(entry[4][0]) for entry in found}))
    except socket.gaierror as e:
        return f"{name}: {e.args[1]}"


def question(name, kind, edns):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part)
    msg = struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 1 if edns else 0)
    msg += labels + b"\0" + struct.pack("!HH", TYPES.get(kind) or int(kind), 1)
    return msg + (b"\0" + struct.pack("!HHIH", 41, edns, 0, 0) if edns else b"")


def exchange(proto, server, msg):
    if proto == "udp":
        with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(15)
            s.connect((server, 53))
            s.send(msg)
            return s.recv(65536)
    with socket.create_connection((server, 53), 15) as s, s.makefile("rb") as stream:
        s.sendall(struct.pack("!H", len(msg)) + msg)
        return stream.read(struct.unpack("!H", stream.read(2))[0])


def dns(proto, name, kind, edns="0", server="10.0.2.3"):
    msg = question(name, kind, int(edns))
    try:
        reply = exchange(proto, server, msg)
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)
    ident, flags, _, answers = struct.unpack("!HHHH", reply[:8])
    labels = msg[12 : msg.index(b"\0", 12)]
    same = "same" if ident == 0x1234 and reply[12 : 12 + len(labels)] == labels else "OTHER"
    cut = " truncated" if flags & 0x0200 else ""
    return f"{RCODES[flags & 15]} {answers}{cut} {same} {len(reply)}"


def split(where):
    host, port = where.rsplit(":", 1)
    return host.strip("[]"), int(port)


def connect(where):
    try:
        with socket.create_connection(split(where), 10) as s:
            return "yes" if s.recv(5) == b"hello" else "closed"
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)


def send(where):
    host, port = split(where)
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(3)
            s.connect((host, port))
            s.send(b"ping")
            return "yes" if s.recv(100) == b"ping" else "other"
    except OSError as e:
        return errno.errorcode.get(e.errno, type(e).__name__)


def main():
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "dns":
        print(dns(*words))
        return
    for word in words:
        print({"resolve": resolve, "connect": connect, "send": send}[verb](word), flush=True)


main()
