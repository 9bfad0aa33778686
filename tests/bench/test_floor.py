#!/usr/bin/env python3
"""What the bench stands on: two simulators of one seed are one and the same,
and floor asks of the second what was recorded at the first."""
import base64
import json
import http.client
import os
import re
import ssl
import subprocess
import sys
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../system"))
import orbtest  # noqa: E402
import tap  # noqa: E402

FLOOR = os.path.join(orbtest.BUILD, "tests/bench/floor")


SYNC = """<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
<soap:Header><t:RequestServerVersion Version="Exchange2016"/>
<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>%(mailbox)s\
</t:PrimarySmtpAddress></t:ConnectingSID></t:ExchangeImpersonation>
</soap:Header><soap:Body><m:SyncFolderItems><m:ItemShape>\
<t:BaseShape>IdOnly</t:BaseShape></m:ItemShape><m:SyncFolderId>\
<t:DistinguishedFolderId Id="calendar"/></m:SyncFolderId>%(state)s\
<m:MaxChangesReturned>4</m:MaxChangesReturned></m:SyncFolderItems>\
</soap:Body></soap:Envelope>"""


def origin(url):
    return "https://" + urllib.parse.urlsplit(url).netloc


def make():
    sim = orbtest.start_sim("--quiet", "--seed", "floor")
    sim.bulk_load(rooms=3, meetings_per_room=10, start="2026-12-07T00:00:00Z")
    return sim


class Client:
    """A small honest client of the simulator."""

    def __init__(self, sim):
        context = ssl.create_default_context(cafile=sim.facts["ca_file"])
        self.facts = sim.facts
        self.to = {n: http.client.HTTPSConnection(
            urllib.parse.urlsplit(sim.facts[n + "_url"]).netloc,
            context=context) for n in ("login", "graph", "topdesk", "ews")}

    def ask(self, where, method, path, body=None, **headers):
        headers = {"User-Agent": "test", "Accept": "application/json",
                   **headers}
        c = self.to[where]
        c.request(method, path, body, headers)
        answer = c.getresponse()
        data = answer.read()
        if "json" not in answer.getheader("Content-Type", "json"):
            return answer.status, data.decode()
        return answer.status, json.loads(data) if data else None

    def token(self):
        form = urllib.parse.urlencode({
            "client_id": self.facts["client_id"],
            "client_secret": orbtest.read(self.facts["client_secret"]),
            "grant_type": "client_credentials",
            "scope": "https://graph.microsoft.com/.default"})
        status, answer = self.ask(
            "login", "POST", "/%s/oauth2/v2.0/token" % self.facts["tenant"],
            form, **{"Content-Type": "application/x-www-form-urlencoded"})
        assert status == 200, answer
        return answer["access_token"]

    def graph(self, path, token):
        return self.ask("graph", "GET", path, Authorization="Bearer " + token,
                        Prefer='IdType="ImmutableId", outlook.timezone="UTC"'
                               ', odata.maxpagesize=7')

    def topdesk(self, method, path, body=None):
        pair = "%s:%s" % (self.facts["topdesk_login"],
                          orbtest.read(self.facts["topdesk_password"]))
        headers = {"Authorization": "Basic " + base64.b64encode(
            pair.encode()).decode()}
        if body:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body)
        return self.ask("topdesk", method, "/tas/api" + path, body, **headers)


    def ews(self, mailbox, state):
        """One page of the calendar's changes since a state."""
        pair = "%s:%s" % (self.facts["ews_login"],
                          orbtest.read(self.facts["ews_password"]))
        return self.ask("ews", "POST", urllib.parse.urlsplit(
            self.facts["ews_url"]).path, SYNC % {
                "mailbox": mailbox, "state": state and
                "<m:SyncState>%s</m:SyncState>" % state}, **{
                "Authorization": "Basic " + base64.b64encode(
                    pair.encode()).decode(), "X-AnchorMailbox": mailbox,
                "Content-Type": "text/xml; charset=utf-8",
                "Accept": "text/xml"})


