#!/usr/bin/env python3
"""test_verify: orb-verify on logs that are good and on logs that were spoiled.

Each way to spoil a log must be named in the answer and in the exit status.  The
logs are made by auditlog.py, which knows FORMAT and none of ORB's code.  What
the records themselves tell (clocks, gaps), proofs and the program are in
test_verify_more.py.
"""
import glob
import json
import os
import random
import re

import auditlog
import tap
from auditlog import Key, Log, SECOND, Tree
from verifycase import (BROKEN, FINDINGS, UNREADABLE, WELL, Case, again,
                        plain_log, renumber, verify)

FLIPS = 400


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
        text = b"  " + b"\n".join(log.notes)
        self.expect(log, WELL, args=self.kept(
            text.replace(b"\n", b"\n    ")))
        lost = log.notes.pop(2)
        self.export(log)
        self.expect(log, WELL, "kept-unlisted", args=self.kept(lost))

    def test_kept_json(self):
        """kept checkpoints in what journalctl and others give out as JSON"""
        log = plain_log()
        self.export(log)
        notes = [n.decode() for n in log.notes]
        for ascii in (True, False):
            lines = "".join(json.dumps({"MESSAGE": "signed", "ORB_X": n,
                                        "PRIORITY": "6"}, ensure_ascii=ascii)
                            + "\n" for n in notes)
            for text in (lines, lines.replace("orb/", "orb\\/")):
                status, out, _ = verify("--output=json", "--key",
                                        log.key.line(), self.log_dir,
                                        *self.kept(text.encode()))
                self.assertEqual((status, json.loads(out)["kept"]),
                                 (WELL, len(notes)))
        bad = lines.replace("\\n700\\n", "\\n701\\n")
        self.assertNotEqual(lines, bad)
        self.expect(log, BROKEN, "signature-bad", args=self.kept(bad.encode()))

    def test_kept_nothing(self):
        """a kept file without a checkpoint is said to be none"""
        log = plain_log()
        self.export(log)
        self.expect(log, UNREADABLE, "cannot-read", args=self.kept(b" \r\n"))
        self.expect(log, BROKEN, "note-form", args=self.kept(b"{}"))

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


if __name__ == "__main__":
    tap.main()
