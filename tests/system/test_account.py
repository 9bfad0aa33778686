#!/usr/bin/env python3
"""Who used the accounts: every request that carried a credential can be
accounted for.

What must hold: the requests with a credential that the simulator counted are
the request records of the audit log, one for one, by listener and method; each
of them names a lease; each lease was recorded before the first request that
names it; and orbctl audit account says the same.

What http does: a request is recorded when its answer is there, or its end, so
that the record has the status; records go to ledgerd when there are 64, or a
tenth of a second after the first.  So what kill -9 of http can take away is what
was under way and what was gathered: LOST at most.  A lease is durable before
keyd answers, so that none is lost, and with it when the credential was used.
"""
import json
import random
import time
import unittest

import orbtest
import tap
from bothways import BothWays
from people import day, iso, minutes

CONNECTIONS = 4     # exchange.connections, as it is when nothing is said
BATCH = 64          # RECORD_BATCH of http_record.c
LOST = CONNECTIONS + 1 + BATCH - 1  # the login's own connection is the one more
TOKEN = "POST /*/oauth2/v2.0/token"
FETCH = ["fetchd@exchange", "fetchd@topdesk"]


def by_method(pairs):
    found = {}
    for text, n in pairs:
        verb = text.split(" ")[0]
        found[verb] = found.get(verb, 0) + n
    return found


