#!/usr/bin/env python3
"""ORB as it is run for real: installed as README.md says, started by systemd.

Here: a throw-away machine (nsbox.py) with orb-sim in it, from the installation
to the stop, and what the units' sandboxes keep from the processes.  Not here:
what ORB does with bookings (test_bookings.py), what the unit files say
(test_units.py).

The tests are one story: each goes on where the one before ended.
"""
import json
import os
import re
import shutil
import subprocess
import time
import unittest

import nsbox
import orbtest
import tap
from orbtest import BUILD, FALLBACK, SRC, UPSTREAMS, wait_for
from people import Outlook, day

SERVICES = ("orb-ledgerd", "orb-keyd", "orb-mapd", "orb-dial@exchange",
            "orb-dial@topdesk", "orb-fetchd@exchange", "orb-fetchd@topdesk")
PROGRAMS = {"orb-fetchd": {"orb-adapter", "orb-fetchd"}}
SIM = "/var/lib/orb-sim"
SECRETS = {"exchange": "client_secret", "topdesk": "topdesk_password"}
WATCHDOG = "30s"
STOP_SECONDS = 8


class Sim(orbtest.Sim):
    """The simulator as a service of the machine."""

    def __init__(self, machine):
        self.machine = machine
        shutil.copy(os.path.join(BUILD, "orb-sim"),
                    machine.path("/usr/local/bin/orb-sim"))
        machine.run("systemd-run", "--unit=orbsim", "--quiet", "--collect",
                    "/usr/local/bin/orb-sim", "--dir", SIM)
        self.dir = machine.path(SIM)
        wait_for("orb-sim listens",
                 lambda: os.path.exists(self.dir + "/sim.json"))
        self.attach()


def install_paths():
    done = subprocess.run(["make", "-s", "-C", BUILD, "print-paths"],
                          stdout=subprocess.PIPE, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines())


