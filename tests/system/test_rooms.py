#!/usr/bin/env python3
"""Rooms that change hands: each trap by name.

For two ways of booking (book_as; the third: test_rooms_organiser.py): the room of
a reservation or of a meeting swapped, two rooms in one meeting, mails by kind for
every sort of change, and requesters who cannot be invited.  What a room answers,
and rooms that come and go: test_answers.py.
"""
import orbtest
import tap
from people import day, iso
from roomtest import SERVICE, Rooms


class InRoom(Rooms):
    """book_as = room: nobody is invited, nobody is mailed."""
    # What may be sent for a meeting that ORB makes of a reservation.
    made, moved, renamed, swapped, ended = {}, {}, {}, {}, {}
    # Can the organiser's own meeting be changed?
    changes_people = False
    one_meeting = False  # is a swapped reservation still the same meeting?

    # --- the room of a reservation, or of a meeting, is swapped ---------------

    def test_swap_in_topdesk(self):
        """a reservation gets another room: the meeting goes along, once"""
        a, b = self.room(), self.room()
        r = self.reserve(a, day(1, 9))
        self.equal()
        uid = self.booked(a)[0][0]
        self.mails()
        self.sim.reservation_room(id=r, location=self.orb.rooms[b]["location"])
        self.equal()
        self.assertEqual(self.booked(a), [])
        self.assertEqual([s for _, s in self.booked(b)], [iso(day(1, 9))])
        if self.one_meeting:
            self.assertEqual(self.booked(b)[0][0], uid)
        self.assertEqual(self.mails(), self.swapped)
        self.assertEqual(self.status(r), "planned")
        # And back: the room had this very meeting before.
        self.sim.reservation_room(id=r, location=self.orb.rooms[a]["location"])
        self.equal()
        self.assertEqual(self.booked(b), [])
        self.assertEqual(len(self.booked(a)), 1)
        self.assertEqual(self.mails(), self.swapped)
        self.sim.reservation_cancel(id=r)
        self.equal()
        self.assertEqual(self.booked(a) + self.booked(b), [])
        self.assertEqual(self.mails(), self.ended)
        self.assertEqual(self.problems(a) + self.problems(b), [])

    def test_swap_and_move_in_topdesk(self):
        """another room and another time at once"""
        a, b = self.room(), self.room()
        r = self.reserve(a, day(1, 9))
        self.equal()
        self.mails()
        self.orb.stop_units(["mapd"])
        self.sim.reservation_room(id=r, location=self.orb.rooms[b]["location"])
        self.move(r, day(2, 11))
        self.orb.start(["mapd"])
        self.equal()
        self.assertEqual([s for _, s in self.booked(b)], [iso(day(2, 11))])
        self.assertEqual(self.booked(a), [])
        self.assertLessEqual(sum(self.mails().values()),
                             sum(self.swapped.values()) +
                             sum(self.moved.values()))

    def test_swap_in_outlook(self):
        """a person's meeting gets another room"""
        a, b = self.room(), self.room()
        uid = self.people.book("ada", a, day(1, 9))
        self.equal()
        self.mails()
        self.people.rooms_of(uid, b)
        self.equal()
        self.assertEqual(self.numbers(a), [])
        self.assertEqual(len(self.numbers(b)), 1)
        self.assertEqual(self.mails(), {})
        self.people.rooms_of(uid, a)
        self.equal()
        self.assertEqual((len(self.numbers(a)), self.numbers(b)), (1, []))
        self.assertEqual(self.mails(), {})

    def test_person_swapped_in_topdesk(self):
        """the reservation of a person's meeting gets another room"""
        a, b = self.room(), self.room()
        uid = self.people.book("ada", a, day(1, 9))
        self.equal()
        r = self.people.planned(a)[0]
        self.mails()
        self.sim.reservation_room(id=r["id"],
                                  location=self.orb.rooms[b]["location"])
        self.equal()
        self.assertEqual(self.booked(a), [])
        self.assertEqual(len(self.booked(b)), 1)
        if self.changes_people:
            self.assertEqual(self.booked(b)[0][0], uid)
        self.assertEqual(self.numbers(b), [r["number"]])
        self.assertEqual(self.mails().get("cancellation", 0), 0)
        self.assertLessEqual(self.answers, 2)

    # --- two rooms in one meeting ---------------------------------------------

    def two(self, hour=9):
        a, b = self.room(), self.room()
        uid = self.people.book("ada", [a, b], day(1, hour),
                               attendees=["guest@sim.test"])
        self.equal()
        self.assertEqual((len(self.numbers(a)), len(self.numbers(b))), (1, 1))
        self.mails()
        return a, b, uid

    def test_two_one_cancelled_in_topdesk(self):
        """two rooms: one reservation cancelled gives back that room only"""
        a, b, uid = self.two()
        r, other = self.people.planned(a)[0], self.numbers(b)
        self.sim.reservation_cancel(id=r["id"])
        self.equal()
        self.assertEqual(self.booked(a), [])
        self.assertEqual([u for u, _ in self.booked(b)], [uid])
        self.assertEqual(self.numbers(b), other)
        self.assertEqual(self.mails(), {})
        self.assertEqual(self.answers, 1)
        self.assertFalse(self.sim.meeting_get(uid=uid)["cancelled"])

    def test_two_moved(self):
        """two rooms: the meeting moved moves both reservations"""
        a, b, uid = self.two()
        numbers = self.numbers(a), self.numbers(b)
        self.people.move(uid, day(3, 14))
        self.equal()
        for room in (a, b):
            self.assertTrue(self.people.at(room, day(3, 14)))
        self.assertEqual((self.numbers(a), self.numbers(b)), numbers)
        self.assertEqual(self.mails(), {"update": 1})  # the person's own

    def test_two_one_moved_in_topdesk(self):
        """two rooms: one reservation moved"""
        a, b, uid = self.two()
        r = self.people.planned(a)[0]
        self.move(r["id"], day(4, 15))
        if self.changes_people:
            self.equal()
            self.assertEqual([s for _, s in self.booked(b)],
                             [iso(day(4, 15))])
            self.assertTrue(self.people.at(b, day(4, 15)))
            self.assertEqual(self.mails(), {"update": 1})
        else:
            self.settle("it is said", lambda: self.problems(a))
            self.assertIn("changed in TOPdesk only", self.problems(a)[0])
            self.assertTrue(self.people.at(a, day(4, 15)))
            self.assertEqual([s for _, s in self.booked(b)], [iso(day(1, 9))])
            self.assertEqual(self.mails(), {})
            self.people.move(uid, day(4, 15))
            self.equal()
            self.assertEqual(self.problems(a), [])

    def test_two_cancelled(self):
        """two rooms: the meeting cancelled ends both reservations"""
        a, b, uid = self.two()
        self.people.cancel(uid)
        self.equal()
        self.assertEqual(self.numbers(a) + self.numbers(b), [])
        self.assertEqual(self.mails(), {"cancellation": 1})

    def test_two_one_removed(self):
        """two rooms: the one taken out loses its reservation, only that"""
        a, b, uid = self.two()
        other = self.numbers(b)
        self.people.rooms_of(uid, b)
        self.equal()
        self.assertEqual(self.numbers(a), [])
        self.assertEqual(self.numbers(b), other)
        self.assertEqual(self.mails(), {})

    def test_room_added_to_meeting(self):
        """a second room invited to a meeting is a second reservation"""
        a, b = self.room(), self.room()
        uid = self.people.book("ada", a, day(1, 9))
        self.equal()
        before = self.numbers(a)
        self.people.rooms_of(uid, a, b)
        self.equal()
        self.assertEqual(self.numbers(a), before)
        self.assertEqual(len(self.numbers(b)), 1)

    # --- mails by kind ---------------------------------------------------------

    def test_mails_from_topdesk(self):
        """made, moved, renamed, cancelled in TOPdesk: one mail each at most"""
        room = self.room()
        self.mails()
        r = self.reserve(room, day(1, 9))
        self.equal()
        self.assertEqual(self.mails(), self.made)
        self.move(r, day(2, 14))
        self.equal()
        self.assertEqual(self.mails(), self.moved)
        self.sim.reservation_change(id=r, briefDescription="Kwartaaloverleg")
        self.renamed_in_exchange(room)
        self.assertEqual(self.mails(), self.renamed)
        # What ORB does not carry is no change.
        writes = self.writes("graph")
        self.sim.add_person(email="otto@sim.test", name="Otto")
        self.sim.reservation_change(id=r, issued=False)
        self.rounds(3)
        self.assertEqual(self.writes("graph"), writes)
        self.assertEqual(self.mails(), {})
        self.sim.reservation_cancel(id=r)
        self.equal()
        self.assertEqual(self.mails(), self.ended)

    def renamed_in_exchange(self, room):
        uid = self.booked(room)[0][0]
        self.settle("the meeting has the new name", lambda: self.sim
                    .meeting_get(uid=uid)["subject"] == "Kwartaaloverleg")

    def test_mails_from_outlook(self):
        """made, moved, cancelled in Outlook: ORB mails nobody"""
        room = self.room()
        self.mails()
        uid = self.people.book("ada", room, day(1, 9), subject="Secret")
        self.equal()
        self.people.move(uid, day(2, 10))
        self.equal()
        # Not shown in TOPdesk, so no change there: policy.subject.
        writes = self.writes("topdesk")
        self.sim.meeting_subject(uid=uid, subject="Other", body="text")
        self.rounds(3)
        self.assertEqual(self.writes("topdesk"), writes)
        self.people.cancel(uid)
        self.equal()
        self.assertEqual(self.mails(), {})
        self.assertEqual(self.answers, 2)  # the room's own, made and moved

    def test_moved_twice_at_once(self):
        """moved again before Exchange shows the first: both are followed"""
        room = self.room()
        r = self.reserve(room, day(1, 9))
        self.equal()
        self.mails()
        self.move(r, day(2, 9))
        orbtest.wait_for("the meeting is moved", lambda: [
            s for _, s in self.booked(room)] == [iso(day(2, 9))], 20, 0.01)
        self.move(r, day(3, 9))
        self.equal()
        self.assertEqual([s for _, s in self.booked(room)], [iso(day(3, 9))])
        self.assertEqual(self.sim.reservation_get(id=r)["plannedStartDate"],
                         iso(day(3, 9)))
        self.assertLessEqual(self.mails().get("update", 0),
                             2 * self.moved.get("update", 0))

    # --- one after the other ------------------------------------------------------

    def test_back_to_back(self):
        """end on start is no conflict, in both directions"""
        room = self.room()
        self.people.book("ada", room, day(1, 9))
        self.equal()
        self.reserve(room, day(1, 10))
        self.equal()
        self.people.book("grace", room, day(1, 11))
        self.reserve(room, day(1, 8))
        self.equal()
        self.assertEqual([s for _, s in sorted(
            self.booked(room), key=lambda b: b[1])],
            [iso(day(1, h)) for h in (8, 9, 10, 11)])
        self.assertEqual(self.conflicts(room), [])
        self.assertEqual(self.problems(room), [])


