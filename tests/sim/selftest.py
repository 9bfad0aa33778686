#!/usr/bin/python3
"""Holds orb-sim against what it promises, over its real sockets.

usage: selftest.py PATH_OF_ORB_SIM [PREFIX...]   (PREFIX: valgrind and such)

Needs nothing but the standard library, and openssl(1) for assertions.
"""
import base64
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid

import selftest_both
import selftest_write

PREFER = 'odata.maxpagesize=%d, outlook.timezone="UTC", IdType="ImmutableId"'
failed = []
ran = 0


def check(what, good, seen=None):
    global ran
    ran += 1
    if not good:
        failed.append(what)
        print("not ok: %s%s" % (what, "" if seen is None else
                                ": %.600r" % (seen,)))


class Sim:
    def __init__(self, program, prefix=(), *more):
        self.dir = tempfile.mkdtemp(prefix="orb-sim-")
        self.child = subprocess.Popen(
            list(prefix) + [program, "--dir", self.dir, "--quiet", *more])
        path = os.path.join(self.dir, "sim.json")
        for _ in range(600):
            if os.path.exists(path):
                break
            time.sleep(0.05)
        with open(path) as f:
            self.conf = json.load(f)
        self.tls = ssl.create_default_context(cafile=self.conf["ca_file"])
        self.conns = {}
        self.token = None
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.conf["control"])
        self.lines = self.sock.makefile("r")

    def ctl(self, cmd, **args):
        args["cmd"] = cmd
        self.sock.sendall(json.dumps(args).encode() + b"\n")
        return json.loads(self.lines.readline())

    def secret(self, name):
        with open(self.conf[name]) as f:
            return f.read()

    def call(self, method, url, headers=None, body=None):
        u = urllib.parse.urlsplit(url)
        conn = self.conns.get(u.netloc)
        if conn is None:
            conn = http.client.HTTPSConnection(u.hostname, u.port,
                                               context=self.tls, timeout=60)
            self.conns[u.netloc] = conn
        h = {"User-Agent": "selftest/1", "Accept": "application/json"}
        h.update(headers or {})
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            h.setdefault("Content-Type", "application/json")
        target = u.path + ("?" + u.query if u.query else "")
        try:
            conn.request(method, target, body, h)
            r = conn.getresponse()
            data = r.read()
        except (http.client.HTTPException, OSError):
            conn.close()
            del self.conns[u.netloc]
            raise
        try:
            j = json.loads(data) if data else None
        except ValueError:
            j = data
        return r.status, j, r.headers

    def post_token(self, tenant=None, **form):
        f = {"client_id": self.conf["client_id"],
             "scope": "https://graph.microsoft.com/.default",
             "grant_type": "client_credentials"}
        f.update(form)
        return self.call("POST", "%s/%s/oauth2/v2.0/token" % (
            self.conf["login_url"], tenant or self.conf["tenant"]),
            {"Content-Type": "application/x-www-form-urlencoded"},
            urllib.parse.urlencode(f))

    def login(self):
        s, j, _ = self.post_token(client_secret=self.secret("client_secret"))
        check("token by secret", s == 200, j)
        self.token = j["access_token"]

    def graph(self, method, path, body=None, page=50, **headers):
        url = path if path.startswith("https:") else \
            self.conf["graph_url"] + path
        return self.call(method, url, {
            "Authorization": "Bearer " + self.token,
            "Prefer": PREFER % page, **headers}, body)

    def delta(self, url, page=50):
        """A whole round: its lines, its pages, its deltaLink."""
        rows, pages = [], 0
        while True:
            s, j, _ = self.graph("GET", url, page=page)
            if s != 200:
                return s, j, None
            pages += 1
            rows += j["value"]
            if "@odata.deltaLink" in j:
                return rows, pages, j["@odata.deltaLink"]
            url = j["@odata.nextLink"]

    def td(self, method, path, body=None, **headers):
        pair = "%s:%s" % (self.conf["topdesk_login"],
                          self.secret("topdesk_password"))
        h = {"Authorization": "Basic " +
             base64.b64encode(pair.encode()).decode(), **headers}
        return self.call(method, self.conf["topdesk_url"] + path, h, body)

    def query(self, q, **more):
        args = {"query": q, **more}
        s, j, _ = self.td("GET", "/reservations?" +
                          urllib.parse.urlencode(args))
        return s, j

    def end(self):
        for c in self.conns.values():
            c.close()
        self.sock.close()
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(60)
        shutil.rmtree(self.dir)
        return status


WINDOW = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-05-01T00:00:00Z"


