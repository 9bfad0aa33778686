#!/usr/bin/env python3
"""What can get lost with Exchange Web Services: the answer to a write, the sync
state, and in the end the server itself, when a site moves to Exchange Online.

What must hold: nobody is mailed twice, no pair is lost.
"""
import unittest

import orbtest
import tap
from people import Outlook, daily, day, iso
from test_ews_faults import SERVICE, Base
from test_state import rounds, writes


def exchange_writes(sim):
    """Endpoints of Graph and EWS that wrote, since the counters were reset."""
    reads = ("GET ", "HEAD ", "POST /v1.0/$batch", "POST /$batch")
    operations = ("SyncFolderItems", "GetItem", "FindItem", "GetFolder")
    return [e for e in sim.counters()["endpoints"]
            if e["listener"] in ("graph", "ews") and e["count"] and
            not e["endpoint"].startswith(reads) and
            not e["endpoint"].endswith(operations)]


class Writes(Base):
    """Meetings that ORB makes, when their answers are lost."""
    direction = "both"
    exchange = {"book_as": "service", "service_mailbox": SERVICE}
    rooms = 2

    def reserve(self):
        self.sim.add_person(email="rita@sim.test", name="Rita")
        return self.sim.reservation_create(
            location=self.orb.rooms[0]["location"], start=iso(self.slot),
            end=iso(self.slot.replace(minute=30)), requester="rita@sim.test",
            briefDescription="Overleg")["id"]

    def mails(self):
        return self.sim.mails()["people_by_kind"]

    def lost(self, kind, operation, **more):
        self.fault(kind, endpoint="*/" + operation, **more)

    def made_once(self, kind, n=1, **more):
        self.lost(kind, "CreateItem", count=n, **more)
        self.reserve()
        self.met(n)
        self.equal()
        rounds(self.orb, 2)  # a second one would come now
        self.assertEqual(self.mails().get("invitation", 0), 1)
        self.assertEqual(self.mails().get("cancellation", 0), 0)

    def test_answer_lost(self):
        """CreateItem was done and its answer cut: found by its tag"""
        self.made_once("cut_after")
        counted = self.sim.counters()["endpoints"]
        self.assertEqual(sum(e["count"] for e in counted if
                             e["endpoint"].endswith("/CreateItem")), 1)
        # Before it was made, and after its answer was lost.
        self.assertEqual(sum(e["count"] for e in counted if
                             e["endpoint"].endswith("/FindItem")), 2)

    def test_answer_truncated(self):
        """CreateItem was done and half of its answer came"""
        self.made_once("truncate")

    def test_never_done(self):
        """CreateItem cut before it was done: made once"""
        self.made_once("cut_before", 2)

    def test_fault_on_create(self):
        """CreateItem: a fault that does not say whether it was done"""
        self.made_once("ews_fault", 2, location="ErrorTimeoutExpired")

    def test_busy_on_create(self):
        """CreateItem: ErrorServerBusy, so not done"""
        self.made_once("429", ms=500)

    def test_look_up_fails_too(self):
        """the answer is lost, and then the look-up fails: no second one"""
        self.lost("cut_after", "CreateItem")
        self.lost("ews_error", "FindItem", count=2,
                  location="ErrorInternalServerTransientError")
        self.reserve()
        self.met(3, 60)
        self.equal()
        self.assertEqual(self.mails().get("invitation", 0), 1)

    def test_update_lost(self):
        """UpdateItem was done and its answer cut: one update to each"""
        reservation = self.reserve()
        self.equal()
        self.sim.mails_reset()
        self.lost("cut_after", "UpdateItem")
        self.sim.reservation_move(
            id=reservation, start=iso(self.slot.replace(hour=18)),
            end=iso(self.slot.replace(hour=18, minute=30)))
        self.met()
        self.equal()
        rounds(self.orb, 2)
        self.assertEqual(self.mails().get("update", 0), 1)
        self.assertEqual(self.mails().get("cancellation", 0), 0)

    def test_stale(self):
        """ErrorIrresolvableConflict: read again, decided again"""
        reservation = self.reserve()
        self.equal()
        self.sim.mails_reset()
        self.lost("ews_error", "UpdateItem",
                  location="ErrorIrresolvableConflict")
        self.sim.reservation_move(
            id=reservation, start=iso(self.slot.replace(hour=19)),
            end=iso(self.slot.replace(hour=19, minute=30)))
        self.met()
        self.equal()
        self.assertEqual(self.mails().get("update", 0), 1)

    def test_sync_state_lost(self):
        """ErrorInvalidSyncStateData, both directions: compared, no write"""
        self.reserve()
        self.equal()
        rounds(self.orb, 3)  # the link, and what Exchange shows of it
        before = self.people.reservations()
        self.sim.mails_reset()
        self.sim.counters_reset()
        for room in range(self.rooms):
            self.fault("410", mailbox="room%d@sim.test" % room)
        self.met(self.rooms)
        rounds(self.orb, 2)
        self.equal()
        self.assertEqual(self.people.reservations(), before)
        self.assertEqual(writes(self.orb), 0)
        self.assertEqual(exchange_writes(self.sim), [])
        self.assertEqual(self.sim.mails()["total"], 0)

    def test_cancel_lost(self):
        """the cancellation was sent and its answer cut: sent once"""
        reservation = self.reserve()
        self.equal()
        self.sim.mails_reset()
        self.lost("cut_after", "CreateItem")
        self.sim.reservation_cancel(id=reservation)
        self.met()
        self.orb.wait_until_equal(60)
        rounds(self.orb, 2)
        self.assertEqual(self.mails().get("cancellation", 0), 1)
        self.assertEqual(self.mails().get("invitation", 0), 0)


