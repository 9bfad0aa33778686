"""roomtest: one ORB for the tests of a class, a room of its own for each.

Here: what people do in TOPdesk, what stands on both sides, who was mailed, and
what a failed test shows of its rooms.  Not here: any test.
"""
import unittest

import orbtest
from people import Outlook, iso, minutes

SERVICE = "orb@sim.test"
WINDOWS = "W. Europe Standard Time"


class Rooms(unittest.TestCase):
    """One ORB for the tests of a class; each test takes rooms of its own."""
    book_as = "room"
    exchange = {}
    count = 40

    @classmethod
    def setUpClass(cls):
        sim = cls.sim = orbtest.start_sim()
        cls.addClassCleanup(sim.stop_all)
        rooms = [sim.add_room(mailbox="room%d@sim.test" % i,
                              name="Room %d" % i, zone=WINDOWS)
                 for i in range(cls.count)]
        sim.add_person(email=SERVICE, name="Room service")
        sim.set(key="service_mailbox", value=SERVICE)
        sim.add_person(email="rita@sim.test", name="Rita")
        cls.orb = orbtest.Orb(rooms=rooms, sim=sim)
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.configure(policy={"direction": "both"},
                          exchange=dict(cls.exchange, book_as=cls.book_as))
        cls.people = Outlook(sim, cls.orb.rooms)
        cls.next_room = 0
        cls.before()
        cls.orb.run()

    @classmethod
    def before(cls):
        """What stands on both sides when ORB starts."""

    def setUp(self):
        self.mine = []

    def run(self, result=None):
        failed = len(result.failures) + len(result.errors)
        super().run(result)
        if self.mine and len(result.failures) + len(result.errors) > failed:
            print("# " + self.shown().replace("\n", "\n# "), flush=True)

    def room(self, **settings):
        """The index of a room that no other test uses."""
        n = self.next_room
        type(self).next_room += 1
        self.mine.append(n)
        if settings:
            self.sim.add_room(mailbox=self.mailbox(n), settings=settings)
        return n

    def mailbox(self, room):
        return self.orb.rooms[room]["mailbox"]

    # what people do in TOPdesk

    def reserve(self, room, start, length=60, requester="rita@sim.test",
                text="Projectoverleg", **more):
        return self.sim.reservation_create(
            location=self.orb.rooms[room]["location"], start=iso(start),
            end=iso(start + minutes(length)), requester=requester,
            briefDescription=text, **more)["id"]

    def move(self, reservation, start, length=60):
        self.sim.reservation_move(id=reservation, start=iso(start),
                                  end=iso(start + minutes(length)))

    def status(self, reservation):
        return self.sim.reservation_get(id=reservation)["status"]

    # what stands on both sides

    def rounds(self, n=2):
        """So many whole rounds from now on."""
        for _ in range(n):
            self.orb.orbctl("sync", "now")

    def settle(self, what, test):
        """Waits for a state, and that ORB leaves it at that."""
        orbtest.wait_for(what, test, 25, 0.2)
        self.rounds()
        self.assertTrue(test(), "it did not last: " + what)
        self.clean()

    def shown(self):
        """What a failure must say of the test's own rooms."""
        rows = ["%s %s %s" % (m["room"].split("@")[0], m["state"], m["start"])
                for m in self.sim.dump(side="exchange")["rows"]
                if m["room"] in map(self.mailbox, self.mine)]
        for n in self.mine:
            rows += ["room%d %s %s %s" % (n, r["status"], r["start"],
                                          r["number"])
                     for r in self.people.reservations(n)]
            rows += self.problems(n) + [str(c) for c in self.conflicts(n)]
        journal = orbtest.read(self.orb.settings["ledger"]["journal"][5:])
        names = ['"Room %d"' % n for n in self.mine]
        rows += [line[:400] for line in journal.splitlines()
                 if any(name in line for name in names)]
        return "\n".join(rows + [self.orb.log_tails(["mapd"])])

    def differences(self):
        """What the two sides do not agree on in the test's own rooms."""
        own = {self.orb.rooms[n]["location"] for n in self.mine}
        seen = self.orb.compare()
        return [d for kind in ("missing", "extra", "different", "duplicates")
                for d in seen[kind]
                if "what" in d and len(d) == 1 or own & {
                    (d.get("booking") or {}).get("location"),
                    (d.get("reservation") or {}).get("location")}]

    def equal(self):
        self.settle("both sides are equal", lambda: not self.differences())

    def clean(self):
        """No request that a correct client never sends, nothing double."""
        self.assertEqual(self.sim.violations()["violations"], [])
        seen = self.orb.compare()
        self.assertEqual(seen["duplicates"], [])
        self.assertEqual(seen["duplicate_tags"], 0)
        self.assertEqual(seen["duplicate_links"], 0)

    def booked(self, room):
        """(uid, start) of what the room's own calendar has."""
        return sorted((m["uid"], m["start"]) for m in
                      self.sim.dump(side="exchange")["rows"]
                      if m["room"] == self.mailbox(room) and
                      m["state"] == "booked")

    def numbers(self, room):
        return [r["number"] for r in self.people.planned(room)]

    # who is told what

    def mails(self):
        """Mails to people since the last call, without those of rooms' own
        answers: {kind: how many}."""
        kinds = {}
        for m in self.sim.mails()["list"]:
            if not m["to_room"]:
                kinds[m["kind"]] = kinds.get(m["kind"], 0) + 1
        self.sim.mails_reset()
        self.answers = kinds.pop("response", 0)
        return kinds

    def problems(self, room):
        """What orbctl problems says of a room."""
        rows = self.orb.orbctl("problems")
        return [p["text"] for p in rows
                if p["room"] == self.orb.rooms[room]["name"]]

    def conflicts(self, room):
        return [c for c in self.orb.orbctl("conflicts")
                if c["room"] == self.orb.rooms[room]["name"]]

    def writes(self, upstream):
        return sum(e["count"] + e["in_batch"]
                   for e in self.sim.counters()["endpoints"]
                   if e["listener"] == upstream and
                   not e["endpoint"].startswith("GET") and
                   "$batch" not in e["endpoint"])