def b64(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def assertion(sim, key, cert_der, alg, thumb="good", **over):
    now = int(time.time())
    head = {"alg": alg, "typ": "JWT"}
    if alg == "PS256":
        head["x5t#S256"] = b64(hashlib.sha256(cert_der).digest())
    else:
        head["x5t"] = b64(hashlib.sha1(cert_der).digest())
    if thumb != "good":
        head = {"alg": alg, "typ": "JWT", "x5t#S256": thumb}
    claims = {"aud": "%s/%s/oauth2/v2.0/token" % (
        sim.conf["login_url"], sim.conf["tenant"]),
        "iss": sim.conf["client_id"], "sub": sim.conf["client_id"],
        "jti": str(uuid.uuid4()), "nbf": now, "exp": now + 300}
    claims.update(over)
    text = b64(json.dumps(head).encode()) + "." + \
        b64(json.dumps(claims).encode())
    cmd = ["openssl", "dgst", "-sha256", "-sign", key]
    if alg == "PS256":
        cmd += ["-sigopt", "rsa_padding_mode:pss",
                "-sigopt", "rsa_pss_saltlen:32"]
    sig = subprocess.run(cmd, input=text.encode(), stdout=subprocess.PIPE,
                         check=True).stdout
    return text + "." + b64(sig)


def test_tokens(sim):
    s, j, h = sim.call("GET", sim.conf["graph_url"] +
                       "/users/room1@sim.test/calendarView",
                       {"Prefer": PREFER % 5})
    check("no token is 401", s == 401 and "WWW-Authenticate" in h, (s, j))
    for form, number in (({"client_secret": "wrong"}, 7000215),
                         ({}, 7000218),
                         ({"client_id": str(uuid.uuid4())}, 700016),
                         ({"client_secret": sim.secret("client_secret"),
                           "scope": "x"}, 70011)):
        s, j, _ = sim.post_token(**form)
        check("AADSTS%d" % number, s in (400, 401) and
              j["error_codes"] == [number], j)
    s, j, _ = sim.post_token(tenant="nobody")
    check("AADSTS90002", j["error_codes"] == [90002], j)
    sim.login()

    key, crt = sim.dir + "/key.pem", sim.dir + "/crt.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                    "-keyout", key, "-out", crt, "-days", "2", "-subj",
                    "/CN=orb"], check=True, stderr=subprocess.DEVNULL)
    mode = [os.stat(os.path.join(sim.dir, n)).st_mode & 0o777 for n in
            ("client_secret", "topdesk_password", "control.sock", "ca.pem")]
    check("modes", mode == [0o600, 0o600, 0o600, 0o644], mode)
    with open(crt) as f:
        pem = f.read()
    der = ssl.PEM_cert_to_DER_cert(pem)
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

    def post(jwt):
        s, j, _ = sim.post_token(client_assertion_type=kind,
                                 client_assertion=jwt)
        return s, j.get("error_codes", [0])[0]

    check("unregistered certificate",
          post(assertion(sim, key, der, "PS256")) == (401, 700027))
    check("register", "sha256" in sim.ctl("register_certificate", pem=pem))
    for alg in ("PS256", "RS256"):
        jwt = assertion(sim, key, der, alg)
        check("token by " + alg, post(jwt)[0] == 200)
        check("jti twice", post(jwt) == (401, 50013))
    now = int(time.time())
    for name, over, number in (("aud", {"aud": "https://x/"}, 50013),
                               ("iss", {"iss": "x"}, 50013),
                               ("exp", {"exp": now - 5}, 700024),
                               ("long", {"exp": now + 7200}, 700024),
                               ("nbf", {"nbf": now + 900}, 700024)):
        check("assertion " + name, post(assertion(
            sim, key, der, "PS256", **over)) == (401, number))
    jwt = assertion(sim, key, der, "PS256")
    check("broken signature", post(jwt[:-8] + "AAAAAAAA") == (401, 700027))
    check("sha1 in x5t#S256", post(assertion(
        sim, key, der, "PS256", thumb=b64(hashlib.sha1(der).digest())))
        == (401, 700027))
    sim.ctl("set", key="expire_tokens")
    s, j, _ = sim.graph("GET", "/users/x/calendarView?" + WINDOW)
    check("expired token", s == 401, (s, j))
    sim.login()


