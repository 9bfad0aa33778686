#!/usr/bin/env python3
"""demo: what `./bootstrap demo` shows: people book, move and cancel meetings in
Exchange, and TOPdesk follows.

Here: the acts, the table, the summary.  Both systems are simulators on this
machine; ORB is the real thing, all six kinds of processes of it.  What is
claimed at the end was compared by the simulator, not by ORB.
"""
import argparse
import os
import sys
import time

parser = argparse.ArgumentParser(description="Shows ORB at work.")
parser.add_argument("--build", default=os.environ.get("ORB_BUILD", "build"))
parser.add_argument("--pace", type=float, default=2.0,
                    help="seconds between the acts (default 2)")
arguments = parser.parse_args()
os.environ["ORB_BUILD"] = os.path.abspath(arguments.build)

import orbtest  # noqa: E402  needs ORB_BUILD
from people import Outlook, ZONE, day, iso, minutes, parse, weekly  # noqa: E402

TTY = sys.stdout.isatty()
BOLD, DIM, GREEN, RED, PLAIN = ("\033[1m", "\033[2m", "\033[32m", "\033[31m",
                                "\033[0m") if TTY else ("",) * 5
START = time.monotonic()


def clock(start, end):
    a, b = start.astimezone(ZONE), end.astimezone(ZONE)
    return "%s %s-%s" % (a.strftime("%a %d %b"), a.strftime("%H:%M"),
                         b.strftime("%H:%M"))


class Act:
    """One thing a person does, and the reservation that must follow."""

    def __init__(self, what, room, start, end, status="planned", count=1):
        self.what, self.room, self.status = what, room, status
        self.start, self.end, self.count = start, end, count
        self.began = time.monotonic()
        self.at = self.began - START
        self.delay = None
        self.row = None

    def look(self, rows):
        """Is it there? All occurrences of a series, where it is one."""
        found = [r for r in rows if r["location"] == self.room["location"]
                 and r["status"] == self.status and
                 parse(r["start"]).astimezone(ZONE).time() ==
                 self.start.astimezone(ZONE).time() and
                 parse(r["start"]) >= self.start and
                 (self.count > 1 or parse(r["start"]) == self.start)]
        if len(found) >= self.count and self.delay is None:
            self.delay = (time.monotonic() - self.began) * 1000
            self.row = found[0]

    def line(self):
        left = "%5.1f s  %-30s %-10s %-22s" % (
            self.at, self.what, self.room["name"], clock(self.start,
                                                         self.end))
        if self.delay is None:
            return left + DIM + " ..." + PLAIN
        color = GREEN if self.status == "planned" else DIM
        more = " x%d" % self.count if self.count > 1 else ""
        return "%s %s%-12s %-10s%s %6.0f ms" % (
            left, color, self.row["number"] + more, self.status, PLAIN,
            self.delay)


class Show:
    def __init__(self, orb):
        self.orb, self.sim = orb, orb.sim
        self.outlook = Outlook(orb.sim, orb.rooms)
        self.room = {r["name"]: r for r in orb.rooms}
        self.acts = []

    def rows(self):
        return self.sim.dump(side="topdesk")["rows"]

    def wait(self, acts, timeout=40):
        """Shows a group of acts until what must follow has followed."""
        if TTY:
            for act in acts:
                print(act.line(), flush=True)
        end = time.monotonic() + timeout
        shown = set()
        while time.monotonic() < end:
            rows = self.rows()
            for act in acts:
                act.look(rows)
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

    # what people do

    def book(self, who, room, start, length, subject, count=1, **more):
        uid = self.outlook.book(who, self.room[room], start, length, subject,
                                **more)
        return uid, Act("%s books \"%s\"" % (who.split(".")[0], subject),
                        self.room[room], start, start + minutes(length),
                        count=count)

    def move(self, uid, who, room, start, length):
        self.outlook.move(uid, start, length)
        return Act("%s moves it" % who, self.room[room], start,
                   start + minutes(length))

    def run(self):
        one, act = self.book("ada", "Aquarium", day(0, 9), 60, "Kick-off")
        self.wait([act])
        self.wait([self.move(one, "ada", "Aquarium", day(0, 10), 90)])
        two, act = self.book("grace", "Boardroom", day(0, 9), 45, "Budget")
        self.wait([act])
        self.sim.meeting_rooms(uid=two,
                               rooms=[self.room["Cinema"]["mailbox"]])
        self.wait([Act("grace takes another room", self.room["Cinema"],
                       day(0, 9), day(0, 9, 45))])
        self.burst()
        self.series()
        three, act = self.book("visitor.unknown", "Engine", day(2, 13), 30,
                               "Delivery", person=False)
        self.wait([act])
        self.sim.meeting_cancel(uid=two)
        self.wait([Act("grace cancels", self.room["Cinema"], day(0, 9),
                       day(0, 9, 45), "cancelled")])
        self.crash()
        self.sim.meeting_cancel(uid=one)
        self.wait([Act("ada cancels", self.room["Aquarium"], day(0, 10),
                       day(0, 11, 30), "cancelled")])

    def burst(self):
        self.note("five people book at once")
        acts = [self.book(who, room, day(1, 9 + i), 60, "Interview")[1]
                for i, (who, room) in enumerate((
                    ("alan", "Aquarium"), ("barbara", "Boardroom"),
                    ("edsger", "Cinema"), ("frances", "Dome"),
                    ("ken", "Engine")))]
        self.wait(acts)

    def series(self):
        start = day(0, 14)
        uid, act = self.book("margaret", "Dome", start, 30, "Weekly", 6,
                             recurrence=weekly(start, 6))
        act.what = "margaret books 6 weeks"
        self.wait([act])
        week3 = day(10, 14)
        moved = day(11, 15)
        self.outlook.move_one(uid, week3, moved, 30)
        self.wait([Act("margaret moves one week", self.room["Dome"], moved,
                       moved + minutes(30))])

    def crash(self):
        self.note("kill -9 of orb-mapd and of orb-fetchd@topdesk, and three "
                  "meetings meanwhile")
        self.orb.kill("mapd")
        self.orb.kill("http@topdesk")
        self.wait([self.book(who, room, day(3, 10), 60, "Review")[1]
                   for who, room in (("ada", "Aquarium"),
                                     ("grace", "Boardroom"),
                                     ("linus", "Cinema"))])