class Accounts:
    """A period: from a moment at which nothing is under way to another one."""

    def begin(self):
        self.quiet()
        self.sim.counters_reset()
        self.first = len(self.records())
        self.orb.start()

    def quiet(self):
        """Nothing is under way, and all that was is recorded."""
        self.orb.stop_units(["mapd"])
        self.orb.stop_units(FETCH)
        try:
            orbtest.wait_for("all is in the log", self.all_stopped, 20)
        except orbtest.Failure as e:
            raise orbtest.Failure("%s: %s\n%s" % (
                e, self.last, self.orb.log_tails())) from None

    def all_stopped(self):
        """Each has said that it stopped; what it sent before is before."""
        self.last = {r["process"]: r["event"] for r in self.records()
                     if r["process"].startswith("http@")}
        return set(self.last.values()) <= {"process_stopped"}

    def records(self, *options):
        text = self.orb.orbctl(
            "audit", "tail", "-n", "1000000", "--output=json", *options,
            json_out=False)
        return [json.loads(line) for line in text.splitlines()]

    def end(self):
        """What the simulator saw and what the log says of the period."""
        self.quiet()
        counters = self.sim.counters()
        self.assertEqual(counters["violations"], 0)
        log = self.records()[self.first:]
        self.requests = [r for r in log if r["event"] == "request"]
        self.granted = [r for r in log if r["event"] == "lease_granted"]
        self.bookings = {r["booking"] for r in log if r["process"] == "mapd"
                         and "booking" in r and "upstream" in r}
        api = self.kind if self.kind == "ews" else "graph"
        self.listeners = {api: "exchange", "topdesk": "topdesk"}
        self.seen = {name: by_method(
            (e["endpoint"], e["credentials"]) for e in counters["endpoints"]
            if e["listener"] == name and e["credentials"])
            for name in self.listeners}
        self.logins = sum(e["count"] for e in counters["endpoints"]
                          if e["listener"] == "login"
                          and e["endpoint"].startswith("POST "))
        for name in self.listeners:
            self.assertEqual(sum(self.seen[name].values()),
                             counters["listeners"][name]["credentials"])
        self.kept = {name: by_method(
            (r["text"], 1) for r in self.requests
            if r["upstream"] == upstream and r["text"] != TOKEN)
            for name, upstream in self.listeners.items()}
        self.tokens = sum(r["text"] == TOKEN for r in self.requests)
        self.orb.start()

    def check_leases(self):
        """Each request names a lease that was recorded before."""
        at = {r["lease"]: r for r in self.granted}
        self.assertEqual(len(at), len(self.granted), "a number used twice")
        for r in self.requests:
            self.assertIn(r["lease"], at)
            self.assertLess(at[r["lease"]]["index"], r["index"])
            self.assertEqual(at[r["lease"]]["upstream"], r["upstream"])
            self.assertEqual(r["process"], "http@" + r["upstream"])
        return at

    def check_exact(self):
        self.assertEqual(self.kept, self.seen)
        self.assertEqual(self.tokens, self.logins)
        at = self.check_leases()
        self.assertEqual({r["lease"] for r in self.requests}, set(at))
        if self.kind != "ews":  # each lease is one token request, there
            self.assertEqual(self.logins, sum(
                r["upstream"] == "exchange" for r in self.granted))

    def check_account(self):
        """orbctl audit account adds up the same records."""
        told = self.orb.orbctl("audit", "account", "--since",
                               self.stamp, "--until", "now")
        leases = {r["lease"]: r for r in told["leases"]}
        for row in self.granted:
            mine = [r for r in self.requests if r["lease"] == row["lease"]]
            shown = leases[row["lease"]]
            self.assertEqual(shown["requests"], len(mine))
            self.assertEqual(shown["requests"],
                             sum(w["count"] for w in shown["what"]))
            self.assertEqual(shown["upstream"], row["upstream"])
            self.assertTrue(row["text"].startswith(shown["credential"]))
            self.assertEqual(shown["refused"], sum(
                r.get("status") in (401, 403) for r in mine))
        self.assertGreaterEqual(told["sum"]["bookings"], len(self.bookings))
        self.assertEqual(told["sum"]["requests"],
                         sum(r["requests"] for r in told["leases"]))
        text = self.orb.orbctl("audit", "account", json_out=False)
        for row in self.granted:
            self.assertIn(row["lease"], text)

    def setUp(self):
        super().setUp()
        self.begin()
        self.stamp = iso(day_now())

    def burst(self, n):
        """People on both sides, at once."""
        for _ in range(n):
            room = self.random.randrange(self.room_count)
            type(self).slot += 1
            start = day(self.slot // 8, 8 + self.slot % 8)
            if self.random.random() < 0.5:
                self.people.book("ada", room, start, 50)
            else:
                self.reserve(room, start, 50)

    def carried(self, listener):
        return self.sim.counters()["listeners"][listener]["credentials"]

    def test_exact(self):
        """a burst both ways, some of it refused or repeated: one for one"""
        where = "ews" if self.kind == "ews" else "graph"
        self.sim.fault(kind="429", listener=where, skip=3)
        self.sim.fault(kind="503", listener="topdesk", endpoint="GET *",
                       skip=2)
        self.sim.fault(kind="cut_after", listener="topdesk",
                       endpoint="GET *", skip=5)
        self.sim.fault(kind="401", listener="topdesk", skip=8)
        self.burst(20)
        self.orb.wait_until_equal(60)
        self.end()
        self.assertGreater(len(self.requests), 30)
        self.check_exact()
        self.assertIn(401, [r.get("status") for r in self.requests])
        self.check_account()

    def test_stopped(self):
        """told to stop while a request has no answer: it is recorded too"""
        where = "ews" if self.kind == "ews" else "graph"
        self.sim.fault(kind="delay", ms=4000, listener=where, skip=1)
        self.burst(2)
        orbtest.wait_for("a request waits", lambda: any(
            f["hits"] for f in self.sim.counters()["faults"]), 20)
        self.orb.stop_units(["fetchd@exchange"])
        self.sim.faults_clear()
        self.end()
        self.check_exact()
        self.assertTrue([r for r in self.requests
                         if r["upstream"] == "exchange"
                         and "status" not in r])

    def test_killed(self):
        """kill -9 of http@exchange: what is lost is bounded, no lease is"""
        kills = 3
        api = "ews" if self.kind == "ews" else "graph"
        for _ in range(kills):
            before = self.carried(api)
            self.burst(8)
            orbtest.wait_for("requests go out", lambda: self.carried(
                api) > before, 20, 0.01)
            time.sleep(self.random.random() * 0.4)
            self.orb.kill("http@exchange")
            self.burst(2)
            self.orb.wait_ready()
        self.orb.wait_until_equal(90)
        self.end()
        self.check_leases()
        # The other one was not killed: not one is missing.
        self.assertEqual(self.kept["topdesk"], self.seen["topdesk"])
        for name, upstream in self.listeners.items():
            self.assertGreater(sum(self.kept[name].values()), 0)
        for verb, n in self.kept[api].items():
            self.assertLessEqual(n, self.seen[api].get(verb, 0) + kills)
        lost = sum(self.seen[api].values()) + self.logins - \
            sum(self.kept[api].values()) - self.tokens
        print("# %d of %d requests are without a record after %d kills"
              % (lost, sum(self.seen[api].values()) + self.logins, kills))
        self.assertLessEqual(lost, kills * LOST)
        # A record more than requests: it was to be sent when the process on
        # the other side of the socket pair had gone.
        self.assertGreaterEqual(lost, 0)
        exchange = sum(r["upstream"] == "exchange" for r in self.granted)
        self.assertGreaterEqual(exchange, kills)
        # No credential was used without a lease that the log knows.
        self.assertLessEqual(self.logins, exchange)


def day_now():
    import datetime
    return datetime.datetime.now(datetime.timezone.utc)


class Graph(Accounts, BothWays):
    kind = "graph"
    room_count = 4
    slot = 0
    random = random.Random(20261123)


class Ews(Accounts, BothWays):
    kind = "ews"
    room_count = 4
    slot = 0
    random = random.Random(20261124)


if __name__ == "__main__":
    tap.main()
