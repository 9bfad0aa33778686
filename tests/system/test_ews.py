#!/usr/bin/env python3
"""The whole of ORB against Exchange Web Services.

Here: the kinds of meetings of test_bookings.py and the ways of booking of
test_both.py, with exchange.kind = "ews"; series, clocks, zones and dates; and
what EWS alone does not say.  Not here: its faults, its wire (test_ews_wire.py).
"""
import datetime
import zoneinfo

import orbtest
import tap
import test_bookings
import test_both
from people import (ZONE, daily, day, iso, minutes, parse, weekly)

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
AHEAD = 400  # days: both changes of the clocks are in it


def soon(zone=ZONE, days=2):
    """A date that is in every zone's future."""
    return (datetime.datetime.now(zone) + datetime.timedelta(days=days)).date()


def at(date, hour, minute=0, zone=ZONE):
    return datetime.datetime.combine(date, datetime.time(hour, minute), zone)


def series(start, pattern, count=0, end=None):
    """A pattern as Graph writes it: so often, until that date, or for ever."""
    span = {"type": "noEnd"}
    if count:
        span = {"type": "numbered", "numberOfOccurrences": count}
    elif end:
        span = {"type": "endDate", "endDate": end.isoformat()}
    span["startDate"] = start.strftime("%Y-%m-%d")
    return {"pattern": dict({"interval": 1}, **pattern), "range": span}


def week_of(start):
    return {"type": "weekly", "daysOfWeek": [start.strftime("%A").lower()]}


class EwsBookings(test_bookings.Bookings):
    kind = "ews"

    def test_account(self):
        """the account works with its password, and nothing else was tried"""
        shown = self.sim.ews()
        self.assertEqual((shown["failed_logins"], shown["without_anchor"],
                          shown["other_anchor"]), (0, 0, 0))


    def test_long_sync_state(self):
        """a sync state of tens of KiB is kept; of a longer one the one before"""
        room = self.room()
        self.addCleanup(self.sim.set, key="sync_state_bytes", value=600)
        for n, size in enumerate((60000, 200000, 600)):
            self.sim.set(key="sync_state_bytes", value=size)
            self.people.book("ada", room, day(0, 9 + 3 * n))
            self.equal()
            self.sim.counters_reset()
            self.people.book("ada", room, day(0, 10 + 3 * n))
            self.equal()
            self.assertEqual(orbtest.requests(self.sim, "/FindItem"), 0)


class Kept:
    """What is equal stays so: a round later, and with mapd started anew."""
    kind = "ews"

    def equal(self):
        super().equal()
        sent = self.sim.mails()["total"]
        rounds = self.orb.status()["rounds"]
        orbtest.wait_for("two more rounds", lambda: self.orb.status()[
            "rounds"] >= rounds + 2, 20)
        super().equal()
        self.assertEqual(self.sim.mails()["total"], sent, "needless mail")


class Ways(Kept):
    """What else people do in TOPdesk, whichever way ORB books."""

    def rows(self, room, state="booked"):
        return [r for r in self.sim.dump(side="exchange")["rows"]
                if r["room"] == room["mailbox"] and r["state"] == state]

    def people_told(self):
        """Mails, but for the rooms' answers to whom they were invited by."""
        return sum(n for kind, n in self.mails().items()
                   if kind != "response")

    def test_another_room(self):
        """a reservation is given another room"""
        rooms = [self.room(), self.room()]
        r = self.reserve(rooms[0], day(1, 9), day(1, 10))
        self.equal()
        self.sim.mails_reset()
        self.sim.reservation_room(id=r["id"], location=rooms[1]["location"])
        self.equal()
        self.assertEqual(self.rows(rooms[0]), [])
        self.assertEqual(len(self.rows(rooms[1])), 1)
        self.assertLessEqual(self.people_told(), 1, self.sim.mails())

    def test_renamed(self):
        """a reservation gets another name: so does the meeting"""
        room = self.room()
        r = self.reserve(room, day(1, 9), day(1, 10))
        self.equal()
        uid = self.rows(room)[0]["uid"]
        self.assertEqual(self.sim.meeting_get(uid=uid)["subject"],
                         "Projectoverleg")
        self.sim.mails_reset()
        name = "R&D <nieuw> \"overleg\" \u20ac"
        self.sim.reservation_change(id=r["id"], briefDescription=name)
        orbtest.wait_for("the meeting is renamed", lambda: self.sim
                         .meeting_get(uid=uid)["subject"] == name, 20)
        self.equal()
        self.assertLessEqual(self.people_told(), 1)

    def test_outlook_moves_what_topdesk_made(self):
        """the meeting of a reservation is moved in Outlook"""
        room = self.room()
        r = self.reserve(room, day(1, 9), day(1, 10))
        self.equal()
        self.people.move(self.rows(room)[0]["uid"], day(3, 15))
        self.equal()
        shown = [x for x in self.people.planned() if x["id"] == r["id"]]
        self.assertEqual([parse(x["start"]) for x in shown], [day(3, 15)])


