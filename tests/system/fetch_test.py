#!/usr/bin/env python3
"""fetch_test: orb-dial and orb-fetchd against a server that misbehaves.

Both run as they are, under their seccomp lists; keyd, ledgerd and the adapter
are this test (fetch_orb.py).
"""
import email.utils
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fetch_server as fs
import fetch_wire as wire
import tap
from fetch_orb import Orb, PASSWORD, TENANT, wait_for

EV_REQUEST, EV_LOGIN_FAILED, EV_CONNECT_FAILED = 8, 9, 10
EV_REDIRECT_REFUSED, EV_THROTTLED = 12, 14
CANARY = "token-canary-7f3a"


class Base(unittest.TestCase):
    certificate, upstream, options, dial = "good", "topdesk", "", True

    @classmethod
    def setUpClass(cls):
        cls.certs = tempfile.mkdtemp(prefix="orb-certs.")
        fs.certificates(cls.certs)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.certs)

    def setUp(self):
        self.server = fs.Server(self.certificate, self.certs)
        self.start()

    def start(self, port=None, **more):
        more.setdefault("upstream", self.upstream)
        more.setdefault("options", self.options)
        more.setdefault("dial", self.dial)
        self.orb = Orb(port or self.server.port, self.certs, **more)

    def tearDown(self):
        rc, took = self.orb.stop()
        self.server.close()
        self.assertEqual(rc, 0)
        self.assertLess(took, 2.5)

    def again(self, **more):
        """Ends ORB and starts it with other options."""
        self.orb.stop()
        self.start(**more)