class ByService(InRoom):
    """book_as = service: a service mailbox invites requester and room."""
    book_as = "service"
    exchange = {"service_mailbox": SERVICE}
    made, moved = {"invitation": 1}, {"update": 1}
    renamed, swapped, ended = {"update": 1}, {"update": 1}, {"cancellation": 1}
    one_meeting = True

    def test_requester_without_mailbox(self):
        """a requester who has no mailbox is invited all the same"""
        room = self.room()
        self.sim.add_person(email="extern@sim.test", name="Extern",
                            mailbox=False)
        r = self.reserve(room, day(1, 9), requester="extern@sim.test")
        self.equal()
        self.assertEqual(len(self.booked(room)), 1)
        self.assertEqual(self.status(r), "planned")

    def test_requester_without_address(self):
        """a requester without an address: the meeting invites the room only"""
        room = self.room()
        p = self.sim.add_person(name="Gast zonder adres")["id"]
        self.mails()
        r = self.reserve(room, day(1, 9), requester=p)
        self.equal()
        self.assertEqual(len(self.booked(room)), 1)
        self.assertEqual(self.mails(), {})
        self.sim.reservation_cancel(id=r)
        self.equal()
        self.assertEqual(self.booked(room), [])

    def test_two_rooms_of_a_reservation(self):
        """one reservation of two rooms takes both in Exchange"""
        a, b = self.room(), self.room()
        r = self.reserve(a, day(1, 9), locations=[
            self.orb.rooms[b]["location"]])
        self.settle("both rooms are booked", lambda: self.booked(a) and
                    self.booked(b))
        self.move(r, day(2, 9))
        self.settle("both rooms are moved", lambda: all(
            [s for _, s in self.booked(x)] == [iso(day(2, 9))]
            for x in (a, b)))
        self.sim.reservation_cancel(id=r)
        self.settle("both rooms are free", lambda: not self.booked(a) and
                    not self.booked(b))

    def test_other_room_in_orbs_meeting(self):
        """a person adds a room to ORB's meeting; then its own is swapped"""
        a, b, c = self.room(), self.room(), self.room()
        r = self.reserve(a, day(1, 9))
        self.equal()
        uid = self.booked(a)[0][0]
        self.people.rooms_of(uid, c, a)
        self.equal()
        self.assertEqual(len(self.numbers(c)), 1)
        self.mails()
        self.sim.reservation_room(id=r, location=self.orb.rooms[b]["location"])
        self.equal()
        self.assertEqual(self.booked(a), [])
        self.assertEqual([u for u, _ in self.booked(b) + self.booked(c)],
                         [uid] * 2)
        self.assertEqual(self.mails(), {"update": 1})
        self.move(r, day(2, 9))
        self.equal()
        self.assertTrue(self.people.at(c, day(2, 9)))
        self.assertEqual(self.mails(), {"update": 1})

    def test_swap_without_an_answer(self):
        """the answer to a swap is lost: it is not swapped twice"""
        a, b = self.room(), self.room()
        r = self.reserve(a, day(1, 9))
        self.equal()
        uid = self.booked(a)[0][0]
        self.mails()
        self.sim.fault(kind="cut_after", listener="graph",
                       endpoint="PATCH *", count=1)
        self.sim.reservation_room(id=r, location=self.orb.rooms[b]["location"])
        self.equal()
        self.assertEqual([u for u, _ in self.booked(b)], [uid])
        self.assertEqual(self.booked(a), [])
        self.assertEqual(self.mails(), {"update": 1})

    def test_swap_of_orbs_meeting_in_outlook(self):
        """the meeting of a reservation gets another room in Outlook"""
        a, b = self.room(), self.room()
        r = self.reserve(a, day(1, 9))
        self.equal()
        uid = self.booked(a)[0][0]
        self.mails()
        self.people.rooms_of(uid, b)
        self.equal()
        self.assertEqual(self.numbers(a), [])
        self.assertEqual(self.status(r), "cancelled")
        self.assertEqual([u for u, _ in self.booked(b)], [uid])
        self.assertEqual(len(self.numbers(b)), 1)
        self.assertEqual(self.mails(), {})


if __name__ == "__main__":
    tap.main()
