#!/usr/bin/env python3
"""test_verify: orb-verify on logs that are good and on logs that were spoiled.

Each way to spoil a log must be named in the answer and in the exit status.  The
logs are made by auditlog.py, which knows FORMAT and none of ORB's code.
"""
import fcntl
import glob
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import auditlog
import tap
from auditlog import SECOND, Key, Log, Tree

SRC = os.path.abspath(os.environ.get("ORB_SRC") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.path.abspath(os.environ.get("ORB_BUILD") or
                        os.path.join(SRC, "build"))
VERIFY = os.path.join(BUILD, "orb-verify")
WELL, BROKEN, USAGE, UNREADABLE, FINDINGS = range(5)
FLIPS = 400


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


class Good(Case):
    def test_sizes(self):
        """good logs of 1 to 600 records, around every boundary"""
        for size in (1, 2, 3, 255, 256, 257, 511, 512, 513, 600):
            log = Log()
            log.fill(size)
            log.sign()
            self.export(log)
            self.expect(log, WELL, args=self.kept(log.notes[0]))

    def test_large(self):
        """good logs around 65,536 records, where a third level begins"""
        log = Log()
        log.fill(66000)
        tree = Tree(log.entries)
        for size in (65535, 65536, 65537, 66000):
            entries = log.entries[:size]
            root = auditlog.base64.b64encode(tree.root(size)).decode()
            log.notes.append(log.key.note(log.text(0, size=str(size),
                                                   root=root)))
            self.export(log, entries=entries)
            status, out, _ = verify("--output=json", "--key", log.key.line(),
                                    self.log_dir)
            told = json.loads(out)
            self.assertEqual((status, told["records"], told["covered"]),
                             (WELL, size, size), out)
            self.assertGreater(told["tiles"], 256)

    def test_everything(self):
        """a log with boots, intents, kept checkpoints, without tiles, too"""
        log = plain_log()
        self.export(log)
        self.expect(log, WELL, args=self.kept(*log.notes))
        self.expect(log, WELL, "nothing-kept")
        self.export(log, tiles_of=())
        self.expect(log, WELL, args=self.kept(*log.notes))

    def test_nothing(self):
        """a log of no records that was signed"""
        log = Log()
        log.sign()
        self.export(log)
        self.expect(log, WELL)

    def test_kept_forms(self):
        """kept checkpoints with CR LF, empty lines, without a last newline"""
        log = plain_log()
        self.export(log)
        text = b"\r\n\n" + b"\n\n\n".join(log.notes).replace(b"\n", b"\r\n")
        self.expect(log, WELL, args=self.kept(text.rstrip()))
        lost = log.notes.pop(2)
        self.export(log)
        self.expect(log, WELL, "kept-unlisted", args=self.kept(lost))

    def test_newer_members(self):
        """members and lines that a later version adds are let pass"""
        log = Log()
        log.add(zone="hall")
        log.add(what="an answer\n\u20ac\x1f")
        log.sign(more="tpm-clock 5")
        self.export(log)
        self.expect(log, WELL)


class Spoiled(Case):
    """Somebody changed the export; who has no key."""

    def setUp(self):
        super().setUp()
        self.log = plain_log()

    def test_deleted(self):
        """one record deleted: record-missing"""
        entries = self.log.entries
        for at in (0, 130, 255, 256, 511, 680):
            self.export(self.log, entries=entries[:at] + entries[at + 1:])
            got = self.expect(self.log, BROKEN, "record-missing",
                              *self.also("root-mismatch", "tile-mismatch"))
            self.assertEqual([f["record"] for f in got], [at])
            self.assertIn("record %d is missing" % at, got[0]["seen"])

    def also(self, *names):
        """Those of the names that are found, too: what follows from it."""
        return [n for n in names if n in self.found(self.log)[1]]

    def test_deleted_many(self):
        """a run of records deleted: record-missing, with how many"""
        entries = self.log.entries
        self.export(self.log, entries=entries[:300] + entries[340:])
        got = self.expect(self.log, BROKEN, "record-missing",
                          *self.also("root-mismatch"))
        self.assertIn("40 records are missing, 300 to 339", got[0]["seen"])

    def test_deleted_in_place(self):
        """a record deleted from its file alone: bundle-short"""
        first = os.path.join(self.log_dir, "tile/entries/000")
        self.export(self.log)
        some = self.log.entries[:77] + self.log.entries[78:256]
        auditlog.put(first, b"".join(len(e).to_bytes(2, "big") + e
                                     for e in some))
        self.expect(self.log, BROKEN, "bundle-short", "record-missing",
                    "root-mismatch")

    def test_deleted_renumbered(self):
        """a record deleted and the others numbered anew: root-mismatch"""
        entries = self.log.entries
        fewer = renumber(entries[:300] + entries[301:])
        self.export(self.log, entries=fewer, tiles_of=fewer)
        got = self.expect(self.log, BROKEN, "root-mismatch", *self.also(
            "tail-cut"))
        self.assertIn("records 257 to 399", got[0]["seen"])

    def test_edited(self):
        """one record edited: record-changed says which, where tiles tell"""
        for at in (0, 99, 256, 450, 699):
            entries = list(self.log.entries)
            entries[at] = again(entries[at], text="nothing to see")
            self.export(self.log, entries=entries,
                        tiles_of=self.log.entries)
            got = self.expect(self.log, BROKEN, "record-changed")
            self.assertEqual([f["record"] for f in got], [at])
            self.assertTrue(got[0]["file"].startswith("tile/entries/"))
            self.export(self.log, entries=entries, tiles_of=())
            got = self.expect(self.log, BROKEN, "root-mismatch")
            first, last = map(int, re.search(r"records (\d+) to (\d+)",
                                             got[0]["seen"]).groups())
            self.assertTrue(first <= at <= last, got)
            self.export(self.log, entries=entries)
            self.expect(self.log, BROKEN, "root-mismatch")

    def test_edited_twice(self):
        """records edited between different checkpoints: each is named"""
        entries = list(self.log.entries)
        for at in (50, 300, 301, 600):
            entries[at] = again(entries[at], uid=0)
        self.export(self.log, entries=entries, tiles_of=self.log.entries)
        got = self.expect(self.log, BROKEN, "record-changed")
        self.assertEqual([f["record"] for f in got], [50, 300, 301, 600])

    def test_reordered(self):
        """two records exchanged: record-order"""
        for a, b in ((20, 21), (255, 256), (30, 90), (698, 699)):
            entries = list(self.log.entries)
            entries[a], entries[b] = entries[b], entries[a]
            self.export(self.log, entries=entries)
            self.expect(self.log, BROKEN, "record-order", *self.also(
                "root-mismatch", "boottime-back", "record-replayed",
                "clock-back", "boot-returns"))

    def test_tail(self):
        """the tail cut off: tail-cut"""
        entries = self.log.entries
        for at in (699, 512, 300, 256, 0):
            self.export(self.log, entries=entries[:at])
            got = self.expect(self.log, BROKEN, "tail-cut",
                              *self.also("tile-mismatch"))
            self.assertIn("ends after %d records" % at, got[0]["seen"])
            self.assertIn("signed 700", got[0]["seen"])

    def test_tail_with_checkpoints(self):
        """the tail cut off with its checkpoints: a kept one shows it"""
        kept = self.kept(self.log.notes[-1])
        self.export(self.log, entries=self.log.entries[:257],
                    notes=self.log.notes[:4])
        got = self.expect(self.log, BROKEN, "tail-cut", args=kept)
        self.assertIn("kept checkpoint signed 700", got[0]["seen"])
        self.expect(self.log, WELL, "nothing-kept")

    def test_replayed(self):
        """a record put in again: record-replayed"""
        entries = self.log.entries
        for at in (257, 300, 512, 700):
            self.export(self.log, entries=entries[:at] + [entries[10]] +
                        entries[at:])
            got = self.expect(self.log, BROKEN, "record-replayed", *self.also(
                "root-mismatch", "boottime-back", "clock-back",
                "boot-returns", "tile-mismatch"))
            self.assertEqual(got[0]["record"], at)
            self.assertIn("record 10 stands where", got[0]["seen"])

    def test_replaced(self):
        """a record in the place of another: record-replayed"""
        entries = list(self.log.entries)
        entries[300] = entries[299]
        self.export(self.log, entries=entries, tiles_of=())
        self.expect(self.log, BROKEN, "record-replayed", "root-mismatch")

    def test_swapped_key(self):
        """all signed anew with another key of the same name: key-swapped"""
        other = plain_log(key=Key("orb/test"))
        self.export(other)
        got = self.expect(other, BROKEN, "key-swapped",
                          key=self.log.key.line())
        self.assertEqual(len(got), len(other.notes))
        status, out, _ = verify(self.log_dir)
        self.assertEqual(status, FINDINGS)
        self.assertIn("key-unproven", out)

    def test_forged(self):
        """a forged signature, or a signed text changed: signature-bad"""
        forger = Key("orb/test")
        text = self.log.text()
        fake = forger.note(text, hash=self.log.key.hash)
        self.export(self.log, notes=self.log.notes[:-1] + [fake])
        self.expect(self.log, BROKEN, "signature-bad")
        good = self.log.notes[-1]
        fake = good.replace(b"\n700\n", b"\n699\n")
        self.assertNotEqual(fake, good)
        self.export(self.log, notes=self.log.notes[:-1] + [fake])
        self.expect(self.log, BROKEN, "signature-bad", *self.also("uncovered"))
        self.export(self.log)
        self.expect(self.log, BROKEN, "signature-bad",
                    args=self.kept(fake))

    def test_origin(self):
        """a checkpoint of another log: origin-other"""
        other = plain_log(key=Key("orb/other"))
        self.export(self.log, notes=self.log.notes[:-1] + [other.notes[-1]])
        self.expect(self.log, BROKEN, "origin-other")
        fake = self.log.key.note(self.log.text(origin="orb/other"))
        self.export(self.log, notes=self.log.notes[:-1] + [fake])
        self.expect(self.log, BROKEN, "origin-other")

    def test_truncated(self):
        """a file cut off within a record: file-truncated"""
        self.export(self.log)
        for name in ("000", "001", "002.p/188"):
            path = os.path.join(self.log_dir, "tile/entries", name)
            whole = open(path, "rb").read()
            auditlog.put(path, whole[:-1])
            self.expect(self.log, BROKEN, "file-truncated", *self.also(
                "root-mismatch", "record-missing"))
            auditlog.put(path, whole)
        self.expect(self.log, WELL)

    def test_missing_file(self):
        """a file of records taken out: bundle-missing"""
        for name in ("000", "001"):
            self.export(self.log)
            os.unlink(os.path.join(self.log_dir, "tile/entries", name))
            self.expect(self.log, BROKEN, "bundle-missing")

    def test_trailing(self):
        """bytes after the last record of a file: trailing-bytes"""
        for name in ("000", "001", "002.p/188"):
            self.export(self.log)
            with open(os.path.join(self.log_dir, "tile/entries", name),
                      "ab") as f:
                f.write(b"\0")
            self.expect(self.log, BROKEN, "trailing-bytes")

    def test_tiles(self):
        """files of hashes that were changed, shortened, made longer"""
        self.export(self.log)
        for name in ("0/000", "0/002.p/188", "1/000.p/2"):
            path = os.path.join(self.log_dir, "tile", name)
            whole = open(path, "rb").read()
            for bad in (whole[:-1], whole + b"\0",
                        whole[:33] + bytes([whole[33] ^ 1]) + whole[34:]):
                auditlog.put(path, bad)
                self.expect(self.log, BROKEN, "tile-mismatch")
            auditlog.put(path, whole)

    def test_lists(self):
        """checkpoints taken out, put in, exchanged, cut off"""
        notes = self.log.notes
        path = os.path.join(self.log_dir, "checkpoints")
        self.export(self.log)
        auditlog.put(path, b"".join(n + b"\n" for n in notes[:-1]))
        self.expect(self.log, BROKEN, "newest-mismatch")
        auditlog.put(path, b"")
        self.expect(self.log, BROKEN, "no-checkpoint", "newest-mismatch")
        self.export(self.log, notes=notes[:2] + [notes[3], notes[2]] +
                    notes[4:])
        self.expect(self.log, BROKEN, "size-back", "counter-back")
        self.export(self.log)
        auditlog.put(path, b"".join(n + b"\n" for n in notes) + b"x")
        self.expect(self.log, BROKEN, "note-form", *self.also(
            "newest-mismatch"))
        auditlog.put(path, b"junk\n\n" + b"".join(n + b"\n" for n in notes))
        self.expect(self.log, BROKEN, "note-form")
        self.export(self.log)
        auditlog.put(os.path.join(self.log_dir, "checkpoint"), b"x" * 9999)
        self.expect(self.log, BROKEN, "note-form")

    def test_bits(self):
        """a bit flipped anywhere in what is covered is never accepted"""
        self.export(self.log)
        names = sorted(n for n in glob.glob(self.log_dir + "/**",
                                            recursive=True)
                       if os.path.isfile(n) and not n.endswith("/key"))
        sizes = [os.path.getsize(n) for n in names]
        seed = int.from_bytes(os.urandom(4), "big")
        print("# seed %d, %d bytes" % (seed, sum(sizes)))
        chance = random.Random(seed)
        for turn in range(FLIPS):
            # Half of them in the small files, where the grammar is.
            name = names[turn % len(names)] if turn % 2 else \
                chance.choices(names, sizes)[0]
            at, bit = chance.randrange(os.path.getsize(name)), \
                chance.randrange(8)
            self.flip(name, at, bit)
            status, out, err = verify("--key", self.log.key.line(),
                                      self.log_dir)
            self.assertEqual(status, BROKEN, "seed %d: %s byte %d bit %d: %s"
                             % (seed, name, at, bit, out + err))
            self.flip(name, at, bit)
        self.expect(self.log, WELL)

    @staticmethod
    def flip(name, at, bit):
        with open(name, "r+b") as f:
            f.seek(at)
            byte = f.read(1)[0]
            f.seek(at)
            f.write(bytes([byte ^ 1 << bit]))


class Anew(Case):
    """Somebody has the key, or signs as keyd would."""

    def test_rolled_back(self):
        """a snapshot put back that grew differently: log-forked, or tail-cut
        while it is shorter"""
        log = plain_log(400)
        before = list(log.entries), list(log.notes), log.time
        log.fill(500)
        kept = self.kept(log.sign())
        log.entries, log.notes, log.time = before
        log.add("credential_set", 4, "keyd", text="other")
        log.fill(450)
        log.sign()
        self.export(log)
        self.expect(log, WELL, "nothing-kept")
        self.expect(log, BROKEN, "tail-cut", args=kept)
        log.fill(600)
        log.sign()
        self.export(log)
        got = self.expect(log, BROKEN, "log-forked", args=kept)
        self.assertIn("500 records", got[0]["seen"])

    def test_written_anew(self):
        """the whole log written anew with the same key: log-forked"""
        log = plain_log()
        kept = self.kept(log.notes[1])
        log.entries[60] = again(log.entries[60], text="rewritten")
        log.notes = []
        log.sign()
        self.export(log)
        self.expect(log, WELL, "nothing-kept")
        self.expect(log, BROKEN, "log-forked", args=kept)

    def test_counters(self):
        """counters going back, standing still over a boot, lost"""
        log = plain_log()
        log.counter -= 3
        log.fill(710)
        log.sign()
        self.export(log)
        got = self.expect(log, BROKEN, "counter-back")
        self.assertIn("from 46 to 44", got[0]["seen"])
        log = plain_log()
        log.reboot()
        log.counter -= 1
        log.sign()
        self.export(log)
        self.expect(log, FINDINGS, "counter-still")
        log.sign(counter="counter none")
        self.export(log)
        self.expect(log, FINDINGS, "counter-lost", "counter-still")

    def test_size_back(self):
        """a smaller tree signed after a larger one: size-back"""
        log = plain_log()
        log.sign(size="500", root=auditlog.base64.b64encode(
            Tree(log.entries).root(500)).decode())
        self.export(log)
        self.expect(log, BROKEN, "size-back")

    def test_checkpoint_time(self):
        """a checkpoint whose time is before the records it covers"""
        log = plain_log()
        log.sign(time="time %d" % (log.time // SECOND - 60))
        self.export(log)
        got = self.expect(log, FINDINGS, "checkpoint-time")
        self.assertIn("60 s before", got[0]["seen"])

    def test_odd_texts(self):
        """well signed texts that are no checkpoint: note-form"""
        log = plain_log()
        good = list(log.notes)
        for change in ({"size": "0700"}, {"size": "-1"}, {"size": ""},
                       {"size": "99999999999999999999"}, {"root": "AAAA"},
                       {"time": "time"}, {"time": "time 1x"},
                       {"boot": "boot 1"}, {"counter": "counter"},
                       {"counter": "counter 01"}, {"key": "kex tpm"}):
            log.notes = good[:-1] + [log.key.note(log.text(**change))]
            self.export(log)
            self.assertEqual(self.found(log)[0], BROKEN, change)
            self.assertIn("note-form", self.found(log)[1], change)

    def test_uncovered(self):
        """records after the last checkpoint are counted"""
        log = plain_log()
        log.fill(733)
        self.export(log)
        got = self.expect(log, FINDINGS, "uncovered")
        self.assertIn("33 records", got[0]["seen"])


class Clock(Case):
    def stepped(self, step, at=300, since_boot=None):
        """A log whose wall clock is set at a record."""
        log = Log()
        if since_boot is not None:
            log.booted = log.time - since_boot
        else:
            log.booted = log.time - 3600 * SECOND
        log.start()
        log.fill(at)
        log.time += step
        log.booted += step
        log.fill(400)
        log.sign(time="time %d" % (log.time // SECOND + 90000))
        self.export(log)
        return log

    def test_back(self):
        """the clock set back: clock-back, with record and size"""
        got = self.expect(self.stepped(-3600 * SECOND), BROKEN, "clock-back")
        self.assertEqual([f["record"] for f in got], [300])
        self.assertIn("set back by 3600.000 s", got[0]["seen"])
        self.expect(self.stepped(-2 * SECOND), BROKEN, "clock-back")

    def test_back_hidden(self):
        """the clock set back by less than had passed: clock-back"""
        log = self.stepped(0)
        log.booted -= 100 * SECOND  # 100 s pass, the clock shows 40
        log.time += 40 * SECOND
        log.booted += 40 * SECOND
        log.fill(450)
        log.sign()
        self.export(log)
        got = self.expect(log, BROKEN, "clock-back", "checkpoint-time")
        self.assertIn("set back by 60.000 s", got[0]["seen"])

    def test_little(self):
        """half a second either way is no step; five times it is"""
        log = self.stepped(-SECOND // 2)
        self.expect(log, WELL)
        self.expect(self.stepped(4 * SECOND), WELL)
        for _ in range(12):
            log.time -= SECOND // 2
            log.booted -= SECOND // 2
            log.add()
        log.sign(time="time %d" % (log.time // SECOND + 90000))
        self.export(log)
        self.expect(log, BROKEN, "clock-back")

    def test_forward(self):
        """the clock set forward: clock-step; at start a notice"""
        log = self.stepped(7200 * SECOND)
        got = self.expect(log, FINDINGS, "clock-step")
        self.assertEqual([f["record"] for f in got], [300])
        self.assertIn("7200.000 s", got[0]["seen"])
        self.expect(log, WELL, args=("--clock-step", "7201"))
        self.expect(log, WELL, args=("--since", "301"))
        self.expect(log, FINDINGS, "clock-step", args=("--since", "300"))
        self.expect(self.stepped(7200 * SECOND, since_boot=20 * SECOND), WELL,
                    "clock-set-at-start")

    def test_boots(self):
        """over a boot the clock may not go back unseen; no boot returns"""
        log = plain_log()
        log.boot += 1
        log.time -= 500 * SECOND
        log.booted = log.time - SECOND
        log.start()
        log.sign(time="time %d" % (log.time // SECOND + 90000))
        self.export(log)
        self.expect(log, FINDINGS, "clock-before-boot", "process-gap")
        log = plain_log()
        log.stop()
        log.boot -= 1
        log.start()
        log.sign()
        self.export(log)
        self.assertIn("boot-returns", self.found(log)[1])

    def test_boottime(self):
        """the time since boot running back: boottime-back"""
        log = plain_log()
        log.booted += 10 * SECOND
        log.time += 5 * SECOND
        log.add()
        log.sign()
        self.export(log)
        self.assertIn("boottime-back", self.found(log)[1])
        self.assertEqual(self.found(log)[0], BROKEN)


class Gaps(Case):
    def test_process(self):
        """a process that starts without having stopped: process-gap"""
        log = plain_log()
        at = log.add("process_started", 1, "mapd")
        log.sign()
        self.export(log)
        got = self.expect(log, FINDINGS, "process-gap")
        self.assertEqual([f["record"] for f in got], [at])
        self.assertIn("mapd starts", got[0]["seen"])

    def intents(self, *steps):
        log = plain_log()
        places = [log.add(event, 16, "mapd", booking=auditlog.booking(n))
                  for event, n in steps]
        log.time += 700 * SECOND
        log.add()
        log.sign()
        self.export(log)
        return log, places

    def test_open(self):
        """an intent without result: intent-open, with its record"""
        log, at = self.intents(("cancel_intent", 1), ("move_intent", 2),
                               ("create_intent", 3), ("move_done", 2),
                               ("action_failed", 3))
        got = self.expect(log, FINDINGS, "intent-open")
        self.assertEqual([f["record"] for f in got], [at[0]])

    def test_again(self):
        """an action tried anew, then done: a notice"""
        log, at = self.intents(("cancel_intent", 1), ("cancel_intent", 1),
                               ("cancel_done", 1))
        got = self.expect(log, WELL, "intent-again")
        self.assertEqual([f["record"] for f in got], [at[0]])

    def test_under_way(self):
        """an intent at the very end is under way"""
        log = plain_log()
        log.add("move_intent", 18, "mapd", booking=auditlog.booking(4))
        log.sign()
        self.export(log)
        self.expect(log, WELL, "intent-under-way")

    def test_many(self):
        """more open intents than are followed are counted"""
        log = Log()
        for n in range(13000):
            log.add("move_intent", 18, "mapd", booking=auditlog.booking(n))
        log.time += 700 * SECOND
        log.add()
        log.sign()
        self.export(log, tiles_of=())
        status, out, _ = verify("--output=json", "--key", log.key.line(),
                                self.log_dir)
        told = json.loads(out)
        self.assertEqual(status, FINDINGS)
        self.assertEqual(told["counts"]["intent-open"], 12289)
        self.assertEqual(len([f for f in told["findings"]
                              if f["what"] == "intent-open"]), 100)


class Proof(Case):
    def check(self, data, key):
        status, out, err = verify("--output=json", "--key", key, "--proof",
                                  self.file("proof", data))
        return status, {f["what"] for f in json.loads(out)["findings"]}

    def test_good(self):
        """proofs of first, last and other records in trees of all shapes"""
        log = Log()
        log.fill(600)
        for size in (1, 2, 3, 7, 255, 256, 257, 600):
            for index in {0, size // 3, size // 2, size - 1}:
                self.assertEqual(self.check(log.proof(index, size),
                                            log.key.line()), (WELL, set()))

    def test_bad(self):
        """a proof of which any line was changed is refused by name"""
        log = Log()
        log.fill(600)
        good = log.proof(300)
        lines = good.split(b"\n")
        key = log.key.line()

        def changed(i, to):
            return b"\n".join(lines[:i] + [to] + lines[i + 1:])

        edited = again(lines[0], text="x")
        for data, name in (
                (changed(0, edited), "proof-mismatch"),
                (changed(0, log.entries[301]), "proof-mismatch"),
                (changed(0, lines[0] + b" "), "record-form"),
                (changed(1, b"301"), "proof-mismatch"),
                (changed(1, b"0300"), "proof-form"),
                (changed(2, b"601"), "proof-mismatch"),
                (changed(2, b"many"), "proof-form"),
                (changed(3, lines[4]), "proof-mismatch"),
                (changed(3, lines[3] + b"="), "proof-form"),
                (b"\n".join(lines[:3] + lines[4:]), "proof-mismatch"),
                (b"\n".join(lines[:4] + lines[3:]), "proof-mismatch"),
                (good + b"\n", "note-form"), (good[:-1], "note-form"),
                (b"", "proof-form"), (b"\n" * 9, "proof-form")):
            status, names = self.check(data, key)
            self.assertEqual(status, BROKEN, data)
            self.assertIn(name, names, data)
        self.assertEqual(self.check(good, Key("orb/test").line()),
                         (BROKEN, {"key-swapped"}))
        self.assertEqual(self.check(good, Key("orb/x").line()),
                         (BROKEN, {"origin-other"}))

    def test_bits(self):
        """a proof with any bit flipped is not accepted"""
        log = Log()
        log.fill(20)
        good = log.proof(11)
        key = log.key.line()
        chance = random.Random(good)
        for _ in range(200):
            at, bit = chance.randrange(len(good)), chance.randrange(8)
            bad = bytearray(good)
            bad[at] ^= 1 << bit
            self.assertEqual(self.check(bytes(bad), key)[0], BROKEN,
                             (at, bit, good))


class Program(Case):
    def test_usage(self):
        """exit status 2 and what is wrong with the command line"""
        key = Key().line()
        for args, words in (
                ((), "one directory"), (("a", "b"), "one directory"),
                (("--nothing", "a"), "usage"),
                (("--key", key, "--key-file", "x", "a"), "one of the two"),
                (("--key", key[:-6], self.dir), "base64"),
                (("--key", "x" + key, self.dir), "HASH does not belong"),
                (("--key", "nonsense", self.dir), "NAME+HASH+KEY"),
                (("--output=xml", "a"), "text or json"),
                (("--since", "x", "a"), "--since"),
                (("--clock-step", "-1", "a"), "--clock-step"),
                (("--proof", "x"), "needs the key"),
                (("--proof", "x", "--key", key, "a"), "--proof goes")):
            status, _, err = verify(*args)
            self.assertEqual(status, USAGE, args)
            self.assertIn(words, err)

    def test_unreadable(self):
        """exit status 3 when there is nothing to read"""
        key = Key().line()
        for args in (("--key", key, self.dir + "/none"),
                     ("--key-file", self.dir + "/none", self.dir),
                     ("--key", key, "--checkpoint", "/none", self.dir),
                     ("--key", key, "--proof", "/none"),
                     ("--key", key, self.dir), (self.dir,)):
            self.assertEqual(verify(*args)[0], UNREADABLE, args)
        log = plain_log()
        self.export(log)
        path = os.path.join(self.log_dir, "tile/entries/001")
        os.unlink(path)
        os.mkfifo(path)
        self.expect(log, UNREADABLE, "cannot-read")
        os.unlink(path)
        os.symlink("/etc/passwd", path)
        self.expect(log, UNREADABLE, "cannot-read")

    def test_hostile_texts(self):
        """names of files and of processes do not drive the terminal"""
        log = Log()
        name = "\u009b31m\u202e"
        log.add("process_started", 1, name)
        log.add("process_started", 1, name)
        log.sign()
        self.export(log)
        _, text, _ = verify("--key", log.key.line(), self.log_dir)
        self.assertIn("process-gap", text)
        self.assertTrue(text.isascii())

    def test_confined(self):
        """while it parses it can read, print and end, and nothing else"""
        with open(os.path.join(BUILD, "config.h")) as f:
            if "#define ORB_SANITIZERS" in f.read():
                self.skipTest("sanitizers need more system calls")
        log = plain_log()
        for _ in range(99):
            log.add("process_started", 1, "mapd")
        log.sign()
        self.export(log)
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        process = subprocess.Popen([VERIFY, "--key", log.key.line(),
                                    self.log_dir], stdout=writer)
        os.close(writer)
        try:
            self.assertEqual(self.status_of(process), {
                "Seccomp": "2", "NoNewPrivs": "1"})
        finally:
            with open(reader, "rb") as f:
                f.read()
            process.wait()
        self.assertEqual(process.returncode, FINDINGS)

    @staticmethod
    def status_of(process):
        """Of a process that waits for its pipe to be read."""
        got = {}
        for _ in range(100):
            with open("/proc/%d/status" % process.pid) as f:
                text = f.read()
            got = dict(re.findall(r"(?m)^(Seccomp|NoNewPrivs):\s+(\d)", text))
            if got.get("Seccomp") == "2":
                break
            time.sleep(0.05)
        return got

    def test_own_code(self):
        """no source of orb-verify includes anything of the daemons"""
        sources = glob.glob(os.path.join(SRC, "daemon/verify/*.[ch]"))
        self.assertGreater(len(sources), 20)
        for name in sources:
            with open(name) as f:
                own = set(re.findall(r'#include "([^"]+)"', f.read()))
            for header in own - {"config.h"}:
                self.assertTrue(header.startswith("verify/"), name)

    def test_page(self):
        """orb-verify(1) explains every finding there can be"""
        with open(os.path.join(SRC, "daemon/verify/report.c")) as f:
            names = re.findall(r'\] = \{"([a-z-]+)"', f.read())
        self.assertGreater(len(names), 35)
        with open(os.path.join(SRC, "doc/orb-verify.1")) as f:
            page = f.read()
        for name in names:
            self.assertRegex(page, r"(?m)^\.It Cm %s$" % name)


if __name__ == "__main__":
    tap.main()
