#!/usr/bin/env python3
"""Kinds of meetings, and what a reservation must be for each.

The simulator compares both sides by itself; what it does not compare (that a
reservation kept its number, what it is called) is said here.
"""
import datetime
import unittest
import zoneinfo

import orbtest
import tap
from people import (Outlook, ZONE, daily, day, iso, minutes,
                    next_clock_change, parse, weekly)

LONDON = zoneinfo.ZoneInfo("Europe/London")


class Rooms(unittest.TestCase):
    """Rooms, and ORB between both systems; no test."""
    kind = "graph"  # test_ews.py has the same with "ews"
    settings = {}
    count = 20

    @classmethod
    def setUpClass(cls):
        sim = cls.sim = orbtest.start_sim()
        cls.addClassCleanup(sim.stop_all)
        rooms = [sim.add_room(mailbox="room%d@sim.test" % i,
                              name="Room %d" % i,
                              zone="W. Europe Standard Time")
                 for i in range(cls.count)]
        london = sim.add_room(mailbox="london@sim.test", name="London",
                              zone="GMT Standard Time")
        london["zone"] = "Europe/London"
        slow = sim.add_room(mailbox="slow@sim.test", name="Slow",
                            zone="W. Europe Standard Time",
                            settings={"auto_accept": False})
        cls.orb = orbtest.Orb(rooms=rooms + [london, slow], sim=sim,
                              kind=cls.kind, settings=cls.settings)
        cls.addClassCleanup(cls.orb.stop)
        cls.london, cls.slow = cls.count, cls.count + 1
        cls.orb.run()
        cls.people = Outlook(sim, cls.orb.rooms)
        cls.next_room = 0

    def room(self):
        """A room that no other test uses."""
        type(self).next_room += 1
        return self.next_room - 1

    def equal(self):
        self.orb.wait_until_equal(40)
        self.assertEqual(self.sim.violations()["violations"], [])

    def starts(self, room):
        return [parse(r["start"]) for r in self.people.planned(room)]