class Plain(Base):
    def test_get(self):
        """GET: one packet, the credential in its header, a record"""
        a = self.orb.get("/reservations/1234-abc?x=1")
        self.assertEqual((a.status, a.packets), (200, 1))
        self.assertEqual(a.body, b"GET /tas/api/reservations/1234-abc?x=1")
        self.assertEqual((a.content_type, a.request_id),
                         ("text/plain", "req-1"))
        r = self.server.seen("GET")[0]
        self.assertEqual(r.headers["authorization"], PASSWORD)
        self.assertEqual(r.headers["accept"], "application/json")
        self.assertTrue(r.headers["user-agent"].startswith("orb/"))
        self.assertNotIn("client-request-id", r.headers)
        self.assertTrue(wait_for(lambda: self.orb.events(EV_REQUEST)))
        rec = self.orb.events(EV_REQUEST)[0]
        self.assertEqual((rec["text"], rec["status"], rec["lease"],
                          rec["request_id"]),
                         ("GET /reservations/*", 200, 1, "req-1"))

    def test_lease_after_verify(self):
        """the first request carries no credential; keyd is told host and key"""
        self.orb.get("/version")
        first = self.server.seen()[0]
        self.assertEqual((first.method, first.path), ("HEAD", "/tas/api"))
        self.assertNotIn("authorization", first.headers)
        ask = self.orb.leases[0]
        self.assertEqual((ask["host"], ask["port"]),
                         ("localhost", self.server.port))
        spki = subprocess.run(
            "openssl x509 -in good.pem -pubkey -noout | openssl pkey -pubin "
            "-outform DER | openssl dgst -sha256 -binary", shell=True,
            cwd=self.certs, capture_output=True, check=True).stdout
        self.assertEqual(ask["spki"], spki)

    def test_methods(self):
        """POST, PATCH, PUT, DELETE, HEAD; bodies and their headers"""
        a = self.orb.post("/reservations", b'{"a":1}',
                          content_type="application/json", prefer="p=1")
        self.assertEqual(a.status, 200)
        self.orb.post("/reservations/1/cancel", b"")
        for m in ("PATCH", "PUT", "DELETE", "HEAD", "GET"):
            body = b"{}" if m in ("PATCH", "PUT") else b""
            self.assertEqual(self.orb.collect(self.orb.ask(
                m, "/persons", body=body)).status, 200)
        post, cancel = self.server.seen("POST")
        self.assertEqual(post.body, b'{"a":1}')
        self.assertEqual(post.headers["content-type"], "application/json")
        self.assertEqual(post.headers["prefer"], "p=1")
        self.assertNotIn("expect", post.headers)
        self.assertEqual(cancel.headers["content-length"], "0")
        self.assertNotIn("content-type", cancel.headers)
        self.assertEqual([r.method for r in self.server.seen()][-5:],
                         ["PATCH", "PUT", "DELETE", "HEAD", "GET"])

    def test_large_upload(self):
        """a body of 2 MiB, which comes in a sealed memfd"""
        body = os.urandom(2 << 20)
        a = self.orb.post("/reservations", body)
        self.assertEqual(a.status, 200)
        self.assertEqual(self.server.seen("POST")[0].body, body)

    def test_reuse(self):
        """200 requests, 8 at a time: as many connections as allowed"""
        ids = [self.orb.ask("GET", "/persons?n=%d" % i) for i in range(200)]
        for i, id_ in enumerate(ids):
            self.assertEqual(self.orb.collect(id_).body,
                             b"GET /tas/api/persons?n=%d" % i)
        self.assertLessEqual(self.server.connections, 4)
        self.assertEqual(len(self.orb.leases), 1)
        self.assertTrue(wait_for(
            lambda: len(self.orb.events(EV_REQUEST)) == 200))

    def test_first_alone(self):
        """a credential that was never accepted is tried once at a time"""
        now, most = [0], [0]

        def handler(r, s):
            now[0] += 1
            most[0] = max(most[0], now[0])
            time.sleep(0.1)
            now[0] -= 1
            fs.send(s, 401)
        self.server.handler = handler
        ids = [self.orb.ask("GET", "/persons") for _ in range(20)]
        for id_ in ids:
            a = self.orb.collect(id_)
            self.assertEqual(a.outcome, "denied")
        self.assertEqual(most[0], 1)
        # One new lease, then two tries in all, whatever is asked.
        self.assertEqual(len(self.server.seen("GET")), 2)
        self.assertEqual(len(self.orb.leases), 2)
        self.assertEqual(self.orb.get("/persons").outcome, "denied")
        self.assertEqual(len(self.server.seen("GET")), 2)
        self.assertTrue(wait_for(lambda: self.orb.events(EV_LOGIN_FAILED)))
        self.assertIn("orbctl credential set",
                      self.orb.events(EV_LOGIN_FAILED)[0]["text"])

    def test_renew(self):
        """401 after a good time: a new lease, and the POST is repeated"""
        self.orb.get("/version")
        seen = []

        def handler(r, s):
            seen.append(r.method)
            if seen.count("POST") == 1 and r.method == "POST":
                fs.send(s, 401)
            else:
                fs.answer_ok(r, s)
        self.server.handler = handler
        a = self.orb.post("/reservations", b"{}")
        self.assertEqual(a.status, 200)
        self.assertEqual(seen.count("POST"), 2)
        self.assertEqual(len(self.orb.leases), 2)

    def test_lease_refused(self):
        """keyd has no credential: denied, with keyd's own words"""
        self.orb.lease_error = "no credential: orbctl credential set topdesk"
        a = self.orb.get("/version")
        self.assertEqual(a.outcome, "denied")
        self.assertIn("orbctl credential set topdesk", a.text)
        self.assertEqual(self.server.seen("GET"), [])
        self.assertTrue(wait_for(lambda: any(
            "orbctl credential set" in s for s in self.orb.status)))

    def test_forbidden_paths(self):
        """paths and headers that the adapter may not ask for"""
        for path in ("version", "//x/../y", "/a/..", "/a/%2e%2E/b", "/.",
                     "/a b", "/a#b", "/a\\b", "/\u00e9", ""):
            a = self.orb.get(path)
            self.assertEqual((a.outcome, path), ("refused", path))
        self.assertEqual(self.orb.get("/version", accept="a\u00e9").outcome,
                         "refused")
        # The headers that are only for Exchange.
        for name in ("anchor", "if_match"):
            self.assertEqual(self.orb.get("/version", **{name: "a"}).outcome,
                             "refused")
        self.assertEqual(self.orb.collect(self.orb.ask(99, "/x")).outcome,
                         "refused")
        self.assertEqual(self.server.seen(), [])
        self.assertEqual(self.orb.get("/a..b/x?y=../z").status, 200)

    def test_redirect(self):
        """a redirect is refused and recorded, not followed"""
        self.server.handler = lambda r, s: fs.send(
            s, 302 if r.method == "GET" else 200, b"",
            [("Location", "https://evil.test/")])
        a = self.orb.get("/version")
        self.assertEqual(a.outcome, "broken")
        self.assertIn("302", a.text)
        self.assertTrue(wait_for(
            lambda: self.orb.events(EV_REDIRECT_REFUSED)))

    def test_no_compression(self):
        """no compression is asked for, and none is undone"""
        self.orb.get("/version")
        self.assertNotIn("accept-encoding",
                         self.server.seen("GET")[-1].headers)
        self.server.handler = fs.answer_gzip
        self.assertEqual(self.orb.get("/version").body[:2], b"\x1f\x8b")

    def test_headers(self):
        """Last-Modified and Retry-After reach the adapter"""
        at = 1750000000
        self.server.handler = lambda r, s: fs.send(s, 404, b"x", [
            ("Last-Modified", email.utils.formatdate(at, usegmt=True)),
            ("Retry-After", "7")])
        a = self.orb.get("/version")
        self.assertEqual((a.status, a.modified, a.retry_after), (404, at, 7))

    def test_stop_under_load(self):
        """SIGTERM while a request is under way"""
        self.server.handler = lambda r, s: \
            fs.answer_ok(r, s) if r.method == "HEAD" else time.sleep(5)
        self.orb.ask("GET", "/version")
        self.assertTrue(wait_for(lambda: self.server.seen("GET")))

    def test_keyd_gone(self):
        """without keyd the process ends in order, to be started again"""
        self.orb.get("/version")
        self.orb.serve_keyd_chan.shutdown(socket.SHUT_RDWR)
        self.assertEqual(self.orb.fetchd.wait(8), 0)
        self.orb.fetchd.returncode = 0

    def test_dial_again(self):
        """dial is killed and comes back; requests go on"""
        self.orb.get("/version")
        self.orb.dial.kill()
        self.orb.dial.wait()
        self.orb.dial = self.orb.start_dial()
        self.assertTrue(all(self.orb.collect(i).status == 200 for i in
                            [self.orb.ask("GET", "/x") for _ in range(20)]))


