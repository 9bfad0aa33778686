"""fetch_orb: orb-dial and orb-fetchd with the test as all their peers.

Here: starting both as systemd would, a keyd and a ledgerd that note what they
are asked, and the adapter's side.  Not here: any test.
"""
import fcntl
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time

import fetch_wire as wire

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("ORB_BUILD") or
                        os.path.join(HERE, "../../build"))
PASSWORD = "Basic b3JiOmNhbmFyeQ=="
TENANT = "contoso.test"

CONF = """
run_dir = "%(dir)s"; state_dir = "%(dir)s"; default_zone = "Europe/Amsterdam";
exchange: { tenant = "%(tenant)s";
	client_id = "11111111-2222-3333-4444-555555555555";
	login_url = "https://%(host)s:%(port)d/login";
	graph_url = "https://%(host)s:%(port)d/v1.0";
	ca_file = "%(certs)s/ca.pem"; %(upstream)s %(exchange)s };
topdesk: { url = "https://%(host)s:%(port)d/tas/api"; login = "ORB";
	fallback_person = "66666666-7777-8888-9999-000000000000";
	ca_file = "%(certs)s/ca.pem"; %(upstream)s };
users: { dial_exchange = "%(uid)d"; dial_topdesk = "%(uid)d";
	fetchd_exchange = "%(uid)d"; fetchd_topdesk = "%(uid)d";
	keyd = "%(uid)d"; mapd = "%(uid)d"; ledgerd = "%(uid)d"; };
rooms = ( { name = "R"; mailbox = "r@x.test";
	location = "aaaaaaaa-0000-0000-0000-000000000001"; } );
"""


class Answer:
    def __init__(self):
        self.status = self.outcome = None
        self.text, self.body, self.packets = "", b"", 0
        self.content_type = self.request_id = ""
        self.retry_after = self.modified = 0
        self.done = False

    def add(self, p):
        r = p.reader
        self.packets += 1
        if p.type == wire.ADAPTER_RESPONSE:
            self.status = r.number(2)
            self.content_type = r.text()
            self.retry_after = r.number(4)
            self.modified = r.number(8)
            self.request_id = r.text()
            self.body = r.blob()
        elif p.type == wire.ADAPTER_CHUNK:
            self.body += r.blob()
        elif p.type == wire.ADAPTER_FAILED:
            self.outcome = wire.OUTCOMES[r.number(2)]
            self.text = r.text()
        else:
            raise ValueError("answer of type %#x" % p.type)
        r.end()
        self.done = bool(p.flags & wire.END)


