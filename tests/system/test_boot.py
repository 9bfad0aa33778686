#!/usr/bin/env python3
"""ORB as it is installed: make install, then a throw-away machine with systemd
in which `systemctl start orb.target` is all that is needed.

Here: units, users, socket activation, journal, stop.  What ORB does is tested
without systemd, which is faster.  Needs root, systemd-nspawn, overlay mounts
and cgroup version 2; says so when they are lacking.
"""
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import orbtest
import tap
from people import Outlook, day

HERE = os.path.dirname(os.path.abspath(__file__))
SERVICES = ("orb-ledgerd", "orb-keyd", "orb-mapd", "orb-dial@exchange",
            "orb-dial@topdesk", "orb-fetchd@exchange", "orb-fetchd@topdesk")


class Machine:
    def __init__(self):
        # Not below /tmp: the machine has a /tmp of its own.
        self.dir = tempfile.mkdtemp(prefix="orb-boot-", dir="/var/tmp")
        self.root = os.path.join(self.dir, "m")

    def box(self, command, *words, **more):
        return subprocess.run(
            [os.path.join(HERE, "nsbox"), command, self.dir, *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more)

    def run(self, *words, data=None, check=True):
        done = self.box("run", *words, input=data or b"", timeout=60)
        text = done.stdout.decode("utf-8", "replace")
        if check and done.returncode != 0:
            raise orbtest.Failure("%s: status %d: %s" % (
                " ".join(words), done.returncode, text))
        return text

    def status(self, *words):
        return self.box("run", *words, input=b"", timeout=60).returncode

    def write(self, path, data, mode=0o644):
        full = self.root + path
        os.makedirs(os.path.dirname(full), exist_ok=True)
        fd = os.open(full, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        os.write(fd, data)
        os.close(fd)
        os.chmod(full, mode)

    def down(self):
        self.box("down")
        shutil.rmtree(self.dir, ignore_errors=True)


class InMachine(orbtest.Sim):
    """The simulator inside; its control socket is reached through the root."""

    def __init__(self, machine):
        program = os.path.join(orbtest.BUILD, "orb-sim")
        shutil.copy(program, machine.root + "/usr/bin/orb-sim")
        machine.run("systemd-run", "--quiet", "--unit=simulator",
                    "/usr/bin/orb-sim", "--dir", "/srv/sim")
        self.dir = machine.root + "/srv/sim"
        orbtest.wait_for("the simulator listens", lambda: os.path.exists(
            self.dir + "/sim.json"), 20)
        self.attach()


def lacking():
    """What this machine cannot do, or None."""
    if not orbtest.ROOT:
        return "booting a machine needs root"
    if not shutil.which("systemd-nspawn"):
        return "systemd-nspawn (systemd-container) is not installed"
    paths = subprocess.run(["make", "-s", "--no-print-directory", "-C",
                            orbtest.BUILD, "print-paths"],
                           stdout=subprocess.PIPE, text=True).stdout
    if "prefix=/usr\n" not in paths or "sysconfdir=/etc\n" not in paths:
        return "built for another prefix than /usr"
    return None


class Boot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        why = lacking()
        if why:
            raise unittest.SkipTest(why)
        cls.machine = machine = Machine()
        cls.addClassCleanup(machine.down)
        up = machine.box("up", timeout=90)
        if up.returncode != 0:
            raise unittest.SkipTest("no machine can be booted here: " +
                                    up.stdout.decode().replace("\n", "; "))
        done = subprocess.run(
            ["make", "-s", "-C", orbtest.BUILD, "install",
             "DESTDIR=" + machine.root], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        # What README.md says, in its order.
        machine.run("systemd-sysusers")
        machine.run("systemd-tmpfiles", "--create")
        machine.run("journalctl", "--update-catalog")
        machine.run("systemctl", "daemon-reload")
        machine.write("/etc/orb/orb-kek", os.urandom(32), 0o400)
        cls.sim = InMachine(machine)
        cls.configure()
        cls.people = Outlook(cls.sim, cls.rooms)

    @classmethod
    def configure(cls):
        sim, facts = cls.sim, cls.sim.facts
        cls.rooms = [sim.add_room(mailbox="room%d@sim.test" % i,
                                  name="Room %d" % i) for i in range(3)]
        fallback = sim.add_person(email=orbtest.FALLBACK, name="Reception")
        with open(sim.dir + "/ca.pem", "rb") as f:
            cls.machine.write("/etc/orb/ca.pem", f.read())
        settings = {
            "default_zone": "Europe/Amsterdam",
            "exchange": {
                "tenant": facts["tenant"], "client_id": facts["client_id"],
                "credential": "secret", "login_url": facts["login_url"],
                "graph_url": facts["graph_url"],
                "ca_file": "/etc/orb/ca.pem", "poll_seconds": 1},
            "topdesk": {
                "url": facts["topdesk_url"], "login": facts["topdesk_login"],
                "ca_file": "/etc/orb/ca.pem", "poll_seconds": 1,
                "fallback_person": fallback["id"]},
            "rooms": [{k: r[k] for k in ("name", "mailbox", "location")}
                      for r in cls.rooms]}
        cls.machine.write("/etc/orb/orb.conf",
                          orbtest.conf_text(settings).encode())

    def equal(self, timeout=40):
        try:
            orbtest.wait_for("both sides are equal", lambda: self.sim.compare(
                fallback=orbtest.FALLBACK)["equal"], timeout, 0.2)
        except orbtest.Failure as e:
            raise orbtest.Failure("%s\n%s\n%s" % (
                e, self.machine.run("orbctl", "status", check=False),
                self.machine.run("journalctl", "--no-pager", "-n", "60", "-o",
                                 "short-monotonic", "-u", "orb-*",
                                 check=False))) from None

    def show(self, unit, prop):
        return self.machine.run("systemctl", "show", "--value", "-p", prop,
                                unit + ".service").strip()

    def test_1_nothing_before_start(self):
        """after the installation nothing runs"""
        for unit in SERVICES:
            self.assertEqual(self.show(unit, "ActiveState"), "inactive", unit)

    def test_2_start(self):
        """systemctl start orb.target starts everything, ready"""
        self.machine.run("orbctl", "config", "check")
        self.machine.run("systemctl", "start", "orb.target")
        for unit in SERVICES:
            orbtest.wait_for("%s runs: %s" % (unit, self.machine.run(
                "journalctl", "--no-pager", "-n", "8", "-u", unit,
                check=False)), lambda: self.show(unit, "SubState")
                == "running", 15, 0.2)
            self.assertEqual(self.show(unit, "NRestarts"), "0", unit)
            self.assertNotEqual(self.show(unit, "StatusText"), "", unit)

    def test_3_work(self):
        """credentials entered, a meeting becomes a reservation"""
        for name, key in (("exchange", "client_secret"),
                          ("topdesk", "topdesk_password")):
            with open(self.sim.dir + "/" + key, "rb") as f:
                self.machine.run("orbctl", "credential", "set", name, "--fd",
                                 "0", data=f.read())
        self.people.book("ada", 0, day(0, 9))
        self.equal(90)
        self.assertIsNotNone(self.people.at(0, day(0, 9)))
        status = json.loads(self.machine.run("orbctl", "status",
                                             "--output=json", check=False))
        self.assertTrue(status["well"], status)

    def test_4_killed(self):
        """killed processes come back, and the next meeting arrives"""
        for unit in ("orb-mapd", "orb-keyd", "orb-fetchd@topdesk"):
            self.machine.run("systemctl", "kill", "-s", "KILL",
                             unit + ".service")
        self.people.book("grace", 1, day(0, 9))
        self.equal(60)
        self.assertIsNotNone(self.people.at(1, day(0, 9)))
        self.assertNotEqual(self.show("orb-mapd", "NRestarts"), "0")

    def test_5_journal(self):
        """the readable audit trail is in the journal, with its catalog"""
        # create_done of events.def
        text = orbtest.wait_for("the record of a reservation", lambda:
                                self.machine.run(
                                    "journalctl", "--no-pager", "-o", "json",
                                    "MESSAGE_ID=a6261a4a425b4faf927ee86b6376"
                                    "c5a4", check=False).strip(), 15, 0.5)
        entry = json.loads(text.splitlines()[0])
        self.assertEqual(entry["_SYSTEMD_UNIT"], "orb-ledgerd.service")
        self.assertTrue(entry["ORB_BOOKING"])
        text = self.machine.run("journalctl", "--no-pager", "-x",
                                "MESSAGE_ID=a6261a4a425b4faf927ee86b6376c5a4")
        self.assertIn("was made for", text)

    def test_6_who_may(self):
        """orbctl serves operators, and nobody else"""
        as_user = ("setpriv", "--reuid=65534", "--clear-groups")
        self.assertEqual(self.machine.status(
            *as_user, "--regid=65534", "orbctl", "status"), 4)
        group = self.machine.run("getent", "group", "orb-operators").split(
            ":")[2]
        self.assertEqual(self.machine.status(
            *as_user, "--regid=" + group, "orbctl", "status"), 0)
        self.assertEqual(self.machine.status(
            *as_user, "--regid=" + group, "orbctl", "credential", "list"), 4)

    def test_7_users(self):
        """each service has its user, and only dial a network"""
        for unit in SERVICES:
            pid = self.show(unit, "MainPID")
            user = self.machine.run("stat", "-c", "%U", "/proc/%s" % pid)
            text = self.machine.run("cat", "/proc/%s/status" % pid)
            uid = text.split("Uid:")[1].split()[0]
            name = self.machine.run("getent", "passwd", uid).split(":")[0]
            self.assertEqual(name, unit.replace("@", "-"), user)
            self.assertIn("NoNewPrivs:\t1", text)
            mine = self.machine.run("readlink", "/proc/1/ns/net")
            net = self.machine.run("readlink", "/proc/%s/ns/net" % pid)
            self.assertEqual(net == mine, unit.startswith("orb-dial"), unit)

    def test_8_stop(self):
        """systemctl stop orb.target stops all, in order and at once"""
        begin = time.monotonic()
        self.machine.run("systemctl", "stop", "orb.target")
        for unit in SERVICES:
            orbtest.wait_for("%s has stopped" % unit, lambda: self.show(
                unit, "ActiveState") == "inactive", 15, 0.2)
            self.assertEqual(self.show(unit, "Result"), "success", unit)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(self.machine.status(
            "pgrep", "-x", "orb-(dial|fetchd|adapter|keyd|mapd|ledgerd)"), 1)
        self.assertEqual(self.machine.run("ls", "/run/orb").strip(), "")


if __name__ == "__main__":
    tap.main()
