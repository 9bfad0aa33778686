"""orbtest: all of ORB and orb-sim in one directory, without systemd.

Here: what systemd does for ORB (sockets, users, an empty network namespace,
readiness, starting again what ended), done for a test; the simulator's control
socket; orbctl; processor time and memory.  Not here: any test.

As root each process has the user of its own that it has in production, so that
SO_PEERCRED and file modes are what they are there; otherwise all run as the
caller, and the tests that need more are skipped.
"""
import atexit
import ctypes
import fcntl
import json
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

SRC = os.path.abspath(os.environ.get("ORB_SRC") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "../.."))
BUILD = os.path.abspath(os.environ.get("ORB_BUILD") or
                        os.path.join(SRC, "build"))
UPSTREAMS = ("exchange", "topdesk")
ROOT = os.getuid() == 0
FALLBACK = "reception@sim.test"
# What ORB speaks to Exchange where a test says nothing.
KIND = os.environ.get("ORB_EXCHANGE", "graph")
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LIBC = ctypes.CDLL(None, use_errno=True)

# The processes in the order in which they start, with the users they get when
# the caller is root.  No account has these numbers.
USERS = {"ledgerd": 64101, "keyd": 64102, "dial@exchange": 64103,
         "dial@topdesk": 64104, "fetchd@exchange": 64105,
         "fetchd@topdesk": 64106, "mapd": 64107}
# What a person asks a test to kill: the processes, not the units.
PROCESSES = ("ledgerd", "keyd", "dial@exchange", "dial@topdesk",
             "http@exchange", "http@topdesk", "adapter@exchange",
             "adapter@topdesk", "mapd")


class Failure(AssertionError):
    """ORB or the simulator did not do what the harness waits for."""


def read(path, mode="r"):
    with open(path, mode) as f:
        return f.read()


def edges():
    """edge_table of edge.c: (listener's process, connector's, name, file)."""
    source = read(os.path.join(SRC, "daemon/lib/edge.c"))
    table = source.split("edge_table[] = {")[1].split("\n};")[0]
    role = {"ROLE_HTTP": "fetchd@", "ROLE_ADAPTER": "fetchd@",
            "ROLE_DIAL": "dial@", "ROLE_KEYD": "keyd", "ROLE_MAPD": "mapd",
            "ROLE_LEDGERD": "ledgerd", "ROLE_CTL": "ctl"}
    up = {"EX": "exchange", "TD": "topdesk", "UPSTREAM_NONE": ""}
    rows = re.findall(r'\{(ROLE_\w+),\s*(ROLE_\w+),\s*(\w+),\s*"([^"]+)",'
                      r'\s*"([^"]+)"\}', table)
    for listener, connector, u, name, sock in rows:
        yield tuple(role[r] + (up[u] if role[r].endswith("@") else "")
                    for r in (listener, connector)) + (name, sock)


def wait_for(what, test, timeout=20.0, pause=0.05):
    """Calls test until it gives something true; Failure says what lacked."""
    end = time.monotonic() + timeout
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("not within %.0f s: %s" % (timeout, what))
        time.sleep(pause)


# --- the simulator --------------------------------------------------------------


class Sim:
    """orb-sim, and its control socket: sim.NAME(x=1) sends the command."""

    live = []  # those of start_sim()

    def __init__(self, directory, *options):
        self.dir = directory
        self.log = open(directory + ".log", "ab")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "orb-sim"), "--dir", directory, *options],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            preexec_fn=die_with_parent)
        path = os.path.join(directory, "sim.json")
        wait_for("orb-sim listens", self.listens(path), 30)
        self.attach()

    def attach(self):
        """Reads its facts and connects to its control socket."""
        self.facts = json.loads(read(os.path.join(self.dir, "sim.json")))
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(os.path.join(self.dir, "control.sock"))
        self.stream = self.socket.makefile("rwb")

    def listens(self, path):
        def test():
            if self.process.poll() is not None:
                raise Failure("orb-sim ended with status %d: %s" % (
                    self.process.returncode,
                    read(self.dir + ".log")[-2000:]))
            return os.path.exists(path)
        return test

    def command(self, cmd, **members):
        self.stream.write(json.dumps(dict(members, cmd=cmd)).encode() + b"\n")
        self.stream.flush()
        line = self.stream.readline()
        if not line:
            raise Failure("orb-sim is gone (%s)" % cmd)
        answer = json.loads(line)
        if isinstance(answer, dict) and answer.get("error"):
            raise Failure("orb-sim, %s %s: %s" % (cmd, members,
                                                 answer["error"]))
        return answer

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda **members: self.command(name, **members)

    def stop(self):
        self.stream.close()
        self.socket.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def start_sim(*options):
    """A simulator of its own, for several Orbs or for rooms made by hand;
    stop_all() ends it and removes its directory."""
    directory = tempfile.mkdtemp(prefix="orb-sim-", dir="/tmp")
    sim = Sim(os.path.join(directory, "sim"), *options)

    def stop_all():
        if sim in Sim.live:
            Sim.live.remove(sim)
        sim.stop()
        shutil.rmtree(directory, ignore_errors=True)
    sim.stop_all = stop_all
    Sim.live.append(sim)
    return sim


