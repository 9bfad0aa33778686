"""bothways: what the tests of both directions have in common.

Here: one simulator and one ORB for a class of tests, a room for each test, what
people do in TOPdesk, and counting what ORB wrote and whom it mailed.  Not here:
any test.
"""
import os
import shutil
import unittest

import orbtest
from people import Outlook, iso, minutes

SERVICE = "orb@sim.test"
CHANGING = ("POST", "PATCH", "PUT", "DELETE")
EWS_WRITES = ("CreateItem", "UpdateItem", "DeleteItem")


def writes(sim):
    """Endpoint -> how often ORB wrote there since counters_reset()."""
    found = {}
    for e in sim.counters()["endpoints"]:
        verb = e["endpoint"].split(" ")[0]
        if e["listener"] not in ("graph", "topdesk", "ews") or \
                "$batch" in e["endpoint"]:
            continue
        if e["listener"] == "ews":
            if not any(w in e["endpoint"] for w in EWS_WRITES):
                continue
        elif verb not in CHANGING:
            continue
        found[e["endpoint"]] = found.get(e["endpoint"], 0) + e["count"]
    return found


def rounds(orb, n=2, timeout=30):
    """Waits until n whole rounds have ended after now."""
    first = orb.status().get("rounds", 0) + 1
    orbtest.wait_for("%d rounds" % n, lambda: orb.status().get(
        "rounds", 0) >= first + n, timeout)


class BothWays(unittest.TestCase):
    """policy.direction = both, and as many rooms as a class needs."""
    kind = None  # orbtest.KIND
    book_as = "room"
    room_count = 12
    room_settings = {}
    policy = {}
    more = {}  # other groups of orb.conf

    @classmethod
    def setUpClass(cls):
        sim = cls.sim = orbtest.start_sim()
        cls.addClassCleanup(sim.stop_all)
        rooms = [sim.add_room(
            mailbox="room%d@sim.test" % i, name="Room %d" % i,
            zone="W. Europe Standard Time", settings=cls.room_settings)
            for i in range(cls.room_count)]
        sim.add_person(email=SERVICE, name="Room service")
        sim.set(key="service_mailbox", value=SERVICE)
        cls.orb = orbtest.Orb(rooms=rooms, sim=sim, kind=cls.kind)
        cls.addClassCleanup(cls.orb.stop)
        exchange = {"book_as": cls.book_as}
        if cls.book_as == "service":
            exchange["service_mailbox"] = SERVICE
        cls.orb.configure(policy=dict({"direction": "both"}, **cls.policy),
                          exchange=exchange, **cls.more)
        cls.prepare()
        cls.orb.run()
        cls.people = Outlook(sim, cls.orb.rooms)
        cls.taken = 0
        cls.persons = {"ada@sim.test"}  # people.book() makes her one

    @classmethod
    def prepare(cls):
        """Before ORB starts."""

    def setUp(self):
        self.mine = set()
        self.sim.mails_reset()
        self.sim.counters_reset()

    def tearDown(self):
        """Whatever a test arms or holds ends with it."""
        self.sim.faults_clear()
        self.sim.set(key="conflict", value="stored")
        self.orb.start(["mapd"])

    def room(self):
        """A room that no other test has, as an index."""
        type(self).taken += 1
        return self.use(self.taken - 1)

    def use(self, room):
        self.mine.add(self.orb.rooms[room]["location"])
        return room

    def mailbox(self, room):
        return self.orb.rooms[room]["mailbox"]

    # TOPdesk

    def person(self, address, name):
        """TOPdesk has each of them once."""
        if address not in self.persons:
            self.persons.add(address)
            self.sim.add_person(email=address, name=name)

    def reserve(self, room, start, length=60, requester="rita",
                text="Projectoverleg", **more):
        """A person reserves in TOPdesk; the reservation's id."""
        address = requester + "@sim.test"
        self.person(address, requester.title())
        return self.sim.reservation_create(
            location=self.orb.rooms[room]["location"], start=iso(start),
            end=iso(start + minutes(length)), requester=address,
            briefDescription=text, **more)["id"]

    def shown(self, reservation):
        return self.sim.reservation_get(id=reservation)

    def status_of(self, reservation):
        return self.shown(reservation)["status"]

    # both

    def at_once(self, *deeds):
        """mapd is away while people do all this."""
        self.orb.stop_units(["mapd"])
        done = [deed() for deed in deeds]
        self.orb.start(["mapd"])
        return done

    def unequal(self):
        """What the simulator's comparison says of this test's rooms."""
        found = []
        compared = self.orb.compare()
        for which in ("missing", "extra", "different", "duplicates"):
            for row in compared[which]:
                side = row.get("booking") or row.get("reservation") or {}
                if side.get("location") in self.mine or not side:
                    found.append((which, row))
        return found

    def equal(self, timeout=15):
        """Both sides equal, nothing under way, and it stays so: for the rooms
        of this test, so that one that fails does not fail all."""
        def settled():
            return not self.unequal() and self.orb.status().get(
                "pending") == 0
        try:
            orbtest.wait_for("both sides are equal", settled, timeout, 0.2)
            rounds(self.orb, 2)
            orbtest.wait_for("they stay equal", settled, timeout, 0.2)
        except orbtest.Failure as e:
            raise orbtest.Failure("%s\n%s\n%s\n%s\n%s" % (
                e, self.unequal(), self.orb.orbctl("problems"),
                self.orb.orbctl("conflicts"),
                self.orb.log_tails(["mapd"]))) from None
        self.assertEqual(self.sim.violations()["violations"], [])

    def in_room(self, room, state="booked"):
        """What stands in the room's calendar: (start, uid)."""
        return sorted((r["start"], r["uid"]) for r in self.sim.dump(
            side="exchange")["rows"] if r["room"] == self.mailbox(room)
            and r["state"] == state)

    def mails(self, **expected):
        """Mails to people since the test began, by kind; those not named
        must not have been sent."""
        found = {k: n for k, n in self.sim.mails()["people_by_kind"].items()
                 if n}
        self.assertEqual(found, {k: n for k, n in expected.items() if n},
                         self.sim.mails()["list"])

    def name(self, room):
        return self.orb.rooms[room]["name"]

    def conflicts(self, room):
        return [c for c in self.orb.orbctl("conflicts")
                if c["room"] == self.name(room)]

    def problems(self, room):
        return [p for p in self.orb.orbctl("problems")
                if p["room"] == self.name(room)]

    def forget(self):
        """mapd's state is lost; it is down now."""
        self.orb.stop_units(["mapd"])
        directory = os.path.join(self.orb.dir, "state/mapd")
        for entry in os.listdir(directory):
            path = os.path.join(directory, entry)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
