#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tar archives that no tar program would: craft.py WORD... >FILE

Words are taken in order; \\n, \\0, \\xNN and \\\\ stand for bytes.
  f NAME TEXT   file        d NAME          directory    l NAME TARGET   symbolic link
  h NAME TARGET hard link   p NAME          FIFO         c NAME / b NAME devices
  s NAME MAP DATA  file whose data is a pax 1.0 sparse map and what follows it
  t TYPE NAME   any type, without data
  key=value     for the next header: size mode uid gid mtime link prefix magic sum (text of the
                field, as it stands), big=NUMBER (size in GNU's binary form)
  x KEY VALUE   collects a pax record; it goes before the next header. xraw TEXT: as it stands
  g KEY VALUE   a global header of one record, graw TEXT: of what stands there
  L NAME, K NAME  GNU long name, long link
  raw TEXT      bytes as they are      block TEXT  filled up to 512      zeros N   N zero blocks
  end           the two zero blocks (not written by itself)
  times N WORDS ; the words N times, %d in them counting from 0
"""
import re
import sys


def unescape(text):
    raw = text.encode("utf-8", "surrogateescape")
    table = {b"n": b"\n", b"0": b"\0", b"\\": b"\\"}
    return re.sub(
        rb"\\(x[0-9a-f]{2}|[n0\\])",
        lambda m: bytes([int(m[1][1:], 16)]) if m[1][:1] == b"x" else table[m[1]],
        raw,
    )


class Writer:
    def __init__(self, out):
        self.out = out
        self.fields = {}
        self.pax = b""

    def pad(self, data):
        self.out.write(data + b"\0" * (-len(data) % 512))

    def header(self, kind, name, size=0, link=b""):
        f = self.fields
        self.fields = {}

        def octal(key, value, width):
            return f[key].ljust(width, b"\0") if key in f else b"%0*o\0" % (width - 1, value)

        size_field = octal("size", size, 12)
        if "big" in f:
            size_field = b"\x80" + int(f["big"]).to_bytes(11, "big")
        magic = {b"gnu": b"ustar  \0", b"v7": b"\0" * 8}.get(f.get("magic"), b"ustar\00000")
        block = b"".join([
            name[:100].ljust(100, b"\0"), octal("mode", 0o644, 8), octal("uid", 0, 8),
            octal("gid", 0, 8), size_field, octal("mtime", 1000000000, 12), b" " * 8, kind,
            f.get("link", link)[:100].ljust(100, b"\0"), magic, b"\0" * 64, b"0000000\0" * 2,
            f.get("prefix", b"")[:155].ljust(155, b"\0"), b"\0" * 12,
        ])
        total = b"%06o\0 " % sum(block)
        block = block[:148] + f.get("sum", total)[:8] + block[156:]
        self.out.write(block)

    def member(self, kind, name, data=b"", link=b""):
        if self.pax:
            keep, self.fields = self.fields, {}
            body, self.pax = self.pax, b""
            self.header(b"x", b"pax", len(body))
            self.pad(body)
            self.fields = keep
        self.header(kind, name, len(data), link)
        self.pad(data)

    @staticmethod
    def record(key, value):
        size = len(key) + len(value) + 3
        while True:
            text = b"%d %s=%s\n" % (size, key, value)
            if len(text) == size:
                return text
            size = len(text)

    def run(self, words):
        words = list(words)

        def take():
            return unescape(words.pop(0))

        while words:
            word = words.pop(0)
            if re.match(r"^[a-z]+=", word):
                key, value = word.split("=", 1)
                self.fields[key] = unescape(value)
            elif word == "f":
                self.member(b"0", take(), take())
            elif word in ("l", "h"):
                self.member(b"2" if word == "l" else b"1", take(), link=take())
            elif word == "s":
                name, body = take(), take()
                self.member(b"0", name, body + b"\0" * (-len(body) % 512) + take())
            elif word in ("d", "p", "c", "b"):
                if word == "d":
                    self.fields.setdefault("mode", b"0000755")
                self.member({"d": b"5", "p": b"6", "c": b"3", "b": b"4"}[word], take())
            elif word == "t":
                self.member(take(), take())
            elif word == "x":
                self.pax += self.record(take(), take())
            elif word == "xraw":
                self.pax += take()
            elif word in ("g", "graw"):
                body = self.record(take(), take()) if word == "g" else take()
                self.header(b"g", b"pax_global", len(body))
                self.pad(body)
            elif word in ("L", "K"):
                body = take() + b"\0"
                self.header(word.encode(), b"././@LongLink", len(body))
                self.pad(body)
            elif word == "raw":
                self.out.write(take())
            elif word == "block":
                self.pad(take())
            elif word == "zeros":
                self.out.write(b"\0" * 512 * int(words.pop(0)))
            elif word == "end":
                self.out.write(b"\0" * 1024)
            elif word == "times":
                count = int(words.pop(0))
                stop = words.index(";")
                body, words = words[:stop], words[stop + 1:]
                for i in range(count):
                    self.run([w.replace("%d", str(i)) for w in body])
            else:
                sys.exit("craft.py: " + word + "?")


Writer(sys.stdout.buffer).run(sys.argv[1:])
