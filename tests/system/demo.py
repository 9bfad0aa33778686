#!/usr/bin/env python3
"""demo: what `./bootstrap demo` shows: people book, move and cancel rooms in
Exchange and in TOPdesk, and the other side follows.

Here: the acts and the table of them.  Not here: the summary (demo_summary.py).
Both systems are simulators on this machine; ORB is the real thing, all six
kinds of processes of it.  What is claimed at the end was compared and counted
by the simulator, not by ORB.

A reservation becomes a meeting of ORB's own mailbox (book_as = "service"), to
which requester and room are invited, since there every mail can be counted: one
for each thing that was done, and none besides.
"""
import argparse
import collections
import os
import sys
import time

parser = argparse.ArgumentParser(
    prog="./bootstrap demo", description="Shows ORB at work.",
    allow_abbrev=False)
parser.add_argument("--exchange", choices=("graph", "ews"), default="graph",
                    help="graph: Exchange Online; ews: Exchange Server on "
                    "the customer's premises (default graph)")
parser.add_argument("--pace", type=float, default=2.0, metavar="SECONDS",
                    help="between the acts (default 2)")
parser.add_argument("--build", default=os.environ.get("ORB_BUILD", "build"),
                    help="where ORB was built")
arguments = parser.parse_args()
if not 0 <= arguments.pace <= 60:
    parser.error("--pace: 0 to 60 seconds")
os.environ["ORB_BUILD"] = os.path.abspath(arguments.build)
os.environ["TZ"] = "Europe/Amsterdam"  # orbctl's, as that of the acts

import orbtest  # noqa: E402  needs ORB_BUILD
import demo_summary  # noqa: E402
from demo_summary import BOLD, DIM, GREEN, PLAIN, TTY  # noqa: E402
from people import Outlook, ZONE, day, iso, minutes, parse, weekly  # noqa: E402

SERVICE = "orb@sim.test"
START = time.monotonic()


def clock(start, end):
    a, b = start.astimezone(ZONE), end.astimezone(ZONE)
    return "%s %s-%s" % (a.strftime("%a %d %b"), a.strftime("%H:%M"),
                         b.strftime("%H:%M"))


class Act:
    """One thing a person does, and what must follow on the other side."""

    def __init__(self, what, room, start, end):
        self.what, self.room, self.start, self.end = what, room, start, end
        self.began = time.monotonic()
        self.delay = None
        self.follows = ""
        self.good = True

    def settled(self, follows, good=True):
        self.delay = (time.monotonic() - self.began) * 1000
        self.follows, self.good = follows, good

    def line(self):
        left = "%5.1f s  %-30s %-10s %-22s" % (
            self.began - START, self.what, self.room["name"],
            clock(self.start, self.end))
        if self.delay is None:
            return left + DIM + " ..." + PLAIN
        return "%s %s%-24s%s %6.0f ms" % (
            left, GREEN if self.good else DIM, self.follows, PLAIN,
            self.delay)


class InOutlook(Act):
    """What must follow is a reservation; count of them for a series."""
    side = "topdesk"

    def __init__(self, what, room, start, end, status="planned", count=1):
        super().__init__(what, room, start, end)
        self.status, self.count = status, count

    def look(self, rows):
        found = [r for r in rows if r["location"] == self.room["location"]
                 and r["status"] == self.status and
                 parse(r["start"]).astimezone(ZONE).time() ==
                 self.start.astimezone(ZONE).time() and
                 parse(r["start"]) >= self.start and
                 (self.count > 1 or (parse(r["start"]), parse(r["end"])) ==
                  (self.start, self.end))]
        if len(found) >= self.count:
            more = " x%d" % self.count if self.count > 1 else ""
            self.settled("%s%s %s" % (found[0]["number"], more, self.status),
                         self.status == "planned")


class InTopdesk(Act):
    """What must follow is a meeting that the room has accepted, or none."""
    side = "exchange"

    def __init__(self, what, room, start, end, gone=False):
        super().__init__(what, room, start, end)
        self.gone = gone

    def look(self, rows):
        here = [r for r in rows if r["location"] == self.room["location"] and
                (parse(r["start"]), parse(r["end"])) ==
                (self.start, self.end) and r["state"] != "cancelled"]
        if self.gone and not here:
            self.settled("meeting cancelled", False)
        elif not self.gone and any(r["state"] == "booked" for r in here):
            self.settled("meeting, room accepted")


