#!/usr/bin/env python3
"""What a room answers, rooms that come and go, TOPdesk's block time.

A room that accepts, refuses, waits for a person or says nothing; a room added
to the configuration that is booked on both sides already, one that is taken out
of it or retired; reservations that TOPdesk's list does not show any more.
"""
import time

import orbtest
import tap
from people import day, iso, minutes
from roomtest import SERVICE, Rooms


class Answers(Rooms):
    """Meetings of a service mailbox, to which each room has its own answer."""
    book_as = "service"
    exchange = {"service_mailbox": SERVICE, "answer_minutes": 1}

    def declined(self, room, r):
        """The defined end: nothing stands, each was told once."""
        self.settle("it has ended", lambda: self.status(r) == "cancelled")
        self.assertEqual(self.booked(room), [])
        self.assertEqual(self.mails(), {"invitation": 1, "cancellation": 1})
        self.assertLessEqual(self.answers, 1)
        self.assertIn("the room declined", " ".join(self.problems(room)))
        writes = self.writes("graph"), self.writes("topdesk")
        self.rounds(3)
        self.assertEqual((self.writes("graph"), self.writes("topdesk")),
                         writes)
        self.assertEqual(self.mails(), {})

    def test_accepted_later(self):
        """a room that takes its time to accept"""
        room = self.room(accept_delay_ms=2500)
        self.mails()
        self.reserve(room, day(1, 9))
        time.sleep(1)
        self.assertEqual(self.booked(room), [])
        self.equal()
        self.assertEqual(self.mails(), {"invitation": 1})
        self.assertEqual(self.problems(room), [])

    def test_declined_beyond_window(self):
        """declined at once: too far ahead for the room"""
        room = self.room(booking_window_days=1)
        self.mails()
        self.declined(room, self.reserve(room, day(8, 9)))

    def test_declined_later(self):
        """declined after a while: the room's copy stood there before"""
        room = self.room(booking_window_days=1, accept_delay_ms=2500)
        self.mails()
        self.declined(room, self.reserve(room, day(8, 9)))

    def test_declined_since_busy(self):
        """declined: somebody waits for the room's answer for that time"""
        room = self.room(auto_accept=False)
        self.people.book("ada", room, day(1, 9))
        self.sim.add_room(mailbox=self.mailbox(room),
                          settings={"auto_accept": True})
        self.mails()
        self.declined(room, self.reserve(room, day(1, 9, 30)))

    def test_declined_move(self):
        """a move that the room declines"""
        room = self.room(booking_window_days=9)
        r = self.reserve(room, day(0, 9))
        self.equal()
        self.mails()
        self.move(r, day(15, 9))
        self.settle("it has ended", lambda: self.status(r) == "cancelled")
        self.assertEqual(self.booked(room), [])
        self.assertEqual(self.mails(), {"update": 1, "cancellation": 1})
        self.assertIn("the room declined", " ".join(self.problems(room)))

    def test_no_answer(self):
        """no answer within answer_minutes, and answers that come late"""
        rooms = [self.room(silent=True) for _ in range(4)]
        waits = self.room(auto_accept=False)
        rooms.append(waits)
        self.mails()
        made = [self.reserve(n, day(1, 9)) for n in rooms]
        self.rounds(2)
        self.assertEqual([self.problems(n) for n in rooms], [[]] * 5)
        # Before any answer: one is moved, one is cancelled in TOPdesk.
        self.move(made[2], day(2, 11))
        self.sim.reservation_cancel(id=made[3])
        orbtest.wait_for("it is said", lambda: all(
            "has not answered" in " ".join(self.problems(n))
            for n in rooms[:2] + [waits]), 90, 0.5)
        self.assertEqual(self.mails(), {"invitation": 5, "update": 1,
                                        "cancellation": 1})
        writes = self.writes("graph"), self.writes("topdesk")
        self.rounds(3)
        self.assertEqual((self.writes("graph"), self.writes("topdesk")),
                         writes)
        self.assertEqual(self.problems(rooms[3]), [])
        self.late_answers(rooms, made)

    def late_answers(self, rooms, made):
        for n, said in zip(rooms, ("accepted", "declined", "accepted", None,
                                   "accepted")):
            if said:
                self.sim.meeting_respond(uid=self.uid(n), response=said,
                                         room=self.mailbox(n))
        self.equal()
        self.settle("the declined one has ended", lambda: self.status(
            made[1]) == "cancelled")
        self.assertEqual([self.status(r) for r in made], [
            "planned", "cancelled", "planned", "cancelled", "planned"])
        self.assertEqual([s for n in rooms for _, s in self.booked(n)],
                         [iso(day(1, 9)), iso(day(2, 11)), iso(day(1, 9))])
        for n in (0, 2, 4):
            self.assertEqual(self.problems(rooms[n]), [])
        self.assertEqual(self.mails(), {"cancellation": 1})

    def uid(self, room):
        return [m["uid"] for m in self.sim.dump(side="exchange")["rows"]
                if m["room"] == self.mailbox(room) and
                m["state"] != "cancelled"][0]


