"""changes: what people do in Outlook or in TOPdesk, in bursts, and what it
costs.

Here: random histories with a printed seed, their requests, their delays, the
processor's time.  Not here: single changes (writes.py).
"""
import os
import random
import time

import orbtest
import record
from people import WINDOWS_ZONE, Outlook, day, iso, minutes
from sampler import Sampler

ROOMS = 50
PEOPLE = 40
BURST = 50
POLL = 2
LENGTH = 30
SERVICE = "orb@sim.test"
# Rooms that keep the subject, and a site that carries it over: the dear case,
# since otherwise a new subject is nothing to TOPdesk.
SETTINGS = {"delete_subject": False, "add_organizer_to_subject": False}
NAMES = {"graph": "Graph", "ews": "EWS"}


class History:
    """Creates, moves, cancels and renames, each in a slot of its own."""

    def __init__(self, orb, seed):
        self.orb, self.sim = orb, orb.sim
        self.chance = random.Random(seed)
        self.free = [(r, d, h) for r in range(ROOMS) for d in range(20)
                     for h in range(8, 18)]
        self.chance.shuffle(self.free)
        self.live = {}     # id -> slot
        self.subjects = {}  # id -> what it is called
        self.counts = {"create": 0, "move": 0, "cancel": 0, "subject": 0}
        self.serial = 0

    def slot(self, room=None):
        for i in range(len(self.free) - 1, -1, -1):
            if room is None or self.free[i][0] == room:
                return self.free.pop(i)
        return None

    def create(self):
        where = self.slot()
        self.serial += 1
        name = "Meeting %d" % self.serial
        made = self.book("person%d" % (self.serial % PEOPLE), where[0],
                         day(5 + where[1], where[2]), name)
        self.live[made], self.subjects[made] = where, name

    def move(self, which):
        new = self.slot(self.live[which][0])
        self.shift(which, day(5 + new[1], new[2]))
        self.live[which] = new

    def cancel(self, which):
        self.drop(which)
        del self.live[which], self.subjects[which]

    def subject(self, which):
        self.serial += 1
        self.subjects[which] = "Renamed %d" % self.serial
        self.rename(which, self.subjects[which])

    def named(self):
        """Whether the other side has just these subjects; compare does not
        look at them."""
        return sorted(self.subjects.values()) == sorted(self.shown())

    def burst(self, n):
        """n changes, no booking twice."""
        touched = set()
        for _ in range(n):
            what = self.chance.choices(
                ("create", "move", "cancel", "subject"), (4, 3, 2, 1))[0]
            left = sorted(set(self.live) - touched)
            if what == "create" or not left:
                before = set(self.live)
                what = "create"
                self.create()
                touched |= set(self.live) - before
            else:
                which = self.chance.choice(left)
                touched.add(which)
                getattr(self, what)(which)
            self.counts[what] += 1


class InOutlook(History):
    writes_to = ("topdesk",)
    direction = "Outlook to TOPdesk"

    def __init__(self, orb, seed):
        super().__init__(orb, seed)
        self.outlook = Outlook(orb.sim, orb.rooms)

    def book(self, who, room, start, name):
        return self.outlook.book(who, room, start, LENGTH, name)

    def shift(self, which, start):
        self.outlook.move(which, start, LENGTH)

    def drop(self, which):
        self.outlook.cancel(which)

    def rename(self, which, name):
        self.sim.meeting_subject(uid=which, subject=name)

    def shown(self):
        return [r["briefDescription"] for r in self.planned()]

    def planned(self):
        return [r for r in self.sim.dump(side="topdesk")["rows"]
                if r["status"] == "planned"]


class InTopdesk(History):
    """The meetings are a service mailbox's, which invites the room."""
    writes_to = ("graph", "ews")
    direction = "TOPdesk to Exchange"

    def book(self, who, room, start, name):
        return self.sim.reservation_create(
            location=self.orb.rooms[room]["location"], start=iso(start),
            end=iso(start + minutes(LENGTH)), requester=who + "@sim.test",
            briefDescription=name)["id"]

    def shift(self, which, start):
        self.sim.reservation_move(id=which, start=iso(start),
                                  end=iso(start + minutes(LENGTH)))

    def drop(self, which):
        self.sim.reservation_cancel(id=which)

    def rename(self, which, name):
        self.sim.reservation_change(id=which, briefDescription=name)

    def shown(self):
        return [r["subject"] for r in self.sim.dump(side="exchange")["rows"]
                if r["state"] == "booked"]

    def named(self):
        """And the reservations have their links, which come last."""
        return super().named() and all(
            r["external_link"] for r in InOutlook.planned(self))


