#!/usr/bin/env python3
"""What must be found nowhere, and what the running processes may not do.

Canaries: a subject, a text, an organiser and an attendee, the two credentials,
looked for as they are and in the encodings they would travel in, in every file
that ORB writes, its sockets' directory, its logs, its arguments and its
environment.
"""
import base64
import os
import re
import socket
import unittest

import orbtest
import tap
from people import Outlook, day

SUBJECT = "Kanarie-7f3a91"
BODY = "Zwaluw-55d0c2"
ORGANISER = "merel-a81c"
ATTENDEE = "ekster-90be@sim.test"


def encodings(text):
    """The forms in which bytes could have been written."""
    raw = text.encode()
    yield "as it is", raw
    yield "UTF-16", text.encode("utf-16-le")
    yield "hexadecimal", raw.hex().encode()
    for shift in range(3):
        # Whatever stands before it, these letters are the same.
        coded = base64.b64encode(b"x" * shift + raw)
        yield "base64", coded[4 if shift else 0:len(coded) - 4]


class Canary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=2, settings={
            "policy": {"subject": "placeholder"}})
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.run()
        cls.people = Outlook(cls.orb.sim, cls.orb.rooms)
        cls.words = {"subject": SUBJECT, "body": BODY,
                     "organiser": ORGANISER, "attendee": ATTENDEE}
        for name, key in (("client secret", "client_secret"),
                          ("password", "topdesk_password")):
            cls.words[name] = orbtest.read(cls.orb.sim.facts[key]).strip()

    def book(self, room, n):
        return self.people.book(ORGANISER, room, day(n, 9), 60,
                                subject=SUBJECT, body=BODY,
                                attendees=[ATTENDEE])

    def files(self):
        for sub in ("state", "run", "log", "notify"):
            for at, _, names in os.walk(os.path.join(self.orb.dir, sub)):
                for name in names:
                    path = os.path.join(at, name)
                    if os.path.isfile(path):
                        yield path, orbtest.read(path, "rb")
        for name, pid in self.orb.pids().items():
            for part in ("cmdline", "environ")[:2 if orbtest.ROOT else 1]:
                yield "%s of %s" % (part, name), orbtest.read(
                    "/proc/%d/%s" % (pid, part), "rb")

    def search(self):
        found, looked, size = [], 0, 0
        for path, data in self.files():
            looked, size = looked + 1, size + len(data)
            for what, word in self.words.items():
                for how, code in encodings(word):
                    if code.lower() in data.lower():
                        found.append("%s, %s, in %s" % (what, how, path))
        self.assertGreater(looked, 12)
        self.assertGreater(size, 4096)
        self.assertEqual(found, [])

    def test_search_finds(self):
        """the search itself finds a canary in each encoding"""
        for shift in range(4):
            data = base64.b64encode(b"y" * shift + SUBJECT.encode() + b"zzzz")
            self.assertTrue(any(code in data for _, code in
                                encodings(SUBJECT)), shift)

    def test_settled(self):
        """no canary after everything is done"""
        uid = self.book(0, 0)
        self.book(1, 0)
        self.orb.wait_until_equal()
        self.people.move(uid, day(1, 13))
        self.orb.wait_until_equal()
        self.people.cancel(uid)
        self.orb.wait_until_equal()
        self.search()

    def test_under_way(self):
        """no canary while actions wait: their payloads are sealed"""
        self.orb.sim.fault(kind="503", listener="topdesk", endpoint="POST *",
                           count=-1, retry_after=1)
        self.book(0, 3)
        self.book(1, 3)
        orbtest.wait_for("TOPdesk refused", lambda: any(
            f["hits"] for f in self.orb.sim.counters()["faults"]), 20)
        self.search()
        self.orb.sim.faults_clear()
        self.orb.wait_until_equal()
        self.search()

    def test_after_crashes(self):
        """no canary after kill -9 of all"""
        self.book(0, 4)
        for process in ("mapd", "keyd", "ledgerd", "http@exchange"):
            self.orb.kill(process)
        self.orb.wait_ready()
        self.orb.wait_until_equal()
        self.search()

    def test_credentials_cannot_be_read(self):
        """orbctl shows that a credential is there, and nothing of it"""
        text = self.orb.orbctl("credential", "list", json_out=False)
        text += str(self.orb.orbctl("credential", "list"))
        self.assertIn("topdesk", text)
        for name in ("client secret", "password"):
            self.assertNotIn(self.words[name], text)
            self.assertNotIn(self.words[name][:12], text)


