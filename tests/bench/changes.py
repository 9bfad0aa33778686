"""changes: what people do to their meetings, in bursts, and what it costs.

Here: a random history with a printed seed, its requests, its delays.
"""
import os
import random
import time

import orbtest
from people import Outlook, day

ROOMS = 50
BURST = 50
POLL = 2
# Rooms that keep the subject, and a site that carries it over: the dear case,
# since otherwise a new subject is nothing to TOPdesk.
SETTINGS = {"delete_subject": False, "add_organizer_to_subject": False}


class History:
    """Creates, moves, cancels and renames, each in a slot of its own."""

    def __init__(self, outlook, seed):
        self.outlook = outlook
        self.chance = random.Random(seed)
        self.free = [(r, d, h) for r in range(ROOMS) for d in range(20)
                     for h in range(8, 18)]
        self.chance.shuffle(self.free)
        self.live = {}     # uid -> slot
        self.subjects = {}  # uid -> what it is called
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
        uid = self.outlook.book("person%d" % (self.serial % 40), where[0],
                                day(5 + where[1], where[2]), 30, name)
        self.live[uid], self.subjects[uid] = where, name

    def move(self, uid):
        old = self.live[uid]
        new = self.slot(old[0])
        self.outlook.move(uid, day(5 + new[1], new[2]), 30)
        self.live[uid] = new

    def cancel(self, uid):
        self.outlook.cancel(uid)
        del self.live[uid], self.subjects[uid]

    def subject(self, uid):
        self.serial += 1
        self.subjects[uid] = "Renamed %d" % self.serial
        self.outlook.sim.meeting_subject(uid=uid, subject=self.subjects[uid])

    def named(self):
        """Whether TOPdesk's planned reservations have just these subjects;
        compare does not look at them."""
        rows = self.outlook.sim.dump(side="topdesk")["rows"]
        return sorted(self.subjects.values()) == sorted(
            r["briefDescription"] for r in rows if r["status"] == "planned")

    def burst(self, n):
        """n changes, no meeting twice."""
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
                uid = self.chance.choice(left)
                touched.add(uid)
                getattr(self, what)(uid)
            self.counts[what] += 1


def prepare():
    sim = orbtest.start_sim("--quiet")
    rooms = [sim.add_room(mailbox="room%d@sim.test" % (i + 1),
                          name="Room %d" % (i + 1), settings=SETTINGS,
                          zone="W. Europe Standard Time")
             for i in range(ROOMS)]
    for r in rooms:
        r.pop("zone", None)
    orb = orbtest.Orb(rooms=rooms, poll=POLL, sim=sim, settings={
        "policy": {"subject": "keep", "mass_cancel_limit": 100000}})
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
    orbtest.wait_for("TOPdesk has the subjects", history.named, 60, 0.1)


def delays(requests, begins):
    """Seconds from the begin of its burst to each write."""
    out = []
    for r in requests:
        if r.listener != "topdesk" or r.method == "GET":
            continue
        last = [b for b in begins if b * 1000 <= r.ms]
        out.append(r.ms / 1000.0 - (last[-1] if last else begins[0]))
    return out


def measure(bench, record_read, by_endpoint, quantiles):
    total = 200 if bench.quick else 1000
    sim, orb = prepare()
    record = os.path.join(sim.dir, "changes")
    try:
        orb.run()
        history = History(Outlook(sim, orb.rooms), bench.seed)
        history.burst(100)
        settle(orb, history)
        history.counts = dict.fromkeys(history.counts, 0)
        sim.record(file=record)
        begins, done = [], 0
        while done < total:
            begins.append(burst_run(orb, history, BURST))
            done += BURST
            time.sleep(history.chance.random() * POLL)
        sim.record()
        requests = record_read(record)
        late = quantiles(delays(requests, begins))
    finally:
        orb.stop()
        sim.stop_all()
    bench.figure("changes: requests per change", len(requests) / total, "",
                 1.9, "%d requests, %d changes in %d bursts, polls every %d s "
                 "included" % (len(requests), total, len(begins), POLL),
                 exact=True)
    for key in ("p50", "p90", "max"):
        bench.figure("changes: delay until written, %s" % key,
                     round(late[key], 2), "s")
    bench.out["detail"]["changes"] = {
        "seed": bench.seed, "kinds": history.counts, "poll_seconds": POLL,
        "rooms": ROOMS, "delay": late,
        "seconds": round(begins[-1] - begins[0], 1),
        "endpoints": by_endpoint(requests)}

