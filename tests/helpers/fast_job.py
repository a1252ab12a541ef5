#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fast_job.py ADDRESS CHECK...: runs in a job, against fast_peer.py at ADDRESS. A line for each check:
its name and "ok", or what went wrong."""
import errno
import hashlib
import os
import random
import select
import socket
import struct
import sys
import threading
import time

peer = sys.argv[1]
family = socket.AF_INET6 if ":" in peer else socket.AF_INET


def connect(port, timeout=20):
    return socket.create_connection((peer, port), timeout)


def read_all(c):
    out = b""
    while data := c.recv(65536):
        out += data
    return out


def same(got, want):
    assert got == want, "got %r, expected %r" % (got, want)


def error_of(fn):
    try:
        fn()
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
    return "no error"


def half_close():
    c = connect(9002)
    data = os.urandom(300000)
    c.sendall(data)
    c.shutdown(socket.SHUT_WR)
    same(read_all(c).decode(), hashlib.sha256(data).hexdigest())


def small():
    c = connect(9001)
    for i in range(200):
        c.sendall(b"x%d" % i)
        same(c.recv(100), b"x%d" % i)


def names():
    c = connect(9001)
    same(c.getpeername()[:2], (peer, 9001))
    same(c.getsockname()[0], "fd00::100" if family == socket.AF_INET6 else "10.0.2.100")


def transfers():
    """40 at once, each of its own size, there and back, with half-close"""
    wrong = []

    def one(i):
        try:
            data = random.Random(i).randbytes(50000 * i + i)
            c = connect(9002)
            c.sendall(data)
            c.shutdown(socket.SHUT_WR)
            same(read_all(c).decode(), hashlib.sha256(data).hexdigest())
            c = connect(9005)
            c.sendall(b"%d\n" % len(data))
            got = read_all(c)
            body, line = got[: len(data)], got[len(data) + 1 :]
            same(line.decode(), hashlib.sha256(body).hexdigest())
        except Exception as e:
            wrong.append("%d: %s" % (i, e))

    threads = [threading.Thread(target=one, args=(i,)) for i in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(wrong, [])


def refused():
    begin = time.monotonic()
    same(error_of(lambda: connect(9999)), "ECONNREFUSED")
    assert time.monotonic() - begin < 2, "late"


def reset():
    c = connect(9003)
    c.sendall(b"x")
    same(error_of(lambda: c.recv(1)), "ECONNRESET")


def reset_by_job():
    """the peer sees the job's reset: its echo thread ends, which shows as nothing here but no hang"""
    c = connect(9001)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.sendall(b"x")
    c.close()


def urgent():
    c = connect(9004)
    c.sendall(b"ab")
    time.sleep(0.2)
    c.send(b"cU", socket.MSG_OOB)
    time.sleep(0.2)
    c.sendall(b"de")
    c.shutdown(socket.SHUT_WR)
    same(read_all(c), b"abcde|U")


def early():
    c = connect(9008)
    same(read_all(c), b"enough\n")