class EwsBothRoom(Ways, test_both.Both):
    pass


class EwsBothService(Ways, test_both.Service):
    pass


class EwsBothOrganiser(Ways, test_both.Organiser):
    def test_of_a_person(self):
        """a person's meeting is moved in TOPdesk: everybody is told once"""
        room = self.room()
        uid = self.people.book("ada", room, day(3, 9),
                               attendees=["bob@sim.test"])
        self.equal()
        row = self.reservation(room, day(3, 9))
        self.sim.mails_reset()
        self.sim.reservation_move(id=row["id"], start=iso(day(4, 10)),
                                  end=iso(day(4, 11)))
        self.equal()
        self.assertEqual([(r["uid"], parse(r["start"]))
                          for r in self.rows(room)], [(uid, day(4, 10))])
        self.assertEqual(self.mails().get("update"), 1)

    def test_one_date_of_a_person(self):
        """one date of a person's series is moved in TOPdesk: only that one"""
        room = self.room()
        uid = self.people.book("ada", room, day(0, 9),
                               attendees=["bob@sim.test"],
                               recurrence=weekly(day(0, 9), 4))
        self.equal()
        row = self.reservation(room, day(5, 9))
        self.sim.mails_reset()
        self.sim.reservation_move(id=row["id"], start=iso(day(6, 13)),
                                  end=iso(day(6, 14)))
        self.equal()
        self.assertEqual({(r["uid"], parse(r["start"]))
                          for r in self.rows(room)},
                         {(uid, t) for t in (day(0, 9), day(6, 13),
                                             day(10, 9), day(15, 9))})
        self.assertEqual(self.mails().get("update"), 1)

    def test_requester_without_mailbox(self):
        """a requester who has no mailbox: the room's own calendar"""
        room = self.room()
        self.sim.add_person(email="temp@agency.test", name="Temp",
                            mailbox=False)
        self.sim.reservation_create(
            location=room["location"], start=iso(day(1, 9)),
            end=iso(day(1, 10)), requester="temp@agency.test",
            briefDescription="Inventory")
        self.equal()
        self.assertEqual([r["organiser"] for r in self.rows(room)],
                         [room["mailbox"]])

    def reservation(self, room, start):
        return next(r for r in self.people.planned()
                    if r["location"] == room["location"]
                    and parse(r["start"]) == start)

    def test_another_room_keeps_the_others(self):
        """a meeting in two rooms gets another one for one of them"""
        rooms = [self.room() for _ in range(3)]
        start = day(2, 9)
        uid = self.people.book("ada", rooms[:2], start)
        self.equal()
        row = self.reservation(rooms[0], start)
        self.sim.mails_reset()
        self.sim.reservation_room(id=row["id"], location=rooms[2]["location"])
        self.equal()
        booked = {r["room"] for r in self.sim.dump(side="exchange")["rows"]
                  if r["uid"] == uid and r["state"] == "booked"}
        self.assertEqual(booked, {rooms[1]["mailbox"], rooms[2]["mailbox"]})
        rooms_mails = self.sim.mails()["rooms_by_kind"]
        self.assertEqual((rooms_mails.get("invitation", 0),
                          rooms_mails.get("cancellation", 0)), (1, 1))


