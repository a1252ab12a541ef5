#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fast_peer.py: what a job's TCP talks to in tests of the fast path, on ports from 9001 on.

9001 echo     sends back what comes, until the end of it; then ends too
9002 digest   reads to the end, answers with the SHA-256 of it
9003 reset    resets the connection at the first byte
9004 urgent   answers "NORMAL|URGENT" with what came in line and what came out of band, at the end
9005 source   sends as many bytes as the first line asks for, and their SHA-256 in a line behind
9006 deaf     never reads
9007 who      sends the address and port of the peer, ends
9008 early    sends a line and closes while the peer may still send
"""
import fcntl
import hashlib
import os
import random
import select
import socket
import struct
import sys
import threading
import time

SIOCATMARK = 0x8905


def echo(c):
    while data := c.recv(65536):
        c.sendall(data)
    c.shutdown(socket.SHUT_WR)


def digest(c):
    h = hashlib.sha256()
    while data := c.recv(65536):
        h.update(data)
    c.sendall(h.hexdigest().encode())


def reset(c):
    c.recv(1)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def urgent(c):
    # In line, so that a byte that is late cannot be stepped over; at the mark the next one is urgent.
    c.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
    normal, out = b"", b""
    while True:
        select.select([c], [], [])
        at_mark = struct.unpack("i", fcntl.ioctl(c, SIOCATMARK, bytes(4)))[0]
        data = c.recv(1 if at_mark else 65536)
        if not data:
            break
        if at_mark:
            out += data
        else:
            normal += data
    c.sendall(normal + b"|" + out)


def source(c):
    n = int(c.makefile("rb").readline())
    h = hashlib.sha256()
    rnd = random.Random(n)
    while n > 0:
        part = rnd.randbytes(min(n, 1 << 16))
        h.update(part)
        c.sendall(part)
        n -= len(part)
    c.sendall(b"\n" + h.hexdigest().encode())


def deaf(c):
    time.sleep(600)


def who(c):
    c.sendall(("%s %d" % c.getpeername()[:2]).encode())


def early(c):
    c.sendall(b"enough\n")


def serve(family, address, port, what):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port))
    s.listen(4096)

    def one(c):
        with c:
            try:
                what(c)
            except OSError:
                pass

    def loop():
        while True:
            c, _ = s.accept()
            threading.Thread(target=one, args=(c,), daemon=True).start()

    threading.Thread(target=loop, daemon=True).start()


threading.stack_size(256 << 10)
for i, what in enumerate((echo, digest, reset, urgent, source, deaf, who, early)):
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        serve(family, address, 9001 + i, what)
print("ready", flush=True)
threading.Event().wait()