class TopdeskWins(Rooms):
    """What the room refuses stays reserved where TOPdesk has the last word."""
    book_as = "service"
    exchange = {"service_mailbox": SERVICE}

    @classmethod
    def before(cls):
        cls.orb.configure(policy={"conflict": "topdesk-wins"})

    def test_declined_stays_reserved(self):
        """declined, but topdesk-wins: the reservation stays, and it is said"""
        room = self.room(booking_window_days=8)
        self.mails()
        r = self.reserve(room, day(8, 9))
        self.settle("it is said", lambda: "the room declined" in " ".join(
            self.problems(room)))
        self.assertEqual(self.status(r), "planned")
        self.assertEqual(self.mails(), {"invitation": 1})
        writes = self.writes("graph")
        self.rounds(3)
        self.assertEqual(self.writes("graph"), writes)
        # Where the room takes it, it is asked again.
        self.move(r, day(0, 9))
        self.equal()
        self.assertEqual(self.mails(), {"update": 1})
        self.assertEqual(self.problems(room), [])


class Comings(Rooms):
    """Rooms that are added to the configuration, and those that leave it."""
    book_as = "service"
    exchange = {"service_mailbox": SERVICE}

    def both_origins(self, room):
        """A meeting of a person's, a reservation of another's."""
        uid = self.people.book("ada", room, day(1, 9))
        return uid, self.reserve(room, day(2, 9))

    def entries(self, *without, **changes):
        """The list of rooms in orb.conf: without some, others changed."""
        names = [self.orb.rooms[n]["name"] for n in without]
        retired = {self.orb.rooms[n]["name"] for n in changes.get("retire",
                                                                  ())}
        rows = []
        for r in self.every:
            if r["name"] in names:
                continue
            rows.append(dict(r, retire="cancel") if r["name"] in retired
                        else r)
        self.orb.configure(rooms=rows)
        self.orb.stop_units(["mapd", "fetchd@exchange", "fetchd@topdesk"])
        self.orb.start(["mapd", "fetchd@exchange", "fetchd@topdesk"])
        orbtest.wait_for("a round", lambda: self.orb.status().get(
            "rounds", 0) > 0, 30)

    @classmethod
    def before(cls):
        cls.every = cls.orb.settings["rooms"]

    def test_room_added(self):
        """a room that is booked on both sides already is added"""
        room = self.room()
        self.entries(room)
        uid, r = self.both_origins(room)
        self.people.book("grace", room, day(3, 9))
        both = self.reserve(room, day(3, 9), requester="grace@sim.test")
        link = self.reserve(room, day(3, 14), link_id="ABC", link_type="99")
        self.rounds(2)
        self.assertEqual(len(self.people.planned(room)), 3)
        self.mails()
        self.entries()
        self.equal()
        self.assertEqual(len(self.booked(room)), 4)
        self.assertEqual(len(self.people.planned(room)), 4)
        self.assertIn(uid, [u for u, _ in self.booked(room)])
        for made in (r, both, link):
            self.assertEqual(self.status(made), "planned")
        # Only what was made: the two reservations that had no meeting.
        self.assertEqual(self.mails(), {"invitation": 2})
        self.assertEqual(self.problems(room) + self.conflicts(room), [])

    def test_room_taken_out(self):
        """a room that is taken out keeps what it has, and comes back"""
        room = self.room()
        uid, r = self.both_origins(room)
        self.equal()
        self.mails()
        before = self.booked(room), self.numbers(room)
        self.entries(room)
        self.rounds(2)
        self.assertEqual((self.booked(room), self.numbers(room)), before)
        # Nothing is carried any more.
        self.people.move(uid, day(1, 11))
        self.move(r, day(2, 11))
        late = self.reserve(room, day(4, 9))
        self.rounds(3)
        self.assertFalse(self.people.at(room, day(1, 11)))
        self.assertNotIn(iso(day(2, 11)), [s for _, s in self.booked(room)])
        self.mails()
        # Back again: what changed on either side is followed.
        self.entries()
        self.equal()
        self.assertTrue(self.people.at(room, day(1, 11)))
        self.assertEqual([s for _, s in sorted(
            self.booked(room), key=lambda b: b[1])],
            [iso(day(1, 11)), iso(day(2, 11)), iso(day(4, 9))])
        self.assertEqual(self.status(late), "planned")
        self.assertEqual(self.mails(), {"invitation": 1, "update": 1})

    def test_room_retired(self):
        """retire = cancel: what ORB made ends, what people made stays"""
        room, other = self.room(), self.room()
        uid, r = self.both_origins(room)
        self.both_origins(other)
        self.equal()
        made = self.people.at(room, day(1, 9))["id"]
        before = self.booked(other), self.numbers(other)
        self.mails()
        self.entries(retire=[room])
        self.settle("what ORB made has ended", lambda: self.status(
            made) == "cancelled" and [u for u, _ in self.booked(
                room)] == [uid])
        self.assertEqual(self.status(r), "planned")
        self.assertEqual((self.booked(other), self.numbers(other)), before)
        self.assertEqual(self.mails(), {"cancellation": 1})
        # Nothing new is carried, nothing comes back.
        self.people.book("grace", room, day(3, 9))
        self.reserve(room, day(4, 9))
        self.rounds(3)
        self.assertFalse(self.people.at(room, day(3, 9)))
        self.assertEqual(self.mails(), {})
        self.assertNotIn(iso(day(4, 9)), [s for _, s in self.booked(room)])


