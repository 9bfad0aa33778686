#!/usr/bin/env python3
"""What the network and the two systems do to their clients: each fault of the
simulator, on each system it can happen to, while people work.

What must hold: in the end both sides are equal, nothing twice, and no request
was against the rules; above all none with a credential to another host.
"""
import unittest

import orbtest
import tap
from people import Outlook, day

# kind, where, how often, more; None: a name for the test's own.
FAULTS = (
    ("429", "graph", 3, {"retry_after": 1}),
    ("429", "topdesk", 3, {"retry_after": 1}),
    ("429_no_retry", "graph", 2, {}),
    ("429_no_retry", "topdesk", 2, {}),
    ("503", "graph", 3, {"retry_after": 1}),
    ("503", "topdesk", 3, {"retry_after": 1}),
    ("503", "login", 1, {"retry_after": 1}),
    ("500_html", "graph", 2, {}),
    ("500_html", "topdesk", 2, {}),
    ("cut_before", "graph", 2, {}),
    ("cut_before", "topdesk", 2, {}),
    ("cut_after", "graph", 2, {}),
    ("cut_after", "topdesk", 3, {"endpoint": "POST *"}),
    ("truncate", "graph", 2, {}),
    ("truncate", "topdesk", 3, {"endpoint": "POST *"}),
    ("slow", "graph", 2, {"ms": 2}),
    ("slow", "topdesk", 2, {"ms": 2}),
    ("bad_json", "graph", 2, {}),
    ("bad_json", "topdesk", 3, {"endpoint": "POST *"}),
    ("huge", "graph", 1, {}),
    ("huge", "topdesk", 1, {}),
    ("redirect", "graph", 2, {}),
    ("redirect", "topdesk", 2, {}),
    ("redirect", "login", 1, {}),
    ("401", "graph", 1, {}),
    ("401", "topdesk", 1, {}),
    ("expired_token", "graph", 1, {}),
    ("foreign_nextlink", "graph", 2, {}),
    ("410", "graph", 2, {}),
    ("inner_429", "graph", 4, {"retry_after": 1}),
)


class Faults(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.orb = orbtest.Orb(rooms=4)
        cls.addClassCleanup(cls.orb.stop)
        cls.orb.sim.set(key="page_size", value=2)  # so that links are there
        cls.orb.run()
        cls.people = Outlook(cls.orb.sim, cls.orb.rooms)
        cls.used = 0

    def setUp(self):
        self.orb.sim.counters_reset()

    def tearDown(self):
        self.orb.sim.faults_clear()

    def work(self):
        """Something to create, to move and to cancel, in slots of its own."""
        n = Faults.used
        Faults.used += 1
        uids = [self.people.book("person%d" % r, r, day(n % 40, 9 + n // 40),
                                 30) for r in range(3)]
        self.orb.wait_until_equal(45)
        return n, uids

    def hit(self, kind, where, count, more):
        n, uids = self.work()
        if where == "login":
            self.orb.sim.set(key="expire_tokens", value=True)
        self.orb.sim.fault(kind=kind, listener=where, count=count, **more)
        self.people.move(uids[0], day(n % 40, 14), 30)
        self.people.cancel(uids[1])
        self.people.book("late", 3, day(n % 40, 9 + n // 40), 30)
        orbtest.wait_for("%s was met" % kind, self.met, 40, 0.1)
        self.orb.wait_until_equal(45)
        self.people.cancel(uids[0])
        self.orb.wait_until_equal(45)
        result = self.orb.compare()
        self.assertEqual(result["duplicates_count"], 0)
        self.assertEqual(self.orb.sim.violations()["violations"], [])
        self.assertEqual(self.orb.sim.counters()["listeners"]["trap"][
            "requests"], 0, "a request went to a host nobody configured")

    def met(self):
        faults = self.orb.sim.counters()["faults"]
        return all(f["hits"] > 0 for f in faults) and faults


def add(kind, where, count, more):
    def test(self):
        self.hit(kind, where, count, more)
    test.__doc__ = "%s at %s" % (kind, where)
    setattr(Faults, "test_%s_%s" % (kind, where), test)


for _fault in FAULTS:
    add(*_fault)


if __name__ == "__main__":
    tap.main()