class Boot(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        prefix = install_paths()["prefix"]
        if prefix != "/usr":
            raise unittest.SkipTest("configured with --prefix=%s: systemd "
                                    "looks for units in /usr" % prefix)
        try:
            cls.m = nsbox.Machine()
        except nsbox.Impossible as e:
            raise unittest.SkipTest(str(e)) from None
        cls.addClassCleanup(cls.m.stop)
        orbtest.Orb.live.append(cls.m)  # what a signal stops
        cls.readme = nsbox.blocks(orbtest.read(SRC + "/README.md"),
                                  "Installation")

    # What README.md says, line by line; those below are done by other means
    # because they need a compiler, another machine's file system or a terminal.

    def readme_do(self, until):
        """The commands of the README up to the one that begins so."""
        while self.readme:
            line = self.readme.pop(0)
            if line == "./bootstrap build":
                continue
            if line == "make -C build install":
                self.install()
            elif line.startswith("orbctl credential set "):
                self.credential(line.split()[-1])
            else:
                self.m.shell(line)
            if line.startswith(until):
                return
        self.fail("README.md has no command that begins %r" % until)

    def install(self):
        done = subprocess.run(
            ["make", "-s", "-C", BUILD, "install",
             "DESTDIR=" + self.m.path("/")], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)

    def credential(self, name):
        r, w = os.pipe()
        with open(self.m.path(self.sim.facts[SECRETS[name]]), "rb") as f:
            os.write(w, f.read())
        os.close(w)
        try:
            self.m.run("orbctl", "credential", "set", name, "--fd", str(r),
                       pass_fds=(r,))
        finally:
            os.close(r)

    def conf(self, rooms):
        """What a person writes: nothing that has a good default."""
        facts = self.sim.facts
        ca = "/etc/orb/sim-ca.pem"
        shutil.copy(self.m.path(facts["ca_file"]), self.m.path(ca))
        os.chmod(self.m.path(ca), 0o644)
        self.m.write("/etc/orb/orb.conf", orbtest.conf_text({
            "site": "boot", "default_zone": "Europe/Amsterdam",
            "exchange": {
                "tenant": facts["tenant"], "client_id": facts["client_id"],
                "credential": "secret", "login_url": facts["login_url"],
                "graph_url": facts["graph_url"], "ca_file": ca,
                "poll_seconds": 1},
            "topdesk": {
                "url": facts["topdesk_url"], "login": facts["topdesk_login"],
                "ca_file": ca, "poll_seconds": 1,
                "fallback_person": self.fallback},
            "rooms": [{k: r[k] for k in ("name", "mailbox", "location")}
                      for r in rooms]}))

    def services(self, *names):
        return {s: self.m.show(s + ".service", *names) for s in SERVICES}

    def wait_active(self, timeout=15):
        def active():
            return all(s["ActiveState"] == "active" for s in
                       self.services("ActiveState").values())
        try:
            wait_for("all services active", active, timeout)
        except orbtest.Failure as e:
            raise AssertionError("%s\n%s" % (e, self.journal())) from None

    def journal(self):
        return self.m.shell("systemctl --no-pager -l -n0 status "
                            "'orb-*.service'; journalctl --no-pager -n 60",
                            check=False)

    def arrives(self, who, room, start):
        type(self).uid = self.people.book(who, room, start, 60)
        try:
            return wait_for("a reservation at %s" % start,
                            lambda: self.people.at(room, start))
        except orbtest.Failure as e:
            raise AssertionError("%s\n%s" % (e, self.journal())) from None

    # the story

    def test_01_installed(self):
        """installed as README.md says; without orb.conf nothing runs or fails"""
        self.readme_do("systemctl daemon-reload")
        self.m.run("systemctl", "start", "orb.target")
        self.assertEqual(self.m.run("systemctl", "list-units", "--failed",
                                    "--plain", "--no-legend", "orb*"), "")
        for name, s in self.services("ActiveState", "ConditionResult").items():
            self.assertEqual(s["ActiveState"], "inactive", name)
        target = self.m.show("orb.target", "ActiveState", "ConditionResult")
        self.assertEqual(target, {"ActiveState": "inactive",
                                  "ConditionResult": "no"})

    def test_02_nothing_configured(self):
        """no room and no credential yet: all wait, and say for what"""
        cls = type(self)
        cls.sim = Sim(self.m)
        cls.fallback = self.sim.add_person(email=FALLBACK,
                                           name="Reception")["id"]
        cls.rooms = [self.sim.add_room(mailbox="room%d@sim.test" % i, name=n)
                     for i, n in enumerate(("Aquarium", "Boardroom"))]
        cls.people = Outlook(self.sim, self.rooms)
        self.conf([])
        self.readme_do("systemctl enable --now orb.target")
        self.wait_active()
        time.sleep(2)
        for name, s in self.services("ActiveState", "NRestarts",
                                     "StatusText").items():
            self.assertEqual(s["ActiveState"], "active", name)
            self.assertEqual(s["NRestarts"], "0", self.journal())
        status = self.m.show("orb-mapd.service", "StatusText")["StatusText"]
        self.assertRegex(status, "(?i)no room")
        status = self.m.show("orb-keyd.service", "StatusText")["StatusText"]
        self.assertRegex(status, "credential")

    def test_03_first_meeting(self):
        """rooms and credentials entered: a meeting becomes a reservation"""
        self.conf(self.rooms)
        self.m.run("systemctl", "restart", "orb.target")
        self.wait_active()
        self.readme_do("orbctl credential set topdesk")
        row = self.arrives("ada", 0, day(0, 9))
        self.assertEqual(row["requester_email"], "ada@sim.test")
        self.assertTrue(row["external_link"]["id"].startswith("orb1:"))
        wait_for("both sides equal",
                 lambda: self.sim.compare(fallback=FALLBACK)["equal"])
        self.readme_do("orbctl status")
        self.assertEqual(self.readme, [])

    def test_04_status(self):
        """each unit is active, never restarted, with one line of status"""
        for name, s in self.services("ActiveState", "SubState", "NRestarts",
                                     "StatusText", "Result").items():
            self.assertEqual((s["ActiveState"], s["SubState"], s["Result"],
                              s["NRestarts"]),
                             ("active", "running", "success", "0"), name)
            text = self.m.run("systemctl", "status", "--no-pager", "-l",
                              name + ".service")
            lines = re.findall(r'^\s+Status: "(.+)"$', text, re.M)
            self.assertEqual(len(lines), 1, text)
            self.assertNotEqual(s["StatusText"], "")
            print("# %s: %s" % (name, lines[0]))
            if name == "orb-keyd":
                self.assertIn("KEK from systemd credential", lines[0])
        self.assertEqual(self.m.run("systemctl", "list-units", "--failed",
                                    "--plain", "--no-legend", "orb*"), "")

    def test_05_watchdog(self):
        """the watchdog is on and fed; a process that hangs is started again"""
        def fed():
            return {n: int(s["WatchdogTimestampMonotonic"]) for n, s in
                    self.services("WatchdogTimestampMonotonic").items()}
        for name, s in self.services("WatchdogUSec").items():
            self.assertEqual(s["WatchdogUSec"], WATCHDOG, name)
        before = fed()
        self.assertNotIn(0, before.values())
        unit = "orb-dial@topdesk.service"
        self.m.run("mkdir", "-p", "/run/systemd/system/%s.d" % unit)
        self.m.write("/run/systemd/system/%s.d/soon.conf" % unit,
                     "[Service]\nWatchdogSec=2\nTimeoutAbortSec=1\n")
        self.m.run("systemctl", "daemon-reload")
        self.m.run("systemctl", "restart", unit)
        self.m.run("systemctl", "kill", "-s", "STOP", unit)
        wait_for("the watchdog ends what hangs",
                 lambda: self.m.show(unit, "NRestarts")["NRestarts"] != "0")
        self.m.shell("rm -r /run/systemd/system/%s.d; systemctl daemon-reload;"
                     "systemctl restart %s; systemctl reset-failed" %
                     (unit, unit))
        self.wait_active()
        wait_for("all processes feed their watchdogs", lambda: all(
            now > before[n] for n, now in fed().items()), 15, 0.5)

    def entries(self, *match):
        text = self.m.run("journalctl", "-o", "json", "--no-pager", *match)
        return [json.loads(line) for line in text.splitlines() if line]

    def test_06_journal(self):
        """the audit trail is in the journal, and its catalog explains it"""
        entries = self.entries("-u", "orb-ledgerd.service",
                               "ORB_EVENT=process_started")
        self.assertTrue(entries, self.journal())
        for e in entries:
            self.assertEqual(e["_SYSTEMD_UNIT"], "orb-ledgerd.service")
            self.assertRegex(e["MESSAGE_ID"], "^[0-9a-f]{32}$")
            self.assertRegex(e["ORB_INDEX"], "^[0-9]+$")
        leases = self.entries("ORB_EVENT=lease_granted")
        self.assertEqual({e["ORB_UPSTREAM"] for e in leases}, set(UPSTREAMS))
        self.assertTrue(all(int(e["ORB_LEASE"]) > 0 for e in leases))
        rooms = self.entries("ORB_ROOM=" + self.rooms[0]["mailbox"]) or \
            self.entries("ORB_ROOM=" + self.rooms[0]["name"])
        self.assertTrue(rooms, "no entry names the room")
        said = [e for e in self.entries("-u", "orb-ledgerd.service")
                if "ORB_INDEX" in e]
        # What is said of the log is no record: its index is the log's size.
        index = [int(e["ORB_INDEX"]) for e in said
                 if not e["ORB_EVENT"].startswith("checkpoint_")]
        self.assertEqual(index, list(range(len(index))))
        size = [int(e["ORB_INDEX"]) for e in said
                if e["ORB_EVENT"] == "checkpoint_signed"]
        self.assertTrue(size, "no signed checkpoint has reached the journal")
        self.assertEqual(size, sorted(set(size)))
        text = self.m.run("journalctl", "-x", "--no-pager",
                          "ORB_EVENT=lease_granted", "ORB_UPSTREAM=topdesk")
        self.assertRegex(text, r"Subject: Credential lease \d+ for topdesk")
        self.assertIn("keyd handed a short-lived token or password", text)
        # README.md: the readable audit trail
        text = self.m.run("journalctl", "--no-pager", "-u", "orb-*")
        self.assertIn("Credential lease", text)

    def test_07_no_complaint(self):
        """systemd has nothing to say against the units"""
        text = self.m.shell("journalctl --no-pager -b -p warning "
                            "_PID=1 | grep -i orb || true")
        complaints = [line for line in text.splitlines()
                      if "watchdog" not in line.lower()
                      and "orb-dial@topdesk" not in line]
        self.assertEqual(complaints, [])

    def test_08_sandbox(self):
        """no process has a privilege, a network or a file it should not"""
        users = set()
        for service in SERVICES:
            processes = self.m.processes(service + ".service")
            program = service.partition("@")[0]
            self.assertEqual(set(processes), PROGRAMS.get(program, {program}))
            for name, pid in processes.items():
                with self.subTest(service=service, process=name):
                    users.add(self.privileges(pid))
                    self.files(service, pid)
                    self.network(service, pid)
        self.assertEqual(len(users), len(SERVICES), "a user each: %s" % users)

    def privileges(self, pid):
        status = dict(line.split(":\t", 1) for line in orbtest.read(
            "/proc/%d/status" % pid).splitlines() if ":\t" in line)
        self.assertEqual(status["NoNewPrivs"], "1")
        self.assertEqual(status["Seccomp"], "2")
        for caps in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[caps], 16), 0, caps)
        uids, gids = set(status["Uid"].split()), set(status["Gid"].split())
        self.assertEqual(len(uids), 1)
        self.assertNotIn("0", uids | gids)
        return uids.pop()

    def files(self, service, pid):
        """Seen by root, whom no file mode stops: what is left is what the
        unit's mounts forbid."""
        mounts = [line.split() for line in orbtest.read(
            "/proc/%d/mountinfo" % pid).splitlines()]
        writable = {f[4] for f in mounts if "rw" in f[5].split(",")}
        mine = {"/tmp", "/var/tmp", service.replace("orb-", "/var/lib/orb/")}
        self.assertEqual({w for w in writable - mine if not w.startswith(
            ("/dev", "/proc"))}, set())
        for path in ("/x", "/usr/bin/x", "/etc/x", "/var/lib/x", "/run/x"):
            self.assertRegex(self.inside(pid, ": >" + path),
                             "Read-only file system", path)
        # Little else is there at all; secrets are hidden even from root.
        self.assertEqual(self.inside(pid, "ls -A /home /root /boot /srv /mnt "
                                     "/opt 2>/dev/null; test -s /etc/shadow "
                                     "|| test -s /etc/orb/orb-kek && echo no")
                         .replace("/home:", "").replace("/root:", "").strip(),
                         "")

    def inside(self, pid, line):
        return self.m.run("sh", "-c", line, pid=pid, check=False)

    def network(self, service, pid):
        ns = os.readlink("/proc/%d/ns/net" % pid)
        if service.startswith("orb-dial"):
            self.assertEqual(ns, os.readlink("/proc/%d/ns/net" %
                                             self.m.leader))
            return
        names = re.findall(r"^\s*(\S+):", orbtest.read(
            "/proc/%d/net/dev" % pid), re.M)
        self.assertEqual(names, ["lo"])
        routes = orbtest.read("/proc/%d/net/route" % pid).splitlines()[1:]
        self.assertEqual(routes, [])
        # The simulator is there for all but those.
        port = int(re.search(r":(\d+)/", self.sim.facts["graph_url"]).group(1))
        reach = ("import socket; socket.create_connection("
                 "('127.0.0.1', %d), 3)" % port)
        self.m.run("python3", "-c", reach)
        self.m.run("python3", "-c", reach, pid=pid, check=False)
        self.assertIn("Connection refused", self.m.last.stdout)

    def test_09_sockets(self):
        """only root and the connector's group may open a socket; operators
        may read, not enter credentials"""
        def orbctl(groups, *words):
            self.m.run("setpriv", "--reuid=nobody", "--regid=nogroup",
                       groups, "orbctl", *words, check=False)
            return self.m.last
        self.assertEqual(orbctl("--groups=orb-operators", "status").returncode,
                         0, self.m.last.stdout)
        self.assertNotEqual(orbctl("--clear-groups", "status").returncode, 0)
        self.assertNotEqual(orbctl("--groups=orb-operators", "credential",
                                   "list").returncode, 0)

    def test_10_killed(self):
        """mapd and an HTTP process killed: they come back, so does the work"""
        before = self.m.show("orb-mapd.service", "MainPID")["MainPID"]
        self.m.run("kill", "-9", before, self.m.show(
            "orb-fetchd@topdesk.service", "MainPID")["MainPID"])
        wait_for("mapd runs again", lambda: self.m.show(
            "orb-mapd.service", "MainPID", "ActiveState", "NRestarts") ==
            {"MainPID": self.m.show("orb-mapd.service", "MainPID")["MainPID"],
             "ActiveState": "active", "NRestarts": "1"})
        self.assertNotEqual(self.m.show("orb-mapd.service",
                                        "MainPID")["MainPID"], before)
        self.arrives("bob", 1, day(1, 11))
        self.assertEqual(len(self.people.planned()), 2)
        self.assertEqual(self.sim.violations()["violations"], [])

    def test_11_stopped(self):
        """systemctl stop ends everything in order, within seconds"""
        self.assertEqual(len(self.of_orb()), len(SERVICES) + 2)  # adapters
        begin = time.monotonic()
        self.m.run("systemctl", "stop", "orb.target")

        def ended():
            return all(s["ActiveState"] in ("inactive", "failed") for s in
                       self.services("ActiveState").values())
        wait_for("all services ended", ended, STOP_SECONDS)
        seconds = time.monotonic() - begin
        print("# stopped in %.1f s" % seconds)
        self.assertLess(seconds, STOP_SECONDS)
        for name, s in self.services("ActiveState", "Result",
                                     "ExecMainStatus").items():
            self.assertEqual((s["ActiveState"], s["Result"],
                              s["ExecMainStatus"]),
                             ("inactive", "success", "0"),
                             "%s\n%s" % (name, self.journal()))
        self.assertEqual(self.of_orb(), [])
        self.assertEqual(self.m.run("ls", "/run/orb"), "")
        self.assertEqual(self.m.run("systemctl", "list-units", "--plain",
                                    "--no-legend", "--state=active",
                                    "orb-*.service", "orb-*.socket",
                                    "orb.target").split("\n"), [""])

    def of_orb(self):
        """Names of the machine's processes that belong to a user of ORB."""
        users = {line.split(":")[2] for line in
                 self.m.read("/etc/passwd").splitlines()
                 if line.startswith("orb-")}
        self.assertEqual(len(users), len(SERVICES))
        found = []
        for pid in os.listdir(self.m.path("/proc")):
            try:
                status = self.m.read("/proc/%s/status" % pid)
            except OSError:
                continue
            if users & set(re.search(r"^Uid:(.*)$", status, re.M).group(1)
                           .split()):
                found.append(status.split("\n")[0])
        return found

    def test_12_enabled(self):
        """enabled: the machine starts it by itself"""
        self.m.run("systemctl", "isolate", "rescue.target")
        self.m.run("systemctl", "isolate", "multi-user.target")
        self.wait_active()


if __name__ == "__main__":
    tap.main()