class Bookings(Rooms):
    # Both changes of the clocks are within, on every date.
    settings = {"policy": {"window_ahead_days": 400}}

    def test_moved_keeps_its_number(self):
        """a moved meeting keeps its reservation"""
        room = self.room()
        uid = self.people.book("ada", room, day(0, 9))
        self.equal()
        before = self.people.planned(room)
        self.people.move(uid, day(3, 11), 45)
        self.equal()
        after = self.people.planned(room)
        self.assertEqual([r["number"] for r in after],
                         [r["number"] for r in before])
        self.assertEqual(self.starts(room), [day(3, 11)])

    def test_series_keeps_wall_time(self):
        """a weekly series keeps its wall time across the change of clocks"""
        room = self.room()
        self.sim.add_room(mailbox=self.orb.rooms[room]["mailbox"],
                          settings={"booking_window_days": 1080})
        # Wholly to come: the series begins before the change.
        start = datetime.datetime.now(ZONE).replace(
            hour=10, minute=0, second=0, microsecond=0)
        start = next_clock_change(start + datetime.timedelta(
            days=17)) - datetime.timedelta(days=15)
        self.people.book("ada", room, start, 30, recurrence=weekly(start, 5))
        self.equal()
        starts = self.starts(room)
        self.assertEqual(len(starts), 5)
        self.assertEqual({t.astimezone(ZONE).hour for t in starts}, {10})
        self.assertEqual(len({t.hour for t in starts}), 2,
                         "the clocks did not change within the series")

    def test_series_exceptions(self):
        """one date moved, one cancelled, one deleted without a word"""
        room = self.room()
        start = day(0, 9)
        week = [day(5 * n, 9) for n in range(6)]
        uid = self.people.book("grace", room, start, 60,
                               recurrence=weekly(start, 6))
        self.equal()
        numbers = {r["start"]: r["number"] for r in self.people.planned(room)}
        self.people.move_one(uid, week[1], day(6, 14))
        self.people.cancel_one(uid, week[2])
        self.people.delete_one(uid, week[3])
        self.equal()
        self.assertEqual(self.starts(room),
                         [week[0], day(6, 14), week[4], week[5]])
        self.assertEqual(self.people.at(room, day(6, 14))["number"],
                         numbers[iso(week[1])])

    def test_series_moved_whole(self):
        """a series that gets another time"""
        room = self.room()
        start = day(0, 9)
        uid = self.people.book("grace", room, start, 60,
                               recurrence=weekly(start, 4))
        self.equal()
        self.people.move(uid, day(0, 15))
        self.equal()
        self.assertEqual(self.starts(room), [day(5 * n, 15)
                                             for n in range(4)])

    def test_series_repatterned(self):
        """a weekly series becomes a daily one"""
        room = self.room()
        start = day(0, 9)
        uid = self.people.book("grace", room, start, 60,
                               recurrence=weekly(start, 4))
        self.equal()
        self.sim.series_repattern(uid=uid, recurrence=daily(start, 5))
        self.equal()
        self.assertEqual(self.starts(room), [day(n, 9) for n in range(5)])

    def test_series_cancelled(self):
        """a cancelled series frees all its dates"""
        room = self.room()
        start = day(0, 9)
        uid = self.people.book("grace", room, start, 60,
                               recurrence=daily(start, 5))
        self.equal()
        self.people.cancel(uid)
        self.equal()
        self.assertEqual(self.people.planned(room), [])
        self.assertEqual(len(self.people.reservations(room, "cancelled")), 5)

    def test_all_day(self):
        """all-day is the date in the room's own zone"""
        for room, zone in ((self.room(), ZONE), (self.london, LONDON)):
            start = day(1, 0)
            self.people.book("ada", room, start, 24 * 60, all_day=True)
            self.equal()
            row = self.people.planned(room)[0]
            local = parse(row["start"]).astimezone(zone)
            self.assertEqual((local.date(), local.hour, local.minute),
                             (start.date(), 0, 0))
            self.assertEqual(parse(row["end"]) - parse(row["start"]),
                             datetime.timedelta(days=1))

    def test_tentative(self):
        """a meeting the room has not accepted is waited for"""
        uid = self.people.book("ada", self.slow, day(0, 9))
        marker = self.people.book("ada", self.room(), day(0, 9))
        self.equal()  # the marker came later and is there
        self.assertEqual(self.people.planned(self.slow), [])
        room = self.orb.rooms[self.slow]["mailbox"]
        self.sim.meeting_respond(uid=uid, room=room, response="accepted")
        self.equal()
        self.assertEqual(self.starts(self.slow), [day(0, 9)])
        self.sim.meeting_respond(uid=uid, room=room, response="declined")
        self.equal()
        self.assertEqual(self.people.planned(self.slow), [])
        self.people.cancel(marker)

    def test_cancelled_stays(self):
        """a cancelled meeting that stays in the room's calendar"""
        room = self.room()
        uid = self.people.book("ada", room, day(0, 9))
        self.equal()
        self.people.cancel(uid)
        self.equal()
        self.assertEqual(self.people.planned(room), [])
        states = [r["state"] for r in self.sim.dump(side="exchange")["rows"]
                  if r["uid"] == uid]
        self.assertEqual(states, ["cancelled"])

    def test_deleted_without_trace(self):
        """a meeting that vanishes from the room is looked for, then freed"""
        room = self.room()
        uid = self.people.book("ada", room, day(0, 9))
        self.equal()
        self.sim.meeting_delete(uid=uid)
        self.equal()
        self.assertEqual(self.people.planned(room), [])

    def test_two_rooms(self):
        """one meeting in two rooms is two reservations"""
        rooms = [self.room(), self.room()]
        uid = self.people.book("ada", rooms, day(0, 9))
        self.equal()
        links = {self.people.at(r, day(0, 9))["external_link"]["id"]
                 for r in rooms}
        self.assertEqual(len(links), 2)
        self.people.rooms_of(uid, rooms[1])
        self.equal()
        self.assertEqual(self.people.planned(rooms[0]), [])
        self.assertEqual(len(self.people.planned(rooms[1])), 1)

    def test_seconds(self):
        """a meeting with seconds takes whole minutes"""
        room = self.room()
        start = day(0, 9) + datetime.timedelta(seconds=30)
        self.people.book("ada", room, start)
        self.equal()
        self.assertEqual(self.starts(room), [day(0, 9)])

    def test_back_to_back(self):
        """meetings that touch each other"""
        room = self.room()
        for n in range(4):
            self.people.book("person%d" % n, room, day(0, 9) + minutes(
                15 * n), 15)
        self.equal()
        self.assertEqual(len(self.people.planned(room)), 4)

    def test_booked_and_cancelled_at_once(self):
        """a meeting that is gone before anyone looked"""
        room = self.room()
        for n in range(3):
            self.people.cancel(self.people.book("ada", room, day(n, 9)))
        self.people.book("ada", room, day(4, 9))
        self.equal()
        self.assertEqual(self.starts(room), [day(4, 9)])

    def test_unknown_organiser(self):
        """an organiser TOPdesk does not know: the fallback person requests"""
        room = self.room()
        self.people.book("stranger", room, day(0, 9), person=False)
        self.equal()
        self.assertEqual(self.people.at(room, day(0, 9))["requester_email"],
                         orbtest.FALLBACK)


if __name__ == "__main__":
    tap.main()