class Orb:
    def __init__(self, port, certs, upstream="topdesk", options="",
                 dial=True, host="localhost", exchange=""):
        self.temp = tempfile.TemporaryDirectory(prefix="orb-fetch.")
        self.dir = self.temp.name
        self.upstream = upstream
        self.leases, self.records = [], []
        self.lease = (2, 3600, PASSWORD.encode())
        self.lease_error = None
        self.next_id = 0
        self.calls = {}
        self.status = []
        self.conf = os.path.join(self.dir, "orb.conf")
        with open(self.conf, "w") as f:
            f.write(CONF % {"dir": self.dir, "port": port, "certs": certs,
                            "uid": os.getuid(), "upstream": options, "host": host,
                            "tenant": TENANT,
                            "exchange": exchange % {"port": port}})
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.listen("keyd-http-%s.sock" % upstream, self.serve_keyd)
        self.listen("ledgerd-http-%s.sock" % upstream, self.serve_ledgerd)
        self.fetchd = self.start_fetchd()
        self.dial = self.start_dial() if dial else None
        wait_for(lambda: "READY=1" in self.status or
                 self.fetchd.poll() is not None)
        self.chan = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.chan.connect(self.path("fetchd-%s-mapd.sock" % upstream))

    def path(self, name):
        return os.path.join(self.dir, name)

    def listener(self, name):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.bind(self.path(name))
        s.listen(8)
        return s

    def listen(self, name, serve):
        s = self.listener(name)

        def accept():
            while True:
                try:
                    c, _ = s.accept()
                except OSError:
                    return
                setattr(self, serve.__name__ + "_chan", c)
                threading.Thread(target=serve, args=(c,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()

    def notify_socket(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        s.bind(self.path("notify"))

        def read():
            while True:
                self.status += s.recv(4096).decode().split("\n")
        threading.Thread(target=read, daemon=True).start()

    def start_fetchd(self):
        self.notify_socket()
        fds = [self.listener("fetchd-%s-%s.sock" % (self.upstream, n))
               for n in ("dial", "mapd")]
        high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in fds]
        env = dict(os.environ, LISTEN_FDS="2", LISTEN_FDNAMES="dial:mapd",
                   NOTIFY_SOCKET=self.path("notify"))
        env.pop("LISTEN_PID", None)
        # The shell puts them where systemd does; Popen itself uses 3 and 4.
        p = subprocess.Popen(
            ["bash", "-c", 'exec 3<&%d 4<&%d %d<&- %d<&-; exec "$@"' %
             (*high, *high), "sh",
             *os.environ.get("FETCH_WRAP", "").split(),
             os.path.join(BUILD, "orb-fetchd"), "--config", self.conf,
             "--upstream", self.upstream, "--adapter",
             os.path.join(HERE, "fetch_relay.py")],
            env=env, pass_fds=high, stderr=self.log)
        for fd in high:
            os.close(fd)
        for s in fds:
            s.close()
        return p

    def start_dial(self):
        return subprocess.Popen(
            [os.path.join(BUILD, "orb-dial"), "--config", self.conf,
             "--upstream", self.upstream], stderr=self.log)

    def serve_keyd(self, c):
        while True:
            try:
                p = wire.receive(c)
            except OSError:
                return
            if p is None:
                return
            r = p.reader
            ask = {"host": r.text(), "port": r.number(2), "spki": r.blob(),
                   "refused": r.text()}
            r.end()
            self.leases.append(ask)
            if self.lease_error:
                c.send(wire.packet(wire.ERROR, p.id, wire.END, wire.u16(2) +
                                   wire.text(self.lease_error)))
                continue
            kind, life, value = self.lease
            c.send(wire.packet(
                wire.HTTP_LEASE, p.id, wire.END,
                wire.u64(len(self.leases)) + wire.u8(kind) + wire.u32(life) +
                wire.text("key%d" % len(self.leases)) + wire.blob(value)))

    def serve_ledgerd(self, c):
        while True:
            try:
                p = wire.receive(c)
            except OSError:
                return
            if p is None:
                return
            self.records += wire.records(p.reader)
            c.send(wire.packet(wire.DONE, p.id, wire.END, wire.u64(1)))

    def events(self, event):
        return [r for r in self.records if r["event"] == event]

    def ask(self, method, path, **more):
        """Sends a request; returns what collect() takes."""
        self.next_id += 1
        self.calls[self.next_id] = Answer()
        wire.send(self.chan,
                  wire.http_request(self.next_id, method, path, **more))
        return self.next_id

    def collect(self, id_, timeout=20):
        a = self.calls[id_]
        end = time.monotonic() + timeout
        while not a.done:
            self.chan.settimeout(max(0.01, end - time.monotonic()))
            p = wire.receive(self.chan)
            if p is None:
                raise AssertionError("orb-fetchd went away:\n" + self.said())
            self.calls[p.id].add(p)
        return a

    def get(self, path, timeout=20, **more):
        return self.collect(self.ask("GET", path, **more), timeout)

    def post(self, path, body, timeout=20, **more):
        return self.collect(self.ask("POST", path, body=body, **more), timeout)

    def said(self):
        self.log.flush()
        with open(self.path("log")) as f:
            return f.read()

    def stop(self):
        """Ends both; (exit status of fetchd, seconds it took)."""
        begin = time.monotonic()
        rc = None
        for p in (self.fetchd, self.dial):
            if p and p.poll() is None:
                p.send_signal(signal.SIGTERM)
        try:
            rc = self.fetchd.wait(10)
            if self.dial:
                self.dial.wait(10)
        finally:
            for p in (self.fetchd, self.dial):
                if p and p.poll() is None:
                    p.kill()
                    p.wait()
            self.chan.close()
        took = time.monotonic() - begin
        self.log.close()
        self.temp.cleanup()
        return rc, took


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False
