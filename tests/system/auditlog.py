"""auditlog: writes audit logs as daemon/ledgerd/FORMAT says, for the tests of
orb-verify.

Here: canonical JSON, the tree, signed notes, exports and proofs, written from
FORMAT and RFC 6962 and not from ORB's code.  Not here: what is done to a log to
spoil it (test_verify.py).  Keys are made when they are needed and are nowhere
written.
"""
import base64
import ctypes
import ctypes.util
import hashlib
import json
import os

ED25519 = 1087  # EVP_PKEY_ED25519
BOOT = "3f9a41c2-0c11-4d0e-9d55-7a1f0c2b%04d"
START = 1764000000  # seconds since 1970
SECOND = 10 ** 9


# --- signatures ---------------------------------------------------------------

def _libcrypto():
    lib = ctypes.CDLL(ctypes.util.find_library("crypto") or "libcrypto.so.3")
    p, size = ctypes.c_void_p, ctypes.c_size_t
    lib.EVP_PKEY_new_raw_private_key.restype = p
    lib.EVP_PKEY_new_raw_private_key.argtypes = [
        ctypes.c_int, p, ctypes.c_char_p, size]
    lib.EVP_PKEY_get_raw_public_key.argtypes = [p, ctypes.c_char_p, p]
    lib.EVP_MD_CTX_new.restype = p
    lib.EVP_MD_CTX_free.argtypes = [p]
    lib.EVP_DigestSignInit.argtypes = [p, p, p, p, p]
    lib.EVP_DigestSign.argtypes = [p, ctypes.c_char_p, p, ctypes.c_char_p,
                                   size]
    return lib


CRYPTO = _libcrypto()


class Key:
    """An Ed25519 key that signs as orb/SITE."""

    def __init__(self, name="orb/test"):
        self.name = name
        self._key = CRYPTO.EVP_PKEY_new_raw_private_key(
            ED25519, None, os.urandom(32), 32)
        public = ctypes.create_string_buffer(32)
        n = ctypes.c_size_t(32)
        assert CRYPTO.EVP_PKEY_get_raw_public_key(
            self._key, public, ctypes.byref(n)) == 1
        self.public = b"\x01" + public.raw
        self.hash = hashlib.sha256(
            name.encode() + b"\n" + self.public).digest()[:4]

    def line(self):
        return "%s+%s+%s" % (self.name, self.hash.hex(),
                             base64.b64encode(self.public).decode())

    def sign(self, text):
        context = CRYPTO.EVP_MD_CTX_new()
        out = ctypes.create_string_buffer(64)
        n = ctypes.c_size_t(64)
        assert CRYPTO.EVP_DigestSignInit(context, None, None, None,
                                         self._key) == 1
        assert CRYPTO.EVP_DigestSign(context, out, ctypes.byref(n), text,
                                     len(text)) == 1
        CRYPTO.EVP_MD_CTX_free(context)
        return out.raw

    def note(self, text, name=None, hash=None):
        """The text as a signed note."""
        signature = base64.b64encode((hash or self.hash) + self.sign(text))
        return text + b"\n\xe2\x80\x94 %s %s\n" % (
            (name or self.name).encode(), signature)


# --- the tree -------------------------------------------------------------------

def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """MTH() and PATH() of RFC 6962, sections 2.1 and 2.1.1, by their recursive
    definition; subtrees are remembered."""

    def __init__(self, entries):
        self.leaves = [leaf(e) for e in entries]
        self.known = {}

    def mth(self, begin, end):
        n = end - begin
        if n == 0:
            return hashlib.sha256(b"").digest()
        if n == 1:
            return self.leaves[begin]
        if (begin, end) not in self.known:
            k = 1 << ((n - 1).bit_length() - 1)
            self.known[begin, end] = node(self.mth(begin, begin + k),
                                          self.mth(begin + k, end))
        return self.known[begin, end]

    def root(self, size=None):
        return self.mth(0, len(self.leaves) if size is None else size)

    def path(self, m, begin, end):
        n = end - begin
        if n == 1:
            return []
        k = 1 << ((n - 1).bit_length() - 1)
        if m < k:
            return self.path(m, begin, begin + k) + [self.mth(begin + k, end)]
        return self.path(m - k, begin + k, end) + [self.mth(begin, begin + k)]

    def tile(self, level, number, width):
        step = 256 ** level
        first = number * 256
        return b"".join(self.mth((first + i) * step, (first + i + 1) * step)
                        for i in range(width))


# --- records ----------------------------------------------------------------------