def epoll_first():
    s = socket.socket(family)
    s.setblocking(False)
    ep = select.epoll()
    ep.register(s, select.EPOLLOUT)
    same(s.connect_ex((peer, 9001)), errno.EINPROGRESS)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        events = ep.poll(1)
        if events and not events[0][1] & select.EPOLLHUP:
            break
    same(s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
    s.setblocking(True)
    s.sendall(b"hello")
    same(s.recv(10), b"hello")


def dup_and_fork():
    c = connect(9001)
    d = c.dup()
    c.close()
    pid = os.fork()
    if pid == 0:
        d.sendall(b"from the child")
        os._exit(0)
    os.waitpid(pid, 0)
    same(d.recv(100), b"from the child")


def bind_first():
    s = socket.socket(family)
    s.bind(("fd00::100" if family == socket.AF_INET6 else "10.0.2.100", 45678))
    s.connect((peer, 9001))
    same(s.getsockname()[1], 45678)
    s.sendall(b"hello")
    same(s.recv(10), b"hello")


def local_server():
    """the job's own server, by its own address and by loopback; no detour: a port that is closed on
    the machine too"""
    for own in (("fd00::100", "::1") if family == socket.AF_INET6 else ("10.0.2.100", "127.0.0.1")):
        s = socket.socket(family)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((own, 8123))
        s.listen()
        c = socket.create_connection((own, 8123), 5)
        a, who = s.accept()
        same(who[:2], c.getsockname()[:2])
        a.sendall(b"here")
        same(c.recv(10), b"here")


def listener_is_hidden():
    """the port that takes the job's connections gives nothing to one who connects to it himself"""
    port = None
    for line in open("/proc/net/tcp6" if family == socket.AF_INET6 else "/proc/net/tcp"):
        f = line.split()
        if len(f) > 3 and f[3] == "0A":
            port = int(f[1].rsplit(":", 1)[1], 16)
    assert port, "no listener: the fast path is off"
    own = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    got = []
    same(error_of(lambda: got.append(socket.create_connection((own, port), 5).recv(1))), "ECONNRESET")
    same(got, [])


def bare_ack(to, sport, dport, number):
    """sends a segment that belongs to no connection: whether the kernel resets it"""
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.setsockopt(socket.IPPROTO_IPV6, 7, 16)  # IPV6_CHECKSUM: where the kernel is to put it
    raw.connect((to, 0))
    raw.settimeout(1)
    raw.send(struct.pack("!HHIIBBHHH", sport, dport, 7, number, 5 << 4, 0x10, 512, 0, 0))
    end = time.monotonic() + 1
    while time.monotonic() < end:
        try:
            got = raw.recv(1500)
        except socket.timeout:
            return False
        if got[:4] == struct.pack("!HH", dport, sport):
            return bool(got[13] & 4)
    return False


def first_number(raw, port):
    """the first that the peer's end of the connection will send"""
    while True:
        got = raw.recv(1500)
        if got[:4] == struct.pack("!HH", 9001, port) and got[13] == 0x12:  # SYN and ACK
            return (struct.unpack("!I", got[4:8])[0] + 1) % (1 << 32)


def nobodys():
    """what belongs to no connection is reset, but not what could be the first segment of one that was
    opened just now (net/guest_nft.h). IPv6: an address that is not its own no kernel answers for over
    IPv4."""
    other = "2001:db8:2::2"
    same(bare_ack(other, 45999, 9001, 9), True)
    raw = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_TCP)
    raw.settimeout(10)
    for _ in range(20):  # on a machine that is very busy it is forgotten before it is tried
        c = connect(9001)
        port = c.getsockname()[1]
        number = first_number(raw, port)
        if not bare_ack(other, port, 9001, number):
            break
    else:
        raise AssertionError("reset, though fresh")
    same(bare_ack(other, port, 9001, (number + 1) % (1 << 32)), True)
    same(bare_ack(other, port ^ 1, 9001, number), True)
    while not bare_ack(other, port, 9001, number):
        time.sleep(0.1)
    c.sendall(b"hello")
    same(c.recv(10), b"hello")


def unreachable():
    c = "2001:db8:dead::1" if family == socket.AF_INET6 else "198.18.0.1"
    return error_of(lambda: socket.create_connection((c, 80), 10))


def silence():
    """no answer: neither success nor failure, until the job's own kernel gives up"""
    c = "2001:db8:beef::1" if family == socket.AF_INET6 else "198.19.0.1"
    s = socket.socket(family)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    begin = time.monotonic()
    same(error_of(lambda: s.connect((c, 80))), "ETIMEDOUT")
    assert time.monotonic() - begin > 1.5, "too early"


def idle():
    """1,000 at once, and each of them works"""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cs = [connect(9001, 60) for _ in range(1000)]
    for i, c in enumerate(cs):
        c.sendall(b"%d" % i)
    for i, c in enumerate(cs):
        same(c.recv(10), b"%d" % i)


