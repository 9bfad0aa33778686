#!/usr/bin/env python3
"""Rooms that change hands, with meetings in the requesters' own calendars: the
tests of test_rooms.py with book_as = organiser, in a file of their own for their
time."""
import tap
import test_rooms
from people import day, iso


class ByOrganiser(test_rooms.InRoom):
    """book_as = organiser: the requester's own calendar invites the room."""
    book_as = "organiser"
    changes_people = True
    one_meeting = True

    def test_requester_without_mailbox(self):
        """no mailbox (404): the room's own calendar, and it is said"""
        room = self.room()
        self.sim.add_person(email="extern@sim.test", name="Extern",
                            mailbox=False)
        self.lands_in_the_room(room, "extern@sim.test")

    def test_requester_without_address(self):
        """no address: the room's own calendar, and it is said"""
        room = self.room()
        p = self.sim.add_person(name="Gast zonder adres")["id"]
        self.lands_in_the_room(room, p)

    def test_requester_out_of_scope(self):
        """no right to the mailbox (403): the room's own calendar"""
        room = self.room()
        self.sim.add_person(email="boss@sim.test", name="Boss")
        self.sim.set(key="out_of_scope", value=["boss@sim.test"])
        self.lands_in_the_room(room, "boss@sim.test")

    def lands_in_the_room(self, room, requester):
        self.mails()
        r = self.reserve(room, day(1, 9), requester=requester)
        self.equal()
        uid = self.booked(room)[0][0]
        self.assertIn("no mailbox that ORB may write to",
                      " ".join(self.problems(room)))
        self.move(r, day(2, 11))
        self.equal()
        self.assertEqual(self.booked(room), [(uid, iso(day(2, 11)))])
        self.sim.reservation_cancel(id=r)
        self.equal()
        self.assertEqual(self.booked(room), [])
        self.assertEqual(self.mails(), {})


if __name__ == "__main__":
    tap.main()
