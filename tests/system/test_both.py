#!/usr/bin/env python3
"""What people do in TOPdesk, and what Exchange must show for it; who is mailed.

For each way of booking (book_as): a reservation made, moved, renamed and
cancelled; and what happens when the room says no, when both sides want it, and
when processes die or the state is lost in between.
"""
import unittest

import orbtest
import tap
from people import Outlook, day, iso

SERVICE = "orb@sim.test"


class Both(unittest.TestCase):
    """Rooms booked in their own calendar: nobody is mailed."""
    kind = "graph"  # test_ews.py has the same with "ews"
    book_as = "room"
    exchange = {}

    @classmethod
    def setUpClass(cls):
        sim = cls.sim = orbtest.start_sim()
        cls.addClassCleanup(sim.stop_all)
        rooms = [sim.add_room(mailbox="room%d@sim.test" % i,
                              name="Room %d" % i,
                              zone="W. Europe Standard Time")
                 for i in range(24)]
        sim.add_person(email=SERVICE, name="Room service")
        sim.set(key="service_mailbox", value=SERVICE)
        cls.orb = orbtest.Orb(rooms=rooms, sim=sim, kind=cls.kind)
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.configure(policy={"direction": "both"},
                          exchange=dict(cls.exchange, book_as=cls.book_as))
        cls.orb.run()
        cls.people = Outlook(sim, cls.orb.rooms)
        cls.room_number = 0

    def room(self):
        type(self).room_number += 1
        return self.orb.rooms[self.room_number - 1]

    def reserve(self, room, start, end, requester="rita@sim.test",
                text="Projectoverleg"):
        self.sim.add_person(email=requester, name="Rita")
        return self.sim.reservation_create(
            location=room["location"], start=iso(start), end=iso(end),
            requester=requester, briefDescription=text)

    def equal(self):
        self.orb.wait_until_equal(40)
        self.assertEqual(self.sim.violations()["violations"], [])

    def mails(self):
        return self.sim.mails()["people_by_kind"]

    def test_made_moved_cancelled(self):
        """a reservation made, moved and cancelled in TOPdesk"""
        room = self.room()
        self.sim.mails_reset()
        r = self.reserve(room, day(1, 9), day(1, 10))
        self.equal()
        made = self.mails()
        self.sim.reservation_move(id=r["id"], start=iso(day(2, 14)),
                                  end=iso(day(2, 15)))
        self.equal()
        moved = self.mails()
        self.sim.reservation_cancel(id=r["id"])
        self.equal()
        gone = self.mails()
        self.check_mails(made, moved, gone)

    def check_mails(self, made, moved, gone):
        self.assertEqual(sum(gone.values()), 0)

    def test_link_is_written_once(self):
        """the reservation carries ORB's link, and keeps its own text"""
        room = self.room()
        r = self.reserve(room, day(1, 11), day(1, 12))
        self.equal()
        # The link is a write of the round after.
        orbtest.wait_for("the link is written", lambda: self.sim
                         .reservation_get(id=r["id"]).get("externalLinks"), 15)
        shown = self.sim.reservation_get(id=r["id"])
        self.assertTrue(shown["externalLinks"][0]["id"].startswith("orb1:"))
        self.assertTrue(shown["externalLinks"][0]["id"].endswith(".t"))
        self.assertEqual(shown["briefDescription"], "Projectoverleg")

    def test_cancelled_in_topdesk(self):
        """a person's meeting is cancelled in TOPdesk: the room declines it"""
        room = self.room()
        self.people.book("ada", self.orb.rooms.index(room), day(4, 9))
        self.equal()
        n = self.orb.rooms.index(room)
        r = self.people.planned(n)[0]
        self.sim.mails_reset()
        self.sim.reservation_cancel(id=r["id"])
        self.equal()
        self.assertEqual(self.mails().get("response", 0), 1)
        self.assertEqual(self.mails().get("cancellation", 0), 0)

    def test_the_same_by_hand_on_both_sides(self):
        """one booking entered on both sides is one pair, without a mail"""
        room = self.room()
        self.orb.stop_units(["mapd"])
        self.people.book("ada", self.orb.rooms.index(room), day(5, 9))
        self.reserve(room, day(5, 9), day(5, 10), requester="ada@sim.test")
        self.sim.mails_reset()
        self.orb.start(["mapd"])
        self.equal()
        self.assertEqual(sum(self.mails().values()), 0)

    def test_killed_while_making(self):
        """mapd dies again and again while meetings are made: none is double"""
        room = self.room()
        for i in range(8):
            self.reserve(room, day(6, 8 + i), day(6, 9 + i))
            self.orb.kill("mapd")
        self.equal()


class Service(Both):
    """A service mailbox invites organiser and room."""
    book_as = "service"
    exchange = {"service_mailbox": SERVICE}

    def check_mails(self, made, moved, gone):
        self.assertEqual(made.get("invitation", 0), 1)
        self.assertEqual(moved.get("update", 0), 1)
        self.assertEqual(gone.get("cancellation", 0), 1)

    def test_outlook_cancels_what_topdesk_made(self):
        """the meeting of a reservation is cancelled in Exchange"""
        room = self.room()
        self.sim.mails_reset()
        r = self.reserve(room, day(1, 13), day(1, 14))
        self.equal()
        uids = {m["uid"] for m in self.sim.mails()["list"]}
        self.assertEqual(len(uids), 1)
        self.sim.meeting_cancel(uid=uids.pop())
        self.equal()
        self.assertEqual(
            self.sim.reservation_get(id=r["id"])["status"], "cancelled")


class Organiser(Both):
    """The organiser's own calendar invites the room."""
    book_as = "organiser"

    def check_mails(self, made, moved, gone):
        self.assertEqual(gone.get("invitation", 0), 0)
        self.assertEqual(gone.get("cancellation", 0), 0)


if __name__ == "__main__":
    tap.main()