def crowd():
    """10,000 opened at once: each of them works. bryo-net has two descriptors for each, so that where
    its limit is lower the rest wait, as SYNs that are sent again, until others are closed."""
    import resource

    total = 10000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    room = min(total, hard - 100)
    enough = min(total, hard // 2 - 500)
    ep = select.epoll()
    waiting, good = {}, {}
    opened = done = most = 0
    end = time.monotonic() + 200

    def fill():
        nonlocal opened
        while opened < total and len(waiting) + len(good) < room:
            s = socket.socket(family)
            s.setblocking(False)
            s.connect_ex((peer, 9009))
            waiting[s.fileno()] = (s, b"%d" % opened)
            ep.register(s, select.EPOLLOUT)
            opened += 1

    fill()
    while done < total and time.monotonic() < end:
        events = ep.poll(1 if len(good) >= enough else 17)  # a SYN comes again after 8 seconds
        for fd, what in events:
            s, text = waiting[fd]
            if what & select.EPOLLOUT and not what & (select.EPOLLERR | select.EPOLLHUP):
                s.send(text)
                ep.modify(s, select.EPOLLIN)
                continue
            same(s.recv(10), text)
            ep.unregister(s)
            good[fd] = waiting.pop(fd)[0]
            done += 1
        most = max(most, len(good))
        if not events or done == total:
            for s in good.values():
                s.close()
            good.clear()
            fill()
    same(done, total)
    assert most >= enough, "only %d at once" % most


def slow_reader():
    """one that takes its time: all of it comes, and nobody has kept it meanwhile (see net_fast.t)"""
    c = connect(9005)
    c.sendall(b"%d\n" % (150 << 20))
    print("asked", flush=True)
    sys.stdin.readline()
    h = hashlib.sha256()
    left = 150 << 20
    while left:
        data = c.recv(min(left, 1 << 20))
        h.update(data)
        left -= len(data)
    same(read_all(c)[1:].decode(), h.hexdigest())


def last_words():
    """what was sent before the job's end arrives, though nobody waits for it"""
    c = connect(9010)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    c.sendall(bytes(200000))


def singly():
    """small messages, one after the other, while nobody acknowledges the first"""
    c = connect(9012)
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    same(c.recv(1), b"x")
    print("connected", flush=True)
    for _ in range(5):
        sys.stdin.readline()
        c.sendall(b"x")
    sys.stdin.readline()


def repeated():
    """more SYNs than are read at a time, each sent again before the first is looked at"""
    print("asking", flush=True)
    sys.stdin.readline()
    socks = []
    for i in range(200):
        s = socket.socket(family)
        s.setblocking(False)
        s.connect_ex((peer, 9011))
        socks.append(s)
    print("asked", flush=True)
    for i, s in enumerate(socks):
        s.settimeout(60)
        select.select([], [s], [], 60)
        s.sendall(b"%d" % i)
        same(s.recv(10), b"%d" % i)
    time.sleep(1)  # what would come of the second ones comes now


def short():
    """2,000, one after the other"""
    for i in range(2000):
        c = connect(9007)
        assert read_all(c)
        c.close()


def stalled():
    """a reader that never reads: the writer is stopped, after what the kernels' buffers hold"""
    c = connect(9006)
    c.setblocking(False)
    sent, idle_since = 0, time.monotonic()
    part = bytes(1 << 16)
    while time.monotonic() - idle_since < 1.5:
        try:
            sent += c.send(part)
            idle_since = time.monotonic()
        except BlockingIOError:
            time.sleep(0.02)
        assert sent < 64 << 20, "nobody stops it"


for name in sys.argv[2:]:
    try:
        print(name, globals()[name]() or "ok")
    except Exception as e:
        print(name, "FAILED: %s: %s" % (type(e).__name__, e))
    sys.stdout.flush()
