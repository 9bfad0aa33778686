#!/usr/bin/env python3
"""The audit log as evidence: what whoever owns the disk can do to it, and what
then says so.

Here: the running daemons.  What a verifier finds in an export is test_verify.py's.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import orbtest
import tap
from people import Outlook, day


class Ledger(unittest.TestCase):
    def setUp(self):
        self.orb = orbtest.Orb(rooms=2)
        self.addCleanup(self.orb.stop)
        self.people = Outlook(self.orb.sim, self.orb.rooms)
        self.dir = os.path.join(self.orb.dir, "state/ledgerd")
        self.booked = 0
        self.orb.run()
        self.orb.wait_until_equal()

    def work(self, n=5):
        for _ in range(n):
            self.people.book("ada", 0, day(self.booked, 9), 30)
            self.booked += 1
        self.orb.wait_until_equal()

    def notes(self):
        with open(os.path.join(self.dir, "checkpoints")) as f:
            return ["orb/test\n" + n.rstrip("\n") for n in
                    f.read().split("orb/test\n") if "\n\n" in n]

    def sizes(self):
        return [int(n.split("\n")[1]) for n in self.notes()]

    def status(self, unit="ledgerd"):
        return self.orb.units[unit].status

    def tamper(self, change):
        """Everything is stopped, the newest segment is changed, and all is
        started again."""
        self.orb.stop_units()
        path = sorted(glob.glob(os.path.join(self.dir, "log/*")))[-1]
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(change(data))
        self.orb.start()

    def said(self, *words):
        orbtest.wait_for(
            "ledgerd says %s" % ", ".join(words),
            lambda: all(w in self.status() for w in words), 30)

    def verify(self, directory, key, status):
        done = subprocess.run(
            [os.path.join(orbtest.BUILD, "orb-verify"), "--key", key,
             directory], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, status, text)
        return text

    def prove(self, path, key, status, words):
        done = subprocess.run(
            [os.path.join(orbtest.BUILD, "orb-verify"), "--key", key,
             "--proof", path], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        text = done.stdout.decode()
        self.assertEqual(done.returncode, status, text)
        self.assertIn(words, text)

    def test_signed_at_stop(self):
        """the last checkpoint covers what happened until keyd stopped"""
        self.work()
        self.orb.stop_units()
        sizes = self.sizes()
        self.assertEqual(sizes, sorted(sizes))
        with open(sorted(glob.glob(self.dir + "/log/*"))[-1], "rb") as f:
            data = f.read()
        self.assertGreater(sizes[-1], 10)
        # What comes behind: the stop of the processes that stop after keyd,
        # and what they were about when they were told to.
        self.assertLess(data.count(b'"index":') - sizes[-1], 20)
        before = self.notes()
        self.orb.start()
        self.work(1)
        self.orb.restart()
        self.assertEqual(self.notes()[:len(before)], before)

    def test_record_edited(self):
        """one digit in a record that was signed"""
        self.work()
        last = None

        def change(data):
            nonlocal last
            last = len(self.sizes())
            return data.replace(b'"status":201', b'"status":200', 1)
        self.tamper(change)
        self.said("NOT SIGNED", "are not those that were signed")
        # The work goes on, the log too; but no signature comes.
        self.work(2)
        self.orb.restart()
        self.assertEqual(len(self.sizes()), last)
        self.assertIn("ledger_differs",
                      json.dumps(self.orb.orbctl("audit", "tail", "-n", "500",
                                                 json_out=False)))

    def test_tail_cut(self):
        """the newest records taken away"""
        self.work()
        self.tamper(lambda data: data[:len(data) // 2])
        self.said("NOT SIGNED", "records are gone")

    def test_snapshot_rolled_back(self):
        """an older copy of the log put back, beside keyd's newer state"""
        self.work()
        self.orb.stop_units()
        keep = tempfile.mkdtemp(dir=self.orb.dir)
        shutil.copytree(self.dir, keep + "/ledgerd")
        self.orb.start()
        self.work()
        self.orb.stop_units()
        shutil.rmtree(self.dir)
        shutil.copytree(keep + "/ledgerd", self.dir)
        for root, dirs, files in os.walk(self.dir):
            for name in dirs + files:
                os.chown(os.path.join(root, name),
                         self.orb.users["ledgerd"], self.orb.users["ledgerd"])
        os.chown(self.dir, self.orb.users["ledgerd"],
                 self.orb.users["ledgerd"])
        self.orb.start()
        self.said("NOT SIGNED")

    def test_checkpoints_taken_away(self):
        """without its checkpoints the log is signed on, by what keyd knows"""
        self.work()
        self.orb.stop_units()
        size = self.sizes()[-1]
        os.unlink(os.path.join(self.dir, "checkpoints"))
        self.orb.start()
        orbtest.wait_for("a checkpoint", lambda: os.path.exists(
            self.dir + "/checkpoints") and self.sizes(), 30)
        self.assertGreater(self.sizes()[0], size)

    def test_tiles_taken_away(self):
        """tiles are made again from the records"""
        self.work()
        self.orb.stop_units()
        before = len(self.sizes())
        shutil.rmtree(self.dir + "/tile", ignore_errors=True)
        self.orb.start()
        orbtest.wait_for("a checkpoint",
                         lambda: len(self.sizes()) > before, 30)

    def test_torn_checkpoint(self):
        """a crash in the middle of a checkpoint leaves the one before"""
        self.work()
        self.orb.stop_units()
        before = self.sizes()
        with open(self.dir + "/checkpoints", "ab") as f:
            f.write(b"orb/test\n99999\nAAAA")
        self.orb.start()
        orbtest.wait_for("a checkpoint",
                         lambda: len(self.sizes()) > len(before), 30)
        self.assertEqual(self.sizes()[:len(before)], before)

    def test_killed(self):
        """ledgerd and keyd die again and again: signed in the end"""
        for name in ("ledgerd", "keyd", "ledgerd", "keyd"):
            self.work(2)
            self.orb.kill(name)
            self.orb.wait_ready(["ledgerd", "keyd"])
        self.work(1)
        self.orb.stop_units()
        self.assertEqual(self.sizes(), sorted(self.sizes()))
        self.orb.start()
        orbtest.wait_for("ledgerd is well",
                         lambda: "signed up to" in self.status(), 30)

    def test_export(self):
        """orbctl audit export, key and checkpoints"""
        self.work(20)
        self.orb.stop_units(["keyd"])
        self.orb.start(["keyd"])
        out = os.path.join(self.orb.dir, "export")
        done = self.orb.orbctl("audit", "export", out)
        self.assertEqual(done["records"], self.sizes()[-1])
        self.assertEqual(done["checkpoints"], len(self.sizes()))
        key = self.orb.orbctl("audit", "key")["key"]
        with open(out + "/key") as f:
            self.assertEqual(f.read().strip(), key)
        with open(out + "/checkpoint") as f:
            self.assertEqual(f.read().strip(), self.notes()[-1].strip())
        self.assertIn(key, self.orb.orbctl("audit", "tail", "-n", "500",
                                           json_out=False))
        self.verify(out, key, 0)
        # A booking's records, each proved by itself.
        with open(out + "/tile/entries/000.p/%d" % done["records"],
                  "rb") as f:
            booking = re.search(rb'"booking":"([0-9a-f]{64})"',
                                f.read()).group(1).decode()
        proofs = os.path.join(self.orb.dir, "proofs")
        n = self.orb.orbctl("audit", "prove", booking[:12], proofs)["proofs"]
        self.assertEqual(len(os.listdir(proofs)), n)
        self.assertGreater(n, 1)
        for name in os.listdir(proofs):
            self.prove(os.path.join(proofs, name), key, 0,
                       "record       %s of" % name.split(".")[0])
        self.assertEqual(self.orb.orbctl("audit", "prove", "0", proofs)[
            "proofs"], 1)
        path = os.path.join(proofs, "0.proof")
        self.prove(path, key, 0, "")
        with open(path) as f:
            text = f.read()
        with open(path, "w") as f:
            f.write(text.replace('"index":0', '"index":1', 1))
        self.prove(path, key, 1, "")
        # One digit of what was exported.
        path = glob.glob(out + "/tile/entries/000*/*")[0]
        with open(path, "r+b") as f:
            data = f.read()
            f.seek(data.index(b'"status":201') + 11)
            f.write(b"0")
        self.assertIn("record-changed", self.verify(out, key, 1))
        again = self.orb.orbctl("audit", "export", out, check=False)
        self.assertIsNone(again)


if __name__ == "__main__":
    tap.main()