def requests(sim, endpoint):
    """How many there were whose name ends so, as the simulator counted."""
    return sum(e["count"] for e in sim.counters()["endpoints"]
               if e["endpoint"].endswith(endpoint))


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


# --- orb.conf --------------------------------------------------------------------


def conf_value(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return '"%s"' % str(value).replace("\\", "\\\\").replace('"', '\\"')


def conf_text(settings):
    """libconfig's notation of nested dicts and lists of dicts."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines.append("%s: {\n%s};" % (key, conf_text(value)))
        elif isinstance(value, list):
            items = ",\n".join("{ %s }" % conf_text(v).replace("\n", " ")
                               for v in value)
            lines.append("%s: (\n%s\n);" % (key, items))
        else:
            lines.append("%s = %s;" % (key, conf_value(value)))
    return "\n".join(lines) + "\n"


# --- one process -------------------------------------------------------------------


class Unit:
    """What a systemd unit is: a program with a user, sockets and a status."""

    def __init__(self, orb, name):
        self.orb = orb
        self.name = name
        program, _, upstream = name.partition("@")
        self.program = os.path.join(orb.dir, "bin/orb-" + program)
        self.args = ["--config", orb.conf_file]
        if upstream:
            self.args += ["--upstream", upstream]
        self.uid = orb.users[name]
        self.network = program == "dial"
        self.sockets = []       # (name, socket) in the order of the edges
        self.pid = 0
        self.pidfd = -1
        self.started = 0.0
        self.starts = 0
        self.exits = []         # wait status of each that ended
        self.cpu_gone = 0.0     # seconds of those that ended
        self.wanted = False
        self.ready = False
        self.status = ""
        self.pings = 0
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify_path = os.path.join(orb.dir, "notify", name)
        self.notify.bind(self.notify_path)
        os.chmod(self.notify_path, 0o666)

    def environment(self):
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
               "NOTIFY_SOCKET": self.notify_path,
               "WATCHDOG_USEC": "30000000"}
        for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"):
            if key in os.environ:
                env[key] = os.environ[key]
        env.update(self.orb.clock_environment(self.name))
        if self.sockets:
            env["LISTEN_FDS"] = str(len(self.sockets))
            env["LISTEN_FDNAMES"] = ":".join(n for n, _ in self.sockets)
        return env

    def start(self):
        env = self.environment()
        log = os.open(self.log_path(), os.O_WRONLY | os.O_APPEND |
                      os.O_CREAT, 0o644)
        self.ready = False
        pid = os.fork()
        if pid == 0:
            try:
                self.become(env, log)
            except BaseException as e:  # noqa: nothing may get past here
                os.write(2, ("%s: %s\n" % (self.name, e)).encode())
            finally:
                os._exit(126)
        os.close(log)
        self.pid, self.started = pid, time.monotonic()
        self.starts += 1
        self.pidfd = os.pidfd_open(pid)

    def become(self, env, log):
        """In the child: descriptors, namespace, user, program."""
        os.setsid()
        null = os.open("/dev/null", os.O_RDONLY)
        passed = [s.fileno() for _, s in self.sockets]
        # Out of the way first, above all of them, or one could be put where
        # another still is.
        wanted = [null, log, log] + passed
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, max(wanted) + len(wanted))
                for fd in wanted]
        for i, fd in enumerate(high):
            os.dup2(fd, i, inheritable=True)
        os.closerange(3 + len(passed), 4096)
        if ROOT:
            if not self.network and LIBC.unshare(CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), "unshare")
            os.setgroups([])
            os.setresgid(self.uid, self.uid, self.uid)
            os.setresuid(self.uid, self.uid, self.uid)
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE,
                       signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        die_with_parent()
        env["LISTEN_PID"] = str(os.getpid())
        os.chdir("/")
        os.umask(0o077)
        os.execve(self.program, [self.program] + self.args, env)

    def log_path(self):
        return os.path.join(self.orb.dir, "log", self.name + ".log")

    def reap(self):
        """Takes the exit status if it has ended; True when it had."""
        try:
            pid, status, used = os.wait4(self.pid, os.WNOHANG)
        except ChildProcessError:
            pid, status, used = self.pid, -1, None
        if pid == 0:
            return False
        if used:
            self.cpu_gone += used.ru_utime + used.ru_stime
        self.exits.append(status)
        self.reap_rest()
        os.close(self.pidfd)
        self.pid, self.pidfd, self.ready = 0, -1, False
        return True

    def reap_rest(self):
        """What it left behind goes too, as with systemd.  It has become our
        child (start() makes us the one that orphans come to)."""
        self.group_kill(signal.SIGKILL)
        try:
            while True:
                _, _, used = os.wait4(-self.pid, 0)
                self.cpu_gone += used.ru_utime + used.ru_stime
        except ChildProcessError:
            pass

    def heard(self):
        data = self.notify.recv(4096).decode("utf-8", "replace")
        for line in data.splitlines():
            if line == "READY=1":
                self.ready = True
            elif line.startswith("STATUS="):
                self.status = line[7:]
            elif line == "WATCHDOG=1":
                self.pings += 1

    def group_kill(self, number):
        if self.pid:
            try:
                os.killpg(self.pid, number)
            except OSError:
                pass


class Supervisor(threading.Thread):
    """Restart=always: starts again what ended, a tenth of a second later."""

    def __init__(self, units):
        super().__init__(daemon=True)
        self.units = units
        self.lock = threading.RLock()
        self.wake_r, self.wake_w = os.pipe()
        self.stopping = False
        self.settled = threading.Event()

    def wake(self):
        with self.lock:
            if not self.settled.is_set():
                os.write(self.wake_w, b"x")

    def turn(self):
        """One look at everything; seconds until the next is due."""
        pause = 5.0
        for unit in self.units:
            if unit.pid:
                unit.reap()
            if not unit.pid and unit.wanted and not self.stopping:
                due = unit.started + (0.1 if unit.starts < 2 or
                                      len(unit.exits) < 3 else 0.5)
                now = time.monotonic()
                if now >= due:
                    unit.start()
                else:
                    pause = min(pause, due - now)
        return pause

    def run(self):
        while True:
            with self.lock:
                pause = self.turn()
                if self.stopping and not any(u.pid for u in self.units):
                    os.close(self.wake_r)
                    os.close(self.wake_w)
                    self.settled.set()
                    return
                selector = selectors.DefaultSelector()
                selector.register(self.wake_r, selectors.EVENT_READ)
                for unit in self.units:
                    selector.register(unit.notify, selectors.EVENT_READ, unit)
                    if unit.pid:
                        selector.register(unit.pidfd, selectors.EVENT_READ)
            for key, _ in selector.select(pause):
                if key.data:
                    key.data.heard()
                elif key.fd == self.wake_r:
                    os.read(self.wake_r, 64)
            selector.close()


# --- all of it -------------------------------------------------------------------------


class Orb:
    """ORB with its simulator.  with Orb(rooms=3) as orb: ..."""

    live = []

    def __init__(self, rooms=3, poll=1, settings=None, sim_options=(),
                 sim=None, kind=None):
        """kind: what ORB speaks to Exchange, graph or ews; also to be had
        with configure(exchange={"kind": ...}), before or after a start.
        None: KIND."""
        self.dir = tempfile.mkdtemp(prefix="orb-", dir="/tmp")
        os.chmod(self.dir, 0o755)
        Orb.live.append(self)
        self.supervisor = None
        self.sim = self.own_sim = None
        self.listening = []
        self.window = {}
        self.units = {}
        for sub in ("run", "state", "log", "notify", "etc", "bin"):
            os.mkdir(os.path.join(self.dir, sub), 0o755)
            os.chmod(os.path.join(self.dir, sub), 0o755)
        os.chmod(os.path.join(self.dir, "notify"), 0o755)
        self.conf_file = os.path.join(self.dir, "etc/orb.conf")
        self.programs_copy()
        self.clock_make()
        self.users = {n: USERS[n] if ROOT else os.getuid() for n in USERS}
        self.state_make()
        self.kek_make()
        self.own_sim = sim is None
        self.sim = sim or Sim(os.path.join(self.dir, "sim"), *sim_options)
        ca = os.path.join(self.dir, "etc/ca.pem")
        shutil.copy(self.sim.facts["ca_file"], ca)
        os.chmod(ca, 0o644)
        self.rooms = rooms if isinstance(rooms, list) else \
            self.rooms_make(rooms)
        self.settings = self.settings_make(poll, kind or KIND)
        for group, members in (settings or {}).items():
            if isinstance(members, dict):
                self.settings.setdefault(group, {}).update(members)
            else:
                self.settings[group] = members
        self.conf_write()
        self.units = {n: Unit(self, n) for n in USERS}
        self.sockets_make()

    # making

    def programs_copy(self):
        """The build may stand where only the caller can look, as in /root."""
        for name in ("dial", "fetchd", "adapter", "keyd", "mapd", "ledgerd"):
            copy = os.path.join(self.dir, "bin/orb-" + name)
            shutil.copyfile(os.path.join(BUILD, "orb-" + name), copy)
            os.chmod(copy, 0o755)

    def state_make(self):
        for name in ("keyd", "mapd", "ledgerd"):
            path = os.path.join(self.dir, "state", name)
            os.mkdir(path, 0o700)
            os.chown(path, self.users[name], -1)
            if ROOT:
                os.chown(path, self.users[name], self.users[name])

    def kek_make(self):
        self.kek = os.path.join(self.dir, "etc/orb-kek")
        fd = os.open(self.kek, os.O_WRONLY | os.O_CREAT, 0o400)
        os.write(fd, os.urandom(32))
        os.close(fd)
        if ROOT:
            os.chown(self.kek, self.users["keyd"], self.users["keyd"])

    def rooms_make(self, count):
        names = ("Aquarium", "Boardroom", "Cinema", "Dome", "Engine", "Forum")
        return [self.sim.add_room(
            mailbox="room%d@sim.test" % (i + 1), name=names[i % 6] + (
                " %d" % (i // 6 + 1) if i >= 6 else ""))
            for i in range(count)]

    def settings_make(self, poll, kind):
        """Both interfaces of Exchange are set up; kind says which is used."""
        facts = self.sim.facts
        ca = os.path.join(self.dir, "etc/ca.pem")
        return {
            "site": "test",
            "state_dir": os.path.join(self.dir, "state"),
            "run_dir": os.path.join(self.dir, "run"),
            "default_zone": "Europe/Amsterdam",
            "exchange": {
                "kind": kind, "ews_url": facts["ews_url"],
                "ews_login": facts["ews_login"],
                "tenant": facts["tenant"], "client_id": facts["client_id"],
                "credential": "secret", "login_url": facts["login_url"],
                "graph_url": facts["graph_url"], "ca_file": ca,
                "poll_seconds": poll},
            "topdesk": {
                "url": facts["topdesk_url"], "login": facts["topdesk_login"],
                "ca_file": ca, "poll_seconds": poll,
                "fallback_person": self.fallback()},
            "policy": {"direction": "to-topdesk", "approve_writes": 1000000},
            "keyd": {"kek": "file:" + self.kek, "leases_per_hour": 3600},
            "ledger": {"journal": "file:" + os.path.join(
                self.dir, "state/ledgerd/journal.jsonl")},
            "users": {n.replace("@", "_"): str(u)
                      for n, u in self.users.items()},
            "rooms": [{k: r[k] for k in ("name", "mailbox", "location",
                                         "zone") if r.get(k)}
                      for r in self.rooms]}

    # the clock (clock.c)

    def clock_environment(self, name):
        """All processes may have another time, as this one (ORB_CLOCK names
        the file of it); mapd may have one of its own."""
        if name != "mapd" and "ORB_CLOCK" in os.environ:
            return {k: os.environ[k] for k in ("ORB_CLOCK", "LD_PRELOAD")}
        if name != "mapd" or not os.path.exists(self.preload):
            return {}
        return {"ORB_CLOCK": self.clock_file, "LD_PRELOAD": self.preload,
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") +
                ":verify_asan_link_order=0"}

    def clock_make(self):
        self.clock_file = os.path.join(self.dir, "etc/clock")
        self.preload = os.path.join(self.dir, "bin/clock.so")
        library = os.path.join(BUILD, "tests/system/clock.so")
        if os.path.exists(library):
            shutil.copy(library, self.preload)
            os.chmod(self.preload, 0o755)
        self.clock(0)

    def clock(self, seconds):
        """mapd's clock goes so many seconds ahead, from now on."""
        if seconds and not os.path.exists(self.preload):
            raise Failure("tests/system/clock.so is not built")
        if "ORB_CLOCK" in os.environ:  # ahead of all the others
            seconds += int.from_bytes(read(os.environ["ORB_CLOCK"], "rb"),
                                      sys.byteorder, signed=True)
        mode = "r+b" if os.path.exists(self.clock_file) else "wb"
        with open(self.clock_file, mode) as f:
            f.write(seconds.to_bytes(8, sys.byteorder, signed=True))
        os.chmod(self.clock_file, 0o644)

    def fallback(self):
        return self.sim.add_person(email=FALLBACK, name="Reception")["id"]

    def conf_write(self):
        with open(self.conf_file, "w") as f:
            f.write(conf_text(self.settings))
        os.chmod(self.conf_file, 0o644)

    def sockets_make(self):
        """The socket units: root:connector 0660, so that the file's mode lets
        in only the connector."""
        for listener, connector, name, path in edges():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            full = os.path.join(self.dir, "run", path)
            s.bind(full)
            s.listen(16)
            if ROOT:
                os.chown(full, 0, self.users.get(connector, 0))
            os.chmod(full, 0o660)
            self.units[listener].sockets.append((name, s))
            self.listening.append(s)

    # running

    def start(self, names=None, ready=True, timeout=20):
        if self.supervisor is None:
            LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
            self.supervisor = Supervisor(list(self.units.values()))
            self.supervisor.start()
        for name in names or self.units:
            self.units[name].wanted = True
        self.supervisor.wake()
        if ready:
            self.wait_ready(names, timeout)
        return self

    def wait_ready(self, names=None, timeout=20):
        units = [self.units[n] for n in names or self.units]
        try:
            wait_for("all processes ready",
                     lambda: all(u.ready for u in units), timeout)
        except Failure as e:
            lacking = [u.name for u in units if not u.ready]
            raise Failure("%s; not ready: %s\n%s" % (
                e, ", ".join(lacking), self.log_tails(lacking))) from None

    def stop_units(self, names=None, number=signal.SIGTERM, timeout=15):
        """Stops some; they stay down until start()."""
        units = [self.units[n] for n in names or self.units]
        with self.supervisor.lock:
            for unit in units:
                unit.wanted = False
                if unit.pid:
                    try:
                        os.kill(unit.pid, number)
                    except OSError:
                        pass
        self.supervisor.wake()
        wait_for("stopped: %s" % ", ".join(u.name for u in units),
                 lambda: not any(u.pid for u in units), timeout)

    def pids(self):
        """Process name -> pid of all that live, http and adapter apart."""
        found = {}
        for name, unit in self.units.items():
            if not unit.pid:
                continue
            found[name.replace("fetchd", "http")] = unit.pid
            if name.startswith("fetchd"):
                for child in children(unit.pid):
                    found[name.replace("fetchd", "adapter")] = child
        return found

    def kill(self, process, number=signal.SIGKILL):
        """kill -9 of one process by its name; it is started again."""
        pid = wait_for("%s lives" % process,
                       lambda: self.pids().get(process), 20)
        unit = self.units[process.replace("http", "fetchd").replace(
            "adapter", "fetchd")]
        unit.ready = False  # or wait_ready() could see the old one
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass  # it ended by itself
        if number == signal.SIGKILL:  # or the next kill would be of the dead
            wait_for("%s is gone" % process,
                     lambda: self.pids().get(process) != pid, 20, 0.005)
        return pid

    def configure(self, **groups):
        """Changes orb.conf (takes effect when processes start again)."""
        for group, members in groups.items():
            if isinstance(members, dict):
                self.settings.setdefault(group, {}).update(members)
            else:
                self.settings[group] = members
        self.conf_write()

    def restart(self):
        self.stop_units()
        self.start()

    # orbctl

    def orbctl(self, *words, data=None, json_out=True, check=True,
               timeout=60):
        """orbctl WORDS; the JSON it printed, or its text."""
        command = [os.path.join(BUILD, "orbctl"), "--config", self.conf_file]
        command += list(words)
        fds, r = (), -1
        if data is not None:
            r, w = os.pipe()
            os.write(w, data)
            os.close(w)
            command += ["--fd", str(r)]
            fds = (r,)
        if json_out:
            command.append("--output=json")
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              pass_fds=fds, timeout=timeout)
        if r >= 0:
            os.close(r)
        self.last_ctl = done
        text = done.stdout.decode("utf-8", "replace")
        if check and done.returncode != 0:
            raise Failure("orbctl %s: status %d: %s%s" % (
                " ".join(words), done.returncode, text,
                done.stderr.decode("utf-8", "replace")))
        if not json_out:
            return text
        try:
            return json.loads(text)
        except ValueError:
            if check:
                raise Failure("orbctl %s: no JSON: %r" % (" ".join(words),
                                                          text)) from None
            return None

    def status(self):
        """orbctl status, which ends with 1 when something is not well."""
        return self.orbctl("status", check=False) or {}

    def credentials(self, names=UPSTREAMS):
        """Enters what a person would, from descriptors."""
        source = {"exchange": "ews_password" if self.settings["exchange"][
            "kind"] == "ews" else "client_secret",
            "topdesk": "topdesk_password"}
        for name in names:
            value = read(self.sim.facts[source[name]], "rb")
            self.orbctl("credential", "set", name, data=value)

    def run(self):
        """Everything up, credentials entered."""
        self.start()
        self.credentials()
        return self

    # looking

    def compare(self):
        """window: from and to, where not all that there is can be equal."""
        return self.sim.compare(fallback=FALLBACK, **self.window)

    def equal(self):
        return bool(self.compare()["equal"])

    def wait_until_equal(self, timeout=60, quiet=True):
        """Both sides equal, and ORB has nothing left to do."""
        def settled():
            return self.equal()
        try:
            wait_for("both sides are equal", settled, timeout, 0.2)
        except Failure as e:
            raise Failure("%s\n%s\n%s" % (
                e, json.dumps(self.compare())[:3000],
                self.log_tails())) from None

    def log_text(self, name):
        try:
            return read(self.units[name].log_path())
        except OSError:
            return ""

    def log_tails(self, names=None, lines=12):
        text = ""
        for name in names or self.units:
            unit = self.units[name]
            text += "--- %s: pid %d, starts %d, exits %s, status %r\n" % (
                name, unit.pid, unit.starts, unit.exits[-3:], unit.status)
            text += "\n".join(self.log_text(name).splitlines()[-lines:])
            text += "\n"
        return text

    def cpu_each(self):
        """Seconds of user and system time so far of each process that
        lives."""
        tick = os.sysconf("SC_CLK_TCK")
        found = {}
        for name, pid in self.pids().items():
            try:
                stat = read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[name] = (int(stat[11]) + int(stat[12])) / tick
        return found

    def cpu(self):
        """The same of all together, those that have ended included."""
        return sum(self.cpu_each().values()) + sum(
            u.cpu_gone for u in self.units.values())

    def memory_of(self):
        """Process name -> (PSS, RSS) in KiB."""
        found = {}
        for name, pid in self.pids().items():
            try:
                text = read("/proc/%d/smaps_rollup" % pid)
            except OSError:
                continue
            found[name] = tuple(int(re.search(
                r"^%s:\s+(\d+)" % key, text, re.M).group(1))
                for key in ("Pss", "Rss"))
        return found

    def memory(self):
        """(PSS, RSS) in KiB of all ORB processes together."""
        each = self.memory_of().values()
        return sum(m[0] for m in each), sum(m[1] for m in each)

    # ending

    def stop(self):
        if self not in Orb.live:
            return
        Orb.live.remove(self)
        if self.supervisor:
            self.stop_all()
        for s in self.listening + [u.notify for u in self.units.values()]:
            s.close()
        if self.sim and self.own_sim:
            self.sim.stop()
        if os.environ.get("ORB_KEEP"):
            print("# kept: %s" % self.dir)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    def stop_all(self):
        with self.supervisor.lock:
            self.supervisor.stopping = True
            for unit in self.units.values():
                if unit.pid:
                    os.kill(unit.pid, signal.SIGTERM)
        self.supervisor.wake()
        if not self.supervisor.settled.wait(10):
            for unit in self.units.values():
                unit.group_kill(signal.SIGKILL)
            self.supervisor.wake()
            self.supervisor.settled.wait(5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def children(pid):
    try:
        return [int(p) for p in
                read("/proc/%d/task/%d/children" % (pid, pid)).split()]
    except OSError:
        return []


def stop_everything():
    for orb in list(Orb.live):
        orb.stop()
    for sim in list(Sim.live):
        sim.stop_all()


def stopped(number, _):
    """Not sys.exit(): unittest would take it for a test's failure."""
    stop_everything()
    sys.stdout.flush()
    os._exit(128 + number)


atexit.register(stop_everything)
for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(_number, stopped)
