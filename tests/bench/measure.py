"""measure: the worlds the bench builds, and what it reads off them.

Here: the runs of ORB, the runs of floor, the figures.  Not here: the table
(run), starting ORB (orbtest.py), the requests floor sends (floor.c).

Every figure comes from a run that ended with both sides equal; one that did
not is a Failure.
"""
import collections
import datetime
import json
import os
import re
import statistics
import subprocess
import time
import urllib.parse

import changes
import orbtest
from sampler import Sampler

MIB = 1024.0
SEED = "orb bench"
ORIGINS = ("login", "graph", "topdesk")
Request = collections.namedtuple(
    "Request", "listener method path status bytes ms")


def origin(url):
    return "https://" + urllib.parse.urlsplit(url).netloc


def monday():
    """The start of the week after next, so that nothing is in the past."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    day = today + datetime.timedelta(days=14 - today.weekday())
    return day.strftime("%Y-%m-%dT00:00:00Z")


def record_read(path):
    """The requests of a file that orb-sim wrote (record.c)."""
    out = []
    with open(path, "rb") as f:
        while True:
            head = f.readline().split()
            if not head:
                return out
            _, listener, method, status, size, ms, headers, body = head
            target = f.readline().decode().rstrip("\n")
            for _ in range(int(headers)):
                f.readline()
            f.seek(int(body) + 1, os.SEEK_CUR)
            out.append(Request(listener.decode(), method.decode(),
                               template(target.split("?")[0]), int(status),
                               int(size), int(ms)))


def template(path):
    """A path without its ids, for counting."""
    parts = []
    for part in path.split("/"):
        if "@" in part or "%40" in part:
            part = "{mailbox}"
        elif len(part) > 100:
            part = "{event}"
        elif re.fullmatch(r"[0-9a-f]{8}-[0-9a-f-]{27}", part):
            part = "{id}"
        parts.append(part)
    return "/".join(parts)


def by_endpoint(requests):
    count = collections.Counter(
        "%s %s %s" % (r.listener, r.method, r.path) for r in requests)
    return dict(count.most_common())


def spread(values):
    return {"min": min(values), "median": statistics.median(values),
            "max": max(values)}


def quantiles(values):
    v = sorted(values)
    return {name: v[min(len(v) - 1, int(len(v) * q))] for name, q in (
        ("p50", .5), ("p90", .9), ("p99", .99), ("max", 1))}


def polls_of(requests, seconds):
    """The requests cut into polls: groups between silences."""
    groups, last = [], None
    for r in requests:
        if last is None or r.ms - last > seconds * 400:
            groups.append([])
        groups[-1].append(r)
        last = r.ms
    return groups[1:-1]  # the outer two may be incomplete


def size_of(directory):
    total = 0
    for where, _, names in os.walk(directory):
        total += sum(os.path.getsize(os.path.join(where, n)) for n in names)
    return total


class Bench:
    def __init__(self, quick, seed, pairs, out):
        self.quick, self.seed, self.pairs, self.out = quick, seed, pairs, out
        self.world = {"rooms": 200, "meetings_per_room": 8 if quick else 50,
                      "series_share": 0.2, "occurrences": 6, "seed": seed,
                      "start": monday()}
        self.loaded = None  # an Orb after its first load, for the idle poll

    def figure(self, name, value, unit="", target=None, note="", exact=False):
        self.out["figures"].append({
            "name": name, "value": value, "unit": unit, "target": target,
            "reached": None if target is None else value <= target,
            "note": note, "exact": exact})

    def run(self, names):
        try:
            if "first-load" in names or "idle" in names:
                self.first_load(self.pairs if "first-load" in names else 0)
            if "idle" in names:
                self.idle()
        finally:
            if self.loaded:
                self.loaded.stop()
                self.loaded.sim.stop_all()
        if "changes" in names:
            self.changes()
        if "ledger" in names:
            self.ledger()

    # --- first load -----------------------------------------------------------

    def sim_make(self):
        sim = orbtest.start_sim("--quiet", "--seed", SEED)
        load = sim.bulk_load(**self.world)
        return sim, load

    def orb_load(self):
        """ORB from nothing to equality: (orb, facts, record file).  The
        credentials are there when mapd starts, so that its first look finds
        them; what it costs to start mapd counts."""
        sim, load = self.sim_make()
        orb = orbtest.Orb(rooms=load["rooms"], poll=60, sim=sim)
        record = os.path.join(sim.dir, "record")
        orb.start([n for n in orb.units if n != "mapd"])
        orb.credentials()
        sim.record(file=record)
        before = orb.cpu()
        with Sampler(orb) as memory:
            orb.start(["mapd"])
            facts = self.until_equal(orb, load["bookings"])
            facts["cpu"] = orb.cpu() - before
            facts["by_process"] = memory.cpu()
        sim.record()
        facts["memory"] = memory.peak()
        facts["bookings"] = load["bookings"]
        facts["violations"] = sim.violations()["violations"][:5]
        facts["restarts"] = {n: u.exits for n, u in orb.units.items()
                             if u.exits}
        return orb, facts, record

    def until_equal(self, orb, bookings, timeout=900):
        end = time.monotonic() + timeout
        while True:
            sent = orb.sim.counters()["listeners"]["topdesk"]["requests"]
            if sent >= bookings and orb.equal():
                return {}
            if time.monotonic() > end:
                raise orbtest.Failure(
                    "not equal within %d s of the first load: %s\n%s" % (
                        timeout, json.dumps(orb.compare())[:600],
                        orb.log_tails()))
            time.sleep(0.2)

    def floor_load(self, record):
        """The same requests, by floor, of a fresh world."""
        sim, _ = self.sim_make()
        sim.add_person(email=orbtest.FALLBACK, name="Reception")
        again = os.path.join(sim.dir, "record")
        sim.record(file=again)
        done = subprocess.run(
            [os.path.join(orbtest.BUILD, "tests/bench/floor"),
             "--ca", sim.facts["ca_file"], "--record", record] + sum(
                 (["--" + w, origin(sim.facts[w + "_url"])]
                  for w in ORIGINS), []),
            stdout=subprocess.PIPE, check=False)
        sim.record()
        if done.returncode != 0:
            raise orbtest.Failure("floor ended with status %d" %
                                  done.returncode)
        facts = json.loads(done.stdout)
        facts["equal"] = sim.compare(fallback=orbtest.FALLBACK)["equal"]
        facts["wall"] = self.wall(record_read(again))
        facts["cpu"] = facts["user"] + facts["system"]
        sim.stop_all()
        same = facts["same_status"] / facts["requests"]
        if same < 0.99:
            raise orbtest.Failure(
                "floor got other answers than ORB: only %.1f %% have the same "
                "status: %s" % (100 * same, facts))
        return facts

    @staticmethod
    def wall(requests):
        """Seconds from the first request to the last write."""
        writes = [r.ms for r in requests
                  if r.listener == "topdesk" and r.method != "GET"]
        return (max(writes) - requests[0].ms) / 1000.0

    def first_load(self, pairs):
        runs = []
        for _ in range(max(pairs, 1)):
            if self.loaded:
                self.loaded.stop()
                self.loaded.sim.stop_all()
            load = os.getloadavg()[0]
            self.loaded, orb, record = self.orb_load()
            orb["load"] = load
            requests = record_read(record)
            orb["wall"] = self.wall(requests)
            orb["requests"] = len(requests)
            orb["endpoints"] = by_endpoint(requests)
            time.sleep(6)  # ledgerd says its figures every five seconds
            orb["ledger_status"] = self.loaded.units["ledgerd"].status
            runs.append((orb, self.floor_load(record) if pairs else None))
        if pairs:
            self.report_load(runs)

    def report_load(self, runs):
        orb, floor = runs[-1]
        for key, target in (("cpu", 2.0), ("wall", 1.3)):
            ratio = spread([o[key] / f[key] for o, f in runs])
            self.figure(
                "first load: %s, ORB / floor" % key, ratio["median"], "",
                target, "min %.2f max %.2f of %d; ORB %.1f s, floor %.1f s" % (
                    ratio["min"], ratio["max"], len(runs),
                    statistics.median(o[key] for o, _ in runs),
                    statistics.median(f[key] for _, f in runs)))
        self.figure("first load: requests per booking",
                    orb["requests"] / orb["bookings"], "", None,
                    "%d requests, %d bookings" % (orb["requests"],
                                                  orb["bookings"]))
        pss = max(o["memory"]["pss"] for o, _ in runs) / MIB
        rss = max(o["memory"]["rss"] for o, _ in runs) / MIB
        self.figure("first load: peak memory, PSS", pss, "MiB", 48.0,
                    "what is resident, shared pages once: the target is for "
                    "this")
        self.figure("first load: peak memory, RSS", rss, "MiB", None,
                    "shared pages once for each process")
        self.report_state(orb)
        self.out["detail"]["first load"] = {
            "world": self.world, "ORB": [o for o, _ in runs],
            "floor": [f for _, f in runs]}

    def report_state(self, orb):
        """Sizes after a stop, when SQLite has put its log away; then ORB runs
        again."""
        m = re.match(r"(\d+) records since the start, ([\d.]+) per sync",
                     orb["ledger_status"])
        if m:
            self.figure("first load: ledger records per second",
                        int(m.group(1)) / orb["wall"], "/s")
            self.figure("first load: ledger records per fsync",
                        float(m.group(2)))
        self.loaded.stop_units()
        for name, what in (("mapd", "state"), ("ledgerd", "ledger")):
            size = size_of(os.path.join(self.loaded.dir, "state", name))
            if name == "ledgerd":
                size -= os.path.getsize(os.path.join(
                    self.loaded.dir, "state/ledgerd/journal.jsonl"))
            self.figure("size of the %s per booking" % what,
                        size / orb["bookings"], "bytes", None,
                        "%.1f MiB" % (size / MIB / MIB))
        self.loaded.start()

    # --- idle poll ------------------------------------------------------------

    def idle(self):
        seconds, polls = 4, 4 if self.quick else 10
        orb = self.loaded
        orb.stop_units()
        orb.configure(exchange={"poll_seconds": seconds},
                      topdesk={"poll_seconds": seconds})
        orb.start()
        time.sleep(3 * seconds)  # what a start does besides
        orb.wait_until_equal()
        record = os.path.join(orb.sim.dir, "idle")
        orb.sim.record(file=record)
        time.sleep((polls + 2) * seconds)
        orb.sim.record()
        requests = record_read(record)
        total = {"min": 0, "median": 0, "max": 0}
        detail = {}
        for name, target in (("graph", 10), ("topdesk", 4)):
            groups = polls_of([r for r in requests if r.listener == name],
                              seconds)
            if not groups:
                raise orbtest.Failure("no polls of %s were seen" % name)
            counts = spread([len(g) for g in groups])
            detail[name] = {"polls": len(groups), "requests": counts,
                            "endpoints": by_endpoint(groups[0])}
            for key in total:
                total[key] += counts[key]
            self.figure("idle poll: requests to %s" % name, counts["median"],
                        "", target, "min %d max %d of %d polls" % (
                            counts["min"], counts["max"], len(groups)))
        self.figure("idle poll: requests, %d rooms" % self.world["rooms"],
                    total["median"], "", 14, "min %d max %d" % (
                        total["min"], total["max"]), exact=True)
        detail["login"] = sum(r.listener == "login" for r in requests)
        self.out["detail"]["idle poll"] = detail

    # --- changes --------------------------------------------------------------

    def changes(self):
        changes.measure(self, record_read, by_endpoint, quantiles)

    # --- the ledger by itself -------------------------------------------------

    def ledger(self):
        done = subprocess.run(
            [os.path.join(orbtest.BUILD, "tests/bench/bench_ledgerd"),
             "5000" if self.quick else "100000"],
            stdout=subprocess.PIPE, check=True,
            env=dict(os.environ, ORB_BUILD=orbtest.BUILD))
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        for r in rows:
            self.figure("ledgerd alone: %s, batch %d, window %d" % (
                "durable" if r["durable"] else "not durable", r["batch"],
                r["window"]), float(r["records_per_second"]), "/s", None,
                "%.1f us of processor a record; %s" % (
                    r["cpu_us_per_record"], r["status"][:44]))
        self.out["detail"]["ledger"] = {"runs": rows}