def prepare(kind):
    sim = orbtest.start_sim("--quiet")
    rooms = [sim.add_room(mailbox="room%d@sim.test" % (i + 1),
                          name="Room %d" % (i + 1), settings=SETTINGS,
                          zone=WINDOWS_ZONE)
             for i in range(ROOMS)]
    for r in rooms:
        r.pop("zone", None)
    for i in range(PEOPLE):
        sim.add_person(email="person%d@sim.test" % i, name="Person %d" % i)
    sim.add_person(email=SERVICE, name="Room service")
    sim.set(key="service_mailbox", value=SERVICE)
    orb = orbtest.Orb(rooms=rooms, poll=POLL, sim=sim, kind=kind, settings={
        "policy": {"direction": "both", "subject": "keep",
                   "mass_cancel_limit": 100000},
        "exchange": {"book_as": "service", "service_mailbox": SERVICE}})
    return sim, orb


def burst_run(orb, history, n):
    """One burst until both sides are equal: when it began, on the clock of
    the simulator."""
    begin = time.monotonic()
    history.burst(n)
    settle(orb, history)
    return begin


def settle(orb, history):
    orb.wait_until_equal(120)
    orbtest.wait_for("the other side has the subjects", history.named, 60,
                     0.1)


def delays(requests, begins, listeners):
    """Seconds from the begin of its burst to each write."""
    out = []
    for r in requests:
        if r.listener not in listeners or r.kind != "write":
            continue
        last = [b for b in begins if b * 1000 <= r.ms]
        out.append(r.ms / 1000.0 - (last[-1] if last else begins[0]))
    return out


def measure(bench, kind):
    for which in (InOutlook, InTopdesk):
        one(bench, kind, which)


def one(bench, kind, which):
    total = 200 if bench.quick else 1000
    sim, orb = prepare(kind)
    file = os.path.join(sim.dir, "changes")
    try:
        orb.run()
        history = which(orb, bench.seed)
        history.burst(100)
        settle(orb, history)
        history.counts = dict.fromkeys(history.counts, 0)
        sim.record(file=file)
        begins, done = [], 0
        with Sampler(orb) as used:
            while done < total:
                begins.append(burst_run(orb, history, BURST))
                done += BURST
                time.sleep(history.chance.random() * POLL)
        sim.record()
        took = time.monotonic() - begins[0]
        requests = record.read(file)
        late = record.quantiles(delays(requests, begins, which.writes_to))
        bad = sim.violations()["violations"]
        if bad:
            raise orbtest.Failure("against the APIs' rules: %s" % bad[:3])
    finally:
        orb.stop()
        sim.stop_all()
    report(bench, kind, history, requests, late, used, total, took)


def report(bench, kind, history, requests, late, used, total, took):
    name = "changes, %s, %s: " % (NAMES[kind], history.direction)
    writes = sum(r.kind == "write" for r in requests)
    polls = sum(r.kind == "poll" for r in requests)
    plain = kind == "graph" and isinstance(history, InOutlook)
    bench.figure(name + "requests per change", len(requests) / total, "",
                 1.9 if plain else None,
                 "%d writes, %d polls (every %d s), %d others for %d changes" %
                 (writes, polls, POLL, len(requests) - writes - polls, total),
                 exact=True)
    bench.figure(name + "cpu per 1,000 changes",
                 sum(used.cpu().values()) * 1000 / total, "s", None,
                 "all processes, with what they need to poll %d rooms for "
                 "%.0f s" % (ROOMS, took))
    peak = used.peak()
    bench.figure(name + "peak memory, PSS", peak["pss"] / 1024.0, "MiB", None,
                 "RSS %.1f MiB" % (peak["rss"] / 1024.0))
    for key in ("p50", "p90", "max"):
        bench.figure(name + "delay until written, %s" % key,
                     round(late[key], 2), "s")
    bench.out["detail"][name.rstrip(": ")] = {
        "seed": bench.seed, "kinds": history.counts, "poll_seconds": POLL,
        "rooms": ROOMS, "delay": late, "seconds": round(took, 1),
        "cpu": used.cpu(), "memory": peak,
        "endpoints": record.by_endpoint(requests)}