class EwsCalendar(test_bookings.Rooms):
    """Series, clocks, zones, dates."""
    kind = "ews"
    settings = {"policy": {"window_ahead_days": AHEAD, "body": True}}
    count = 30

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for room in cls.orb.rooms:  # or they refuse what ends later
            cls.sim.add_room(mailbox=room["mailbox"], settings={
                "booking_window_days": 1080, "enforce_horizon": False})
        # What has no end is compared as far as ORB looks.
        now = datetime.datetime.now(datetime.timezone.utc)
        cls.orb.window = {
            "from": iso(now), "to": iso(now + datetime.timedelta(
                days=AHEAD - 2))}

    def book(self, room, start, length=60, **more):
        return self.people.book("grace", room, start, length, **more)

    def hours(self, room, zone=ZONE):
        return [t.astimezone(zone).strftime("%H:%M")
                for t in self.starts(room)]

    def test_monthly(self):
        """the 31st, the last Friday, every third month: as Exchange counts"""
        first = soon().replace(day=1) + datetime.timedelta(days=62)
        first = first.replace(day=1)
        patterns = (
            {"type": "absoluteMonthly", "dayOfMonth": 31},
            {"type": "relativeMonthly", "index": "last",
             "daysOfWeek": ["friday"]},
            {"type": "absoluteMonthly", "dayOfMonth": 15, "interval": 3},
            {"type": "relativeMonthly", "index": "second",
             "daysOfWeek": ["tuesday"]})
        rooms = [self.room() for _ in patterns]
        for room, pattern in zip(rooms, patterns):
            start = at(first + datetime.timedelta(days=30 if room == rooms[0]
                                                  else 0), 9)
            self.book(room, start, recurrence=series(start, pattern))
        self.equal()
        fridays = self.starts(rooms[1])
        self.assertGreater(len(fridays), 6)
        for t in fridays:
            local = t.astimezone(ZONE)
            self.assertEqual(local.weekday(), 4)
            self.assertNotEqual((local + datetime.timedelta(days=7)).month,
                                local.month)

    def test_without_end(self):
        """a series without end, as far as the window goes; then cancelled"""
        room = self.room()
        start = at(soon(), 11)
        uid = self.book(room, start, recurrence=series(start, week_of(start)))
        self.equal()
        self.assertGreaterEqual(len(self.people.planned(room)),
                                AHEAD // 7 - 1)
        # More cancellations at once than policy.mass_cancel_limit: one
        # meeting is one of them.
        self.people.cancel(uid)
        self.equal()
        self.assertEqual(self.people.planned(room), [])

    def test_clocks_both_ways(self):
        """wall time stays the same, in spring and in autumn"""
        room = self.room()
        start = at(soon(), 10)
        self.book(room, start, recurrence=series(start, week_of(start), 56))
        self.equal()
        self.assertEqual(set(self.hours(room)), {"10:00"})
        offsets = [t.astimezone(ZONE).utcoffset() for t in self.starts(room)]
        changes = sum(a != b for a, b in zip(offsets, offsets[1:]))
        self.assertEqual((len(offsets), changes), (56, 2))

    def test_clocks_elsewhere(self):
        """a series made in New York, whose clocks change on other days"""
        room = self.room()
        start = at(soon(), 9, zone=NEW_YORK)
        self.book(room, start, recurrence=series(start, week_of(start), 56),
                  zone="Eastern Standard Time")
        self.equal()
        self.assertEqual(set(self.hours(room, NEW_YORK)), {"09:00"})
        self.assertEqual(set(self.hours(room)), {"14:00", "15:00"})

    def test_hour_that_is_not_there(self):
        """02:30 on the nights the clocks change"""
        room = self.room()
        for t in clock_changes(2):
            start = at(t.date() - datetime.timedelta(days=1), 2, 30)
            self.book(room, start, 30, recurrence=daily(start, 3))
        self.equal()
        self.assertEqual(len(self.people.planned(room)), 6)

    def test_zone_names(self):
        """names of zones that nobody knows hold up nothing"""
        room = self.room()
        names = ("tzone://Microsoft/Custom", "Customized Time Zone", "",
                 "Mitteleurop\u00e4ische Zeit", "CEST", "UTC+13x",
                 "(UTC+01:00) Amsterdam, Berlin, Bern, Rome", "A" * 200)
        for n, name in enumerate(names):
            start = at(soon(), 8) + minutes(60 * n)
            self.book(room, start, 30, zone_name_shown=name)
            start += datetime.timedelta(days=1)
            self.book(room, start, 30, zone_name_shown=name,
                      recurrence=weekly(start, 3))
            self.book(room, at(soon(days=20 + n), 0), 24 * 60, all_day=True,
                      zone_name_shown=name)
        self.equal()
        self.assertEqual(len(self.people.planned(room)), 5 * len(names))

    def test_dates_of_other_zones(self):
        """all-day is the date it was made for, wherever that was"""
        for n, (windows, name) in enumerate((
                ("Hawaiian Standard Time", "Pacific/Honolulu"),
                ("Newfoundland Standard Time", "America/St_Johns"),
                ("GMT Standard Time", "Europe/London"),
                ("India Standard Time", "Asia/Kolkata"),
                ("AUS Eastern Standard Time", "Australia/Sydney"),
                ("New Zealand Standard Time", "Pacific/Auckland"),
                ("Samoa Standard Time", "Pacific/Apia"))):
            zone = zoneinfo.ZoneInfo(name)
            room = self.room() if n == 0 else room
            date = soon(zone, 3 + 3 * n)
            self.book(room, at(date, 0, zone=zone), 24 * 60, all_day=True,
                      zone=windows)
            summer = date + datetime.timedelta(days=180)
            self.book(room, at(summer, 0, zone=zone), 24 * 60, all_day=True,
                      zone=windows)
        self.equal()
        self.assertEqual(set(self.hours(room)), {"00:00"})
        self.assertEqual(len(self.people.planned(room)), 14)

    def test_dates_in_series(self):
        """an all-day series over both changes of the clocks; a date moved"""
        rooms = [self.room(), self.london]
        for room in rooms:
            start = at(soon(days=4), 0)
            uid = self.book(room, start, 24 * 60, all_day=True,
                            recurrence=series(start, week_of(start), 56))
            self.equal()
            zone = ZONE if room != self.london else test_bookings.LONDON
            self.assertEqual(set(self.hours(room, zone)), {"00:00"})
            self.assertEqual(len(self.people.planned(room)), 56)
            old = at(soon(days=4 + 21), 0)
            new = old + datetime.timedelta(days=2)
            number = self.number(room, old, zone)
            self.people.move_one(uid, old, new, 24 * 60)
            self.equal()
            self.assertEqual(self.number(room, new, zone), number)
            self.assertIsNone(self.number(room, old, zone))

    def number(self, room, start, zone):
        row = self.people.at(room, at(start.date(), 0, zone=zone))
        return row and row["number"]

    def test_cut_short(self):
        """a series that ends earlier frees the rest, and keeps the others"""
        room = self.room()
        start = at(soon(), 9)
        uid = self.book(room, start, recurrence=daily(start, 12))
        self.equal()
        before = [r["number"] for r in self.people.planned(room)]
        last = start.date() + datetime.timedelta(days=4)
        self.sim.series_repattern(uid=uid, recurrence=series(
            start, {"type": "daily"}, end=last))
        self.equal()
        self.assertEqual([r["number"] for r in self.people.planned(room)],
                         before[:5])

    def test_other_weekday(self):
        """a series moved to another weekday; what was moved before is lost"""
        room = self.room()
        start = day(0, 9)
        uid = self.book(room, start, recurrence=weekly(start, 5))
        self.people.move_one(uid, day(5, 9), day(6, 14))
        self.equal()
        self.assertEqual(self.starts(room)[1], day(6, 14))
        self.sim.series_repattern(
            uid=uid, start=iso(day(2, 9)), end=iso(day(2, 10)),
            recurrence=weekly(day(2, 9), 5))
        self.equal()
        self.assertEqual(self.starts(room), [day(2 + 5 * n, 9)
                                             for n in range(5)])

    def test_moved_twice(self):
        """a date moved, moved again, then cancelled keeps one reservation"""
        room = self.room()
        start = day(0, 9)
        uid = self.book(room, start, recurrence=weekly(start, 3))
        self.equal()
        number = self.people.at(room, day(5, 9))["number"]
        for new in (day(6, 9), day(4, 16)):
            self.people.move_one(uid, day(5, 9), new)
            self.equal()
            self.assertEqual(self.people.at(room, new)["number"], number)
        self.people.cancel_one(uid, day(5, 9))
        self.equal()
        self.assertEqual(self.starts(room), [day(0, 9), day(10, 9)])

    def test_series_in_two_rooms(self):
        """a series leaves one of its rooms, and later comes back"""
        rooms = [self.room(), self.room()]
        start = at(soon(), 9)
        uid = self.book(rooms, start, recurrence=daily(start, 4))
        self.equal()
        self.people.rooms_of(uid, rooms[1])
        self.equal()
        self.assertEqual(self.people.planned(rooms[0]), [])
        self.assertEqual(len(self.people.planned(rooms[1])), 4)
        self.people.rooms_of(uid, *rooms)
        self.equal()
        self.assertEqual(len(self.people.planned(rooms[0])), 4)

    def test_series_vanishes(self):
        """a series that is gone without a trace frees its dates"""
        room = self.room()
        start = at(soon(), 9)
        uid = self.book(room, start, recurrence=daily(start, 6))
        self.equal()
        self.sim.meeting_delete(uid=uid)
        self.equal()
        self.assertEqual(self.people.planned(room), [])

    def test_out_of_the_window(self):
        """a meeting moved far away is not cancelled, and comes back"""
        room = self.room()
        uid = self.book(room, at(soon(), 9))
        self.equal()
        number = self.people.planned(room)[0]["number"]
        far = at(soon(days=AHEAD + 60), 9)
        self.people.move(uid, far)
        orbtest.wait_for("it has moved in TOPdesk", lambda: self.people.at(
            room, far), 20)
        self.people.move(uid, at(soon(), 10))
        self.equal()
        self.assertEqual(self.people.at(room, at(soon(), 10))["number"],
                         number)

    def test_more_than_a_view_shows(self):
        """more occurrences than one answer of Exchange holds"""
        room = self.room()
        start = at(soon(), 7)
        uids = [self.book(room, start + minutes(60 * n), 30,
                          recurrence=series(start, {"type": "daily"}, 300))
                for n in range(2)]
        self.orb.wait_until_equal(90)
        self.assertEqual(len(self.people.planned(room)), 600)
        self.people.delete_one(uids[0], start + datetime.timedelta(days=100))
        self.equal()
        self.assertEqual(len(self.people.planned(room)), 599)

    def test_only_what_changed_is_read(self):
        """a change of one series does not read the others of the room"""
        room = self.room()
        start = at(soon(), 7)
        for n in range(3):
            self.book(room, start + minutes(60 * n), 30,
                      recurrence=daily(start, 50))
        uid = self.book(room, start + minutes(300), 30,
                        recurrence=daily(start, 20))
        self.equal()
        self.sim.counters_reset()
        self.people.move_one(uid, start + minutes(300), start + minutes(360))
        self.equal()
        # The master; its 20 occurrences, ten a time.
        self.assertLessEqual(orbtest.requests(self.sim, "/GetItem"), 3)
        # A view is of a year at most.
        self.assertEqual(orbtest.requests(self.sim, "/FindItem"), 2)

    def test_organiser_of_before(self):
        """an organiser whom Exchange's directory does not know any more"""
        room = self.room()
        self.sim.set(key="unknown_organisers", value=["olga@sim.test"])
        self.sim.set(key="lost_organisers", value=["lola@sim.test"])
        self.people.book("olga", room, at(soon(), 9))
        self.people.book("lola", room, at(soon(), 11), person=False)
        self.equal()
        self.assertEqual([r["requester_email"] for r in
                          self.people.planned(room)],
                         ["olga@sim.test", orbtest.FALLBACK])

    def test_lines_of_the_body(self):
        """the lines of a text stay lines"""
        room = self.room()
        self.sim.add_room(mailbox=self.orb.rooms[room]["mailbox"],
                          settings={"delete_comments": False})
        text = "Agenda:\n1. <coffee> & tea\n\n\t2. \u20ac 5 each"
        self.book(room, at(soon(), 9), body=text)
        self.equal()
        row = self.people.planned(room)[0]
        self.assertEqual(self.sim.reservation_get(id=row["id"])["notes"],
                         text)


def clock_changes(count):
    """The first days on which the clocks have changed, so many from now."""
    t = datetime.datetime.now(ZONE).replace(hour=12)
    found = []
    while len(found) < count:
        before = t.utcoffset()
        t += datetime.timedelta(days=1)
        if t.utcoffset() != before:
            found.append(t)
    return found


if __name__ == "__main__":
    tap.main()
