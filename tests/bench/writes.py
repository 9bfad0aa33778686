"""writes: what one change costs in each direction: writes to either system,
reads besides the polls, and mails, beside the least that the APIs allow.

Here: the changes, one after another in an otherwise idle world; the table.
Not here: what many changes cost (changes.py).
"""
import os
import time

import orbtest
import record
from people import WINDOWS_ZONE, Outlook, day, iso

POLL = 1
ROUNDS = 5  # polls until a change has had all its consequences
SERVICE = "orb@sim.test"
WAYS = ("room", "service", "organiser")
CHANGES = ("create", "move", "rename", "cancel", "room swap")

# (writes to Exchange, writes to TOPdesk, mails to people), the least possible.
# A meeting made in Outlook: one write each.  TOPdesk can give a reservation
# another room; a subject has to be written only where it is carried over.
OUTLOOK_LEAST = {c: (0, 1, 0) for c in CHANGES}
# A reservation made in TOPdesk: one write in Exchange each, and its link, which
# can name the meeting only when that is made.  A meeting in a room's own
# calendar cannot go to another mailbox: two writes.  Who is mailed: nobody
# when the room is booked in its own calendar; by the service mailbox the
# requester, once for each change that he can see; of a meeting in the
# requester's own calendar what the room answers.
TOPDESK_LEAST = {
    "room": {"create": (1, 1, 0), "move": (1, 0, 0), "rename": (1, 0, 0),
             "cancel": (1, 0, 0), "room swap": (2, 0, 0)},
    "service": {"create": (1, 1, 1), "move": (1, 0, 1), "rename": (1, 0, 1),
                "cancel": (1, 0, 1), "room swap": (1, 0, 1)},
    "organiser": {"create": (1, 1, 1), "move": (1, 0, 1),
                  "rename": (1, 0, 0), "cancel": (1, 0, 0),
                  "room swap": (1, 0, 1)}}


class World:
    """ORB with two rooms that keep subjects, and a person."""

    def __init__(self, kind, way):
        self.sim = orbtest.start_sim("--quiet")
        rooms = [self.sim.add_room(
            mailbox="room%d@sim.test" % i, name="Room %d" % i,
            zone=WINDOWS_ZONE, settings={
                "delete_subject": False, "add_organizer_to_subject": False})
            for i in range(2)]
        for r in rooms:
            r.pop("zone", None)
        exchange = {"book_as": way}
        self.sim.add_person(email="rita@sim.test", name="Rita")
        if way == "service":
            self.sim.add_person(email=SERVICE, name="Room service")
            self.sim.set(key="service_mailbox", value=SERVICE)
            exchange["service_mailbox"] = SERVICE
        self.orb = orbtest.Orb(
            rooms=rooms, poll=POLL, sim=self.sim, kind=kind, settings={
                "policy": {"direction": "both", "subject": "keep"},
                "exchange": exchange})
        self.orb.run()
        self.people = Outlook(self.sim, self.orb.rooms)
        self.file = os.path.join(self.sim.dir, "writes")

    def stop(self):
        self.orb.stop()
        self.sim.stop_all()

    def change(self, do):
        """What ORB did about it.  The mails that Exchange sent for what the
        person did are gone before ORB can have seen it."""
        self.sim.record(file=self.file)
        do()
        self.sim.mails_reset()
        time.sleep(ROUNDS * POLL + 0.5)
        self.sim.record()
        self.orb.wait_until_equal()
        requests = record.read(self.file)
        mails = self.sim.mails()["list"]
        return {
            "bookings": self.orb.compare()["bookings"],
            "exchange": sum(r.kind == "write" and r.listener != "topdesk"
                            for r in requests),
            "topdesk": sum(r.kind == "write" and r.listener == "topdesk"
                           for r in requests),
            "reads": sum(r.kind == "read" for r in requests),
            "people": sum(not m["to_room"] and m["to"] != SERVICE
                          for m in mails),
            "rooms": sum(m["to_room"] for m in mails),
            "service": sum(m["to"] == SERVICE for m in mails),
            "endpoints": record.by_endpoint(
                [r for r in requests if r.kind in ("read", "write")])}

    def outlook(self):
        """The changes made in Outlook: (change, what is done)."""
        uid = []
        yield "create", lambda: uid.append(
            self.people.book("rita", 0, day(1, 9), 60, "Budget"))
        yield "move", lambda: self.people.move(uid[0], day(1, 13), 60)
        yield "rename", lambda: self.sim.meeting_subject(
            uid=uid[0], subject="Budget again")
        yield "room swap", lambda: self.people.rooms_of(uid[0], 1)
        yield "cancel", lambda: self.people.cancel(uid[0])

    def topdesk(self):
        made = []
        rooms = self.orb.rooms
        yield "create", lambda: made.append(self.sim.reservation_create(
            location=rooms[0]["location"], start=iso(day(2, 9)),
            end=iso(day(2, 10)), requester="rita@sim.test",
            briefDescription="Supplier")["id"])
        yield "move", lambda: self.sim.reservation_move(
            id=made[0], start=iso(day(2, 13)), end=iso(day(2, 14)))
        yield "rename", lambda: self.sim.reservation_change(
            id=made[0], briefDescription="Supplier again")
        yield "room swap", lambda: self.sim.reservation_room(
            id=made[0], location=rooms[1]["location"])
        yield "cancel", lambda: self.sim.reservation_cancel(id=made[0])


