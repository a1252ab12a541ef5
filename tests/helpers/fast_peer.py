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
9009 crowd    as echo, for very many at once
9010 late     takes nothing for a second and a half, with a small window; then prints "late N", the
              bytes that came, and how it ended
9011 tally    prints "tally" for each that comes, then as echo
9012 singly   sends a byte; prints "singly N" whenever something came, with the bytes so far
"""
import fcntl
import hashlib
import os
import random
import resource
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


def late(c):
    time.sleep(1.5)
    n, end = 0, "in order"
    try:
        while data := c.recv(4096):
            n += len(data)
    except OSError as e:
        end = str(e)
    print("late %d %s" % (n, end), flush=True)


def tally(c):
    print("tally", flush=True)
    echo(c)


def singly(c):
    c.sendall(b"x")
    n = 0
    while data := c.recv(100):
        n += len(data)
        print("singly %d" % n, flush=True)


def crowd(listeners):
    """one thread and no memory for each of them"""
    ep = select.epoll()
    for s in listeners:
        s.setblocking(False)
        ep.register(s, select.EPOLLIN)
    known = {s.fileno(): s for s in listeners}
    while True:
        for fd, _ in ep.poll():
            try:
                if known[fd] in listeners:
                    c, _ = known[fd].accept()
                    known[c.fileno()] = c
                    ep.register(c, select.EPOLLIN)
                    continue
                data = known[fd].recv(4096)
                known[fd].sendall(data)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                known.pop(fd).close()


def listener(family, address, port, window=0):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if window:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port))
    s.listen(4096)
    return s


def serve(family, address, port, what, window=0):
    s = listener(family, address, port, window)

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


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
threading.stack_size(256 << 10)
both = ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))
for i, what in enumerate((echo, digest, reset, urgent, source, deaf, who, early)):
    for family, address in both:
        serve(family, address, 9001 + i, what)
threading.Thread(
    target=crowd, args=([listener(f, a, 9009) for f, a in both],), daemon=True
).start()
for family, address in both:
    serve(family, address, 9010, late, 4096)
    serve(family, address, 9011, tally)
    serve(family, address, 9012, singly)
print("ready", flush=True)
threading.Event().wait()
