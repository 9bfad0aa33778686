#!/usr/bin/env python3
"""test_keyd: orb-keyd as it is installed, with orb-ledgerd, in its sandbox.

Here: that it works locked down, survives a restart, ends when ledgerd is gone,
links no network library, and where a credential can be found afterwards: not
on disk, not in a log, and in its memory only in the locked heap.  Not here:
what it grants to whom (tests/unit/test_keyd_serve.c).
"""
import os
import re
import socket
import struct
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import orbtest  # noqa: E402
import tap  # noqa: E402

ERROR, DONE, HTTP_LEASE = 1, 2, 0x0203
LEASE, DATA_KEY, MAPD_DATA_KEY = 0x0401, 0x0402, 0x0510
SET, LIST, REMOVE, CTL_CREDENTIAL = 0x0403, 0x0404, 0x0405, 0x0710
# Not in one piece, so that this program's text holds none.
CANARY = "-".join(["cAnArY", "mine", "coal", "7f3a"]).encode()


class NoSim:
    """What Orb asks of a simulator when neither fetcher runs."""

    facts = {"tenant": "tenant", "client_id":
             "99999999-8888-7777-6666-555555555555",
             "login_url": "https://login.test:8443",
             "graph_url": "https://graph.test:8443/v1.0",
             "ews_url": "https://ews.test:8443/EWS/Exchange.asmx",
             "ews_login": "SIM\\orb",
             "topdesk_url": "https://td.test:8443/tas/api",
             "topdesk_login": "orb", "ca_file": "/etc/hostname"}

    def add_room(self, mailbox, name):
        return {"name": name, "mailbox": mailbox,
                "location": "aaaaaaaa-0000-0000-0000-000000000001"}

    def add_person(self, **_):
        return {"id": "66666666-7777-8888-9999-000000000000"}


def text(s):
    raw = s.encode()
    return struct.pack(">H", len(raw)) + raw + b"\0"


def blob(b):
    return struct.pack(">I", len(b)) + b


class Edge:
    """A peer of keyd's: real packets from the uid that may send them."""

    def __init__(self, orb, connector, path):
        uid = orb.users.get(connector, 0)
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(10)
        if orbtest.ROOT:
            os.setegid(uid)
            os.seteuid(uid)
        try:
            self.s.connect(os.path.join(orb.dir, "run", path))
        finally:
            if orbtest.ROOT:
                os.seteuid(0)
                os.setegid(0)
        self.id = 0

    def ask(self, kind, payload=b""):
        """The packets of the answer: [(type, payload)]."""
        self.id += 1
        self.s.send(struct.pack(">BBHIQ", 1, 0, kind, len(payload), self.id) +
                    payload)
        answers = []
        while True:
            data = self.s.recv(20000)
            if not data:
                raise EOFError
            _, flags, kind, _, _ = struct.unpack(">BBHIQ", data[:16])
            answers.append((kind, data[16:]))
            if flags & 1:
                return answers


def memory(pid):
    """(start, end, vmflags, bytes) of each writable mapping."""
    found, current = [], None
    with open("/proc/%d/smaps" % pid) as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if m:
                current = [int(m[1], 16), int(m[2], 16), m[3], ""]
                found.append(current)
            elif line.startswith("VmFlags:"):
                current[3] = line
    with open("/proc/%d/mem" % pid, "rb") as f:
        for start, end, mode, flags in found:
            if not mode.startswith("rw"):
                continue
            f.seek(start)
            try:
                yield start, end, flags, f.read(end - start)
            except OSError:
                continue


