"""people: what people do in Outlook, in the words of the tests.

Here: calendar arithmetic and the simulator's meeting commands.  Not here:
anything of ORB.
"""
import datetime
import zoneinfo

ZONE = zoneinfo.ZoneInfo("Europe/Amsterdam")
WINDOWS_ZONE = "W. Europe Standard Time"  # the same one, as Outlook names it


def day(n, hour, minute=0, zone=ZONE):
    """A time on the nth working day from next Monday."""
    today = datetime.datetime.now(zone).date()
    monday = today + datetime.timedelta(days=7 - today.weekday())
    date = monday + datetime.timedelta(days=n // 5 * 7 + n % 5)
    return datetime.datetime.combine(date, datetime.time(hour, minute), zone)


def next_clock_change(t):
    """The same time on the first day from t on on which the clocks of t's
    zone show another offset."""
    offset = t.utcoffset()
    while t.utcoffset() == offset:
        t += datetime.timedelta(days=1)
    return t


def minutes(n):
    return datetime.timedelta(minutes=n)


def iso(t):
    return t.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(
        tzinfo=datetime.timezone.utc)


def weekly(start, count):
    return {"pattern": {"type": "weekly", "interval": 1,
                        "daysOfWeek": [start.strftime("%A").lower()]},
            "range": {"type": "numbered", "numberOfOccurrences": count,
                      "startDate": start.strftime("%Y-%m-%d")}}


def daily(start, count):
    return {"pattern": {"type": "daily", "interval": 1},
            "range": {"type": "numbered", "numberOfOccurrences": count,
                      "startDate": start.strftime("%Y-%m-%d")}}


class Outlook:
    """One organisation's people, rooms given as add_room answered."""

    def __init__(self, sim, rooms):
        self.sim = sim
        self.rooms = rooms

    def book(self, who, room, start, length=60, subject="Meeting", **more):
        """who@sim.test invites the room; the meeting's uid.  length in
        minutes; room an index, a list of them, or a room."""
        end = start + minutes(length)
        several = room if isinstance(room, list) else [room]
        rooms = [self.rooms[r] if isinstance(r, int) else r for r in several]
        more.setdefault("zone", WINDOWS_ZONE)
        return self.sim.meeting_create(
            organiser=who + "@sim.test", subject=subject, start=iso(start),
            end=iso(end), rooms=[r["mailbox"] for r in rooms], **more)["uid"]

    def move(self, uid, start, length=60):
        self.sim.meeting_move(uid=uid, start=iso(start),
                              end=iso(start + minutes(length)))

    def rooms_of(self, uid, *rooms):
        self.sim.meeting_rooms(uid=uid, rooms=[self.rooms[r]["mailbox"]
                                               for r in rooms])

    def cancel(self, uid):
        self.sim.meeting_cancel(uid=uid)

    def move_one(self, uid, original, start, length=60, **more):
        self.sim.occurrence_move(uid=uid, original_start=iso(original),
                                 start=iso(start),
                                 end=iso(start + minutes(length)), **more)

    def cancel_one(self, uid, original):
        self.sim.occurrence_cancel(uid=uid, original_start=iso(original))

    def delete_one(self, uid, original):
        self.sim.occurrence_delete(uid=uid, original_start=iso(original))

    # what TOPdesk has

    def reservations(self, room=None, status=None):
        """Rows of TOPdesk, by start; of one room, of one status."""
        where = self.rooms[room]["location"] if room is not None else None
        rows = [r for r in self.sim.dump(side="topdesk")["rows"]
                if where in (None, r["location"])
                and status in (None, r["status"])]
        return sorted(rows, key=lambda r: r["start"])

    def planned(self, room=None):
        return self.reservations(room, "planned")

    def at(self, room, start):
        """The planned reservation of a room that starts then, or None."""
        rows = [r for r in self.planned(room) if parse(r["start"]) == start]
        return rows[0] if rows else None