# --- the summary --------------------------------------------------------------


def fact(pid, name):
    for line in orbtest.read("/proc/%d/status" % pid).splitlines():
        if line.startswith(name + ":"):
            return line.split(":", 1)[1].strip()
    return ""


def network_of(pid):
    """What of a network the process has in its namespace."""
    if not orbtest.ROOT:
        return "this machine's"
    try:
        lines = orbtest.read("/proc/%d/net/dev" % pid).splitlines()[2:]
    except OSError:
        return "?"
    names = [line.split(":")[0].strip() for line in lines]
    if os.stat("/proc/%d/ns/net" % pid).st_ino == \
            os.stat("/proc/self/ns/net").st_ino:
        return "this machine's"
    return "none" if set(names) <= {"lo"} else ", ".join(names)


def processes(orb):
    print("\n%sProcesses, and what they may not do%s (from /proc)" % (BOLD,
                                                                   PLAIN))
    print("  %-18s %-7s %-22s %-16s %s" % (
        "process", "uid", "network", "system calls", "new privileges"))
    for name, pid in sorted(orb.pids().items()):
        print("  %-18s %-7s %-22s %-16s %s" % (
            name, fact(pid, "Uid").split()[0], network_of(pid),
            "listed, else dies" if fact(pid, "Seccomp") == "2" else "ANY",
            "never" if fact(pid, "NoNewPrivs") == "1" else "POSSIBLE"))


def summary(orb, acts):
    result = orb.compare()
    counters = orb.sim.counters()
    violations = orb.sim.violations()
    status = orb.status()
    late = [a for a in acts if a.delay is None]
    delays = sorted(a.delay for a in acts if a.delay is not None)
    print("\n%sCompared by the simulator%s, room by room, on both sides" % (
        BOLD, PLAIN))
    say = "  %-34s %s"
    print(say % ("rooms", result["rooms"]))
    print(say % ("bookings in Exchange", result["bookings"]))
    print(say % ("reservations in TOPdesk", result["reservations"]))
    for key in ("missing", "extra", "different", "duplicates"):
        print(say % (key, result[key + "_count"]))
    good = result["equal"] and not late
    print(say % ("equal", GREEN + "yes" + PLAIN if good else
                 RED + "NO" + PLAIN))
    if delays:
        print(say % ("from Outlook to TOPdesk", "median %.0f ms, longest "
                     "%.0f ms (polling every second)" % (
                         delays[len(delays) // 2], delays[-1])))
    for what, listener in (("Microsoft Graph", "graph"),
                           ("its login", "login"), ("TOPdesk", "topdesk"),
                           ("any other host", "trap")):
        print(say % ("requests to " + what,
                     counters["listeners"][listener]["requests"]))
    print(say % ("requests against the APIs' rules", violations["count"]))
    print(say % ("key of stored credentials", status.get("key_source")))
    processes(orb)
    for v in violations["violations"][:10]:
        print("  violation: %s" % v)
    return good and violations["count"] == 0 and result["bookings"] > 0


def main():
    print("%sORB: a room booked in Exchange becomes a TOPdesk reservation%s"
          % (BOLD, PLAIN))
    if not orbtest.ROOT:
        print("Not root: all processes run as you, and share your network.")
    with orbtest.Orb(rooms=5) as orb:
        orb.run()
        print("%5.1f s  simulators, %d ORB processes, TLS on loopback, "
              "credentials entered\n" % (time.monotonic() - START,
                                         len(orb.pids())))
        print("%s%7s  %-30s %-10s %-22s %-12s %-10s %9s%s" % (
            DIM, "", "in Exchange", "room", "when", "in TOPdesk", "", "after",
            PLAIN))
        show = Show(orb)
        show.run()
        try:
            orb.wait_until_equal(20)
        except orbtest.Failure as e:
            print(e)
        good = summary(orb, show.acts)
    print("\n%s after %.0f s" % ("The demonstration worked." if good else
                                 "THE TWO SIDES ARE NOT EQUAL.",
                                 time.monotonic() - START))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
