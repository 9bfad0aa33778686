"""calendars: what the tests of series, zones and windows share.

Here: when things are (an oracle that knows nothing of the simulator: the dates
are written out, the zone database gives the instants), and the claim that both
sides have exactly these.  Not here: any test.
"""
import datetime
import unittest
import zoneinfo

import orbtest
from people import Outlook, ZONE, iso, minutes, parse

UTC = datetime.timezone.utc
AHEAD = 460  # days: weeks around both changes of the clocks are within
DAY = datetime.timedelta(days=1)
NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
WINDOWS = {"Europe/Amsterdam": "W. Europe Standard Time",
           "America/New_York": "Eastern Standard Time",
           "America/St_Johns": "Newfoundland Standard Time",
           "America/Los_Angeles": "Pacific Standard Time",
           "Pacific/Honolulu": "Hawaiian Standard Time",
           "Pacific/Auckland": "New Zealand Standard Time",
           "Australia/Sydney": "AUS Eastern Standard Time",
           "Australia/Lord_Howe": "Lord Howe Standard Time",
           "Asia/Kolkata": "India Standard Time",
           "Asia/Kathmandu": "Nepal Standard Time",
           "Asia/Tokyo": "Tokyo Standard Time"}


# --- when ------------------------------------------------------------------------


def today():
    return datetime.datetime.now(ZONE).date()


def monday(weeks=0):
    """Next Monday, or so many weeks later."""
    now = today()
    return now + datetime.timedelta(days=7 - now.weekday() + 7 * weeks)


def wall(date, hour, minute=0, zone=ZONE):
    """The instant of a time on the wall.  What the clock skips is the time
    after the jump; what it shows twice is the second, standard time."""
    times = [datetime.datetime.combine(date, datetime.time(
        hour, minute, fold=fold), zone) for fold in (0, 1)]
    early, late = (t.utcoffset() for t in times)
    return times[1 if early > late else 0].astimezone(UTC)


def dates(first, count, days=7):
    return [first + datetime.timedelta(days=days * n) for n in range(count)]


def add_months(date, n, day):
    """The day of the month n months on, or its last day when it is shorter."""
    first = datetime.date(date.year + (date.month - 1 + n) // 12,
                          (date.month - 1 + n) % 12 + 1, 1)
    nxt = (first + datetime.timedelta(days=31)).replace(day=1)
    return first + datetime.timedelta(days=min(day, (nxt - first).days) - 1)


def clock_change(spring, zone=ZONE, after=20):
    """The next date, at least so many days ahead, on which the clocks go
    forward (spring) or back."""
    date = today() + datetime.timedelta(days=after)
    while True:
        before, behind = (datetime.datetime.combine(
            d, datetime.time(0), zone).utcoffset() for d in (date, date + DAY))
        if before != behind and (behind > before) == spring:
            return date
        date += DAY


def lasting(starts, length=60):
    """The intervals that begin then, in minutes; as both sides write them."""
    return [(iso(s), iso(s.astimezone(UTC) + minutes(length)))
            for s in starts]


def whole_days(date, days=1, zone=ZONE):
    """Dates, from midnight to midnight of the room's zone."""
    return (iso(wall(date, 0, 0, zone)),
            iso(wall(date + datetime.timedelta(days=days), 0, 0, zone)))


# --- what Outlook writes down ------------------------------------------------------


def recurrence(kind, first, count=None, until=None, **pattern):
    """A patternedRecurrence; without count and until it does not end."""
    span = {"type": "noEnd", "startDate": first.isoformat()}
    if count:
        span.update(type="numbered", numberOfOccurrences=count)
    elif until:
        span.update(type="endDate", endDate=until.isoformat())
    return {"pattern": dict({"type": kind, "interval": 1}, **pattern),
            "range": span}


def weekly_on(first, *days, **more):
    """Weekly; on the weekday of the first date when none is named."""
    names = days or (first.strftime("%A").lower(),)
    return recurrence("weekly", first, daysOfWeek=list(names), **more)


# --- the rooms -----------------------------------------------------------------------


