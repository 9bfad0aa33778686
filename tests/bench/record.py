"""record: the requests that orb-sim wrote down (tests/sim/record.c), and what
kind each is: a poll, another read, a write.

Here: reading and sorting them.  Not here: runs (measure.py, changes.py,
writes.py).
"""
import collections
import os
import re
import statistics

Request = collections.namedtuple(
    "Request", "listener method path status bytes ms op kind")
OPERATION = re.compile(rb"<(?:soap:|s:)?Body[^>]*>\s*<(?:\w+:)?(\w+)")
EWS_WRITES = ("CreateItem", "UpdateItem", "DeleteItem")


def template(path):
    """A path without its ids, for counting."""
    parts = []
    for part in path.split("/"):
        if "@" in part or "%40" in part:
            part = "{mailbox}"
        elif len(part) > 100:
            part = "{event}"
        elif re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", part):
            part = "{id}"
        parts.append(part)
    return "/".join(parts)


def kind_of(listener, method, target, op):
    """poll: what is asked whether or not anything has changed.  ORB writes
    nothing in a $batch; only its polls of many calendars are in one."""
    if listener == "login" or method == "HEAD":
        return "other"
    if listener == "ews":
        return "poll" if op == "SyncFolderItems" else \
            "write" if op in EWS_WRITES else "read"
    if listener == "graph" and "/$batch" in target:
        return "poll"
    if method != "GET":
        return "write"
    if listener == "topdesk" and "/reservations?" in target and \
            "top=" in target:
        return "poll"
    return "read"


def read(path):
    """The requests of a file, in the order in which they were served."""
    out = []
    with open(path, "rb") as f:
        while True:
            head = f.readline().split()
            if not head:
                return out
            _, listener, method, status, size, ms, headers, body = head
            target = f.readline().decode().rstrip("\n")
            for _ in range(int(headers)):
                f.readline()
            data = f.read(int(body))
            f.seek(1, os.SEEK_CUR)
            listener, method = listener.decode(), method.decode()
            op = OPERATION.search(data) if listener == "ews" else None
            op = op.group(1).decode() if op else ""
            where = template(target.split("?")[0])
            out.append(Request(
                listener, method, where + ("/" + op if op else ""),
                int(status), int(size), int(ms), op,
                kind_of(listener, method, target, op)))


def by_endpoint(requests):
    count = collections.Counter(
        "%s %s %s" % (r.listener, r.method, r.path) for r in requests)
    return dict(count.most_common())


def spread(values):
    return {"min": min(values), "median": statistics.median(values),
            "max": max(values)}


def quantiles(values):
    v = sorted(values)
    return {name: v[min(len(v) - 1, int(len(v) * q))] for name, q in (
        ("p50", .5), ("p90", .9), ("p99", .99), ("max", 1))}


def polls_of(requests, seconds):
    """The requests cut into polls: groups between silences."""
    groups, last = [], None
    for r in requests:
        if last is None or r.ms - last > seconds * 400:
            groups.append([])
        groups[-1].append(r)
        last = r.ms
    return groups[1:-1]  # the outer two may be incomplete
