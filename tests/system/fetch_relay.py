#!/usr/bin/env python3
"""fetch_relay: stands where orb-adapter stands, and passes packets on.

orb-fetchd starts it with its own end as fd 3 and the listener for mapd as fd 4;
the test connects there and is the adapter.
"""
import os
import select
import socket
import sys

if os.environ.get("LISTEN_FDNAMES") != "http:mapd" or \
        os.environ.get("LISTEN_FDS") != "2" or "NOTIFY_SOCKET" in os.environ:
    sys.exit("fetch_relay: not started as an adapter is")
extra = [fd for fd in os.listdir("/proc/self/fd") if int(fd) > 4]
if len(extra) > 1:  # listdir's own
    sys.exit("fetch_relay: descriptors were left open: %s" % extra)
http = socket.socket(fileno=3)
listener = socket.socket(fileno=4)
test, _ = listener.accept()
while True:
    for s in select.select([http, test], [], [])[0]:
        data, fds, _, _ = socket.recv_fds(s, 65536, 1)
        if not data:
            sys.exit(0)
        socket.send_fds(test if s is http else http, [data], fds)
        for fd in fds:
            os.close(fd)