class Calendars(unittest.TestCase):
    """ORB with rooms that take every booking of the years to come."""
    kind = "graph"
    count = 24
    policy = {"window_ahead_days": AHEAD}
    settings = {"booking_window_days": 1080, "maximum_duration_minutes": 0}
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.make()

    @classmethod
    def make(cls):
        sim = cls.sim = orbtest.start_sim()
        cls.addClassCleanup(sim.stop_all)
        rooms = [cls.add_room(n) for n in range(cls.count)]
        cls.orb = orbtest.Orb(rooms=rooms, sim=sim, kind=cls.kind,
                              settings={"policy": cls.policy})
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.run()
        cls.people = Outlook(sim, cls.orb.rooms)
        cls.days = 0  # that mapd's clock is ahead
        cls.used = 0
        cls.claimed = {}  # room: what expect() last said of it

    @classmethod
    def add_room(cls, n, zone="Europe/Amsterdam", **settings):
        room = cls.sim.add_room(
            mailbox="room%d@sim.test" % n, name="Room %d" % n,
            zone=WINDOWS[zone], settings=dict(cls.settings, **settings))
        room["zone"] = zone
        return room

    def room(self):
        """A room that no other test uses."""
        type(self).used += 1
        return self.used - 1

    def room_settings(self, room, **settings):
        self.sim.add_room(mailbox=self.orb.rooms[room]["mailbox"],
                          settings=settings)

    def book(self, room, start, recurs=None, length=60, who="ada", zone=ZONE,
             **more):
        more.setdefault("zone", WINDOWS[zone.key])
        if recurs:
            more["recurrence"] = recurs
        return self.people.book(who, room, start, length, **more)

    def book_endless(self, room, start, recurs, **more):
        """A room whose attendant accepts what never ends."""
        self.room_settings(room, auto_accept=False)
        uid = self.book(room, start, recurs, **more)
        self.sim.meeting_respond(uid=uid, response="accepted",
                                 room=self.orb.rooms[room]["mailbox"])
        return uid

    # claims

    def clock(self, days):
        """mapd lives so many days later than the systems; now, too."""
        type(self).days = days
        self.orb.clock(days * 86400)

    def now(self):
        return datetime.datetime.now(UTC) + DAY * self.days

    def window_end(self):
        return datetime.datetime.combine(
            self.now().date(), datetime.time(0), UTC) + DAY * (
                self.policy["window_ahead_days"] + 1)

    def shown(self, room):
        return [(r["start"], r["end"]) for r in self.people.planned(room)]

    def in_exchange(self, room):
        rows = self.sim.dump(side="exchange", to=iso(self.window_end()))
        return sorted((r["start"], r["end"]) for r in rows["rows"]
                      if r["room"] == self.orb.rooms[room]["mailbox"] and
                      r["state"] == "booked")

    def expect(self, room, intervals, both=True):
        """Both sides have exactly these, and nothing else is left: no
        difference anywhere, no duplicate, no problem, no rule broken.  both:
        Exchange has no others either (of the past, beyond the window)."""
        want = sorted(intervals)
        try:
            orbtest.wait_for("TOPdesk has what is expected",
                             lambda: self.shown(room) == want, 15)
        except orbtest.Failure as e:
            self.assertEqual(self.shown(room), want, "%s; problems: %s" % (
                e, self.problems(room)))
        self.claimed[room] = want
        if both:
            self.assertEqual(self.in_exchange(room), want)
        self.same(room)
        return self.people.planned(room)

    def differences(self, room=None):
        """What differs within the window; of one room, of all."""
        found = self.sim.compare(fallback=orbtest.FALLBACK, **{
            "from": iso(self.now()), "to": iso(self.window_end())})
        rows = [r for kind in ("missing", "extra", "different", "duplicates")
                for r in found[kind]]
        where = self.orb.rooms[room]["location"] if room is not None else None
        return [r for r in rows if where in (None, (
            r.get("booking") or r.get("reservation") or {}).get("location"))]

    def problems(self, room=None):
        name = self.orb.rooms[room]["name"] if room is not None else None
        return [p for p in self.orb.orbctl("problems", check=False)
                if name in (None, p["room"])]

    def same(self, room=None):
        """Nothing differs on either side, and nothing is left to be done."""
        orbtest.wait_for("both sides are equal",
                         lambda: not self.differences(room), 30)
        try:
            orbtest.wait_for("no problem is left",
                             lambda: not self.problems(room), 15, 0.3)
        except orbtest.Failure as e:
            raise orbtest.Failure("%s: %s" % (e, self.problems(room))) \
                from None
        self.assertEqual(self.sim.violations()["violations"], [])

    def rounds(self, n=2):
        first = self.orb.status().get("rounds", 0) + 1
        orbtest.wait_for("%d rounds" % n, lambda: self.orb.status().get(
            "rounds", 0) >= first + n, 40)

    def writes(self):
        """Requests to TOPdesk that were not reads, since counters_reset."""
        return sum(e["count"] for e in self.sim.counters()["endpoints"]
                   if e["listener"] == "topdesk" and
                   not e["endpoint"].startswith("GET"))

    def numbers(self, room):
        """Start -> number of the reservation."""
        return {parse(r["start"]): r["number"]
                for r in self.people.planned(room)}

    def check_still(self):
        """What was reached stays: rounds later the same, without a write."""
        self.sim.counters_reset()
        self.rounds(3)
        self.assertEqual({r: self.shown(r) for r in self.claimed},
                         self.claimed)
        self.assertEqual(self.writes(), 0)
        self.same()