def one(bench, rows, kind, way, direction):
    world = World(kind, way or "room")
    try:
        time.sleep(3 * POLL)
        changes = world.topdesk() if way else world.outlook()
        for change, do in changes:
            least = (TOPDESK_LEAST[way] if way else OUTLOOK_LEAST)[change]
            row = dict(world.change(do), kind=kind, direction=direction,
                       change=change, least=least)
            rows.append(row)
            row["lost"] = row["bookings"] != (change != "cancel")
            if row["lost"]:
                return  # what comes after would be about nothing
        bad = world.sim.violations()["violations"]
        if bad:
            raise orbtest.Failure("against the APIs' rules: %s" % bad[:3])
    finally:
        world.stop()


def show(rows):
    print("\n%-9s %-22s %-10s %13s %13s %13s %6s %9s" % (
        "Exchange", "direction", "change", "to Exchange", "to TOPdesk",
        "mails", "reads", "own mail"))
    for r in rows:
        print("%-9s %-22s %-10s %s %s %s %6d %9s" % (
            r["kind"], r["direction"], r["change"],
            *("%6d of %-4d" % (r[key], least) + ("*" if r[key] > least
                                                  else " ")
              for key, least in zip(("exchange", "topdesk", "people"),
                                    r["least"])),
            r["reads"], r["service"]) + (
                "  THE BOOKING IS LOST" if r["lost"] else ""))
    print("n of m: measured, and the least possible; * more than that.  mails:"
          " to people.\nreads: besides the polls.  own mail: to the service"
          " mailbox, which nobody reads.\n")


def measure(bench, kinds):
    rows = []
    for kind in kinds:
        one(bench, rows, kind, None, "Outlook to TOPdesk")
        for way in WAYS:
            one(bench, rows, kind, way, "TOPdesk, as %s" % way)
    show(rows)
    keys = ("exchange", "topdesk", "people")
    over = [r for r in rows if any(
        r[k] > least for k, least in zip(keys, r["least"]))]
    for index, (key, what) in enumerate(zip(keys, (
            "writes to Exchange", "writes to TOPdesk", "mails to people"))):
        bench.figure("one of each change: %s" % what,
                     sum(r[key] for r in rows), "",
                     sum(r["least"][index] for r in rows),
                     "%d changes; the target is the least possible" %
                     len(rows), exact=True)
    bench.out["detail"]["writes"] = {
        "changes": len(rows), "more than the least": [
            "%(kind)s, %(direction)s, %(change)s" % r for r in over],
        "rows": rows}
    lost = ["%(kind)s, %(direction)s, %(change)s" % r for r in rows
            if r["lost"]]
    if lost:
        raise orbtest.Failure("bookings were lost: %s" % "; ".join(lost))
