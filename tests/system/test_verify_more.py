#!/usr/bin/env python3
"""test_verify_more: what orb-verify reads in the records (clocks, gaps), proofs
of one record, and the program itself.
"""
import fcntl
import glob
import json
import os
import random
import re
import subprocess
import time

import auditlog
import tap
from auditlog import Key, Log, SECOND
from verifycase import (BROKEN, BUILD, FINDINGS, SRC, UNREADABLE, USAGE,
                        VERIFY, WELL, Case, again, plain_log, verify)


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
        log.fill(401)
        self.export(log)
        self.expect(log, FINDINGS, "uncovered", args=("--since", "9999"))
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

    def test_ledger(self):
        """what ORB itself found wrong with its log"""
        log = plain_log()
        log.add("ledger_repaired", 36, "ledgerd", text="9 bytes")
        log.add("ledger_differs", 48, "ledgerd")
        log.sign()
        self.export(log)
        self.expect(log, FINDINGS, "ledger-repaired", "ledger-differs")

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
                (("--clock-step", "0", "a"), "at least 1"),
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

    def test_output(self):
        """to a device, a full one, a terminal, a file, nowhere"""
        log = plain_log()
        self.export(log)
        command = [VERIFY, "--key", log.key.line(), self.log_dir]
        for name, status in (("/dev/null", WELL), ("/dev/full", UNREADABLE),
                             (os.path.join(self.dir, "out"), WELL)):
            with open(name, "wb") as out:
                done = subprocess.run(command, stdout=out,
                                      stderr=subprocess.PIPE)
            self.assertEqual(done.returncode, status, name)
        ours, theirs = os.openpty()
        done = subprocess.run(command, stdout=theirs)
        self.assertEqual(done.returncode, WELL)
        self.assertIn(b"700 covered", os.read(ours, 9999))
        os.close(ours)
        os.close(theirs)
        done = subprocess.run(command, stderr=subprocess.PIPE,
                              preexec_fn=lambda: os.close(1))
        self.assertEqual(done.returncode, UNREADABLE)

    def test_surroundings(self):
        """other locales and time zones, a configuration of OpenSSL that is
        not there"""
        log = plain_log()
        self.export(log)
        for change in ({"TZ": "Europe/Amsterdam"}, {"TZ": ":/etc/passwd"},
                       {"LC_ALL": "C.UTF-8"}, {"LC_ALL": "de_DE.UTF-8"},
                       {"OPENSSL_CONF": "/dev/stdin"}, {"MALLOC_ARENA_MAX": "1"},
                       {"OPENSSL_MODULES": "/none"}, {"PATH": ""}):
            done = subprocess.run([VERIFY, "--key", log.key.line(),
                                   self.log_dir], stdout=subprocess.PIPE,
                                  stdin=subprocess.DEVNULL,
                                  env={**os.environ, **change})
            self.assertEqual(done.returncode, WELL, change)
            self.assertIn(b"2025-11-24T16:", done.stdout)

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