def test_exchange(sim):
    sim.ctl("counters_reset")
    plain = {"add_organizer_to_subject": False, "delete_subject": False,
             "booking_window_days": 1080}
    for n in (1, 2):
        sim.ctl("add_room", mailbox="room%d@sim.test" % n,
                name="Room %d" % n, zone="W. Europe Standard Time",
                settings=plain)
    one = sim.ctl("meeting_create", organiser="anna@sim.test", subject="One",
                  body="secret", rooms=["room1@sim.test"],
                  start="2027-03-10T09:00:00", end="2027-03-10T10:00:00",
                  zone="W. Europe Standard Time")
    check("accepted", one["responses"] == {"room1@sim.test": "accepted"}, one)
    weekly = sim.ctl(
        "meeting_create", organiser="bert@sim.test", subject="Weekly",
        rooms=["room1@sim.test"], start="2027-03-15T09:00:00",
        end="2027-03-15T09:30:00", zone="W. Europe Standard Time",
        recurrence={"pattern": {"type": "weekly", "interval": 1,
                                "daysOfWeek": ["monday"]},
                    "range": {"type": "numbered", "startDate": "2027-03-15",
                              "numberOfOccurrences": 4}})
    base = "/users/room1@sim.test/calendarView/delta?" + WINDOW
    rows, pages, link = sim.delta(base, page=2)
    check("pages", pages == 3 and len(rows) == 6, (pages, len(rows)))
    stubs = [r for r in rows if r.get("type") == "occurrence"]
    check("stubs are bare", len(stubs) == 4 and all(set(s) == {
        "@odata.type", "@odata.etag", "id", "seriesMasterId", "type", "start",
        "end"} for s in stubs), stubs[:1])
    starts = sorted(s["start"]["dateTime"] for s in stubs)
    check("wall time over DST", [s[11:16] for s in starts] ==
          ["08:00", "08:00", "07:00", "07:00"], starts)
    full = [r for r in rows if r.get("type") == "singleInstance"][0]
    check("room copy", full["subject"] == "One" and full["iCalUId"] ==
          one["uid"] and not full["isOrganizer"] and full["organizer"]
          ["emailAddress"]["address"] == "anna@sim.test" and
          full["showAs"] == "busy" and full["body"]["content"] == "" and
          full["responseStatus"]["response"] == "accepted", full)
    check("ids need escapes", all(c in full["id"] for c in "/+="), full["id"])
    master = [r for r in rows if r.get("type") == "seriesMaster"][0]
    check("master", master["iCalUId"] == weekly["uid"] and
          master["recurrence"]["range"]["numberOfOccurrences"] == 4, master)

    rows, _, link2 = sim.delta(link)
    check("nothing new", rows == [], rows)
    sim.ctl("occurrence_move", uid=weekly["uid"],
            original_start="2027-03-22T08:00:00Z",
            start="2027-03-22T13:00:00Z", end="2027-03-22T14:00:00Z")
    sim.ctl("occurrence_delete", uid=weekly["uid"],
            original_start="2027-03-29T07:00:00Z")
    rows, _, link3 = sim.delta(link2)
    kinds = sorted(r["type"] for r in rows)
    check("exception in full, deletion unsaid",
          kinds == ["exception", "seriesMaster"], rows)
    exc = [r for r in rows if r["type"] == "exception"][0]
    check("exception", exc["originalStart"] == "2027-03-22T08:00:00Z" and
          exc["start"]["dateTime"].startswith("2027-03-22T13:00") and
          exc["iCalUId"] != weekly["uid"], exc)
    quoted = urllib.parse.quote(master["id"], safe="")
    s, j, _ = sim.graph("GET", "/users/room1@sim.test/events/%s?$select="
                        "id,cancelledOccurrences,type" % quoted)
    check("cancelledOccurrences", s == 200 and
          len(j["cancelledOccurrences"]) == 1 and "subject" not in j, j)
    s, j, _ = sim.graph("GET", "/users/room1@sim.test/events/%s/instances?%s"
                        "&$select=id,start" % (quoted, WINDOW))
    check("instances", s == 200 and len(j["value"]) == 3, j)
    occ = urllib.parse.quote(j["value"][0]["id"], safe="")
    s, j, _ = sim.graph("GET", "/users/room1@sim.test/events/" + occ)
    check("one occurrence", s == 200 and j["type"] == "occurrence", j)

    sim.ctl("meeting_move", uid=one["uid"], start="2027-09-10T08:00:00Z",
            end="2027-09-10T09:00:00Z")
    rows, _, link4 = sim.delta(link3)
    check("out of the window is @removed", len(rows) == 1 and
          rows[0]["@removed"] == {"reason": "deleted"} and
          rows[0]["id"] == full["id"], rows)
    s, j, _ = sim.graph("GET", "/users/room1@sim.test/events/" +
                        urllib.parse.quote(full["id"], safe=""))
    check("yet it is there", s == 200, (s, j))
    sim.ctl("meeting_move", uid=one["uid"], start="2027-03-11T08:00:00Z",
            end="2027-03-11T09:00:00Z")
    sim.ctl("meeting_cancel", uid=weekly["uid"])
    rows, _, link5 = sim.delta(link4)
    gone = [r for r in rows if r.get("type") == "seriesMaster"][0]
    check("cancelled stays", gone["isCancelled"] and gone["showAs"] == "free"
          and gone["subject"] == "Canceled: Weekly", gone)
    sim.ctl("meeting_rooms", uid=one["uid"], rooms=["room2@sim.test"])
    rows, _, _ = sim.delta(link5)
    check("left room sees it cancelled", len(rows) == 1 and
          rows[0]["isCancelled"], rows)
    rows, _, _ = sim.delta("/users/room2@sim.test/calendarView/delta?" +
                           WINDOW)
    check("new room has it", len(rows) == 1 and rows[0]["iCalUId"] ==
          one["uid"] and not rows[0]["isCancelled"], rows)
    sim.ctl("meeting_delete", uid=one["uid"])
    s, j, _ = sim.graph("GET", "/users/room2@sim.test/events/" +
                        urllib.parse.quote(rows[0]["id"], safe=""))
    check("deleted is 404", s == 404 and
          j["error"]["code"] == "ErrorItemNotFound", j)
    s, j, _ = sim.delta(link)
    check("an old generation dies", s == 410 and
          j["error"]["code"] == "SyncStateNotFound", (s, j))
    s, j, _ = sim.graph("GET", "/users/nobody@sim.test/calendarView?" +
                        WINDOW)
    check("unknown user", s == 404 and
          j["error"]["code"] == "ErrorInvalidUser", j)
    sim.ctl("set", key="out_of_scope", value=["boss@sim.test"])
    s, j, _ = sim.graph("GET", "/users/boss@sim.test/calendarView?" + WINDOW)
    check("out of scope", s == 403 and
          j["error"]["code"] == "ErrorAccessDenied", j)
    v = sim.ctl("violations")
    check("no violations", v["count"] == 0, v)