class Sandbox(unittest.TestCase):
    """What /proc says of the processes while they serve."""

    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=1)
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.run()
        people = Outlook(cls.orb.sim, cls.orb.rooms)
        people.book("ada", 0, day(0, 9))
        cls.orb.wait_until_equal()
        cls.pids = cls.orb.pids()

    def need_root(self):
        if not orbtest.ROOT:
            self.skipTest("only root can look into processes that are not "
                          "dumpable")

    def status(self, pid, key):
        text = orbtest.read("/proc/%d/status" % pid)
        return re.search(r"^%s:[ \t]*(.*)$" % key, text, re.M).group(1).strip()

    def test_all_are_there(self):
        """nine processes, none of them root"""
        self.assertEqual(sorted(self.pids), sorted(orbtest.PROCESSES))
        if orbtest.ROOT:
            for name, pid in self.pids.items():
                self.assertNotIn("0", self.status(pid, "Uid").split(), name)
                self.assertEqual(self.status(pid, "Groups"), "", name)
                self.assertEqual(int(self.status(pid, "CapEff"), 16), 0)

    def test_no_new_privileges(self):
        """no process can gain privileges, each has its system call list"""
        for name, pid in self.pids.items():
            self.assertEqual(self.status(pid, "NoNewPrivs"), "1", name)
            self.assertEqual(self.status(pid, "Seccomp"), "2", name)

    def test_not_dumpable(self):
        """no process can be read by another of its user, or dump core"""
        for name, pid in self.pids.items():
            if orbtest.ROOT:  # proc(5): files belong to root when undumpable
                self.assertEqual(os.stat("/proc/%d/mem" % pid).st_uid, 0,
                                 name)
            limits = orbtest.read("/proc/%d/limits" % pid)
            self.assertRegex(limits, r"Max core file size\s+0\s+0", name)

    def test_network(self):
        """only dial is in a network"""
        if not orbtest.ROOT:
            self.skipTest("network namespaces need root")
        mine = os.stat("/proc/self/ns/net").st_ino
        for name, pid in self.pids.items():
            here = os.stat("/proc/%d/ns/net" % pid).st_ino == mine
            self.assertEqual(here, name.startswith("dial"), name)

    def sockets(self, pid):
        found = set()
        for fd in os.listdir("/proc/%d/fd" % pid):
            try:
                link = os.readlink("/proc/%d/fd/%s" % (pid, fd))
            except OSError:
                continue
            if link.startswith("socket:["):
                found.add(link[8:-1])
        return found

    def test_sockets(self):
        """connections to the outside are http's, and nobody else's"""
        self.need_root()
        inet = {line.split()[9] for line in
                orbtest.read("/proc/net/tcp").splitlines()[1:] +
                orbtest.read("/proc/net/tcp6").splitlines()[1:]}
        for name, pid in self.pids.items():
            tcp = self.sockets(pid) & inet
            if not name.startswith(("http", "dial")):
                self.assertEqual(tcp, set(), name)
        self.assertTrue(self.sockets(self.pids["http@topdesk"]) & inet)

    def test_files(self):
        """no file is open but the database's and the audit log's"""
        self.need_root()
        for name, pid in self.pids.items():
            if name in ("mapd", "ledgerd"):
                continue
            for fd in os.listdir("/proc/%d/fd" % pid):
                try:
                    link = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                except OSError:
                    continue
                if link.startswith("/"):
                    self.assertTrue(
                        link == "/dev/null" or link.startswith(
                            (self.orb.dir + "/log/", "/memfd:")) or
                        (name == "keyd" and link.startswith(
                            self.orb.dir + "/state/keyd")),
                        "%s has %s open" % (name, link))

    def test_wrong_peer(self):
        """a connection from a user that is not the edge's is closed"""
        if not orbtest.ROOT:
            self.skipTest("without root there is one user only")
        for listener, connector, _, path in orbtest.edges():
            if connector == "ctl":
                continue
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as s:
                s.settimeout(5)
                s.connect(os.path.join(self.orb.dir, "run", path))
                try:
                    got = s.recv(100)
                except ConnectionResetError:
                    got = b""
                self.assertEqual(got, b"", "%s spoke on %s" % (listener,
                                                               path))


if __name__ == "__main__":
    tap.main()