def canonical(record):
    """RFC 8785, for objects of strings and integers."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"),
                      ensure_ascii=False).encode()


def booking(number):
    return hashlib.sha256(b"booking %d" % number).hexdigest()


class Log:
    """Records as ORB makes them: starts, leases, requests, intents, results."""

    def __init__(self, key=None):
        self.key = key or Key()
        self.entries = []
        self.notes = []
        self.boot = 0
        self.time = START * SECOND   # realtime
        self.booted = START * SECOND - 100 * SECOND
        self.counter = 40

    def add(self, event="request", code=8, process="http@exchange", **more):
        self.time += 10 ** 8
        record = {
            "boot_id": BOOT % self.boot,
            "boottime": str(self.time - self.booted), "code": code,
            "event": event, "index": len(self.entries), "pid": 812,
            "process": process, "realtime": str(self.time), "uid": 991,
            "text": 'GET /v1.0/users "Zaal\\Süd"'}
        record.update(more)
        self.entries.append(canonical(record))
        return len(self.entries) - 1

    def start(self):
        for process in ("ledgerd", "keyd", "http@exchange", "http@topdesk",
                        "mapd"):
            self.add("process_started", 1, process)

    def stop(self):
        for process in ("mapd", "http@exchange", "http@topdesk", "keyd",
                        "ledgerd"):
            self.add("process_stopped", 2, process)

    def fill(self, size):
        """Up to this many records, all actions done."""
        while len(self.entries) < size:
            i = len(self.entries)
            what = {"booking": booking(i), "room": "Zaal 1"}
            if i % 50 == 7 and size - i > 2:
                self.add("create_intent", 16, "mapd", **what)
                self.add("request", 8, "http@topdesk", status=201,
                         upstream="topdesk", lease=str(2 ** 60 + i))
                self.add("create_done", 17, "mapd", remote="R %d" % i, **what)
            else:
                self.add("request", 8, upstream="exchange", status=200)

    def reboot(self):
        self.stop()
        self.boot += 1
        self.time += 60 * SECOND
        self.booted = self.time - 20 * SECOND
        self.start()

    def text(self, count=None, **change):
        """What a checkpoint of the first count records says."""
        count = len(self.entries) if count is None else count
        self.counter += 1
        lines = {
            "origin": self.key.name, "size": "%d" % count,
            "root": base64.b64encode(
                Tree(self.entries[:count]).root()).decode(),
            "time": "time %d" % (self.time // SECOND),
            "boot": "boot " + BOOT % self.boot,
            "counter": "counter %d" % self.counter, "key": "key tpm"}
        lines.update(change)
        return "".join(v + "\n" for v in lines.values()).encode()

    def sign(self, **change):
        note = self.key.note(self.text(**change))
        self.notes.append(note)
        return note

    def export(self, directory, entries=None, notes=None, tiles_of=None):
        write_export(directory, self.entries if entries is None else entries,
                     self.notes if notes is None else notes, self.key.line(),
                     tiles_of)

    def proof(self, index, size=None):
        size = len(self.entries) if size is None else size
        tree = Tree(self.entries[:size])
        lines = [self.entries[index], b"%d" % index, b"%d" % size]
        lines += [base64.b64encode(h) for h in tree.path(index, 0, size)]
        return b"\n".join(lines) + b"\n\n" + self.key.note(self.text(size))


# --- exports --------------------------------------------------------------------------

def tile_name(directory, level, number, width):
    groups = ["%03d" % (number % 1000)]
    number //= 1000
    while number:
        groups.insert(0, "x%03d" % (number % 1000))
        number //= 1000
    name = os.path.join(directory, "tile", str(level), *groups)
    return name if width == 256 else "%s.p/%d" % (name, width)


def put(name, data):
    os.makedirs(os.path.dirname(name), exist_ok=True)
    with open(name, "wb") as f:
        f.write(data)


def write_export(directory, entries, notes, key, tiles_of=None):
    """tiles_of: the entries that the tiles are made of; () for no tiles."""
    tree = Tree(entries if tiles_of is None else tiles_of)
    for first in range(0, len(entries), 256):
        some = entries[first:first + 256]
        put(tile_name(directory, "entries", first // 256, len(some)),
            b"".join(len(e).to_bytes(2, "big") + e for e in some))
    level, count = 0, len(tree.leaves)
    while count:
        for number in range((count + 255) // 256):
            width = min(256, count - number * 256)
            put(tile_name(directory, level, number, width),
                tree.tile(level, number, width))
        level, count = level + 1, count // 256
    put(os.path.join(directory, "checkpoints"),
        b"".join(n + b"\n" for n in notes))
    put(os.path.join(directory, "checkpoint"), notes[-1] if notes else b"")
    put(os.path.join(directory, "key"), key.encode() + b"\n")