def test_rooms(sim):
    sim.ctl("add_room", mailbox="strict@sim.test", name="Strict")
    a = sim.ctl("meeting_create", organiser="anna@sim.test", subject="A",
                rooms=["strict@sim.test"], start="2027-03-10T09:00:00Z",
                end="2027-03-10T10:00:00Z", private=True)
    b = sim.ctl("meeting_create", organiser="bert@sim.test", subject="B",
                rooms=["strict@sim.test"], start="2027-03-10T09:30:00Z",
                end="2027-03-10T10:30:00Z")
    check("conflict declined", b["responses"]["strict@sim.test"] ==
          "declined", b)
    s, j, _ = sim.graph("GET", "/users/strict@sim.test/calendarView?" +
                        WINDOW + "&$select=subject,sensitivity,iCalUId")
    check("only one booked, subject is the organiser, private is lost",
          len(j["value"]) == 1 and j["value"][0]["iCalUId"] == a["uid"] and
          j["value"][0]["subject"] == "anna@sim.test" and
          j["value"][0]["sensitivity"] == "normal", j)
    sim.ctl("set", key="accept_delay_ms", value=150)
    sim.ctl("meeting_create", organiser="anna@sim.test", subject="T",
            rooms=["strict@sim.test"], start="2027-03-20T09:00:00Z",
            end="2027-03-20T10:00:00Z")
    url = "/users/strict@sim.test/calendarView/delta?" + WINDOW
    rows, _, link = sim.delta(url)
    check("tentative first", sorted(r["showAs"] for r in rows) ==
          ["busy", "tentative"], rows)
    time.sleep(0.3)
    rows, _, _ = sim.delta(link)
    check("then accepted", len(rows) == 1 and rows[0]["showAs"] == "busy" and
          rows[0]["responseStatus"]["response"] == "accepted", rows)
    sim.ctl("set", key="accept_delay_ms", value=0)
    sim.ctl("set", key="empty_pages", value=1)
    s, j, _ = sim.graph("GET", url)
    check("empty page", j["value"] == [] and "@odata.nextLink" in j, j)
    sim.ctl("set", key="empty_pages", value=0)


def test_batch(sim):
    def part(n, url, **more):
        return {"id": str(n), "method": "GET", "url": url,
                "headers": {"Prefer": PREFER % 5}, **more}
    url = "/users/strict@sim.test/calendarView?" + WINDOW
    reqs = [part(n, url) for n in range(5)]
    reqs.append(part(5, "/users/nobody/calendarView?" + WINDOW))
    reqs.append(part(6, url, dependsOn=["5"]))
    s, j, _ = sim.graph("POST", "/$batch", {"requests": reqs})
    got = {r["id"]: r["status"] for r in j["responses"]}
    check("batch", s == 200 and got == {
        "0": 200, "1": 200, "2": 200, "3": 200, "4": 200, "5": 404,
        "6": 424}, got)
    check("answers are unordered", [r["id"] for r in j["responses"]] !=
          sorted(got), got)
    sim.ctl("fault", kind="inner_429", count=2, retry_after=7)
    s, j, _ = sim.graph("POST", "/$batch", {"requests": reqs[:5]})
    late = [r for r in j["responses"] if r["status"] == 429]
    check("inner 429", s == 200 and len(late) == 2 and
          late[0]["headers"]["Retry-After"] == "7", j)
    before = sim.ctl("violations")["count"]
    s, j, _ = sim.graph("POST", "/$batch", {"requests": [
        part(n, url) for n in range(21)]})
    check("21 are too many", s == 400 and
          sim.ctl("violations")["count"] == before + 1, j)