class FromEwsToGraph(unittest.TestCase):
    """A site moves its mailboxes to Exchange Online and keeps its pairs."""

    def test_booked_by_the_service(self):
        """from ews to graph, meetings made by a service mailbox"""
        self.move("service", {"update": 1, "cancellation": 1})

    def test_booked_by_the_organiser(self):
        """from ews to graph, meetings made in the organiser's calendar"""
        self.move("organiser", {})

    def test_booked_in_the_room(self):
        """from ews to graph, meetings made in the room's own calendar"""
        self.move("room", {})

    def move(self, book_as, mails):
        """exchange.kind changes: no write, no mail, no pair lost.  mails: what
        the changes of reservations afterwards send to people."""
        orb = orbtest.Orb(rooms=3, kind="ews")
        self.addCleanup(orb.stop)
        sim, people = orb.sim, Outlook(orb.sim, orb.rooms)
        sim.add_person(email=SERVICE, name="Room service")
        sim.set(key="service_mailbox", value=SERVICE)
        orb.configure(policy={"direction": "both"}, exchange={
            "book_as": book_as, "service_mailbox": SERVICE})
        orb.run()
        # From Exchange: singles, a series with exceptions, all-day.
        single = people.book("ada", 0, day(0, 9))
        people.book("bob", 1, day(0, 9))
        start = day(1, 10)
        series = people.book("grace", 2, start, 60,
                             recurrence=daily(start, 5))
        people.move_one(series, day(2, 10), day(2, 14))
        people.cancel_one(series, day(3, 10))
        # From TOPdesk.
        sim.add_person(email="rita@sim.test", name="Rita")
        made = [sim.reservation_create(
            location=orb.rooms[n]["location"], start=iso(day(4 + n, 11)),
            end=iso(day(4 + n, 12)), requester="rita@sim.test",
            briefDescription="Overleg")["id"] for n in range(3)]
        orb.wait_until_equal(60)
        orbtest.wait_for("links are written", lambda: all(
            sim.reservation_get(id=r).get("externalLinks") for r in made), 30)
        rounds(orb, 2)
        before = people.reservations()
        orb.stop_units()
        sim.mails_reset()
        sim.counters_reset()
        orb.configure(exchange={"kind": "graph"})
        orb.start()
        orb.credentials(["exchange"])
        rounds(orb, 3, 60)
        orb.wait_until_equal(60)
        self.assertEqual(people.reservations(), before)
        self.assertEqual(writes(orb), 0)
        self.assertEqual(exchange_writes(sim), [])
        self.assertEqual(sim.mails()["total"], 0)
        self.assertEqual(sim.counters()["listeners"]["ews"]["requests"], 0)
        self.assertEqual(orb.orbctl("problems"), [])
        self.assertEqual(orb.orbctl("conflicts"), [])
        self.go_on(orb, people, single, made, before, mails)

    def go_on(self, orb, people, single, made, before, mails):
        """What is changed afterwards is a change of the same pair."""
        sim = orb.sim
        people.move(single, day(0, 15))
        sim.reservation_move(id=made[0], start=iso(day(4, 15)),
                             end=iso(day(4, 16)))
        sim.reservation_cancel(id=made[1])
        orb.wait_until_equal(60)
        rounds(orb, 2)
        kinds = sim.mails()["people_by_kind"]
        for kind in ("invitation", "update", "cancellation"):
            self.assertEqual((kind, kinds.get(kind, 0)),
                             (kind, mails.get(kind, 0)))
        self.assertEqual({r["id"] for r in people.reservations()},
                         {r["id"] for r in before})
        self.assertEqual(sim.violations()["violations"], [])


if __name__ == "__main__":
    tap.main()