def sync(client, mailbox):
    """All pages: how many items."""
    state, n = "", 0
    while True:
        status, answer = client.ews(mailbox, state)
        assert status == 200 and "NoError" in answer, answer
        n += answer.count("<t:ItemId ")
        state = re.search("<m:SyncState>([^<]*)<", answer).group(1)
        if "<m:IncludesLastItemInRange>true" in answer:
            return n


def work(sim):
    """Reads the rooms' calendars both ways and makes reservations."""
    client = Client(sim)
    token = client.token()
    rooms = sim.add_room(mailbox="room0001@sim.test")
    for n in (1, 2, 3):
        path = "/v1.0/users/room%04d@sim.test/calendarView/delta?" \
            "startDateTime=2026-12-01T00:00:00Z&" \
            "endDateTime=2027-03-01T00:00:00Z" % n
        while path:
            status, answer = client.graph(path, token)
            assert status == 200, answer
            path = answer.get("@odata.nextLink", "")
            path = path and path[len(origin(path)):]
        assert sync(client, "room%04d@sim.test" % n) > 0
    person = sim.add_person(email="a@sim.test")["id"]
    for hour in range(8, 18):
        status, answer = client.topdesk("POST", "/reservations", {
            "briefDescription": "x", "requester": {"id": person},
            "plannedStartDate": "2027-02-01T%02d:00:00Z" % hour,
            "plannedEndDate": "2027-02-01T%02d:30:00Z" % hour,
            "externalLink": {"id": "orb1:%d" % hour, "type": "7301"},
            "reservedFacilities": [{"location": {"id": rooms["location"]}}]})
        assert status == 201, answer
        status, answer = client.topdesk("GET", "/reservations/%s" %
                                        answer["id"])
        assert status == 200, answer


class Floor(unittest.TestCase):
    def test_same_world_twice(self):
        """a seed gives the same secrets, ids and links; none gives others"""
        one, two = make(), make()
        other = orbtest.start_sim("--quiet")
        for key in ("tenant", "client_id"):
            self.assertEqual(one.facts[key], two.facts[key])
            self.assertNotEqual(one.facts[key], other.facts[key])
        for key in ("client_secret", "topdesk_password"):
            self.assertEqual(orbtest.read(one.facts[key]),
                             orbtest.read(two.facts[key]))
            self.assertNotEqual(orbtest.read(one.facts[key]),
                                orbtest.read(other.facts[key]))
        for sim in (one, two, other):
            sim.stop_all()

    def test_replay(self):
        """every request gets the answer it got when it was recorded"""
        one = make()
        record = os.path.join(one.dir, "record")
        one.record(file=record)
        work(one)
        n = one.record()["requests"]
        self.assertGreater(n, 30)
        two = make()
        two.add_room(mailbox="room0001@sim.test")
        two.add_person(email="a@sim.test")
        done = subprocess.run(
            [FLOOR, "--ca", two.facts["ca_file"], "--record", record] +
            sum((["--" + w, origin(two.facts[w + "_url"])]
                 for w in ("login", "graph", "topdesk", "ews")), []),
            stdout=subprocess.PIPE, check=True)
        out = json.loads(done.stdout)
        self.assertEqual(out["requests"], n)
        self.assertEqual(out["same_status"], n, out)
        web = out["lanes"]["ews"]
        self.assertGreater(web["requests"], 6)
        self.assertEqual(web["same_bytes"], web["requests"], out)
        self.assertEqual(sum(lane["failed"] for lane in
                             out["lanes"].values()), 0)
        rows = two.dump(side="topdesk")["rows"]
        self.assertEqual(sorted(r["id"] for r in rows), sorted(
            r["id"] for r in one.dump(side="topdesk")["rows"]))
        one.stop_all()
        two.stop_all()


if __name__ == "__main__":
    tap.main()