def test_write(sim):
    sim.ctl("set", key="service_mailbox", value="orb@sim.test")
    prop = "String {8e2f0a11-1111-4222-8333-444455556666} Name OrbId"
    body = {"subject": "From TOPdesk", "transactionId": "t-1",
            "start": {"dateTime": "2027-04-06T10:00:00",
                      "timeZone": "W. Europe Standard Time"},
            "end": {"dateTime": "2027-04-06T11:00:00",
                    "timeZone": "W. Europe Standard Time"},
            "attendees": [{"type": "resource", "emailAddress": {
                "address": "room1@sim.test"}}],
            "singleValueExtendedProperties": [
                {"id": prop, "value": "topdesk:1"}]}
    base = "/users/orb@sim.test/events"
    s, j, _ = sim.graph("POST", base, body)
    check("create", s == 201 and j["isOrganizer"] and
          j["attendees"][0]["status"]["response"] == "accepted" and
          j["start"]["dateTime"].startswith("2027-04-06T08:00"), j)
    first = j
    s, j, _ = sim.graph("POST", base, body)
    check("same transaction", s == 201 and j["id"] == first["id"], j)
    f = "singleValueExtendedProperties/Any(ep: ep/id eq '%s' and " \
        "ep/value eq 'topdesk:1')" % prop
    s, j, _ = sim.graph("GET", base + "?$select=id&$filter=" +
                        urllib.parse.quote(f))
    check("look-up", s == 200 and [e["id"] for e in j["value"]] ==
          [first["id"]], j)
    quoted = urllib.parse.quote(first["id"], safe="")
    s, j, _ = sim.graph("PATCH", base + "/" + quoted, {"subject": "New"},
                        **{"If-Match": 'W/"AAAAAAAAAAAAAAAA"'})
    check("412", s == 412, (s, j))
    s, j, _ = sim.graph("PATCH", base + "/" + quoted, {"subject": "New"},
                        **{"If-Match": first["@odata.etag"]})
    check("patch", s == 200 and j["subject"] == "New", (s, j))
    s, j, _ = sim.graph("POST", base + "/" + quoted + "/cancel",
                        {"comment": "no"})
    check("cancel", s == 202, (s, j))
    s, j, _ = sim.graph("DELETE", base + "/" + quoted)
    check("gone", s == 404, (s, j))


