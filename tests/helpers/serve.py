#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""serve.py KIND ADDRESS PORT: a small server for tests of a job's network.

tcp   says "hello from ADDRESS to PEER", then echoes until the end of the stream
udp   echoes datagrams
Prints "ready" when it listens, and a line for each connection or datagram.
"""
import socket
import sys
import threading


def say(text):
    print(text, flush=True)


def peer_text(peer):
    return f"{peer[0].removeprefix('::ffff:')} {peer[1]}"


def tcp_one(conn, peer):
    with conn:
        own = conn.getsockname()[0]
        conn.sendall(f"hello from {own} to {peer[0]}\n".encode())
        while data := conn.recv(65536):
            conn.sendall(data)


def serve_tcp(sock):
    sock.listen(128)
    say("ready")
    while True:
        conn, peer = sock.accept()
        say(f"tcp {peer_text(peer)}")
        threading.Thread(target=tcp_one, args=(conn, peer), daemon=True).start()


def serve_udp(sock):
    say("ready")
    while True:
        data, peer = sock.recvfrom(65536)
        say(f"udp {peer_text(peer)} {len(data)}")
        sock.sendto(data, peer)


def main():
    kind, address, port = sys.argv[1:]
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, int(port)))
    {"tcp": serve_tcp, "udp": serve_udp}[kind](sock)


main()