class Blocks(Rooms):
    """TOPdesk keeps a room free around a reservation; Exchange does not."""

    def refused(self):
        """How often TOPdesk had to refuse, or stored a conflict."""
        return [r for r in self.people.reservations()
                if r["status"] == "conflictingPlanned"]

    def block(self, room, n):
        self.sim.location_set(location=self.orb.rooms[room]["location"],
                              block_minutes=n)

    def test_meeting_in_block_time(self):
        """a meeting that only block time is in the way of is not tried"""
        room = self.room()
        self.block(room, 15)
        self.reserve(room, day(1, 9))
        self.equal()
        writes = self.writes("topdesk")
        uid = self.people.book("ada", room, day(1, 10))
        self.settle("it is said", lambda: "block time" in " ".join(
            self.problems(room)))
        self.rounds(2)
        self.assertEqual(self.writes("topdesk"), writes)
        self.assertEqual(len(self.booked(room)), 2)
        self.people.move(uid, day(1, 10, 15))
        self.equal()
        self.assertEqual(self.problems(room), [])
        self.assertEqual(self.refused(), [])

    def test_block_time_removed(self):
        """the room's block time is set to nothing: the meeting is reserved"""
        room = self.room()
        self.block(room, 15)
        self.reserve(room, day(1, 9))
        self.equal()
        self.people.book("ada", room, day(1, 10))
        self.settle("it is said", lambda: "block time" in " ".join(
            self.problems(room)))
        self.block(room, 0)
        self.equal()
        self.assertEqual(self.problems(room), [])

    def test_meeting_moved_into_block_time(self):
        """a meeting moved into another's block time"""
        room = self.room()
        self.block(room, 15)
        self.reserve(room, day(1, 9))
        uid = self.people.book("ada", room, day(1, 14))
        self.equal()
        writes = self.writes("topdesk")
        self.people.move(uid, day(1, 10))
        self.settle("it is said", lambda: "block time" in " ".join(
            self.problems(room)))
        self.assertEqual(self.writes("topdesk"), writes)
        self.assertTrue(self.people.at(room, day(1, 14)))
        self.people.move(uid, day(1, 11))
        self.equal()
        self.assertEqual(self.problems(room), [])
        self.assertEqual(self.refused(), [])