def test_topdesk(sim):
    room = sim.ctl("add_room", mailbox="td@sim.test", name="TD room",
                   location="TD room")
    person = sim.ctl("add_person", email="o'neil@sim.test", name="O Neil")
    sim.ctl("add_person", email="o'neil@sim.test", archived=True)
    check("who am i", sim.td("GET", "/operators/current/id")[0] == 200)
    s, j, h = sim.call("GET", sim.conf["topdesk_url"] + "/reservations")
    check("no credential", s == 401, j)
    typ = {"Accept": "application/x.topdesk-collection-person-v2+json"}

    def persons(q, **a):
        s, j, _ = sim.td("GET", "/persons?" + urllib.parse.urlencode(
            {"query": q, **a}), **typ)
        return s, j
    s, j = persons(r"email=='o\'neil@sim.test';archived==false", pageSize=2)
    check("one person", s == 200 and len(j["item"]) == 1 and
          j["item"][0]["id"] == person["id"], (s, j))
    s, j = persons(r'email=="o\"x"')
    check("no person is 204", s == 204, (s, j))
    s, j = persons(r"email=in=('o\'neil@sim.test','anna@sim.test')",
                   pageSize=1)
    check("206 of persons", s == 206, (s, j))
    s, _, _ = sim.td("GET", "/persons", Accept="application/json")
    check("406", s == 406, s)

    def make(hour, link=None, **over):
        b = {"briefDescription": "B", "requester": {"id": person["id"]},
             "plannedStartDate": "2027-03-10T%02d:00:31Z" % hour,
             "plannedEndDate": "2027-03-10T%02d:00:00Z" % (hour + 1),
             "reservedFacilities": [{"location": {"id": room["location"]}}]}
        if link:
            b["externalLink"] = {"id": link, "type": "7301"}
        b.update(over)
        return sim.td("POST", "/reservations", b)
    s, j, h = make(8, "orb1:a")
    check("created", s == 201 and j["status"] == "planned" and
          j["plannedStartDate"] == "2027-03-10T08:00:00Z" and
          j["id"] in h["Location"] and "Last-Modified" in h and
          j["externalLinks"][0]["id"] == "orb1:a", (s, j))
    one = "/reservations/" + j["id"]
    s, j, _ = sim.td("PATCH", one, {"externalLink": {"id": "x",
                                                     "type": "1"}})
    check("link only once", s == 400 and "errors" in j, j)
    s, j, _ = make(8, "orb1:b")
    check("conflict is stored", s == 201 and
          j["status"] == "conflictingPlanned", j)
    sim.ctl("set", key="conflict", value="refused")
    s, j, _ = make(8)
    check("conflict is refused", s == 400 and j["errors"][0]["errorCode"],
          j)
    sim.ctl("set", key="conflict", value="stored")
    for name, over in (("unknown member", {"x": 1}),
                       ("long brief", {"briefDescription": "x" * 101}),
                       ("no person", {"requester": {"id": str(uuid.uuid4())}}),
                       ("order", {"plannedEndDate": "2027-03-09T00:00:00Z"}),
                       ("no rooms", {"reservedFacilities": []}),
                       ("link type", {"externalLink": {"id": "x",
                                                       "type": 1}})):
        s, j, _ = make(12, **over)
        check("refused: " + name, s == 400, (s, j))
    for h in range(10, 20):
        make(h, "orb1:%d" % h)
    s, j = sim.query("reservedFacilities.location.id=in=(%s,%s);plannedEndDate"
                     "=gt=2027-03-10T00:00:00Z;plannedStartDate=lt="
                     "2027-03-11T00:00:00Z" % (room["location"],
                                               uuid.uuid4()),
                     **{"$top": 5})
    got = [r["plannedStartDate"] for r in j["results"]]
    check("206 in order", s == 206 and len(got) == 5 and got == sorted(got),
          (s, got))
    s, j = sim.query("externalLinks.id=in=('orb1:a','orb1:12');"
                     "externalLinks.type==7301",
                     **{"$fields": "id,externalLinks"})
    check("by link", s == 200 and len(j["results"]) == 2 and
          set(j["results"][0]) == {"id", "externalLinks"}, j)
    s, j = sim.query("(status==cancelled,briefDescription=sw=B);"
                     "externalLinks.id!=null;series.id==null")
    check("brackets and null", s == 200 and len(j["results"]) == 12,
          len(j["results"]))
    for bad in ("status=", "nofield==1", "(status==planned", "status==a;",
                "plannedStartDate=gt=yesterday", "status=gt=1", "a b==c",
                "status=='x", "status==planned)", "id==1"):
        s, j = sim.query(bad)
        check("bad query " + bad, s == 400 and "errors" in j, (s, j))
    s, j, _ = sim.td("GET", "/reservations?" + urllib.parse.urlencode({
        "externalLinkId": "orb1:a", "externalLinkType": "7301"}))
    check("old filters", s == 200 and len(j["results"]) == 1, j)
    s, j, _ = sim.td("POST", one + "/reschedule", {
        "plannedStartDate": "2027-03-12T08:00:00Z",
        "plannedEndDate": "2027-03-12T09:00:00Z"})
    check("rescheduled", s == 200 and
          j["plannedStartDate"] == "2027-03-12T08:00:00Z", j)
    other = sim.ctl("add_room", mailbox="td2@sim.test", name="TD 2")
    s, j, _ = sim.td("POST", one + "/reservedFacilities/move", {
        "from": {"location": {"id": room["location"]}},
        "to": {"location": {"id": other["location"]}}})
    check("moved", s == 200 and j["reservedFacilities"][0]["location"]["id"]
          == other["location"], j)
    s, j = sim.query("reservedFacilities.location.id==" + other["location"])
    check("index follows", len(j["results"]) == 1, j)
    check("cancelled", sim.td("POST", one + "/cancel")[0] == 204)
    check("not twice", sim.td("POST", one + "/cancel")[0] == 400)
    sim.ctl("location_set", location="TD 2", hidden=True)
    check("hidden", sim.td("GET", one)[0] == 404)
    sim.ctl("location_set", location="TD 2", hidden=False)
    sim.ctl("set", key="permissions", value={"read": False})
    check("revoked", sim.td("GET", "/reservations")[0] == 403)
    sim.ctl("set", key="permissions", value={"read": True})
    check("reasons", len(sim.td("GET", "/reservationCancellationReasons")
                         [1]["results"]) == 2)
    check("locations", len(sim.td("GET", "/reservableLocations")
                           [1]["results"]) >= 2)


