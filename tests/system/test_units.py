#!/usr/bin/env python3
"""What make install puts in place for systemd, read without a running one.

Here: the socket units are the edges of edge.c, users are those of conf.def,
systemd accepts the units and finds little to complain about.  Not here:
whether they start (test_boot.py).
"""
import configparser
import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import tap

SRC = os.environ.get("ORB_SRC", os.path.join(os.path.dirname(__file__),
                                             "../.."))
BUILD = os.environ.get("ORB_BUILD", os.path.join(SRC, "build"))
UPSTREAMS = ("exchange", "topdesk")
# What systemd-analyze security may say at most, times ten.  0.2 of the 0.3 are
# PrivateUsers=, which would blind SO_PEERCRED; 0.1 is the least there is for a
# unit that tells systemd its status.
THRESHOLD = {"orb-keyd": 3, "orb-mapd": 3, "orb-ledgerd": 3,
             "orb-fetchd@exchange": 3, "orb-fetchd@topdesk": 3,
             "orb-dial@exchange": 10, "orb-dial@topdesk": 10}
GROUP = {"ROLE_HTTP": "orb-fetchd-%s", "ROLE_DIAL": "orb-dial-%s",
         "ROLE_MAPD": "orb-mapd", "ROLE_KEYD": "orb-keyd",
         "ROLE_CTL": "orb-operators"}
SERVICE = {"ROLE_HTTP": "orb-fetchd@%s.service",
           "ROLE_ADAPTER": "orb-fetchd@%s.service",
           "ROLE_KEYD": "orb-keyd.service", "ROLE_MAPD": "orb-mapd.service",
           "ROLE_LEDGERD": "orb-ledgerd.service"}


def read(path):
    with open(path) as f:
        return f.read()