class Vanished(Rooms):
    """Reservations that the room's list does not show, though nobody cancelled
    them."""
    book_as = "service"
    exchange = {"service_mailbox": SERVICE}

    def test_hidden(self):
        """hidden by a branch filter: nothing ends, it is said"""
        room = self.room()
        uid = self.people.book("ada", room, day(1, 9))
        r = self.reserve(room, day(2, 9))
        self.equal()
        before = self.booked(room)
        self.mails()
        self.sim.location_set(location=self.orb.rooms[room]["location"],
                              hidden=True)
        self.settle("it is said", lambda: len(self.problems(room)) == 2)
        self.assertIn("does not show it any more", self.problems(room)[0])
        self.assertEqual(self.booked(room), before)
        # A meeting moved meanwhile is not lost.
        self.people.move(uid, day(1, 11))
        self.rounds(2)
        self.sim.location_set(location=self.orb.rooms[room]["location"],
                              hidden=False)
        self.equal()
        self.assertEqual(self.problems(room), [])
        self.assertTrue(self.people.at(room, day(1, 11)))
        self.assertEqual(self.status(r), "planned")
        self.assertEqual(self.mails(), {})

    def test_moved_to_a_room_without_mailbox(self):
        """given a room that ORB does not know: its meeting ends, once"""
        room = self.room()
        r = self.reserve(room, day(1, 9))
        self.equal()
        self.mails()
        away = self.orb.rooms[self.unknown]["location"]
        self.sim.reservation_room(id=r, location=away)
        self.settle("the room is free", lambda: not self.booked(room))
        self.assertEqual(self.status(r), "planned")
        self.assertEqual(self.mails(), {"cancellation": 1})
        self.assertEqual(self.problems(room), [])
        # And back: it has a meeting again.
        self.sim.reservation_room(id=r,
                                  location=self.orb.rooms[room]["location"])
        self.settle("it is booked again", lambda: len(
            self.booked(room)) == 1)
        self.assertEqual(self.mails(), {"invitation": 1})

    def test_person_moved_to_a_room_without_mailbox(self):
        """a person's meeting whose reservation got a room ORB does not know"""
        room = self.room()
        uid = self.people.book("ada", room, day(1, 9))
        self.equal()
        r = self.people.planned(room)[0]["id"]
        self.mails()
        self.sim.reservation_room(
            id=r, location=self.orb.rooms[self.unknown]["location"])
        self.settle("the room declined", lambda: not self.booked(room))
        self.assertEqual(self.status(r), "planned")
        self.assertEqual((self.mails(), self.answers), ({}, 1))
        self.assertFalse(self.sim.meeting_get(uid=uid)["cancelled"])

    @classmethod
    def before(cls):
        """The last room is not in orb.conf."""
        cls.unknown = cls.count - 1
        cls.orb.configure(rooms=cls.orb.settings["rooms"][:-1])


if __name__ == "__main__":
    tap.main()
