#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A WebSocket (RFC 6455), both ends, for tests of a job's network.

  websocket.py serve PORT       echoes messages until the close frame
  websocket.py talk HOST PORT   sends messages of several sizes, both ways at once, pings, and closes;
                                prints "ok N" with the number of messages that came back whole
"""
import base64
import hashlib
import os
import socket
import struct
import sys
import threading

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
BINARY, CLOSE, PING, PONG = 2, 8, 9, 10
SIZES = [0, 1, 125, 126, 1000, 65535, 65536, 300000] * 5


def accept_of(key):
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


def header_lines(stream):
    lines = {}
    first = stream.readline()
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        lines[name.strip().lower()] = value.strip()
    return first, lines


def mask_of(data, key):
    n = len(data)
    whole = int.from_bytes((key * (n // 4 + 1))[:n], "big")
    return (int.from_bytes(data, "big") ^ whole).to_bytes(n, "big")


def send(sock, kind, data, masked):
    n = len(data)
    head = bytes([0x80 | kind])
    bit = 0x80 if masked else 0
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += bytes([bit | 126]) + struct.pack("!H", n)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", n)
    if masked:
        key = os.urandom(4)
        head, data = head + key, mask_of(data, key)
    sock.sendall(head + data)


def receive(stream):
    first, second = stream.read(2)
    n = second & 0x7F
    if n == 126:
        n = struct.unpack("!H", stream.read(2))[0]
    elif n == 127:
        n = struct.unpack("!Q", stream.read(8))[0]
    key = stream.read(4) if second & 0x80 else b""
    data = stream.read(n)
    return first & 15, mask_of(data, key) if key else data


def serve_one(sock):
    with sock, sock.makefile("rb") as stream:
        _, lines = header_lines(stream)
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_of(lines[b"sec-websocket-key"]) + b"\r\n\r\n"
        )
        while True:
            kind, data = receive(stream)
            send(sock, PONG if kind == PING else kind, data, False)
            if kind == CLOSE:
                return


def serve(port):
    s = socket.socket(socket.AF_INET6)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    s.listen(16)
    print("ready", flush=True)
    while True:
        threading.Thread(target=serve_one, args=(s.accept()[0],), daemon=True).start()


def talk(host, port):
    sock = socket.create_connection((host, port), 30)
    key = base64.b64encode(os.urandom(16))
    sock.sendall(
        b"GET /chat HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n\r\n" % (host.encode(), key)
    )
    stream = sock.makefile("rb")
    first, lines = header_lines(stream)
    assert first.split()[1] == b"101", first
    assert lines[b"sec-websocket-accept"] == accept_of(key), lines
    messages = [os.urandom(n) for n in SIZES]

    def out():
        for m in messages:
            send(sock, BINARY, m, True)
            send(sock, PING, b"still there", True)
        send(sock, CLOSE, struct.pack("!H", 1000), True)

    threading.Thread(target=out).start()
    whole = 0
    for m in messages:
        whole += receive(stream) == (BINARY, m)
        assert receive(stream) == (PONG, b"still there")
    assert receive(stream) == (CLOSE, struct.pack("!H", 1000))
    assert stream.read() == b""
    print("ok", whole)


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
else:
    talk(sys.argv[2], int(sys.argv[3]))
