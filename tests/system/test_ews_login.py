#!/usr/bin/env python3
"""The account of Exchange Web Services, which a directory locks after a few
wrong logins: what must hold is that ORB never brings that about, and goes on
by itself when the password is the right one again.
"""
import time
import unittest

import orbtest
import tap
from people import Outlook, day
from test_state import rounds


class Login(unittest.TestCase):
    """The account is a person's in the directory: it can be locked."""

    def refused(self, orb, n):
        seen = orb.sim.ews()
        self.assertEqual((seen["failed_logins"], seen["locked"]), (n, False))

    def test_password_changed(self):
        """401: two tries, then none; the account is never locked"""
        # A round now and then, as on a site: each begins with one request.
        orb = orbtest.Orb(rooms=6, poll=7, kind="ews")
        self.addCleanup(orb.stop)
        people = Outlook(orb.sim, orb.rooms)
        orb.run()
        people.book("ada", 0, day(0, 9))
        orb.wait_until_equal(40)
        rounds(orb, 1)
        time.sleep(5.5)
        orb.sim.set(key="ews_password", value="changed by somebody")
        people.book("ada", 1, day(0, 9))
        orbtest.wait_for("it was tried", lambda: orb.sim.ews()[
            "failed_logins"] >= 2, 30, 0.05)
        time.sleep(3)
        self.refused(orb, 2)
        self.assertIn("orbctl credential set exchange", str(orb.status()))
        # Asked for again, the same one is not sent.
        orbtest.wait_for("it is said when it will be", lambda: "next try is "
                         "in 10 min" in str(orb.status()), 40, 0.5)
        self.refused(orb, 2)
        self.assertEqual(len(people.planned()), 1)
        # Another one is: nobody has to wait for that.
        orb.orbctl("credential", "set", "exchange",
                   data=b"changed by somebody")
        orb.wait_until_equal(90)
        self.refused(orb, 2)

    def test_wrong_from_the_start(self):
        """a password that never worked, then another wrong one: three tries"""
        orb = orbtest.Orb(rooms=6, kind="ews")
        self.addCleanup(orb.stop)
        people = Outlook(orb.sim, orb.rooms)
        people.book("ada", 0, day(0, 9))
        orb.start()
        orb.orbctl("credential", "set", "exchange", data=b"not this one")
        orb.credentials(["topdesk"])
        orbtest.wait_for("it was tried", lambda: orb.sim.ews()[
            "failed_logins"] >= 2, 30, 0.05)
        orb.orbctl("credential", "set", "exchange", data=b"nor this one")
        orbtest.wait_for("the other one was tried", lambda: orb.sim.ews()[
            "failed_logins"] >= 3, 40, 0.05)
        time.sleep(3)
        self.refused(orb, 3)
        orb.credentials(["exchange"])
        orb.wait_until_equal(90)
        self.refused(orb, 3)

    def test_401_in_between(self):
        """one 401 of a server that had let us in: tried once more"""
        orb = orbtest.Orb(rooms=3, kind="ews")
        self.addCleanup(orb.stop)
        people = Outlook(orb.sim, orb.rooms)
        orb.run()
        people.book("ada", 0, day(0, 9))
        orb.wait_until_equal(40)
        orb.sim.fault(kind="401", listener="ews")
        people.book("ada", 1, day(0, 9))
        orb.wait_until_equal(40)
        self.assertEqual(orb.sim.ews()["failed_logins"], 0)


if __name__ == "__main__":
    tap.main()
