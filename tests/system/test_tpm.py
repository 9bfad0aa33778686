#!/usr/bin/env python3
"""test_tpm: keyd's key-encryption key sealed by a TPM, an emulated one.

Here: sealing, unsealing after each side started anew, and each way in which it
goes wrong, by what keyd then says; all of ORB on such a key.  Not here: what is
sealed under the key (test_keyd.py).
"""
import hashlib
import hmac
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import orbtest  # noqa: E402
import tap  # noqa: E402
import test_keyd  # noqa: E402
from people import Outlook, day  # noqa: E402

BUILT_WITH = os.path.exists(os.path.join(orbtest.BUILD, "config.status")) and \
    'HAVE_TPM_TRUE"]=""' in orbtest.read(
        os.path.join(orbtest.BUILD, "config.status"))
OWNER, LOCKOUT, PASSWORD = 0x40000001, 0x4000000A, 0x40000009
PCR_EXTEND, DA_PARAMETERS, CHANGE_AUTH = 0x182, 0x13A, 0x129
UNSEAL = 0x15E


def ports():
    """Two free ports, one after the other, as libtss2 wants them."""
    for _ in range(50):
        with socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", 0))
            try:
                b.bind(("127.0.0.1", a.getsockname()[1] + 1))
            except OSError:
                continue
            return a.getsockname()[1]
    raise orbtest.Failure("no two ports in a row")


