"""verifycase: what the tests of orb-verify share: running it, and asking that
it names what was found in the table and in the JSON alike.

Here: Case and the log that is spoiled.  Not here: how logs are written
(auditlog.py), what is done to them (test_verify*.py).
"""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import auditlog
from auditlog import Log

SRC = os.path.abspath(os.environ.get("ORB_SRC") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.path.abspath(os.environ.get("ORB_BUILD") or
                        os.path.join(SRC, "build"))
VERIFY = os.path.join(BUILD, "orb-verify")
WELL, BROKEN, USAGE, UNREADABLE, FINDINGS = range(5)


def verify(*args):
    """Exit status and standard output."""
    done = subprocess.run([VERIFY, *args], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def plain_log(size=700, key=None):
    """A log with checkpoints at sizes of all kinds, and one boot in it."""
    log = Log(key)
    log.start()
    for n in (100, 255, 256, 257, 400):
        if n <= size:
            log.fill(n)
            log.sign()
    log.reboot()
    log.fill(size)
    log.sign()
    return log


def again(entry, **change):
    record = json.loads(entry)
    record.update(change)
    return auditlog.canonical(record)


def renumber(entries):
    return [again(e, index=i) for i, e in enumerate(entries)]


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="orb-verify-")
        self.addCleanup(shutil.rmtree, self.dir)
        self.log_dir = os.path.join(self.dir, "export")

    def file(self, name, data):
        path = os.path.join(self.dir, name)
        auditlog.put(path, data)
        return path

    def export(self, log, **more):
        shutil.rmtree(self.log_dir, ignore_errors=True)
        log.export(self.log_dir, **more)

    def found(self, log, *args, key=None):
        """(status, what was found: name -> its findings)."""
        status, out, err = verify("--output=json", "--key",
                                  key or log.key.line(), *args, self.log_dir)
        self.assertIn(status, (WELL, BROKEN, UNREADABLE, FINDINGS), err)
        told = json.loads(out)
        self.assertEqual(told["status"], status)
        names = {}
        for f in told["findings"]:
            names.setdefault(f["what"], []).append(f)
        self.assertEqual(sorted(names), sorted(told["counts"]))
        return status, names

    def expect(self, log, status, *names, args=(), key=None):
        """These, and of their weight nothing else; the findings of the first.
        The table for people says the same."""
        got, found = self.found(log, *args, key=key)
        self.assertEqual(got, status, found)
        for name in names:
            self.assertIn(name, found)
        heavy = {n for n, f in found.items()
                 if f[0]["weight"] in ("failure", "unreadable") or
                 (status == FINDINGS and f[0]["weight"] == "finding")}
        self.assertLessEqual(heavy, set(names))
        code, text, _ = verify("--key", key or log.key.line(), *args,
                               self.log_dir)
        self.assertEqual(code, status)
        for name in names:
            self.assertRegex(text, r"(?m)^(FAILURE|unreadable|finding|notice)"
                             r" +%s +" % name)
        return found[names[0]] if names else []

    def kept(self, *notes, name="kept"):
        return "--checkpoint", self.file(name, b"\n".join(notes))