class Broken(Base):
    def fail_once(self, method, fault):
        self.count = 0

        def handler(r, s):
            if r.method != method:
                return fs.answer_ok(r, s)
            self.count += 1
            if self.count == 1:
                return fault(r, s)
            return fs.answer_ok(r, s)
        self.server.handler = handler

    def test_throttled(self):
        """429 with Retry-After: nothing is sent meanwhile, then the POST again"""
        self.orb.get("/version")
        self.fail_once("POST", lambda r, s: fs.send(
            s, 429, b"", [("Retry-After", "2")]))
        begin = time.monotonic()
        first = self.orb.ask("POST", "/reservations", body=b"{}")
        time.sleep(0.3)
        other = self.orb.ask("GET", "/persons")
        self.assertEqual(self.orb.collect(first).status, 200)
        self.assertEqual(self.orb.collect(other).status, 200)
        self.assertGreaterEqual(time.monotonic() - begin, 2)
        self.assertTrue(wait_for(lambda: self.orb.events(EV_THROTTLED)))

    def test_throttled_without_time(self):
        """429 without Retry-After: ORB's own pause"""
        self.fail_once("GET", lambda r, s: fs.send(s, 429))
        begin = time.monotonic()
        self.assertEqual(self.orb.get("/version").status, 200)
        self.assertGreaterEqual(time.monotonic() - begin, 1)

    def test_hold(self):
        """HTTP_HOLD closes the gate too"""
        self.orb.get("/version")
        self.orb.chan.send(wire.packet(wire.HTTP_HOLD, 0, 0, wire.u32(2) +
                                       wire.text("batch says 429")))
        begin = time.monotonic()
        self.assertEqual(self.orb.get("/version").status, 200)
        self.assertGreaterEqual(time.monotonic() - begin, 1.9)

    def test_server_error(self):
        """502: a GET is repeated, a POST is handed on"""
        self.fail_once("GET", lambda r, s: fs.send(s, 502, b"bad"))
        self.assertEqual(self.orb.get("/version").status, 200)
        self.fail_once("POST", lambda r, s: fs.send(s, 502, b"bad"))
        a = self.orb.post("/reservations", b"{}")
        self.assertEqual((a.status, a.body, self.count), (502, b"bad", 1))

    def test_cut(self):
        """cut before the answer: GET again, POST unknown and sent once"""
        for body in (b"{}", b""):
            self.orb.get("/version")
            self.fail_once("POST", lambda r, s: False)
            a = self.orb.post("/reservations", body)
            self.assertEqual((a.outcome, self.count), ("unknown", 1))
        self.fail_once("DELETE", lambda r, s: False)
        self.orb.get("/version")
        a = self.orb.collect(self.orb.ask("DELETE", "/reservations/1"))
        self.assertEqual((a.outcome, self.count), ("unknown", 1))
        self.fail_once("GET", lambda r, s: False)
        self.assertEqual(self.orb.get("/version").status, 200)

    def test_half(self):
        """cut in the middle: a small GET again, a large one failed"""
        self.fail_once("GET", lambda r, s: fs.send(s, 200, b"half", length=99)
                       or False)
        self.assertEqual(self.orb.get("/version").body,
                         b"GET /tas/api/version")
        self.fail_once("GET", lambda r, s: fs.send(
            s, 200, b"x" * 50000, length=99999) or False)
        self.assertEqual(self.orb.get("/version").outcome, "failed")
        self.fail_once("POST", lambda r, s: fs.send(s, 201, b"h", length=9)
                       or False)
        self.assertEqual(self.orb.post("/x", b"{}").outcome, "unknown")

    def test_idle_closed(self):
        """the server closes idle connections: the next requests get new ones"""
        self.orb.get("/version")
        self.server.handler = lambda r, s: fs.answer_ok(r, s) or False
        for _ in range(10):
            self.assertEqual(self.orb.get("/version").status, 200)

    def test_large_slow_reader(self):
        """20 MiB to an adapter that does not read: the transfer stands still"""
        size = 20 << 20
        sent = [0]

        def handler(r, s):
            if r.method == "HEAD":
                return fs.answer_ok(r, s)
            s.sendall(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % size)
            for _ in range(size // 65536):
                s.sendall(b"y" * 65536)
                sent[0] += 65536
            return None
        self.server.handler = handler
        id_ = self.orb.ask("GET", "/version")
        time.sleep(1.5)
        stood = sent[0]
        time.sleep(0.5)
        self.assertEqual(sent[0], stood)
        self.assertLess(stood, 12 << 20)
        a = self.orb.collect(id_, 60)
        self.assertEqual((a.status, len(a.body)), (200, size))
        self.assertEqual(a.body.count(b"y"), size)

    def test_too_large(self):
        """an answer of more than 64 MiB: broken, and the process lives"""
        self.orb.get("/version")

        def handler(r, s):
            s.sendall(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                s.sendall(b"10000\r\n" + b"z" * 65536 + b"\r\n")
        self.server.handler = handler
        a = self.orb.get("/version", timeout=60)
        self.assertEqual(a.outcome, "broken")
        self.assertIn("64 MiB", a.text)
        self.server.handler = fs.answer_ok
        self.assertEqual(self.orb.get("/version").status, 200)

    def test_timeout(self):
        """no answer within request_timeout: POST unknown"""
        self.again(options="request_timeout = 1;")
        self.orb.get("/version")
        self.fail_once("POST", lambda r, s: time.sleep(4))
        a = self.orb.post("/reservations", b"{}")
        self.assertEqual(a.outcome, "unknown")
        self.assertIn("request_timeout", a.text)
        self.fail_once("GET", lambda r, s: s.sendall(
            b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nx") or time.sleep(4))
        self.assertEqual(self.orb.get("/version").status, 200)

    def test_not_http(self):
        """an answer that is not HTTP, headers without end"""
        self.fail_once("GET", lambda r, s: s.sendall(b"SSH-2.0-x\r\n\r\n")
                       or False)
        self.assertEqual(self.orb.get("/version").status, 200)
        self.fail_once("POST", lambda r, s: s.sendall(
            b"HTTP/1.1 200 X\r\n" + b"A: b\r\n" * 200000) or False)
        self.assertEqual(self.orb.post("/x", b"{}").outcome, "unknown")


class Untrusted(Base):
    certificate = "other"

    def test_wrong_host(self):
        """a certificate for another host: failed, and keyd is not asked"""
        a = self.orb.get("/version")
        self.assertEqual(a.outcome, "failed")
        self.assertEqual(self.orb.leases, [])
        self.assertEqual(self.server.seen(), [])
        self.assertTrue(wait_for(
            lambda: self.orb.events(EV_CONNECT_FAILED)))

    def test_wrong_ca(self):
        """a certificate of an unknown CA: failed, and keyd is not asked"""
        self.orb.stop()
        other = tempfile.mkdtemp(prefix="orb-certs.")
        fs.certificates(other)
        self.server = fs.Server("good", other)
        self.start()
        a = self.orb.get("/version")
        shutil.rmtree(other)
        self.assertEqual(a.outcome, "failed")
        self.assertIn("certificate", a.text)
        self.assertEqual(self.orb.leases, [])
        # At once the same answer, without another connection.
        self.assertEqual(self.orb.get("/version").outcome, "failed")
        self.assertEqual(self.server.connections, 0)

    def test_not_tls(self):
        """a server that does not speak TLS"""
        self.orb.stop()
        self.server = fs.Server()
        self.start()
        self.assertEqual(self.orb.get("/version").outcome, "failed")
        self.assertEqual(self.orb.leases, [])

    def test_nobody(self):
        """nobody listens: the reason names address and cause"""
        self.orb.stop()
        s = socket.create_server(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        self.start(port)
        a = self.orb.get("/version")
        self.assertEqual(a.outcome, "failed")
        self.assertIn("Connection refused", a.text)
        self.assertIn(":%d" % port, a.text)
        self.assertTrue(wait_for(lambda: any(
            "Connection refused" in s for s in self.orb.status)))

    def test_no_name(self):
        """a name that does not resolve: DNS is named, and the time is bounded"""
        self.again(host="no-such-host.invalid")
        a = self.orb.get("/version", timeout=40)
        self.assertEqual(a.outcome, "failed")
        self.assertIn("DNS: no address for no-such-host.invalid", a.text)
        self.assertIsNone(self.orb.dial.poll())

    def test_no_dial(self):
        """orb-dial does not run: said so, after connect_timeout"""
        self.again(dial=False, options="connect_timeout = 1;")
        a = self.orb.get("/version")
        self.assertEqual(a.outcome, "failed")
        self.assertIn("orb-dial", a.text)


class Ews(Base):
    """Exchange Server: one address, Basic, SOAP."""
    upstream = "exchange"
    path = "/EWS/Exchange.asmx"
    exchange = ('kind = "ews"; ews_login = "svc-orb"; '
                'ews_url = "https://localhost:%(port)d/EWS/Exchange.asmx";')

    def start(self, port=None, **more):
        super().start(port, exchange=self.exchange, **more)

    def test_request(self):
        """HEAD, lease, then the one address, with its own headers"""
        a = self.orb.post("/", b"<x/>", content_type="text/xml; charset=utf-8",
                          accept="text/xml", anchor="room@x.test",
                          if_match='W/"1"', correlation="11-22")
        self.assertEqual(a.status, 200)
        head, post = self.server.seen()
        self.assertEqual((head.method, head.path), ("HEAD", self.path))
        self.assertNotIn("authorization", head.headers)
        self.assertEqual((post.method, post.path), ("POST", self.path))
        h = post.headers
        self.assertEqual(h["authorization"], PASSWORD)
        self.assertEqual(h["content-type"], "text/xml; charset=utf-8")
        self.assertEqual(h["x-anchormailbox"], "room@x.test")
        self.assertEqual(h["if-match"], 'W/"1"')
        self.assertEqual(h["client-request-id"], "11-22")
        self.assertTrue(h["user-agent"].startswith("orb/"))
        self.assertNotIn("expect", h)
        ask = self.orb.leases[0]
        self.assertEqual((ask["host"], ask["port"]),
                         ("localhost", self.server.port))
        self.assertTrue(wait_for(lambda: self.orb.events(EV_REQUEST)))
        self.assertEqual(self.orb.events(EV_REQUEST)[0]["text"],
                         "POST /EWS/Exchange.asmx")

    def test_most_headers(self):
        """all the headers there are, as long as they may be"""
        a = self.orb.post("/", b"<x/>", accept="a" * 160, prefer="p" * 200,
                          content_type="c" * 100, correlation="i" * 64,
                          anchor="m" * 254, if_match="e" * 256)
        self.assertEqual(a.status, 200)
        h = self.server.seen("POST")[0].headers
        self.assertEqual((len(h["accept"]), len(h["prefer"]),
                          len(h["content-type"]), len(h["x-anchormailbox"]),
                          len(h["if-match"])), (160, 200, 100, 254, 256))
        self.assertEqual(h["return-client-request-id"], "true")

    def test_forbidden(self):
        """no other path, and no header that breaks its line"""
        for path in ("", "/x", "//", "/?x=1", "/.."):
            a = self.orb.post(path, b"<x/>")
            self.assertEqual((a.outcome, path), ("refused", path))
        for name in ("anchor", "if_match"):
            a = self.orb.post("/", b"<x/>", **{name: "r\u00e9@x.test"})
            self.assertEqual((a.outcome, name), ("refused", name))
        self.assertEqual(self.server.seen(), [])

    def test_line_breaks(self):
        """a line break in a header: not a message at all"""
        for name in ("anchor", "if_match"):
            self.orb.ask("POST", "/", body=b"<x/>",
                         **{name: "a\r\nHost: evil.test"})
            self.orb.fetchd.wait(10)
            self.assertIn("broke the protocol", self.orb.said())
            self.assertEqual(self.server.seen(), [])
            self.again()

    def test_locked_out(self):
        """401: two tries in all, then a long pause, whatever is asked"""
        self.server.handler = lambda r, s: fs.send(
            s, 401, headers=[("WWW-Authenticate", "Negotiate")])
        ids = [self.orb.ask("POST", "/", body=b"<x/>") for _ in range(20)]
        for id_ in ids:
            self.assertEqual(self.orb.collect(id_).outcome, "denied")
        time.sleep(4)
        a = self.orb.post("/", b"<x/>")
        self.assertEqual(a.outcome, "denied")
        self.assertIn("orbctl credential set exchange", a.text)
        self.assertIn("Basic", a.text)
        self.assertEqual(len(self.server.seen("POST")), 2)
        self.assertEqual(len(self.orb.leases), 2)
        self.assertTrue(wait_for(lambda: self.orb.events(EV_LOGIN_FAILED)))

    def test_fault(self):
        """a SOAP fault comes with 500: to the adapter, once, with its body"""
        self.server.handler = lambda r, s: fs.send(
            s, 500, b"<fault/>", [("Content-Type", "text/xml")])
        a = self.orb.post("/", b"<x/>", idempotent=True)
        self.assertEqual((a.status, a.body), (500, b"<fault/>"))
        self.assertEqual(len(self.server.seen("POST")), 1)

    def test_token_lease(self):
        """a lease for a token request is not sent as a header"""
        self.orb.lease = (1, 600, b"grant_type=client_credentials")
        self.assertEqual(self.orb.post("/", b"<x/>").outcome, "denied")
        self.assertEqual(self.server.seen("POST"), [])


class Exchange(Base):
    upstream = "exchange"

    def setUp(self):
        super().setUp()
        self.tokens = 0
        self.fault = None
        self.server.handler = self.handler
        self.orb.lease = (1, 600, b"grant_type=client_credentials&a=b")

    def handler(self, r, s):
        if not r.path.endswith("/token"):
            ok = r.headers.get("authorization") == "Bearer %s%d" % (
                CANARY, self.tokens)
            if r.method == "HEAD" or ok:
                return fs.answer_ok(r, s)
            return fs.send(s, 401)
        if self.fault:
            status, body = self.fault
            return fs.send(s, status, json.dumps(body).encode())
        self.tokens += 1
        return fs.send(s, 200, json.dumps({
            "token_type": "Bearer", "expires_in": self.life,
            "access_token": "%s%d" % (CANARY, self.tokens)}).encode(),
            [("Content-Type", "application/json")])
    life = 3599

    def test_token(self):
        """HEAD to the login host, lease, token, then the request"""
        a = self.orb.get("/users/r@x.test/calendarView/delta?a=b",
                         correlation="11-22", prefer="a, b")
        self.assertEqual(a.status, 200)
        head, post, get = self.server.seen()
        self.assertEqual((head.method, head.path), ("HEAD", "/login"))
        self.assertEqual(post.path, "/login/%s/oauth2/v2.0/token" % TENANT)
        self.assertEqual(post.body, b"grant_type=client_credentials&a=b")
        self.assertEqual(post.headers["content-type"],
                         "application/x-www-form-urlencoded")
        self.assertEqual(get.path,
                         "/v1.0/users/r@x.test/calendarView/delta?a=b")
        self.assertEqual(get.headers["client-request-id"], "11-22")
        self.assertEqual(get.headers["return-client-request-id"], "true")
        self.assertTrue(wait_for(
            lambda: len(self.orb.events(EV_REQUEST)) == 2))
        self.assertEqual([r["text"] for r in self.orb.events(EV_REQUEST)],
                         ["POST /*/oauth2/v2.0/token",
                          "GET /users/*/calendarView/delta"])
        everything = self.orb.said() + str(self.orb.records) + \
            str(self.orb.status)
        self.assertNotIn(CANARY, everything)
        self.assertNotIn("r@x.test", everything)

    def test_refresh(self):
        """a token near its end is renewed while the old one serves"""
        self.life = 3
        end = time.monotonic() + 5
        while time.monotonic() < end:
            self.assertEqual(self.orb.get("/users").status, 200)
            time.sleep(0.05)
        self.assertGreaterEqual(self.tokens, 2)
        self.assertLessEqual(self.tokens, 8)

    def test_refused(self):
        """invalid_client: the other key once, then denied with the number"""
        self.fault = (401, {"error": "invalid_client",
                            "error_codes": [700027],
                            "error_description": "AADSTS700027: secret"})
        a = self.orb.get("/users")
        self.assertEqual(a.outcome, "denied")
        self.assertIn("AADSTS700027", a.text)
        self.assertEqual([x["refused"] for x in self.orb.leases],
                         ["", "key1"])
        self.orb.get("/users")
        self.assertEqual(len(self.orb.leases), 2)
        self.assertTrue(wait_for(
            lambda: len(self.orb.events(EV_LOGIN_FAILED)) == 2))

    def test_other_key(self):
        """the second key is taken"""
        def handler(r, s):
            if r.path.endswith("/token") and len(self.orb.leases) < 2:
                fs.send(s, 401, b'{"error":"invalid_client"}')
                return None
            return self.handler(r, s)
        self.server.handler = handler
        self.assertEqual(self.orb.get("/users").status, 200)

    def test_bad_tokens(self):
        """token answers that cannot be used"""
        for body in ({"token_type": "Bearer", "expires_in": 9,
                      "access_token": "a\r\nX: y"},
                     {"token_type": "mac", "expires_in": 9,
                      "access_token": "a"}, [], {}):
            self.fault = (200, body)
            a = self.orb.get("/users")
            self.assertEqual(a.outcome, "broken")
            self.again()
            self.orb.lease = (1, 600, b"x=y")
        self.fault = (503, {})
        self.assertEqual(self.orb.get("/users").outcome, "busy")

    def test_token_too_large(self):
        """a token answer without end"""
        self.fault = (200, {"x": "y" * 70000})
        self.assertEqual(self.orb.get("/users").outcome, "failed")


class Proxied(Base):
    def setUp(self):
        self.server = fs.Server("good", self.certs)
        self.proxy = fs.Proxy()
        self.start(options='proxy = "http://127.0.0.1:%d";' % self.proxy.port)

    def tearDown(self):
        super().tearDown()
        self.proxy.close()

    def test_proxy(self):
        """through CONNECT, TLS ends in http"""
        self.assertEqual(self.orb.get("/version").status, 200)
        self.assertEqual(self.proxy.asked,
                         ["localhost:%d" % self.server.port])

    def test_proxy_refuses(self):
        """the proxy's number is in the reason"""
        for status in (407, 503):
            self.proxy.status = status
            a = self.orb.get("/version")
            self.assertEqual(a.outcome, "failed")
            self.assertIn("proxy answered %d" % status, a.text)
            self.again(options='proxy = "http://127.0.0.1:%d";' %
                       self.proxy.port)

    def test_tinyproxy(self):
        """a real one"""
        if shutil.which("tinyproxy") is None:
            self.skipTest("tinyproxy is not installed")
        s = socket.create_server(("127.0.0.1", 0))
        port = s.getsockname()[1]
        s.close()
        conf = os.path.join(self.certs, "tiny.conf")
        with open(conf, "w") as f:
            f.write("Port %d\nListen 127.0.0.1\nTimeout 60\nLogLevel Error\n"
                    "LogFile \"%s/tiny.log\"\n" % (port, self.certs))
        p = subprocess.Popen(["tinyproxy", "-d", "-c", conf],
                             stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            self.again(options='proxy = "http://127.0.0.1:%d";' % port)
            self.assertTrue(wait_for(
                lambda: self.orb.get("/version").status == 200, 15))
        finally:
            p.kill()
            p.wait()


class Dial(Base):
    """orb-dial alone, with the test as http."""
    dial = False

    def setUp(self):
        super().setUp()
        self.orb.fetchd.terminate()
        self.orb.fetchd.wait()
        os.unlink(self.orb.path("fetchd-topdesk-dial.sock"))
        self.listener = self.orb.listener("fetchd-topdesk-dial.sock")
        self.begin()

    def begin(self):
        self.process = self.orb.start_dial()
        self.chan, _ = self.listener.accept()

    def tearDown(self):
        self.process.terminate()
        self.assertEqual(self.process.wait(5), 0)
        self.orb.chan.close()
        self.orb.log.close()
        self.orb.temp.cleanup()
        self.server.close()

    def connect(self, host, port, id_=1):
        self.chan.send(wire.packet(wire.DIAL_CONNECT, id_, 0,
                                   wire.text(host) + wire.u16(port)))
        return wire.receive(self.chan)

    def test_connected(self):
        """a connected descriptor and its address"""
        p = self.connect("localhost", self.server.port)
        self.assertEqual(p.type, wire.HTTP_CONNECTED)
        self.assertIn(":%d" % self.server.port, p.reader.text())
        s = socket.socket(fileno=p.fd)
        self.assertEqual(s.getpeername()[1], self.server.port)
        self.assertTrue(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.assertTrue(s.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE))
        s.close()

    def test_foreign_host(self):
        """other hosts and other ports are refused and logged"""
        for host, port in (("example.com", self.server.port),
                           ("localhost", 22), ("127.0.0.1", self.server.port),
                           ("", 0)):
            p = self.connect(host, port)
            self.assertEqual(p.type, wire.HTTP_DIAL_FAILED)
            p.reader.number(2)
            self.assertEqual(p.reader.text(), "not a host of this upstream")
        self.assertIn("refused to connect to example.com", self.orb.said())

    def test_many(self):
        """several at a time"""
        for i in range(16):
            self.chan.send(wire.packet(
                wire.DIAL_CONNECT, i + 1, 0,
                wire.text("localhost") + wire.u16(self.server.port)))
        ids = set()
        for _ in range(16):
            p = wire.receive(self.chan)
            self.assertEqual(p.type, wire.HTTP_CONNECTED)
            os.close(p.fd)
            ids.add(p.id)
        self.assertEqual(ids, set(range(1, 17)))

    def test_again(self):
        """http goes away and comes back: dial connects again"""
        self.chan.close()
        self.listener.settimeout(6)
        self.chan, _ = self.listener.accept()
        self.chan.settimeout(5)
        p = self.connect("localhost", self.server.port)
        self.assertEqual(p.type, wire.HTTP_CONNECTED)
        os.close(p.fd)

    def test_source_address(self):
        """connections come from source_address"""
        self.process.terminate()
        self.process.wait()
        with open(self.orb.conf) as f:
            text = f.read()
        with open(self.orb.conf, "w") as f:
            f.write(text.replace("topdesk: {", "topdesk: { source_address = "
                                 "\"127.0.0.77\";"))
        self.begin()
        p = self.connect("localhost", self.server.port)
        self.assertEqual(p.type, wire.HTTP_CONNECTED)
        s = socket.socket(fileno=p.fd)
        self.assertEqual(s.getsockname()[0], "127.0.0.77")
        s.close()

    def test_malformed(self):
        """a malformed message ends the connection, not the process"""
        self.chan.send(b"\1\0\1\1" + b"\0" * 12)
        self.assertIsNone(wire.receive(self.chan))
        self.listener.settimeout(6)
        self.chan, _ = self.listener.accept()


class Http2(Base):
    def setUp(self):
        if shutil.which("nghttpx") is None:
            self.skipTest("nghttpx is not installed")
        self.server = fs.Server()
        # The port may be taken between asking for it and using it.
        for _ in range(5):
            self.begin_front()
            if wait_for(self.up, 10):
                break
        self.start(self.port)

    def begin_front(self):
        s = socket.create_server(("127.0.0.1", 0))
        self.port = s.getsockname()[1]
        s.close()
        self.front = subprocess.Popen(
            ["nghttpx", "-f127.0.0.1,%d" % self.port,
             "-b127.0.0.1,%d" % self.server.port, "--workers=1",
             "--errorlog-file=/dev/null", "--no-ocsp",
             os.path.join(self.certs, "good.key"),
             os.path.join(self.certs, "good.pem")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.front.wait)
        self.addCleanup(self.front.kill)

    def up(self):
        if self.front.poll() is not None:
            self.begin_front()
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        except OSError:
            return False

    def test_multiplex(self):
        """many requests at a time over one connection"""
        self.server.handler = lambda r, s: time.sleep(0.02) or \
            fs.answer_ok(r, s)
        ids = [self.orb.ask("GET", "/persons?n=%d" % i) for i in range(100)]
        for i, id_ in enumerate(ids):
            self.assertEqual(self.orb.collect(id_).body,
                             b"GET /tas/api/persons?n=%d" % i)
        self.assertTrue(any("HTTP/2" in s for s in self.orb.status),
                        self.orb.status)
        self.assertTrue(any(" 1 connection," in s for s in self.orb.status))

    def test_upload_and_large(self):
        """uploads, and an answer larger than the flow control window"""
        self.assertEqual(self.orb.post("/x", b"z" * 15000).status, 200)
        self.assertEqual(self.server.seen("POST")[0].body, b"z" * 15000)
        self.server.handler = lambda r, s: fs.send(s, 200, b"q" * 5000000)
        ids = [self.orb.ask("GET", "/version") for _ in range(3)]
        time.sleep(0.5)
        for id_ in ids:
            self.assertEqual(len(self.orb.collect(id_, 60).body), 5000000)

    def test_cut(self):
        """the front is killed: POST unknown or failed, never twice"""
        self.orb.get("/version")
        self.server.handler = lambda r, s: time.sleep(0.5) or \
            fs.answer_ok(r, s)
        id_ = self.orb.ask("POST", "/x", body=b"{}")
        self.assertTrue(wait_for(lambda: self.server.seen("POST")))
        self.front.kill()
        self.assertEqual(self.orb.collect(id_).outcome, "unknown")
        self.assertEqual(len(self.server.seen("POST")), 1)


del Base
if __name__ == "__main__":
    threading.excepthook = lambda args: None
    tap.main()