def edges():
    """edge_table as (listener, connector, upstream, fd name, file)."""
    source = read(os.path.join(SRC, "daemon/lib/edge.c"))
    table = source.split("edge_table[] = {")[1].split("\n};")[0]
    row = re.compile(r'\{(ROLE_\w+),\s*(ROLE_\w+),\s*(\w+),\s*"([^"]+)",'
                     r'\s*"([^"]+)"\}')
    names = {"EX": "exchange", "TD": "topdesk", "UPSTREAM_NONE": ""}
    found = [(a, b, names[u], n, s) for a, b, u, n, s in row.findall(table)]
    assert len(found) == table.count("ROLE_") // 2, "edge.c was not understood"
    return found


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = tempfile.mkdtemp(prefix="orb-units-")
        cls.addClassCleanup(shutil.rmtree, cls.root)
        done = subprocess.run(
            ["make", "-s", "-C", BUILD, "install", "DESTDIR=" + cls.root],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        paths = subprocess.run(["make", "-s", "-C", BUILD, "print-paths"],
                               stdout=subprocess.PIPE, text=True, check=True)
        cls.path = dict(line.split("=", 1) for line in
                        paths.stdout.splitlines())
        cls.units = cls.root + cls.path["systemdsystemunitdir"]

    def installed(self, name):
        return read(self.root + self.path["prefix"] + "/lib/" + name)

    def sockets(self):
        """Each socket unit, templates for both upstreams, as read."""
        for path in sorted(glob.glob(self.units + "/*.socket")):
            name = os.path.basename(path)
            for up in UPSTREAMS if "@" in name else ("",):
                unit = configparser.ConfigParser(
                    interpolation=None, strict=False)
                unit.optionxform = str
                unit.read_string(read(path).replace("%i", up))
                yield name, dict(unit["Socket"])

    def test_sockets_are_the_edges(self):
        """each edge of edge.c has its socket unit, and no other is there"""
        want = {}
        for listener, connector, up, name, sock in edges():
            group = GROUP[connector] % up if "%" in GROUP[connector] \
                else GROUP[connector]
            mode = "0660"
            if (listener, connector) == ("ROLE_KEYD", "ROLE_CTL"):
                group, mode = "root", "0600"
            service = SERVICE[listener]
            want[self.path["runstatedir"] + "/orb/" + sock] = (
                name, "root", group, mode,
                service % up if "%" in service else service)
        have = {}
        for _, s in self.sockets():
            have[s["ListenSequentialPacket"]] = (
                s["FileDescriptorName"], s["SocketUser"], s["SocketGroup"],
                s["SocketMode"], s["Service"])
        self.assertEqual(have, want)

    def test_service_requires_its_sockets(self):
        """a service started alone brings its sockets along"""
        for name, s in self.sockets():
            service = re.sub("@(exchange|topdesk)", "@", s["Service"])
            text = read(os.path.join(self.units, service))
            stem = name.replace(".socket", "").replace("@", "@.*")
            self.assertRegex(text, "Requires=.*" + stem, name)
            self.assertRegex(text, "Sockets=.*" + stem, name)

    def test_users(self):
        """sysusers makes the users that orb.conf has as defaults"""
        made = set(re.findall(r"^u\s+(\S+)", self.installed("sysusers.d/orb.conf"), re.M))
        conf = os.path.join(SRC, "daemon/lib/conf.def")
        named = set(re.findall(r'user = "([^"]+)"', read(conf)))
        self.assertEqual(made, named)
        for path in glob.glob(self.units + "/*.service"):
            user = re.search("^User=(.*)$", read(path), re.M).group(1)
            for up in UPSTREAMS:
                self.assertIn(user.replace("%i", up), made)

    def test_state_directories(self):
        """what a service may write has an owner in tmpfiles"""
        text = self.installed("tmpfiles.d/orb.conf")
        for path in glob.glob(self.units + "/*.service"):
            unit = read(path)
            state = re.search("^StateDirectory=(.*)$", unit, re.M)
            if state:
                user = re.search("^User=(.*)$", unit, re.M).group(1)
                self.assertRegex(text, r"d %s/lib/%s\s+0700 %s\s+%s" % (
                    self.path["localstatedir"], state.group(1), user, user))

    def test_catalog(self):
        """journalctl's catalog has each event once"""
        events = read(os.path.join(SRC, "daemon/lib/events.def"))
        want = re.findall(r"^event \d+ \S+ \S+ ([0-9a-f]{32})$", events, re.M)
        have = re.findall(r"^-- ([0-9a-f]{32})$", self.installed("systemd/catalog/orb.catalog"), re.M)
        self.assertEqual(have, want)
        self.assertEqual(len(set(have)), len(have))

    def test_programs_are_installed(self):
        """each program that a unit starts is there"""
        for path in glob.glob(self.units + "/*.service"):
            program = re.search(r"^ExecStart=(\S+)", read(path), re.M).group(1)
            self.assertTrue(os.access(self.root + program, os.X_OK), program)
        for program in (self.path["libexecdir"] + "/orb/orb-adapter",
                        self.path["bindir"] + "/orbctl"):
            self.assertTrue(os.access(self.root + program, os.X_OK), program)

    def analyze(self, *words):
        if not shutil.which("systemd-analyze"):
            self.skipTest("systemd-analyze is not installed")
        return subprocess.run(
            ["systemd-analyze", "--root=" + self.root] + list(words),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=dict(os.environ, SYSTEMD_PAGER="cat"))

    def names(self, kind):
        for path in sorted(glob.glob(self.units + "/orb*" + kind)):
            name = os.path.basename(path)
            for up in UPSTREAMS if "@" in name else ("",):
                yield name.replace("@", "@" + up)

    def test_verify(self):
        """systemd-analyze verify has nothing to say"""
        host = "/usr/lib/systemd/system"
        if not os.path.isdir(host):
            self.skipTest("systemd is not installed")
        # The targets that the units speak of are the system's.
        for path in glob.glob(host + "/*"):
            name = os.path.join(self.units, os.path.basename(path))
            if path.endswith((".target", ".slice")) and \
                    not os.path.lexists(name):
                shutil.copy(path, name)
        names = list(self.names(".service")) + list(self.names(".socket"))
        done = self.analyze("verify", "--man=no", "orb.target", *names)
        complaints = [line for line in done.stdout.splitlines()
                      if "orb" in line]
        self.assertEqual(complaints, [])

    def test_security(self):
        """systemd-analyze security stays at or below what was reached"""
        scores = {}
        for name, limit in THRESHOLD.items():
            done = self.analyze("security", "--offline=true",
                                "--threshold=%d" % limit, name + ".service")
            found = re.search(r"exposure level for \S+: ([\d.]+)",
                              done.stdout)
            self.assertIsNotNone(found, done.stdout)
            scores[name] = found.group(1)
            self.assertEqual(done.returncode, 0, "%s: %s, allowed %.1f" % (
                name, found.group(1), limit / 10))
        print("# exposure: %s" % scores)


if __name__ == "__main__":
    tap.main()