class Keyd(unittest.TestCase):
    settings = {"exchange": {"credential": "secret"},
                "keyd": {"leases_per_hour": 3600}}

    def setUp(self):
        self.orb = orbtest.Orb(rooms=1, sim=NoSim(), settings=self.settings)
        self.addCleanup(self.orb.stop)
        self.orb.start(["ledgerd", "keyd"])
        self.unit = self.orb.units["keyd"]

    def ctl(self):
        return Edge(self.orb, "ctl", "keyd-ctl.sock")

    def http(self, upstream):
        return Edge(self.orb, "fetchd@" + upstream,
                    "keyd-http-%s.sock" % upstream)

    def enter(self, name, value):
        answer = self.ctl().ask(SET, text(name) + b"\0" +
                                struct.pack(">q", 0) + blob(value))
        self.assertEqual(answer[-1][0], DONE, answer)

    def lease(self, upstream):
        host = "login.test" if upstream == "exchange" else "td.test"
        (kind, data), = self.http(upstream).ask(
            LEASE, text(host) + struct.pack(">H", 8443) + blob(b"k" * 32) +
            text(""))
        return kind, data

    def pem(self, bits=2048):
        made = subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:%d" % bits, "-nodes",
             "-keyout", "-", "-out", "-", "-days", "30", "-subj", "/CN=orb"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        return made.stdout

    def test_serves_locked_down(self):
        """credentials, leases and the data key, through the sandbox"""
        self.assertIn("0 credentials, KEK from file (demo)", self.unit.status)
        self.enter("topdesk-password", b"first")
        self.enter("exchange-secret", b"second")
        for upstream, want in (("topdesk", b"Basic b3JiOmZpcnN0"),
                               ("exchange", b"client_secret=second")):
            kind, data = self.lease(upstream)
            self.assertEqual(kind, HTTP_LEASE)
            self.assertIn(want, data)
        mapd = Edge(self.orb, "mapd", "keyd-mapd.sock")
        (kind, key), = mapd.ask(DATA_KEY)
        # 32 bytes and their length, the generation, where the key comes from
        self.assertEqual(kind, MAPD_DATA_KEY)
        self.assertEqual(key[:4], (32).to_bytes(4, "big"))
        self.assertEqual(key[40:], text("file (demo)"))
        rows = self.ctl().ask(LIST)
        self.assertEqual([k for k, d in rows if b"audit-" not in d],
                         [CTL_CREDENTIAL] * 3 + [DONE])
        for value in (b"first", b"second", key[4:36]):
            self.assertNotIn(value, b"".join(d for _, d in rows))
        # Another start: the same key, the same credentials.
        self.orb.kill("keyd")
        orbtest.wait_for("keyd is back", lambda: self.unit.ready and
                         self.unit.starts == 2)
        mapd = Edge(self.orb, "mapd", "keyd-mapd.sock")
        self.assertEqual(mapd.ask(DATA_KEY)[0][1], key)
        self.assertEqual(self.lease("topdesk")[0], HTTP_LEASE)
        answer = self.ctl().ask(REMOVE, text("topdesk-password"))
        self.assertEqual(answer[-1][0], DONE)
        self.assertEqual(self.lease("topdesk")[0], ERROR)
        self.assertIn("missing: orbctl credential set topdesk-password",
                      self.unit.status)

    def test_certificate(self):
        """an assertion is signed behind the lock-down"""
        self.orb.stop_units(["keyd"])
        self.orb.configure(exchange={"credential": "certificate"})
        self.orb.start(["keyd"])
        self.enter("exchange-key", self.pem())
        kind, data = self.lease("exchange")
        self.assertEqual(kind, HTTP_LEASE)
        self.assertIn(b"client_assertion=ey", data)

    def test_orbctl(self):
        """orbctl credential: set, list, remove; short names; exit codes"""
        orb = self.orb
        done = orb.orbctl("credential", "set", "topdesk", data=b"first\n")
        self.assertEqual(done, {"name": "topdesk-password",
                                "result": "entered"})
        # The line break of a pipe is not part of it.
        self.assertIn(b"b3JiOmZpcnN0", self.lease("topdesk")[1])
        orb.orbctl("credential", "set", "exchange", "--expires", "2999-12-31",
                   data=b"second")
        rows = {r["name"]: r for r in orb.orbctl("credential", "list")}
        self.assertEqual({n for n in rows if not n.startswith("audit-")},
                         {"topdesk-password", "exchange-secret"})
        self.assertEqual(rows["exchange-secret"]["expires"],
                         "3000-01-01T00:00:00Z")
        self.assertEqual(rows["topdesk-password"]["leases"], 1)
        table = orb.orbctl("credential", "list", json_out=False)
        self.assertIn("exchange-secret", table)
        self.assertNotIn("second", table)
        orb.orbctl("credential", "set", "exchange-key", data=self.pem(1024),
                   check=False)
        self.assertEqual(orb.last_ctl.returncode, 1)
        self.assertIn(b"RSA-1024; at least 2048", orb.last_ctl.stderr)
        orb.orbctl("credential", "set", "exchange-key", data=self.pem())
        rows = {r["name"]: r for r in orb.orbctl("credential", "list")}
        self.assertIn(rows["exchange-key"]["days_left"], (29, 30))
        self.assertEqual(len(rows["exchange-key"]["key"]), 64)
        orb.orbctl("credential", "remove", "topdesk")
        orb.orbctl("credential", "remove", "topdesk", check=False)
        self.assertEqual(orb.last_ctl.returncode, 1)
        for words in (["set"], ["set", "nonsense"], ["forget", "topdesk"],
                      ["set", "topdesk", "--fd", "x"],
                      ["set", "topdesk", "--expires", "soon"]):
            orb.orbctl("credential", *words, check=False)
            self.assertEqual(orb.last_ctl.returncode, 2, words)

    def test_terminal(self):
        """a password is typed twice, and the terminal does not show it"""
        import pty
        command = [os.path.join(orbtest.BUILD, "orbctl"), "--config",
                   self.orb.conf_file, "credential", "set", "topdesk"]
        for second, status in ((CANARY, 0), (b"other", 1)):
            pid, fd = pty.fork()
            if pid == 0:
                os.execv(command[0], command)
            seen = b""
            for prompt, answer in ((b"shown): ", CANARY),
                                   (b"Once more: ", second)):
                while prompt not in seen:
                    seen += os.read(fd, 1000)
                os.write(fd, answer + b"\n")
            try:
                while True:
                    seen += os.read(fd, 1000)
            except OSError:
                pass
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]),
                             status, seen)
            os.close(fd)
            self.assertNotIn(CANARY, seen)
        self.assertIn(b"not the same", seen)

    def test_ledgerd_gone(self):
        """ledgerd gone: keyd ends with status 0 and comes back"""
        self.orb.kill("ledgerd")
        orbtest.wait_for("keyd is back", lambda: self.unit.ready and
                         self.unit.starts >= 2)
        self.assertEqual(self.unit.exits[0], 0)

    def test_strangers(self):
        """another process's uid is not served"""
        if not orbtest.ROOT:
            self.skipTest("needs root, to be others")
        path = os.path.join(self.orb.dir, "run")
        for name in ("keyd-http-topdesk.sock", "keyd-mapd.sock",
                     "keyd-ctl.sock"):
            os.chmod(os.path.join(path, name), 0o666)
            edge = Edge(self.orb, "dial@topdesk", name)
            with self.assertRaises((EOFError, OSError)):
                edge.ask(LIST)

    def test_libraries(self):
        """neither libcurl nor libsystemd nor a TLS library is linked"""
        program = os.path.join(orbtest.BUILD, "orb-keyd")
        needed = subprocess.run(["readelf", "-d", program], check=True,
                                stdout=subprocess.PIPE).stdout.decode()
        loaded = subprocess.run(["ldd", program], check=True,
                                stdout=subprocess.PIPE).stdout.decode()
        self.assertIn("libcrypto", needed)
        for name in ("libcurl", "libsystemd", "libssl", "libgnutls",
                     "libjansson", "libsqlite"):
            self.assertNotIn(name, needed + loaded)

    def exercise(self):
        self.enter("topdesk-password", CANARY)
        self.assertEqual(self.lease("topdesk")[0], HTTP_LEASE)
        self.enter("exchange-secret", CANARY[::-1])
        self.assertEqual(self.lease("exchange")[0], HTTP_LEASE)
        # keyd cleanses what it has sent after it has sent it: one request
        # more, and it certainly has.
        self.ctl().ask(LIST)

    def needles(self):
        import base64
        yield "password", CANARY
        yield "client secret", CANARY[::-1]
        # Inside base64("orb:" + ...), whatever comes before it.
        yield "Basic value", base64.b64encode(b"orb:" + CANARY)[8:32]

    def test_nothing_on_disk(self):
        """no canary in any file below the state, run and log directories"""
        self.exercise()
        for folder, _, files in os.walk(self.orb.dir):
            for name in files:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                data = orbtest.read(path, "rb")
                for what, needle in self.needles():
                    self.assertNotIn(needle, data, "%s in %s" % (what, path))

    def may_look(self):
        if not orbtest.ROOT:
            self.skipTest("keyd is not dumpable: only root can look")
        if "libasan" in orbtest.read("/proc/%d/maps" % self.unit.pid):
            self.skipTest("a sanitizer's memory is larger than the machine")

    def test_memory(self):
        """no canary anywhere in keyd's memory between two requests"""
        self.may_look()
        self.exercise()
        kek, homes = orbtest.read(self.orb.kek, "rb"), []
        for start, end, flags, data in memory(self.unit.pid):
            if kek in data:
                homes.append(flags.split())
            for what, needle in self.needles():
                at = data.find(needle)
                self.assertEqual(at, -1, "%s at %x+%x (%s)" % (
                    what, start, at, flags))
        # The key-encryption key is kept, so the search can find things: once,
        # in memory that is locked and left out of dumps.
        self.assertEqual(len(homes), 1)
        self.assertIn("dd", homes[0])
        if "NOT LOCKED" not in self.unit.status:
            self.assertIn("lo", homes[0])

    def test_memory_of_key(self):
        """no part of a private key stays in memory after signing"""
        self.may_look()
        self.orb.stop_units(["keyd"])
        self.orb.configure(exchange={"credential": "certificate"})
        self.orb.start(["keyd"])
        pem = self.pem()
        self.enter("exchange-key", pem)
        for _ in range(3):
            self.assertEqual(self.lease("exchange")[0], HTTP_LEASE)
        self.ctl().ask(LIST)
        parts = self.key_parts(pem)
        self.assertEqual(len(parts), 8)
        found = []
        for start, _, flags, data in memory(self.unit.pid):
            for name, number in parts.items():
                # As in DER, and as in OpenSSL's words.
                for form in (number, number[::-1]):
                    if form[8:40] in data:
                        found.append("%s at %x (%s)" % (name, start, flags))
        self.assertEqual(found, [])

    def key_parts(self, pem):
        """The secret numbers of the key, and pieces of its PEM."""
        dump = subprocess.run(
            ["openssl", "pkey", "-noout", "-text"], input=pem, check=True,
            stdout=subprocess.PIPE).stdout.decode()
        parts = {}
        for name in ("privateExponent", "prime1", "prime2", "exponent1",
                     "exponent2", "coefficient"):
            m = re.search(name + r":\n((?:\s+[0-9a-f:]+\n)+)", dump)
            parts[name] = bytes.fromhex(re.sub(r"[\s:]", "", m[1])) \
                .lstrip(b"\0")
        body = pem.split(b"PRIVATE KEY-----\n")[1]
        parts["PEM line 9"] = body.split(b"\n")[8]
        parts["PEM line 15"] = body.split(b"\n")[14]
        return parts


if __name__ == "__main__":
    tap.main()
