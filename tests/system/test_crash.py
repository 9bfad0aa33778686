#!/usr/bin/env python3
"""kill -9 of each process in turn, during a burst of changes.

What must hold: in the end both sides are equal, no reservation was made twice,
none is missing, and the simulator saw no request against the rules.
"""
import random
import time
import unittest

import orbtest
import tap
from people import Outlook, day


class Burst:
    """People who book, move and cancel, so that something is always under
    way.  Deterministic by its seed."""

    def __init__(self, people, rooms, seed):
        self.people, self.rooms = people, rooms
        self.random = random.Random(seed)
        self.free = {(r, d, h) for r in range(rooms) for d in range(20)
                     for h in range(8, 18)}
        self.meetings = {}

    def slot(self):
        slot = self.random.choice(sorted(self.free))
        self.free.remove(slot)
        return slot

    def step(self):
        room, n, hour = self.slot()
        kind = self.random.random()
        if kind < 0.6 or not self.meetings:
            who = "person%d" % self.random.randrange(8)
            uid = self.people.book(who, room, day(n, hour), 60)
            self.meetings[uid] = (room, n, hour)
        elif kind < 0.8:
            mine = [u for u, m in self.meetings.items() if m[0] == room]
            if mine:
                uid = self.random.choice(mine)
                self.people.move(uid, day(n, hour), 60)
                self.free.add(self.meetings[uid])
                self.meetings[uid] = (room, n, hour)
        else:
            uid = self.random.choice(sorted(self.meetings))
            self.people.cancel(uid)
            self.free.add(self.meetings.pop(uid))


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=4, settings={
            "policy": {"mass_cancel_limit": 1000}})
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.run()
        cls.people = Outlook(cls.orb.sim, cls.orb.rooms)
        cls.burst = Burst(cls.people, 4, seed=20261123)

    def kill_during_burst(self, process, times=2):
        for _ in range(times):
            for _ in range(5):
                self.burst.step()
            # Somewhere within the round that this set off.
            time.sleep(self.burst.random.random() * 1.2)
            self.orb.kill(process)
            for _ in range(3):
                self.burst.step()
        self.orb.wait_ready()
        self.orb.wait_until_equal(90)
        self.check()

    def check(self):
        result = self.orb.compare()
        self.assertEqual(result["duplicates_count"], 0, result["duplicates"])
        links = [r["external_link"]["id"] for r in self.people.reservations()]
        self.assertEqual(len(links), len(set(links)),
                         "an ORB id stands on two reservations")
        self.assertEqual(self.orb.sim.violations()["violations"], [])

    def test_all_at_once(self):
        """kill -9 of all processes at once"""
        for _ in range(8):
            self.burst.step()
        time.sleep(1)
        for pid in self.orb.pids():
            try:
                self.orb.kill(pid)
            except (OSError, orbtest.Failure):
                pass  # an adapter goes with its http
        self.orb.wait_ready()
        self.orb.wait_until_equal(90)
        self.check()


def add(process):
    def test(self):
        self.kill_during_burst(process)
    test.__doc__ = "kill -9 of %s during a burst" % process
    setattr(Crash, "test_" + process.replace("@", "_"), test)


for _name in orbtest.PROCESSES:
    add(_name)


if __name__ == "__main__":
    tap.main()