class Swtpm:
    """An emulated TPM; its state, and so its identity, outlives it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="orb-swtpm-")
        self.port = ports()
        self.process = None
        self.start()

    def start(self):
        tcp = "type=tcp,bindaddr=127.0.0.1,port=%d"
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + self.dir,
             "--server", tcp % self.port, "--ctrl", tcp % (self.port + 1),
             "--flags", "not-need-init,startup-clear"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=orbtest.die_with_parent)
        orbtest.wait_for("swtpm listens", self.listens)

    def listens(self):
        # Not by connecting: it serves one at a time.
        return all(":%04X 00000000:0000 0A" % p in
                   orbtest.read("/proc/net/tcp")
                   for p in (self.port, self.port + 1))

    def stop(self, number=signal.SIGTERM):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait()
        self.process = None

    def restart(self, state=None):
        """As a machine that starts: PCRs are zero again."""
        self.stop()
        if state:
            shutil.rmtree(self.dir)
            shutil.copytree(state, self.dir)
        self.start()

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.dir, ignore_errors=True)

    def command(self, code, handle, parameters):
        """One command with an empty password (Part 3)."""
        auth = struct.pack(">IHBH", PASSWORD, 0, 1, 0)
        body = struct.pack(">I", handle) + struct.pack(
            ">I", len(auth)) + auth + parameters
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(struct.pack(">HII", 0x8002, 10 + len(body), code) +
                      body)
            tag, size, rc = struct.unpack(">HII", s.recv(4096)[:10])
        assert rc == 0, "TPM command %x: %x" % (code, rc)

    def extend(self, pcr):
        self.command(PCR_EXTEND, pcr, struct.pack(">IH", 1, 0x000B) +
                     hashlib.sha256(b"another boot loader").digest())

    def lock_out(self):
        """No try is allowed: in lock-out at once (Part 3, 25.3)."""
        self.command(DA_PARAMETERS, LOCKOUT,
                     struct.pack(">III", 0, 1000, 1000))

    def own(self):
        """The owner hierarchy gets a password."""
        self.command(CHANGE_AUTH, OWNER, struct.pack(">H", 5) + b"owner")

    @property
    def kek(self):
        return "tpm:swtpm:host=127.0.0.1,port=%d" % self.port


class Between:
    """Somebody on the bus: hears all of it, and changes what he wants to."""

    def __init__(self, tpm):
        self.port, self.tpm = ports(), tpm
        self.seen = bytearray()
        self.spoil = None       # code of the command whose answer is changed
        self.spoiled = 0
        self.listening = [socket.create_server(("127.0.0.1", self.port + i))
                          for i in (0, 1)]
        for i, s in enumerate(self.listening):
            threading.Thread(target=self.serve, args=(s, i),
                             daemon=True).start()

    def serve(self, listening, i):
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            try:
                with near, socket.create_connection(
                        ("127.0.0.1", self.tpm.port + i)) as far:
                    self.carry(near, far)
            except OSError:
                pass

    def carry(self, near, far):
        code = 0
        while True:
            ready, _, _ = select.select([near, far], [], [])
            for s in ready:
                data = bytearray(s.recv(4096))
                if not data:
                    return
                self.seen += data
                if s is near:
                    code = int.from_bytes(data[6:10], "big")
                elif self.spoil and code == self.spoil and len(data) > 40:
                    data[20] ^= 1  # in the encrypted parameter
                    self.spoiled += 1
                (far if s is near else near).sendall(data)

    def close(self):
        for s in self.listening:
            s.shutdown(socket.SHUT_RDWR)
            s.close()

    @property
    def kek(self):
        return "tpm:swtpm:host=127.0.0.1,port=%d" % self.port


@unittest.skipUnless(shutil.which("swtpm"), "swtpm is not installed")
@unittest.skipUnless(BUILT_WITH, "built without libtss2")
class Tpm(unittest.TestCase):
    pcrs = "none"

    def setUp(self):
        self.tpm = Swtpm()
        self.addCleanup(self.tpm.remove)
        self.orb = orbtest.Orb(rooms=1, sim=test_keyd.NoSim(), settings={
            "exchange": {"credential": "secret"},
            "keyd": {"kek": self.tpm.kek, "tpm_pcrs": self.pcrs}})
        self.addCleanup(self.orb.stop)
        self.unit = self.orb.units["keyd"]
        self.unit.network = True  # libtss2 3 reaches swtpm by TCP only
        self.blob = os.path.join(self.orb.dir, "state/keyd/kek.tpm")

    def start(self):
        self.orb.start(["ledgerd", "keyd"])

    def enter(self):
        edge = test_keyd.Edge(self.orb, "ctl", "keyd-ctl.sock")
        answer = edge.ask(test_keyd.SET, test_keyd.text("topdesk-password") +
                          b"\0" + struct.pack(">q", 0) +
                          test_keyd.blob(test_keyd.CANARY))
        self.assertEqual(answer[-1][0], test_keyd.DONE, answer)

    def start_and_enter(self):
        self.start()
        self.enter()

    def lease_is_given(self):
        edge = test_keyd.Edge(self.orb, "fetchd@topdesk",
                              "keyd-http-topdesk.sock")
        (kind, _), = edge.ask(test_keyd.LEASE, test_keyd.text("td.test") +
                              struct.pack(">H", 8443) +
                              test_keyd.blob(b"k" * 32) + test_keyd.text(""))
        self.assertEqual(kind, test_keyd.HTTP_LEASE)

    def again(self):
        """keyd starts again, by itself or by a kill."""
        starts = self.unit.starts
        self.orb.kill("keyd")
        self.unit.status = ""
        orbtest.wait_for("keyd starts again",
                         lambda: self.unit.starts > starts)

    def works_again(self):
        self.again()
        self.orb.wait_ready(["keyd"])
        self.lease_is_given()

    def fails(self, *words, timeout=20):
        """keyd says so in its status, and does not try again at once."""
        try:
            orbtest.wait_for("keyd says " + words[0],
                             lambda: words[0] in self.unit.status, timeout)
        except AssertionError:
            raise AssertionError(
                "%r: %s" % (self.unit.status, self.orb.log_text("keyd")))
        for word in words + ("next attempt in 30 s",):
            self.assertIn(word, self.unit.status)
        self.assertFalse(self.unit.ready)
        starts = self.unit.starts
        time.sleep(2.5)
        self.assertEqual(self.unit.starts, starts, "a storm of attempts")

    def blob_is(self, before):
        """Nothing made it anew."""
        self.assertEqual(orbtest.read(self.blob, "rb"), before)


class Sealed(Tpm):
    def test_restarts(self):
        """keyd, then the TPM start again: the same key, and nowhere on disk"""
        self.start_and_enter()
        self.assertIn("KEK from TPM,", self.unit.status)
        self.assertEqual(os.stat(self.blob).st_mode & 0o777, 0o600)
        before = orbtest.read(self.blob, "rb")
        key = self.key_in_memory()
        self.works_again()
        self.tpm.restart()
        self.works_again()
        self.blob_is(before)
        self.assertEqual(self.key_in_memory(), key)
        for base, _, names in os.walk(self.orb.dir):
            for name in names:
                path = os.path.join(base, name)
                if os.path.isfile(path):
                    with open(path, "rb") as f:
                        data = f.read()
                    self.assertNotIn(test_keyd.CANARY, data, path)
                    self.assertNotIn(key, data, path)
                    self.assertNotIn(key.hex().encode(), data, path)

    def key_in_memory(self):
        """The key itself, out of keyd's locked heap: by it, and by nothing
        else, the credential's file opens (vault.h)."""
        sealed = orbtest.read(os.path.join(
            self.orb.dir, "state/keyd/topdesk-password.cred"), "rb")
        aad = sealed[:-4 - len(test_keyd.CANARY) - 16]
        found = set()
        for _, _, flags, data in test_keyd.memory(self.unit.pid):
            if " lo" not in flags:
                continue
            for at in range(0, len(data) - 32, 32):
                key = data[at:at + 32]
                if key.count(0) < 8 and key not in found and \
                        self.opens(key, aad, sealed):
                    found.add(key)
        self.assertEqual(len(found), 1)
        return found.pop()

    @staticmethod
    def opens(kek, aad, sealed):
        """Whether HKDF of it is the key: the first block of CTR tells."""
        prk = hmac.new(bytes(32), kek, "sha256").digest()
        key = hmac.new(prk, b"orb/keyd/vault/1/topdesk-password\x01",
                       "sha256").digest()
        nonce = aad[-12:]
        done = subprocess.run(
            ["openssl", "enc", "-d", "-aes-256-ctr", "-K", key.hex(), "-iv",
             nonce.hex() + "00000002"], input=sealed[len(aad) + 4:-16],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout == test_keyd.CANARY

    def test_between(self):
        """whoever listens on the bus hears no key; what he changes is seen"""
        between = Between(self.tpm)
        self.addCleanup(between.close)
        self.orb.configure(keyd={"kek": between.kek})
        self.start_and_enter()
        self.works_again()
        before = orbtest.read(self.blob, "rb")
        self.assertIn(before[17:51], bytes(between.seen))  # primary's name
        self.assertNotIn(self.key_in_memory(), bytes(between.seen))
        between.spoil = UNSEAL
        self.again()
        self.fails("unsealing the key: the TPM's answer is not authentic")
        self.assertGreater(between.spoiled, 0)
        between.spoil = None
        # What libtss2 left in the TPM then, the kernel's /dev/tpmrm0 clears.
        self.tpm.restart()
        self.works_again()
        self.blob_is(before)

    def test_another_tpm(self):
        """another TPM is named as such, and the first one works again"""
        self.start_and_enter()
        before = orbtest.read(self.blob, "rb")
        kept = tempfile.mkdtemp(prefix="orb-swtpm-")
        self.addCleanup(shutil.rmtree, kept, True)
        other = Swtpm()
        self.addCleanup(other.remove)
        other.stop()
        self.tpm.stop()
        shutil.copytree(self.tpm.dir, kept, dirs_exist_ok=True)
        self.tpm.restart(other.dir)
        self.again()
        self.fails("wrong TPM", "enter the credentials again")
        self.blob_is(before)
        self.tpm.restart(kept)
        self.works_again()

    def test_blob_edited(self):
        """each byte of the sealed key's file counts"""
        self.start_and_enter()
        before = orbtest.read(self.blob, "rb")
        for at in (0, 12, 20, len(before) // 2, len(before) - 1):
            with open(self.blob, "r+b") as f:
                f.seek(at)
                f.write(bytes([before[at] ^ 1]))
            self.again()
            self.fails("is damaged", "enter the credentials again")
            with open(self.blob, "wb") as f:
                f.write(before)
        # Cut off, and with a sum that is right: that the TPM sees.
        edited = bytearray(before[:-36])
        edited[-20] ^= 1
        with open(self.blob, "wb") as f:
            f.write(bytes(edited) + struct.pack(">I", 32) +
                    hashlib.sha256(edited).digest())
        self.again()
        self.fails("damaged, or not of this TPM")
        with open(self.blob, "wb") as f:
            f.write(before[:50])
        self.again()
        self.fails("is damaged")
        with open(self.blob, "wb") as f:
            f.write(before)
        self.works_again()

    def test_blob_lost(self):
        """never made anew while credentials are sealed under it"""
        self.start_and_enter()
        before = orbtest.read(self.blob, "rb")
        os.unlink(self.blob)
        self.again()
        self.fails("kek.tpm is not there", "enter the credentials again")
        self.assertFalse(os.path.exists(self.blob))
        # The documented way back.
        folder = os.path.dirname(self.blob)
        for name in os.listdir(folder):
            os.unlink(os.path.join(folder, name))
        self.again()
        orbtest.wait_for("keyd is ready", lambda: self.unit.ready)
        self.assertNotEqual(orbtest.read(self.blob, "rb"), before)
        self.enter()
        self.lease_is_given()

    def test_away(self):
        """no TPM, one that is stuck, one that is killed in the middle"""
        self.start_and_enter()
        before = orbtest.read(self.blob, "rb")
        self.tpm.stop()
        self.again()
        self.fails("the TPM does not answer")
        self.tpm.start()
        self.tpm.process.send_signal(signal.SIGSTOP)
        self.again()
        self.fails("does not answer within 15 seconds")
        self.tpm.restart()
        self.tpm.process.send_signal(signal.SIGSTOP)
        self.again()
        time.sleep(1)  # keyd has said something and waits
        self.tpm.process.kill()
        self.fails("the TPM does not answer (", timeout=10)
        self.tpm.restart()
        self.works_again()
        self.blob_is(before)

    def test_lock_out(self):
        """a TPM in lock-out still serves: ORB's keys have no password"""
        self.start_and_enter()
        self.tpm.lock_out()
        self.works_again()

    def test_owned(self):
        """an owner's password is named"""
        self.tpm.own()
        self.orb.start(["ledgerd"])
        self.orb.start(["keyd"], ready=False)
        self.fails("the TPM's owner hierarchy has a password")
        self.assertFalse(os.path.exists(self.blob))

    def test_no_device(self):
        """no device, and one that keyd may not use"""
        self.orb.configure(keyd={"kek": "tpm:device:/dev/tpm-of-nobody"})
        self.orb.start(["ledgerd"])
        self.orb.start(["keyd"], ready=False)
        self.fails("there is no TPM at /dev/tpm-of-nobody", "orb-keyd(8)")
        if not orbtest.ROOT:
            return
        path = os.path.join(self.orb.dir, "etc/tpm")
        os.close(os.open(path, os.O_CREAT, 0o600))
        self.orb.configure(keyd={"kek": "tpm:device:" + path})
        self.again()
        self.fails("keyd may not use " + path, "Permission denied")


class Policy(Tpm):
    pcrs = "sha256:7,11"

    def test_pcrs(self):
        """sealed to PCRs: others are named, the same ones open it again"""
        self.start_and_enter()
        self.assertIn("KEK from TPM (PCR sha256:7,11)", self.unit.status)
        edge = test_keyd.Edge(self.orb, "ctl", "keyd-ctl.sock")
        self.assertTrue(edge.ask(test_keyd.LIST))
        before = orbtest.read(self.blob, "rb")
        self.works_again()
        self.tpm.extend(4)
        self.works_again()
        self.tpm.extend(7)
        self.again()
        self.fails("the PCRs of keyd.tpm_pcrs hold other values")
        self.tpm.restart()
        self.works_again()
        self.orb.configure(keyd={"tpm_pcrs": "sha256:7"})
        self.again()
        self.fails("keyd.tpm_pcrs is not what it was")
        self.blob_is(before)


@unittest.skipUnless(shutil.which("swtpm"), "swtpm is not installed")
@unittest.skipUnless(BUILT_WITH, "built without libtss2")
class Whole(unittest.TestCase):
    def test_whole(self):
        """all of ORB on a key in a TPM; credentials survive a restart"""
        tpm = Swtpm()
        self.addCleanup(tpm.remove)
        with orbtest.Orb(rooms=1, settings={
                "keyd": {"kek": tpm.kek, "tpm_pcrs": "sha256:7"}}) as orb:
            orb.units["keyd"].network = True
            orb.run()
            people = Outlook(orb.sim, orb.rooms)
            people.book("ada", 0, day(0, 9), 60)
            orb.wait_until_equal()
            self.assertIn("KEK from TPM (PCR sha256:7)",
                          orb.units["keyd"].status)
            listed = orb.orbctl("credential", "list", json_out=False)
            self.assertIn("TPM (PCR sha256:7)", str(listed) + str(
                orb.status()))
            orb.stop_units()
            tpm.restart()
            orb.start()
            people.book("bob", 0, day(1, 9), 60)
            orb.wait_until_equal()
            self.assertIsNotNone(people.at(0, day(1, 9)))
            self.lost(orb, tpm, people)

    def lost(self, orb, tpm, people):
        """The TPM is gone for good: by the documented way back nothing but
        the credentials is lost."""
        kept = people.at(0, day(1, 9))["id"]
        orb.stop_units()
        other = Swtpm()
        self.addCleanup(other.remove)
        orb.configure(keyd={"kek": other.kek})
        orb.start(["ledgerd"])
        orb.start(["keyd"], ready=False)
        orbtest.wait_for("keyd names the wrong TPM", lambda: "wrong TPM" in
                         orb.units["keyd"].status)
        orb.stop_units()
        state = os.path.join(orb.dir, "state/keyd")
        for name in os.listdir(state):
            os.unlink(os.path.join(state, name))
        orb.run()
        people.book("eve", 0, day(2, 9), 60)
        orb.wait_until_equal()
        self.assertEqual(people.at(0, day(1, 9))["id"], kept)
        self.assertEqual(len(people.planned()), 3)


del Tpm  # what the others have in common is no test

if __name__ == "__main__":
    tap.main()