def test_faults(sim):
    probe = "/operators/current/id"

    def cut():
        try:
            sim.td("POST", "/reservations", body)
        except (http.client.HTTPException, OSError):
            return True
        return False
    for kind, status in (("429", 429), ("429_no_retry", 429), ("503", 503),
                         ("500_html", 500), ("401", 401), ("redirect", 302)):
        sim.ctl("fault", kind=kind, endpoint="GET /operators/*",
                retry_after=3)
        s, j, h = sim.td("GET", probe)
        check("fault " + kind, s == status, s)
        check("Retry-After of " + kind, ("Retry-After" in h) ==
              (kind in ("429", "503")), dict(h))
        check("used up " + kind, sim.td("GET", probe)[0] == 200)
    room = sim.ctl("add_room", mailbox="f@sim.test", name="F")
    person = sim.ctl("add_person", email="f1@sim.test")
    body = {"requester": {"id": person["id"]},
            "plannedStartDate": "2027-03-10T08:00:00Z",
            "plannedEndDate": "2027-03-10T09:00:00Z",
            "reservedFacilities": [{"location": {"id": room["location"]}}],
            "externalLink": {"id": "orb1:cut", "type": "7301"}}
    for kind, left in (("cut_before", 0), ("cut_after", 1)):
        sim.ctl("fault", kind=kind, listener="topdesk",
                endpoint="POST /reservations")
        check(kind, cut())
        s, j = sim.query("externalLinks.id=='orb1:cut'")
        check("effect of " + kind, len(j["results"]) == left, j)
    sim.ctl("fault", kind="truncate", endpoint="GET /reservations")
    try:
        sim.td("GET", "/reservations")
        check("truncate", False)
    except (http.client.HTTPException, OSError):
        check("truncate", True)
    t = time.time()
    sim.ctl("fault", kind="delay", endpoint="GET /operators/*", ms=200)
    check("delay", sim.td("GET", probe)[0] == 200 and
          0.2 <= time.time() - t < 5)
    t = time.time()
    sim.ctl("fault", kind="slow", endpoint="GET /operators/*", ms=60)
    s, j, _ = sim.td("GET", probe)
    check("slow", s == 200 and "id" in j and time.time() - t > 0.12)
    sim.ctl("fault", kind="bad_json", endpoint="GET /operators/*")
    check("bad json", isinstance(sim.td("GET", probe)[1], bytes))
    sim.ctl("fault", kind="huge", endpoint="GET /operators/*")
    check("huge", len(json.dumps(sim.td("GET", probe)[1])) > 10 << 20)
    sim.ctl("fault", kind="410")
    url = "/users/strict@sim.test/calendarView/delta?" + WINDOW
    check("410", sim.graph("GET", url)[0] == 410)
    sim.ctl("fault", kind="foreign_nextlink")
    s, j, _ = sim.graph("GET", url)
    check("foreign link", j["@odata.deltaLink"].startswith(
        sim.conf["trap_url"]), j["@odata.deltaLink"])
    sim.ctl("counters_reset")
    sim.call("GET", j["@odata.deltaLink"], {"Authorization": "Bearer x"})
    v = sim.ctl("violations")
    check("the trap tells", any("another host" in t for t in
                                v["violations"]), v)
    sim.ctl("fault", kind="expired_token")
    check("expired token", sim.graph("GET", url)[0] == 401)
    sim.login()
    sim.ctl("fault", kind="503", count=-1, probability=0.5, seed=7)
    got = [sim.td("GET", probe)[0] for _ in range(40)]
    check("by chance", 5 < got.count(503) < 35, got)
    sim.ctl("faults_clear")
    sim.ctl("counters_reset")
    sim.call("GET", sim.conf["graph_url"] +
             "/users/strict@sim.test/calendarView?" + WINDOW,
             {"Authorization": "Bearer " + sim.token})
    v = sim.ctl("violations")
    check("Prefer is missed", v["count"] == 2, v)
    c = sim.ctl("counters")
    check("counted", c["listeners"]["graph"]["requests"] == 1 and
          c["listeners"]["graph"]["credentials"] == 1 and
          c["endpoints"][0]["count"] == 1, c)


def test_concurrency(sim):
    """Six at a time: seen, blamed, and refused when that is asked for."""
    sim.ctl("counters_reset")
    sim.ctl("set", key="latency_ms", value={"graph": 300})
    u = urllib.parse.urlsplit(sim.conf["graph_url"])

    def six():
        conns = [http.client.HTTPSConnection(u.hostname, u.port,
                                             context=sim.tls)
                 for _ in range(6)]
        for c in conns:
            c.connect()
        for c in conns:
            c.request("GET", "/v1.0/users/strict@sim.test/calendarView?" +
                      WINDOW, headers={
                          "Authorization": "Bearer " + sim.token,
                          "User-Agent": "selftest/1", "Accept": "*/*",
                          "Prefer": PREFER % 5})
        got = [c.getresponse().status for c in conns]
        for c in conns:
            c.close()
        return got
    check("six served", six() == [200] * 6)
    c = sim.ctl("counters")
    check("peaks", c["listeners"]["graph"]["peak_concurrency"] == 6 and
          c["mailbox_peak_concurrency"]["strict@sim.test"] == 6 and
          c["violations"] == 2, c)
    sim.ctl("set", key="enforce", value=True)
    check("throttled", six().count(429) == 2)
    sim.ctl("set", key="enforce", value=False)
    sim.ctl("set", key="latency_ms", value=0)


