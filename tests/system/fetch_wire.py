"""fetch_wire: ORB's packets in Python, as daemon/PROTOCOL has them.

Here: what the tests of dial and http speak as keyd, ledgerd and the adapter.
Written from PROTOCOL and not made from messages.def, so that a change on one
side only is noticed.
"""
import array
import fcntl
import os
import socket
import struct

END, MEMFD = 1, 2
ERROR, DONE = 0x0001, 0x0002
DIAL_CONNECT, HTTP_CONNECTED, HTTP_DIAL_FAILED = 0x0101, 0x0201, 0x0202
HTTP_LEASE, HTTP_REQUEST, HTTP_HOLD, HTTP_INCIDENT = \
    0x0203, 0x0204, 0x0205, 0x0206
ADAPTER_RESPONSE, ADAPTER_CHUNK, ADAPTER_FAILED = 0x0301, 0x0302, 0x0303
KEYD_LEASE, LEDGERD_RECORDS = 0x0401, 0x0601
OUTCOMES = ("ok gone denied busy conflict refused unknown failed broken "
            "cursor stale unsupported").split()
METHODS = {"GET": 1, "POST": 2, "PATCH": 3, "PUT": 4, "DELETE": 5, "HEAD": 6}


def u8(v):
    return struct.pack(">B", v)


def u16(v):
    return struct.pack(">H", v)


def u32(v):
    return struct.pack(">I", v)


def u64(v):
    return struct.pack(">Q", v)


def text(s):
    b = s.encode()
    return u16(len(b)) + b + b"\0"


def blob(b):
    return u32(len(b)) + b


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise ValueError("the message is too short")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def text(self):
        n = self.number(2)
        b = self.take(n + 1)
        if b[-1] != 0:
            raise ValueError("the string does not end")
        return b[:-1].decode()

    def blob(self):
        return self.take(self.number(4))

    def end(self):
        if self.at != len(self.data):
            raise ValueError("%d bytes left over" % (len(self.data) - self.at))


class Packet:
    def __init__(self, data, fd=None):
        version, self.flags, self.type, length, self.id = \
            struct.unpack(">BBHIQ", data[:16])
        if version != 1 or len(data) != 16 + length:
            raise ValueError("a bad header")
        self.reader = Reader(data[16:])
        self.fd = fd


def packet(type_, id_, flags, payload):
    return struct.pack(">BBHIQ", 1, flags, type_, len(payload), id_) + payload


def send(sock, data):
    """Sends a packet; what is too large for one goes in a sealed memfd."""
    if len(data) <= 16384:
        sock.send(data)
        return
    fd = os.memfd_create("orb", os.MFD_ALLOW_SEALING)
    os.write(fd, data[16:])
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE |
                fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    pass_on(sock, data[:1] + bytes([data[1] | MEMFD]) + data[2:16], fd)
    os.close(fd)


def pass_on(sock, data, fd):
    anc = [] if fd is None else [(socket.SOL_SOCKET, socket.SCM_RIGHTS,
                                  array.array("i", [fd]))]
    sock.sendmsg([data], anc)


def receive(sock):
    """The next packet, or None at the end."""
    data, anc, _, _ = sock.recvmsg(65536, socket.CMSG_SPACE(4))
    fd = None
    for level, kind, value in anc:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds = array.array("i")
            fds.frombytes(value[:4])
            fd = fds[0]
    return Packet(data, fd) if data else None


def http_request(id_, method, path, body=b"", idempotent=None, accept="",
                 content_type="", prefer="", correlation="", anchor="",
                 if_match=""):
    if idempotent is None:
        idempotent = method in ("GET", "HEAD")
    number = METHODS.get(method, method)
    return packet(HTTP_REQUEST, id_, 0, u8(number) + u8(int(idempotent)) +
                  text(path) + text(accept) + text(content_type) +
                  text(prefer) + text(correlation) + text(anchor) +
                  text(if_match) + blob(body))


def records(reader):
    """The records of LEDGERD_RECORDS, as dictionaries."""
    out = []
    reader.number(1)
    count = reader.number(4)
    items = Reader(reader.blob())
    for _ in range(count):
        r = {"event": items.number(2), "upstream": items.number(1),
             "status": items.number(2), "booking": items.blob(),
             "room": items.text(), "remote_id": items.text(),
             "request_id": items.text(), "lease": items.number(8),
             "before": items.blob(), "after": items.blob(),
             "text": items.text()}
        out.append(r)
    items.end()
    reader.end()
    return out
