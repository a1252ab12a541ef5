#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# peers.py TABLE.c [--moby FILE.json] [--podman FILE.json]
#
# Holds the table of internal/job/seccomp_default.c against the profiles that moby and podman
# publish (moby/profiles seccomp/default.json, containers/common pkg/seccomp/seccomp.json): what the
# table says of a peer is what the peer's file says, call by call; a group that differs from a peer
# is argued above it, by the peer's name; no call stands in two groups. Prints what is not so, and
# ends with status 1.
import collections
import json
import re
import sys

HERE = {"amd64", "x86", "x32", "arm64", "arm"}  # the architectures that the table is for
ELSEWHERE = {"riscv_hwprobe"}  # of other processors, in a rule that does not say so
ROW = re.compile(r"\{(\w+), (\w+), (\w+), (\w+),\s*((?:\"[^\"]*\"\s*)+)\}")


def rows(path):
    source = open(path).read()
    body = re.search(r"groups\[\] = \{\n(.*?)\n\};", source, re.S).group(1)
    end, above = 0, ""
    for match in ROW.finditer(body):
        comment = " ".join(re.findall(r"//(.*)", body[end:match.start()]))
        above = comment or above  # rows that follow one another share the argument of the first
        calls = "".join(re.findall(r"\"([^\"]*)\"", match.group(5))).split()
        end = match.end()
        yield match.group(1), match.group(2), match.group(3), match.group(4), above, calls


# What a job with docker's default capabilities, less those that bryo takes, meets: a word of the
# table. Several rules on one call: what allows it without a condition wins, as in libseccomp.
def published(path, unlisted):
    found = collections.defaultdict(set)
    for rule in json.load(open(path))["syscalls"]:
        needs, unless = rule.get("includes") or {}, rule.get("excludes") or {}
        if needs.get("arches") and not HERE & set(needs["arches"]):
            continue
        if rule["action"] == "SCMP_ACT_ALLOW":
            caps = tuple(needs.get("caps") or ())
            word = ("ARGS",) if rule.get("args") else ("NEEDS", *caps) if caps else ("ALLOW",)
        elif unless.get("caps"):
            continue  # the other side of a rule that asks for the capability
        else:
            word = ("ABSENT",) if rule.get("errnoRet") == 38 else ("REFUSE",)
        for name in rule["names"]:
            found[name].add(word)
    words = collections.defaultdict(lambda: (unlisted, set()))
    for name, said in found.items():
        caps = {cap for word in said if word[0] == "NEEDS" for cap in word[1:]}
        kinds = {word[0] for word in said}
        kind = next(k for k in ("ALLOW", "ARGS", "NEEDS", "ABSENT", "REFUSE") if k in kinds)
        words[name] = kind, caps
    return words


def same(verdict, cap, word):
    kind, caps = word
    if verdict == "NEEDS":
        return kind == "NEEDS" and cap in caps
    return kind == ("ALLOW" if verdict == "NEST" else verdict)


def main():
    table, options = sys.argv[1], dict(zip(sys.argv[2::2], sys.argv[3::2]))
    peers = {}
    if "--moby" in options:
        peers["moby"] = published(options["--moby"], "REFUSE")
    if "--podman" in options:
        peers["podman"] = published(options["--podman"], "ABSENT")
    wrong, seen = [], set()
    ruled = {"socket", "socketpair", "socketcall", "ioctl", "personality", "clone", "clone3", "unshare"}
    for verdict, cap, moby, podman, above, calls in rows(table):
        for peer, said in (("moby", moby), ("podman", podman)):
            if said != "SAME" and peer not in above and "peers" not in above:
                wrong.append("%s...: nothing is said of %s" % (calls[0], peer))
            if said == verdict and verdict != "NEEDS":
                wrong.append("%s...: %s for %s is the same" % (calls[0], said, peer))
        for call in calls:
            if call in seen:
                wrong.append("%s: twice" % call)
            seen.add(call)
            for peer, said in (("moby", moby), ("podman", podman)):
                if peer not in peers:
                    continue
                word = peers[peer][call]
                holds = same(verdict, cap, word) if said == "SAME" else said == word[0]
                if not holds or (said == "NEEDS" and same(verdict, cap, word)):
                    wrong.append("%s: %s here, %s has %s, and the table says %s"
                                 % (call, verdict, peer, " ".join([word[0], *sorted(word[1])]), said))
    for peer, words in peers.items():
        for call in sorted(set(words) - seen - ruled - ELSEWHERE):
            if words[call][0] in ("ALLOW", "NEEDS", "ARGS"):
                wrong.append("%s: only %s has it" % (call, peer))
    print("\n".join(wrong) if wrong else "%d calls" % len(seen))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
