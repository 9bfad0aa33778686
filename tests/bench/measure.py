"""measure: the worlds the bench builds, and what it reads off them.

Here: the first load and the idle poll, by ORB and by floor; the figures.  Not
here: the table (run), changes (changes.py, writes.py), what requests are
(record.py), starting ORB (orbtest.py), the requests floor sends (floor.c).

Every figure comes from a run that ended with both sides equal; one that did
not is a Failure.
"""
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
import record
import writes
from record import spread
from sampler import Sampler

MIB = 1024.0
SEED = "orb bench"
ORIGINS = ("login", "graph", "topdesk", "ews")
NAMES = {"graph": "Graph", "ews": "EWS"}


def origin(url):
    return "https://" + urllib.parse.urlsplit(url).netloc


def monday():
    """The start of the week after next, so that nothing is in the past."""
    today = datetime.datetime.now(datetime.timezone.utc).date()
    day = today + datetime.timedelta(days=14 - today.weekday())
    return day.strftime("%Y-%m-%dT00:00:00Z")


def size_of(directory):
    total = 0
    for where, _, names in os.walk(directory):
        total += sum(os.path.getsize(os.path.join(where, n)) for n in names)
    return total


def floor(sim, file, *options):
    """What floor says of the requests of a file, asked of a simulator."""
    done = subprocess.run(
        [os.path.join(orbtest.BUILD, "tests/bench/floor"),
         "--ca", sim.facts["ca_file"], "--record", file, *options] + sum(
             (["--" + w, origin(sim.facts[w + "_url"])] for w in ORIGINS),
             []), stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise orbtest.Failure("floor ended with status %d" % done.returncode)
    facts = json.loads(done.stdout)
    facts["cpu"] = facts["user"] + facts["system"]
    same = facts["same_status"] / facts["requests"]
    # EWS answers with status 200 whatever the answer is.
    web = facts["lanes"]["ews"]
    if same < 0.99 or web["same_bytes"] < 0.99 * web["requests"]:
        raise orbtest.Failure(
            "floor got other answers than ORB: only %.1f %% have the same "
            "status: %s" % (100 * same, facts))
    return facts


class Bench:
    def __init__(self, quick, seed, pairs, kinds, out):
        self.quick, self.seed, self.pairs, self.out = quick, seed, pairs, out
        self.kinds = kinds
        self.world = {"rooms": 200, "meetings_per_room": 8 if quick else 50,
                      "series_share": 0.2, "occurrences": 6, "seed": seed,
                      "start": monday()}
        self.loaded = None  # an Orb after its first load, for the idle poll
        self.bookings = 0   # those of it

    def figure(self, name, value, unit="", target=None, note="", exact=False):
        self.out["figures"].append({
            "name": name, "value": value, "unit": unit, "target": target,
            "reached": None if target is None else value <= target,
            "note": note, "exact": exact})

    def run(self, names):
        for kind in self.kinds:
            try:
                if "first-load" in names or "idle" in names:
                    self.first_load(
                        kind, self.pairs if "first-load" in names else 0)
                if "idle" in names:
                    self.idle(kind)
            finally:
                self.unload()
        if "writes" in names:
            writes.measure(self, self.kinds)
        if "changes" in names:
            for kind in self.kinds:
                changes.measure(self, kind)
        if "ledger" in names:
            self.ledger()

    def unload(self):
        if self.loaded:
            self.loaded.stop()
            self.loaded.sim.stop_all()
            self.loaded = None

    # --- first load -----------------------------------------------------------

    def sim_make(self):
        sim = orbtest.start_sim("--quiet", "--seed", SEED)
        load = sim.bulk_load(**self.world)
        return sim, load

    def orb_load(self, kind):
        """ORB from nothing to equality: (orb, facts, record file).  The
        credentials are there when mapd starts, so that its first look finds
        them; what it costs to start mapd counts."""
        sim, load = self.sim_make()
        orb = orbtest.Orb(rooms=load["rooms"], poll=60, sim=sim, kind=kind)
        file = os.path.join(sim.dir, "record")
        orb.start([n for n in orb.units if n != "mapd"])
        orb.credentials()
        sim.record(file=file)
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
        return orb, facts, file

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

    def floor_load(self, file):
        """The same requests, by floor, of a fresh world."""
        sim, _ = self.sim_make()
        sim.add_person(email=orbtest.FALLBACK, name="Reception")
        again = os.path.join(sim.dir, "record")
        sim.record(file=again)
        facts = floor(sim, file)
        sim.record()
        facts["equal"] = sim.compare(fallback=orbtest.FALLBACK)["equal"]
        facts["wall"] = self.wall(record.read(again))
        sim.stop_all()
        return facts

    @staticmethod
    def wall(requests):
        """Seconds from the first request to the last write."""
        writes = [r.ms for r in requests
                  if r.listener == "topdesk" and r.method != "GET"]
        return (max(writes) - requests[0].ms) / 1000.0

    def first_load(self, kind, pairs):
        runs = []
        for _ in range(max(pairs, 1)):
            self.unload()
            load = os.getloadavg()[0]
            self.loaded, orb, file = self.orb_load(kind)
            orb["load"] = load
            requests = record.read(file)
            orb["wall"] = self.wall(requests)
            orb["requests"] = len(requests)
            orb["endpoints"] = record.by_endpoint(requests)
            time.sleep(6)  # ledgerd says its figures every five seconds
            orb["ledger_status"] = self.loaded.units["ledgerd"].status
            runs.append((orb, self.floor_load(file) if pairs else None))
        if pairs:
            self.report_load(kind, runs)

    def report_load(self, kind, runs):
        orb, bare = runs[-1]
        name = "first load, %s: " % NAMES[kind]
        for key, target in (("cpu", 2.0), ("wall", 1.3)):
            ratio = spread([o[key] / f[key] for o, f in runs])
            self.figure(
                name + "%s, ORB / floor" % key, ratio["median"], "",
                target, "min %.2f max %.2f of %d; ORB %.1f s, floor %.1f s" % (
                    ratio["min"], ratio["max"], len(runs),
                    statistics.median(o[key] for o, _ in runs),
                    statistics.median(f[key] for _, f in runs)))
        self.figure(name + "requests per booking",
                    orb["requests"] / orb["bookings"], "", None,
                    "%d requests, %d bookings" % (orb["requests"],
                                                  orb["bookings"]))
        pss = max(o["memory"]["pss"] for o, _ in runs) / MIB
        rss = max(o["memory"]["rss"] for o, _ in runs) / MIB
        self.figure(name + "peak memory, PSS", pss, "MiB", 48.0,
                    "what is resident, shared pages once: the target is for "
                    "this")
        self.figure(name + "peak memory, RSS", rss, "MiB", None,
                    "shared pages once for each process")
        if kind == "graph":  # the same, whatever Exchange speaks
            self.report_state(orb)
        self.out["detail"]["first load, " + NAMES[kind]] = {
            "world": self.world, "ORB": [o for o, _ in runs],
            "floor": [f for _, f in runs], "last floor": bare}

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

    def idle(self, kind):
        """Nothing changes, and ORB asks; then floor asks the very same of the
        same simulator over one connection to each system."""
        seconds, polls = 4, 4 if self.quick else 10
        orb = self.loaded
        orb.stop_units()
        orb.configure(exchange={"poll_seconds": seconds},
                      topdesk={"poll_seconds": seconds})
        orb.start()
        time.sleep(3 * seconds)  # what a start does besides
        orb.wait_until_equal()
        file = os.path.join(orb.sim.dir, "idle")
        orb.sim.record(file=file)
        with Sampler(orb) as memory:
            time.sleep((polls + 2) * seconds)
            orb.sim.record()
        used = {n: v / (polls + 2) for n, v in memory.cpu().items()}
        cpu = sum(used.values())
        orb.stop_units()
        self.bookings = orb.compare()["bookings"]
        self.report_idle(kind, record.read(file), seconds)
        bare = floor(orb.sim, file, "--connections", "1")
        self.figure(
            "idle poll, %s: cpu, ORB / floor" % NAMES[kind],
            cpu * (polls + 2) / bare["cpu"], "", None,
            "ORB %.0f ms a poll, of it %.0f in the two processes that speak "
            "to Exchange; floor: the same %d requests, one connection to "
            "each" % (1000 * cpu, 1000 * sum(
                v for n, v in used.items() if n in (
                    "http@exchange", "adapter@exchange")), bare["requests"]))
        self.out["detail"]["idle poll, " + NAMES[kind]].update(
            cpu=used, floor=bare)

    def report_idle(self, kind, requests, seconds):
        name = "idle poll, %s: " % NAMES[kind]
        # By API: a $batch holds 20 calendars; EWS asks for one at a time.
        least = {"graph": -(-self.world["rooms"] // 20),
                 "ews": self.world["rooms"],
                 # 10,000 reservations are the most in an answer
                 "topdesk": -(-self.bookings // 10000)}
        wanted = {"graph": 10, "ews": self.world["rooms"], "topdesk": 4}
        total = {"min": 0, "median": 0, "max": 0}
        detail = {}
        for listener in (kind, "topdesk"):
            groups = record.polls_of(
                [r for r in requests if r.listener == listener], seconds)
            if not groups:
                raise orbtest.Failure("no polls of %s were seen" % listener)
            counts = spread([len(g) for g in groups])
            detail[listener] = {"polls": len(groups), "requests": counts,
                                "endpoints": record.by_endpoint(groups[0])}
            for key in total:
                total[key] += counts[key]
            self.figure(
                name + "requests to %s" % NAMES.get(listener, "TOPdesk"),
                counts["median"], "", wanted[listener],
                "min %d max %d of %d polls; least by API %d" % (
                    counts["min"], counts["max"], len(groups),
                    least[listener]))
        self.figure(name + "requests, %d rooms" % self.world["rooms"],
                    total["median"], "", wanted[kind] + 4, "min %d max %d" % (
                        total["min"], total["max"]), exact=True)
        detail["login"] = sum(r.listener == "login" for r in requests)
        self.out["detail"]["idle poll, " + NAMES[kind]] = detail

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
