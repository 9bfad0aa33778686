"""fetch_server: an HTTPS server that does what a test tells it, and a proxy.

Here: HTTP/1.1 by hand, so that answers can be cut, slow and wrong.  Not here:
HTTP/2 (nghttpx stands in front for that), what Graph and TOPdesk answer
(orb-sim).
"""
import gzip
import os
import socket
import ssl
import subprocess
import threading
import time


def certificates(directory):
    """A CA, and certificates for localhost and for another host."""
    def run(*args):
        subprocess.run(args, cwd=directory, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
        "ca.pem", "-subj", "/CN=fetch test CA", "-days", "2")
    for name, host in (("good", "localhost"), ("other", "other.test")):
        run("openssl", "req", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key",
            "-out", name + ".csr", "-subj", "/CN=" + host)
        with open(os.path.join(directory, "ext"), "w") as f:
            f.write("subjectAltName=DNS:%s\n" % host)
        run("openssl", "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-out",
            name + ".pem", "-extfile", "ext")


class Request:
    def __init__(self, method, path, headers, body, connection):
        self.method, self.path, self.headers = method, path, headers
        self.body, self.connection = body, connection


class Server:
    """handler(request, sock) sends an answer; returns False to close."""

    def __init__(self, certificate=None, directory="."):
        self.sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.sock.getsockname()[1]
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(
                os.path.join(directory, certificate + ".pem"),
                os.path.join(directory, certificate + ".key"))
        self.connections = 0
        self.requests = []
        self.handler = answer_ok
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,),
                             daemon=True).start()

    def close(self):
        self.sock.close()

    def serve(self, s):
        try:
            if self.context:
                s = self.context.wrap_socket(s, server_side=True)
            with self.lock:
                self.connections += 1
                number = self.connections
            f = s.makefile("rb")
            while True:
                r = read_request(f, number)
                if r is None:
                    break
                with self.lock:
                    self.requests.append(r)
                if self.handler(r, s) is False:
                    break
        except (OSError, ValueError):
            pass
        finally:
            try:
                s.close()
            except OSError:
                pass

    def seen(self, method=None):
        with self.lock:
            return [r for r in self.requests
                    if method is None or r.method == method]


def read_request(f, number):
    line = f.readline().decode()
    if not line:
        return None
    method, path, _ = line.split(" ", 2)
    headers = {}
    while True:
        line = f.readline().decode().strip()
        if not line:
            break
        k, v = line.split(":", 1)
        headers[k.lower()] = v.strip()
    body = f.read(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body, number)


def send(s, status, body=b"", headers=(), length=None):
    head = "HTTP/1.1 %d X\r\nContent-Length: %d\r\n" % (
        status, len(body) if length is None else length)
    for k, v in headers:
        head += "%s: %s\r\n" % (k, v)
    s.sendall(head.encode() + b"\r\n" + body)


def answer_ok(r, s):
    body = b"" if r.method == "HEAD" else \
        ("%s %s" % (r.method, r.path)).encode()
    send(s, 200, body, [("Content-Type", "text/plain"),
                        ("request-id", "req-1")])


def answer_gzip(r, s):
    send(s, 200, gzip.compress(b"squeezed " * 1000),
         [("Content-Encoding", "gzip"), ("Content-Type", "text/plain")])


class Proxy:
    """CONNECT to anywhere, with a header that comes in pieces."""

    def __init__(self, status=200):
        self.status = status
        self.asked = []
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                s, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(s,),
                             daemon=True).start()

    def close(self):
        self.sock.close()

    def serve(self, s):
        f = s.makefile("rb")
        line = f.readline().decode().split(" ")
        while f.readline().strip():
            pass
        self.asked.append(line[1])
        answer = b"HTTP/1.1 %d So\r\nVia: test\r\n\r\n" % self.status
        for i in range(0, len(answer), 7):
            s.sendall(answer[i:i + 7])
            time.sleep(0.002)
        if self.status != 200:
            s.close()
            return
        host, port = line[1].rsplit(":", 1)
        out = socket.create_connection((host, int(port)))
        threading.Thread(target=pump, args=(s, out), daemon=True).start()
        pump(out, s)


def pump(a, b):
    try:
        while True:
            data = a.recv(65536)
            if not data:
                break
            b.sendall(data)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        pass