def test_compare(sim):
    t = time.time()
    b = sim.ctl("bulk_load", rooms=40, meetings_per_room=20, prefix="b-",
                start="2027-03-01T00:00:00Z")
    check("bulk", len(b["rooms"]) == 40 and b["meetings"] == 800 and
          b["bookings"] == 40 * (16 + 4 * 6), b["bookings"])
    print("# bulk of 800 meetings: %.0f ms" % ((time.time() - t) * 1000))
    win = {"from": "2027-02-01T00:00:00Z", "to": "2027-12-01T00:00:00Z"}
    c = sim.ctl("compare", link_type="7301", **win)
    check("unequal", not c["equal"] and
          c["missing_count"] >= b["bookings"], c["missing_count"])
    rows = sim.ctl("dump", side="exchange", **win)["rows"]
    before = c["missing_count"]
    ids = {}
    for r in [r for r in rows if r["room"] == b["rooms"][0]["mailbox"]]:
        if r["organiser"] not in ids:
            q = urllib.parse.urlencode(
                {"query": "email=='%s'" % r["organiser"]})
            _, j, _ = sim.td("GET", "/persons?" + q, Accept="application/"
                             "x.topdesk-collection-person-v2+json")
            ids[r["organiser"]] = j["item"][0]["id"]
        s, j, _ = sim.td("POST", "/reservations", {
            "requester": {"id": ids[r["organiser"]]},
            "plannedStartDate": r["start"], "plannedEndDate": r["end"],
            "reservedFacilities": [{"location": {"id": r["location"]}}],
            "externalLink": {"id": "orb1:" + str(uuid.uuid4()),
                             "type": "7301"}})
        check("mirrored", s == 201 and j["status"] == "planned", j)
    c = sim.ctl("compare", link_type="7301", **win)
    check("one room is equal", before - c["missing_count"] == 40 and
          c["different_count"] == 0 and c["duplicates_count"] == 0, c)

    sim.ctl("add_room", mailbox="ny@sim.test", name="NY",
            zone="Eastern Standard Time")
    day = sim.ctl("meeting_create", organiser="anna@sim.test", all_day=True,
                  rooms=["ny@sim.test"], start="2027-03-20T00:00:00",
                  end="2027-03-21T00:00:00", zone="W. Europe Standard Time")
    row = [r for r in sim.ctl("dump", side="exchange", **win)["rows"]
           if r["uid"] == day["uid"]][0]
    check("all-day is dates in the room's zone",
          row["start"] == "2027-03-20T04:00:00Z" and
          row["end"] == "2027-03-21T04:00:00Z", row)
    s, j, _ = sim.graph("GET", "/users/ny@sim.test/calendarView?" + WINDOW)
    check("all-day on the wire", j["value"][0]["start"] == {
        "dateTime": "2027-03-20T00:00:00.0000000", "timeZone": "UTC"} and
        j["value"][0]["isAllDay"], j)
    own = sim.ctl("meeting_create", organiser="ny@sim.test", subject="Direct",
                  start="2027-03-25T12:00:00Z", end="2027-03-25T13:00:00Z")
    ser = sim.ctl("meeting_create", organiser="anna@sim.test",
                  rooms=["ny@sim.test"], start="2027-04-05T14:00:00Z",
                  end="2027-04-05T15:00:00Z", subject="S", recurrence={
                      "pattern": {"type": "daily", "interval": 1},
                      "range": {"type": "endDate", "startDate": "2027-04-05",
                                "endDate": "2027-04-07"}})
    sim.ctl("occurrence_cancel", uid=ser["uid"],
            original_start="2027-04-06T14:00:00Z")
    sim.ctl("meeting_subject", uid=ser["uid"], subject="S2")
    rows = [(r["state"], r["original_start"])
            for r in sim.ctl("dump", side="exchange", **win)["rows"]
            if r["uid"] in (own["uid"], ser["uid"])]
    check("direct booking, and a cancelled occurrence that stays",
          sorted(rows, key=str) == [
              ("booked", "2027-04-05T14:00:00Z"),
              ("booked", "2027-04-07T14:00:00Z"), ("booked", None),
              ("cancelled", "2027-04-06T14:00:00Z")], rows)
    s, j, _ = sim.graph("GET", "/users/ny@sim.test/calendarView?" + WINDOW +
                        "&$select=type,isCancelled,showAs,subject,start,"
                        "isOrganizer")
    got = [(e["type"], e["isCancelled"], e["showAs"]) for e in j["value"]]
    check("as Graph shows them", got == [
        ("singleInstance", False, "busy"), ("singleInstance", False, "busy"),
        ("occurrence", False, "busy"), ("exception", True, "free"),
        ("occurrence", False, "busy")], got)
    check("help", len(sim.ctl("help")) > 30)
    check("unknown command", "error" in sim.ctl("nonsense"))


def main():
    sim = Sim(sys.argv[1], sys.argv[2:])
    try:
        for test in (test_tokens, test_exchange, test_rooms, test_batch,
                     test_write, test_topdesk, test_faults, test_concurrency,
                     test_compare):
            test(sim)
        for test in selftest_write.TESTS + selftest_both.TESTS:
            test(sim, check)
    finally:
        status = sim.end()
    check("ends cleanly", status == 0, status)
    for mode in ("selfsigned", "wronghost", "expired"):
        sim = Sim(sys.argv[1], sys.argv[2:], "--tls=" + mode)
        try:
            sim.call("GET", sim.conf["topdesk_url"] + "/version")
            check("TLS " + mode, False)
        except ssl.SSLError:
            check("TLS " + mode, True)
        sim.end()
    print("%d checks, %d failed" % (ran, len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