class Show:
    def __init__(self, orb):
        self.orb, self.sim = orb, orb.sim
        self.outlook = Outlook(orb.sim, orb.rooms)
        self.room = {r["name"]: r for r in orb.rooms}
        self.acts = []
        # what ORB must have sent to people, by kind, and what rooms must
        # have answered to those who invited them in Outlook
        self.mails = collections.Counter()
        self.answers = 0

    def look(self, acts):
        """Asks the simulator only for the sides that are waited for."""
        for side in {a.side for a in acts if a.delay is None}:
            rows = self.sim.dump(side=side)["rows"]
            for act in acts:
                if act.side == side and act.delay is None:
                    act.look(rows)

    def wait(self, *acts, timeout=40):
        """Shows a group of acts until what must follow has followed."""
        if TTY:
            for act in acts:
                print(act.line(), flush=True)
        end = time.monotonic() + timeout
        shown = set()
        while time.monotonic() < end:
            self.look(acts)
            for act in acts:
                if not TTY and act.delay is not None and act not in shown:
                    shown.add(act)
                    print(act.line(), flush=True)
            if TTY:
                sys.stdout.write("\033[%dA" % len(acts))
                for act in acts:
                    sys.stdout.write("\033[2K" + act.line() + "\n")
                sys.stdout.flush()
            if all(a.delay is not None for a in acts):
                break
            time.sleep(0.02)
        else:
            if not TTY:
                for act in acts:
                    if act.delay is None:
                        print(act.line(), flush=True)
        self.acts += acts
        time.sleep(arguments.pace)

    def note(self, text):
        print("%5.1f s  %s%s%s" % (time.monotonic() - START, BOLD, text,
                                   PLAIN), flush=True)

    def head(self, one, other):
        print("\n%s%7s  %-30s %-10s %-22s %-24s %9s%s" % (
            DIM, "", "in " + one, "room", "when", "in " + other, "after",
            PLAIN), flush=True)

    # what people do in Outlook

    def book(self, who, room, start, length, subject, count=1, **more):
        uid = self.outlook.book(who, self.room[room], start, length, subject,
                                **more)
        self.answers += 1
        return uid, InOutlook("%s books \"%s\"" % (who.split(".")[0],
                                                   subject),
                              self.room[room], start, start + minutes(length),
                              count=count)

    def move(self, uid, who, room, start, length):
        self.outlook.move(uid, start, length)
        self.answers += 1
        return InOutlook("%s moves it" % who, self.room[room], start,
                         start + minutes(length))

    def cancel(self, uid, who, room, start, length):
        self.sim.meeting_cancel(uid=uid)
        return InOutlook("%s cancels" % who, self.room[room], start,
                         start + minutes(length), "cancelled")

    def other_room(self, uid, who, room, start, length):
        self.sim.meeting_rooms(uid=uid, rooms=[self.room[room]["mailbox"]])
        self.answers += 1
        return InOutlook("%s takes another room" % who, self.room[room],
                         start, start + minutes(length))

    # what people do in TOPdesk

    def reserve(self, who, room, start, length, text):
        end = start + minutes(length)
        self.sim.add_person(email=who + "@sim.test", name=who.capitalize())
        made = self.sim.reservation_create(
            location=self.room[room]["location"], start=iso(start),
            end=iso(end), requester=who + "@sim.test", briefDescription=text)
        return made, InTopdesk("%s reserves \"%s\"" % (who, text),
                               self.room[room], start, end)

    # the acts

    def run(self):
        self.head("Outlook", "TOPdesk")
        one = self.from_outlook()
        self.head("TOPdesk", "Exchange")
        two = self.from_topdesk()
        self.conflict()
        self.crash()
        self.sim.reservation_cancel(id=two["id"])
        self.mails["cancellation"] += 1
        self.wait(self.cancel(one, "ada", "Aquarium", day(0, 10), 90),
                  InTopdesk("rita cancels", self.room["Engine"], day(1, 11),
                            day(1, 12), gone=True))

    def from_outlook(self):
        one, act = self.book("ada", "Aquarium", day(0, 9), 60, "Kick-off")
        self.wait(act)
        self.wait(self.move(one, "ada", "Aquarium", day(0, 10), 90))
        two, act = self.book("grace", "Boardroom", day(0, 9), 45, "Budget")
        self.wait(act)
        self.wait(self.other_room(two, "grace", "Cinema", day(0, 9), 45))
        self.series()
        _, act = self.book("visitor.unknown", "Engine", day(2, 13), 30,
                           "Delivery", person=False)
        self.wait(act, self.cancel(two, "grace", "Cinema", day(0, 9), 45))
        return one

    def series(self):
        start = day(0, 14)
        uid, act = self.book("margaret", "Dome", start, 30, "Weekly", 6,
                             recurrence=weekly(start, 6))
        act.what = "margaret books 6 weeks"
        self.wait(act)
        moved = day(11, 15)
        self.outlook.move_one(uid, day(10, 14), moved, 30)
        self.answers += 1
        self.wait(InOutlook("margaret moves one week", self.room["Dome"],
                            moved, moved + minutes(30)))

    def from_topdesk(self):
        one, act = self.reserve("rita", "Boardroom", day(1, 9), 60,
                                "Supplier")
        two, other = self.reserve("tom", "Dome", day(1, 9), 90, "Training")
        self.mails["invitation"] += 2
        self.wait(act, other)
        self.sim.reservation_move(id=one["id"], start=iso(day(1, 11)),
                                  end=iso(day(1, 12)))
        self.mails["update"] += 1
        self.wait(InTopdesk("rita moves it", self.room["Boardroom"],
                            day(1, 11), day(1, 12)))
        self.sim.reservation_room(id=one["id"],
                                  location=self.room["Engine"]["location"])
        self.mails["update"] += 1
        self.wait(InTopdesk("rita takes another room", self.room["Engine"],
                            day(1, 11), day(1, 12)))
        self.sim.reservation_cancel(id=two["id"])
        self.mails["cancellation"] += 1
        self.wait(InTopdesk("tom cancels", self.room["Dome"], day(1, 9),
                            day(1, 10, 30), gone=True))
        return one

    def conflict(self):
        """Aquarium is ada's; TOPdesk lets tom have it all the same."""
        self.note("a conflict: tom reserves what ada has; the first keeps it")
        self.reserve("tom", "Aquarium", day(0, 11), 60, "Lunch")
        self.mails["invitation"] += 1  # the word to tom that he has lost
        self.wait(InOutlook("tom reserves \"Lunch\"", self.room["Aquarium"],
                            day(0, 11), day(0, 12), "cancelled"))
        time.sleep(max(0, 1.5 - arguments.pace))  # until it is settled
        lines = self.orb.orbctl("conflicts", json_out=False).splitlines()
        width = lines[0].find("BOOKING")  # an id of 60 letters, the last
        print("%9s%s$ orbctl conflicts%s" % ("", DIM, PLAIN))
        for line in lines:
            print(("%9s%s" % ("", line[:width])).rstrip())
        told = [m for m in self.sim.mails()["list"]
                if m["from"] == SERVICE and m["to"] == "tom@sim.test"]
        print("%9stom's mail: \"%s\"" % ("", told[-1]["subject"] if told
                                         else "none"), flush=True)

    def crash(self):
        self.note("kill -9 of orb-mapd and of orb-fetchd@topdesk, and four "
                  "bookings meanwhile")
        self.orb.kill("mapd")
        self.orb.kill("http@topdesk")
        acts = [self.book(who, room, day(3, 10), 60, "Review")[1]
                for who, room in (("ada", "Aquarium"), ("linus", "Cinema"))]
        acts += [self.reserve(who, room, day(3, 10), 60, "Interview")[1]
                 for who, room in (("rita", "Boardroom"), ("tom", "Dome"))]
        self.mails["invitation"] += 2
        self.wait(*acts)


def main():
    print("%sORB: rooms booked in Exchange (%s) and in TOPdesk, kept equal"
          "%s" % (BOLD, "EWS, on the premises" if arguments.exchange == "ews"
                  else "Online, Microsoft Graph", PLAIN))
    if not orbtest.ROOT:
        print("Not root: all processes run as you, and share your network.")
    settings = {"policy": {"direction": "both", "approve_writes": 100},
                "exchange": {"book_as": "service",
                             "service_mailbox": SERVICE}}
    with orbtest.Orb(rooms=5, kind=arguments.exchange,
                     settings=settings) as orb:
        orb.sim.add_person(email=SERVICE, name="Room service")
        orb.sim.set(key="service_mailbox", value=SERVICE)
        orb.run()
        print("%5.1f s  simulators, %d ORB processes, TLS on loopback, "
              "credentials entered" % (time.monotonic() - START,
                                       len(orb.pids())), flush=True)
        show = Show(orb)
        show.run()
        good = demo_summary.show(orb, show, SERVICE)
    print("\n%s after %.0f s" % (
        "The demonstration worked." if good else
        "THE DEMONSTRATION DID NOT SHOW WHAT IT SHOULD: see above.",
        time.monotonic() - START))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
