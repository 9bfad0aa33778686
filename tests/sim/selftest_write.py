"""What an organiser, a room and their mails must do over Graph.

Each test is called with a running simulator and selftest.py's check().
"""
import datetime
import time
import urllib.parse

WINDOW = "startDateTime=2027-03-01T00:00:00Z&endDateTime=2027-05-01T00:00:00Z"
TAG = "String {8e2f0a11-1111-4222-8333-444455556666} Name OrbId"
ZONE = "W. Europe Standard Time"
PLAIN = {"add_organizer_to_subject": False, "delete_subject": False,
         "booking_window_days": 1080}


def quoted(s):
    return urllib.parse.quote(s, safe="")


def at(day, hour, minute=0):
    return {"dateTime": "2027-04-%02dT%02d:%02d:00" % (day, hour, minute),
            "timeZone": "UTC"}


def body(day, hour, room, people=(), **more):
    guests = [{"type": "required", "emailAddress": {"address": p}}
              for p in people]
    if room:
        guests.append({"type": "resource", "emailAddress": {"address": room}})
    b = {"subject": "From TOPdesk", "start": at(day, hour),
         "end": at(day, hour + 1), "attendees": guests}
    b.update(more)
    return b


class Box:
    """One mailbox, as the product's app sees it."""

    def __init__(self, sim, email):
        self.sim = sim
        self.email = email
        self.base = "/users/%s/events" % email

    def one(self, event, tail=""):
        return self.base + "/" + quoted(event) + tail

    def post(self, b):
        return self.sim.graph("POST", self.base, b)[:2]

    def patch(self, event, b, **headers):
        return self.sim.graph("PATCH", self.one(event), b, **headers)[:2]

    def get(self, event, args=""):
        return self.sim.graph("GET", self.one(event) + args)[:2]

    def act(self, event, verb, b=None):
        return self.sim.graph("POST", self.one(event, "/" + verb),
                              b if b is not None else {})[:2]

    def delete(self, event):
        return self.sim.graph("DELETE", self.one(event))[0]

    def view(self, window=WINDOW):
        """The whole calendarView, following its pages."""
        rows, url = [], "/users/%s/calendarView?%s&$top=200" % (self.email,
                                                                window)
        while url:
            s, j, _ = self.sim.graph("GET", url)
            if s != 200:
                return j
            rows += j["value"]
            url = j.get("@odata.nextLink")
        return rows

    def find(self, text, more=""):
        return self.sim.graph("GET", self.base + "?$filter=" + quoted(text) +
                              more)[:2]

    def status(self, event, who):
        """What the organiser knows of somebody's answer."""
        return [a["status"] for a in self.get(event)[1]["attendees"]
                if a["emailAddress"]["address"] == who][0]


class Mails:
    """What was sent since this was made."""

    def __init__(self, sim):
        self.sim = sim
        self.next = sim.ctl("mails", since=1 << 30)["total"]

    def new(self):
        j = self.sim.ctl("mails", since=self.next)
        self.next = j["next"]
        return sorted((m["kind"], m["to"].split("@")[0]) for m in j["list"])


def test_three_mailboxes(sim, check):
    """A reservation as a meeting of each of the three kinds of mailbox."""
    room = "w1@sim.test"
    sim.ctl("add_room", mailbox=room, name="W 1", settings=PLAIN)
    sim.ctl("add_person", email="rose@sim.test")
    sim.ctl("set", key="service_mailbox", value="orb@sim.test")
    mails = Mails(sim)
    kinds = (("rose@sim.test", room, ()),
             ("orb@sim.test", room, ("rose@sim.test",)),
             (room, None, ("rose@sim.test",)))
    want = ([("invitation", "w1"), ("response", "rose")],
            [("invitation", "rose"), ("invitation", "w1"),
             ("response", "orb")],
            [("invitation", "rose")])
    for n, (owner, invited, people) in enumerate(kinds):
        s, j = Box(sim, owner).post(body(6, 8 + n, invited, people))
        check("made in " + owner, s == 201 and j["isOrganizer"], (s, j))
        check("mails of one made in " + owner, mails.new() == want[n])
        rows = [r for r in Box(sim, room).view()
                if r["iCalUId"] == j["iCalUId"]]
        check("in the room, made in " + owner, len(rows) == 1 and
              rows[0]["isOrganizer"] == (owner == room) and
              rows[0]["organizer"]["emailAddress"]["address"] == owner and
              rows[0]["responseStatus"]["response"] ==
              ("organizer" if owner == room else "accepted"), rows)
        if invited:
            st = Box(sim, owner).status(j["id"], room)
            check("answer and its time", st["response"] == "accepted" and
                  not st["time"].startswith("0001"), st)
    s, j = Box(sim, room).post(body(6, 8, None))
    check("no policy for what is made in the room itself", s == 201 and
          len(Box(sim, room).view()) == 4 and mails.new() == [], j)


def test_room_policy(sim, check):
    """Accepts late, declines what it must, tentative when it may not."""
    room, orb = Box(sim, "w2@sim.test"), Box(sim, "orb@sim.test")
    sim.ctl("add_room", mailbox=room.email, name="W 2", settings={
        **PLAIN, "accept_delay_ms": 200})
    delta = "/users/%s/calendarView/delta?%s" % (room.email, WINDOW)
    first = orb.post(body(6, 8, room.email))[1]
    check("not yet answered", orb.status(first["id"], room.email) ==
          {"response": "none", "time": "0001-01-01T00:00:00Z"})
    second = orb.post(body(6, 8, room.email))[1]
    rows, _, link = sim.delta(delta)
    check("both are tentative first", [r["showAs"] for r in rows] ==
          ["tentative"] * 2, rows)
    loser = [r for r in rows if r["iCalUId"] == second["iCalUId"]][0]["id"]
    time.sleep(0.4)
    rows, _, _ = sim.delta(link)
    check("then one is accepted and one is gone", sorted(
        "removed" if "@removed" in r else r["showAs"] for r in rows) ==
        ["busy", "removed"], rows)
    check("what was declined is 404", room.get(loser)[0] == 404)
    got = [orb.status(e["id"], room.email)["response"]
           for e in (first, second)]
    check("both answers reach the organiser", got == ["accepted", "declined"],
          got)
    check("an answer changes the etag", orb.patch(
        first["id"], {"subject": "X"}, **{"If-Match": first["@odata.etag"]})
        [0] == 412)

    def ask(day, hour, email, **more):
        j = orb.post(body(day, hour, email, **more))[1]
        return orb.status(j["id"], email)["response"]

    sim.ctl("add_room", mailbox="w3@sim.test", name="W 3", settings={
        **PLAIN, "booking_window_days": 30, "maximum_duration_minutes": 120})
    now = datetime.datetime.now(datetime.timezone.utc).replace(
        minute=0, second=0, microsecond=0)

    def span(days, minutes):
        start = now + datetime.timedelta(days=days)
        end = start + datetime.timedelta(minutes=minutes)
        return {k: {"dateTime": t.strftime("%Y-%m-%dT%H:%M:%S"),
                    "timeZone": "UTC"} for k, t in (("start", start),
                                                    ("end", end))}

    def daily(days, until):
        day = now + datetime.timedelta(days=days)
        last = day + datetime.timedelta(days=until)
        return {"pattern": {"type": "daily", "interval": 1}, "range": {
            "type": "endDate", "startDate": day.strftime("%Y-%m-%d"),
            "endDate": last.strftime("%Y-%m-%d")}}
    for name, more, want in (
            ("within all limits", span(2, 120), "accepted"),
            ("too long", span(3, 121), "declined"),
            ("too far ahead", span(32, 60), "declined"),
            ("a series within", {**span(4, 30), "recurrence": daily(4, 5)},
             "accepted"),
            ("a series beyond", {**span(10, 30), "recurrence": daily(10, 40)},
             "declined"),
            ("endless", {**span(10, 30), "recurrence": {
                "pattern": {"type": "daily", "interval": 1},
                "range": {"type": "noEnd", "startDate": (
                    now + datetime.timedelta(days=10)).strftime(
                        "%Y-%m-%d")}}}, "declined")):
        got = ask(1, 1, "w3@sim.test", **more)
        check("room policy: " + name, got == want, got)
    sim.ctl("add_room", mailbox="w3@sim.test",
            settings={"enforce_horizon": False})
    got = ask(1, 1, "w3@sim.test", **span(20, 30), recurrence=daily(20, 40))
    window = "startDateTime=%s&endDateTime=%s" % tuple(
        (now + datetime.timedelta(days=d)).strftime("%Y-%m-%dT%H:%M:%SZ")
        for d in (18, 80))
    rows = Box(sim, "w3@sim.test").view(window)
    check("a series cut at the window", got == "accepted" and
          10 <= len(rows) <= 12, (got, len(rows)))

    sim.ctl("add_room", mailbox="w4@sim.test", name="W 4", settings={
        **PLAIN, "auto_accept": False})
    for _ in range(2):
        check("tentative, without a check", ask(6, 8, "w4@sim.test") ==
              "tentativelyAccepted")
    check("in the room as tentative", [r["showAs"] for r in Box(
        sim, "w4@sim.test").view()] == ["tentative"] * 2)
    sim.ctl("add_room", mailbox="w4@sim.test", settings={"silent": True})
    check("no answer at all", ask(7, 8, "w4@sim.test") == "none")


def test_look_ups(sim, check):
    """By tag, by iCalUId, in pages, inside a batch; strangers and secrets."""
    orb = Box(sim, "orb@sim.test")
    ids = []
    for n in range(12):
        s, j = orb.post(body(10 + n, 8, "w1@sim.test", (
            "rose@sim.test",), singleValueExtendedProperties=[
                {"id": TAG, "value": "topdesk:same"},
                {"id": TAG + "2", "value": "other"}]))
        ids.append(j["id"])
    one = j
    f = "singleValueExtendedProperties/Any(ep: ep/id eq '%s' and " \
        "ep/value eq 'TOPDESK:same')" % TAG
    ex = "&$select=id&$expand=" + quoted(
        "singleValueExtendedProperties($filter=id eq '%s')" % TAG)
    s, j = orb.find(f, ex + "&$top=7")
    check("a page", s == 200 and len(j["value"]) == 7 and
          "@odata.nextLink" in j, j)
    s, k, _ = sim.graph("GET", j["@odata.nextLink"])
    rows = j["value"] + k["value"]
    check("all by tag", s == 200 and "@odata.nextLink" not in k and
          sorted(r["id"] for r in rows) == sorted(ids), k)
    check("only the property asked for", all(
        r["singleValueExtendedProperties"] == [
            {"id": TAG, "value": "topdesk:same"}] and "subject" not in r
        for r in rows), rows[0])
    s, j = orb.find(f, "&$select=id")
    check("none without $expand",
          "singleValueExtendedProperties" not in j["value"][0], j["value"][0])
    s, j = orb.find("iCalUId eq '%s'" % one["iCalUId"])
    check("by iCalUId", [r["id"] for r in j["value"]] == [one["id"]], j)
    room = Box(sim, "w1@sim.test")
    s, j = room.find("iCalUId eq '%s'" % one["iCalUId"])
    check("by iCalUId in the room", len(j["value"]) == 1 and
          not j["value"][0]["isOrganizer"], j)
    s, j = room.find(f)
    check("no tag in the room's copy", j["value"] == [], j)
    s, j = orb.get(one["id"], "?$expand=singleValueExtendedProperties")
    check("$expand needs a filter", s == 400, (s, j))
    prefer = {"Prefer": 'outlook.timezone="UTC", IdType="ImmutableId"'}

    def part(n, method, url, b=None):
        p = {"id": n, "method": method, "url": url, "headers": dict(prefer)}
        if b is not None:
            p["headers"]["Content-Type"] = "application/json"
            p["body"] = b
        return p
    copy = room.find("iCalUId eq '%s'" % one["iCalUId"])[1]["value"][0]
    sim.ctl("set", key="out_of_scope", value=["boss@sim.test"])
    s, j, _ = sim.graph("POST", "/$batch", {"requests": [
        part("find", "GET", orb.base + "?$select=id&$filter=" + quoted(f)),
        part("post", "POST", orb.base, body(3, 8, "w1@sim.test")),
        part("patch", "PATCH", orb.one(ids[0]), {"subject": "B"}),
        part("decline", "POST", room.one(copy["id"], "/decline"),
             {"comment": "taken", "sendResponse": True}),
        part("delete", "DELETE", orb.one(ids[1])),
        part("cancel", "POST", orb.one(ids[2], "/cancel"), {"comment": "x"}),
        part("view", "GET", "/users/rose@sim.test/calendarView?" + WINDOW),
        part("nobody", "POST", "/users/nobody@sim.test/events",
             body(3, 8, None)),
        part("boss", "POST", "/users/boss@sim.test/events",
             body(3, 8, None))]})
    got = {r["id"]: r["status"] for r in j["responses"]}
    check("all of it in a batch", got == {
        "find": 200, "post": 201, "patch": 200, "decline": 202,
        "delete": 204, "cancel": 202, "view": 200, "nobody": 404,
        "boss": 403}, j)
    codes = {r["id"]: r["body"]["error"]["code"] for r in j["responses"]
             if r["status"] >= 400}
    check("their codes", codes == {"nobody": "ErrorInvalidUser",
                                   "boss": "ErrorAccessDenied"}, codes)


def test_transactions(sim, check):
    """A transactionId that comes again."""
    orb = Box(sim, "orb@sim.test")
    b = body(2, 8, "w1@sim.test", transactionId="again")
    first = orb.post(b)[1]
    mails = Mails(sim)
    for value, status in (("same", 201), ("409", 409), ("400", 400)):
        sim.ctl("set", key="duplicate_transaction", value=value)
        s, j = orb.post(b)
        check("duplicate: " + value, s == status and (
            j["id"] == first["id"] if s == 201 else
            j["error"]["code"] == "ErrorDuplicateTransactionId"), (s, j))
    check("and nobody hears of it", mails.new() == [])
    s, j = Box(sim, "rose@sim.test").post(b)
    check("another mailbox, another transaction", s == 201, (s, j))
    sim.ctl("set", key="duplicate_transaction", value="same")
    check("deleted", orb.delete(first["id"]) == 204 and
          orb.delete(first["id"]) == 404)
    s, j = orb.post(b)
    check("a deleted one does not come back", s == 201 and
          j["id"] != first["id"], j)
    rows = len(orb.view())
    for bad in ({"end": at(1, 8)}, {"start": {"dateTime": "x"}},
                {"attendees": [{"emailAddress": {"address": "nobody"}}]},
                {"start": {"dateTime": "2027-04-01T08:00:00",
                           "timeZone": "No Such Zone"}}):
        s, _ = orb.post(body(2, 12, None, **bad))
        check("refused %s" % list(bad)[0], s == 400, s)
        s, _ = orb.patch(j["id"], {"subject": "half", **bad})
        check("no half of a PATCH with bad %s" % list(bad)[0], s == 400 and
              orb.get(j["id"])[1]["subject"] == "From TOPdesk", s)
    check("nothing left behind", len(orb.view()) == rows)
    s, _ = orb.patch(j["id"], {"subject": "Y"}, **{
        "If-Match": first["@odata.etag"]})
    check("412", s == 412, s)


def series(sim, owner, room, day, count=4, **more):
    b = body(day, 8, room, recurrence={
        "pattern": {"type": "daily", "interval": 2},
        "range": {"type": "numbered", "startDate": "2027-04-%02d" % day,
                  "numberOfOccurrences": count}}, **more)
    return Box(sim, owner).post(b)[1]


def instances(box, master):
    s, j, _ = box.sim.graph("GET", box.one(master, "/instances?" + WINDOW +
                                           "&$top=100"))
    return sorted(j["value"], key=lambda e: e["start"]["dateTime"])


def test_occurrences(sim, check):
    """One date of a series: moved, crossing, cancelled, declined."""
    sim.ctl("add_room", mailbox="w5@sim.test", name="W 5", settings=PLAIN)
    orb, room = Box(sim, "orb@sim.test"), Box(sim, "w5@sim.test")
    master = series(sim, "orb@sim.test", "w5@sim.test", 5)
    mails = Mails(sim)
    dates = instances(orb, master["id"])
    check("four dates", [d["start"]["dateTime"][8:10] for d in dates] ==
          ["05", "07", "09", "11"], dates)
    s, j = orb.patch(dates[1]["id"], {"start": at(8, 10), "end": at(8, 11)})
    check("becomes an exception", s == 200 and j["type"] == "exception" and
          j["start"]["dateTime"].startswith("2027-04-08T10") and
          j["seriesMasterId"] == master["id"], j)
    check("told once", mails.new() == [("response", "orb"), ("update", "w5")])
    for name, start in (("past the next", 10), ("onto the last", 5)):
        s, j = orb.patch(dates[1]["id"], {"start": at(start, 7),
                                          "end": at(start, 8, 30)})
        check("crossing: " + name, (s, j["error"]["code"]) ==
              (400, "ErrorOccurrenceCrossingBoundary") if start == 5 else
              s == 400, j)
    check("nothing is sent for what is refused", mails.new() == [])
    theirs = instances(room, room.find("iCalUId eq '%s'" %
                                       master["iCalUId"])[1]["value"][0]["id"])
    check("the room has it moved", theirs[1]["start"] == at(8, 10) |
          {"dateTime": "2027-04-08T10:00:00.0000000"}, theirs[1]["start"])
    blocker = orb.post(body(9, 12, "w5@sim.test"))[1]
    mails.new()
    s, j = orb.patch(dates[2]["id"], {"start": at(9, 12), "end": at(9, 13)})
    check("a taken time: the organiser's moves", s == 200, j)
    check(".. the room declines that date", [
        a["status"]["response"] for a in orb.get(dates[2]["id"])[1][
            "attendees"]] == ["declined"] and orb.status(
                master["id"], "w5@sim.test")["response"] == "accepted")
    check(".. and has it no more", room.get(theirs[2]["id"])[0] == 404)
    check("update and decline", mails.new() == [("response", "orb"),
                                                ("update", "w5")])
    orb.patch(master["id"], {"subject": "Other"})
    check("still not in the room after an update",
          room.get(theirs[2]["id"])[0] == 404)
    check("one update, and one more for each exception", mails.new() ==
          [("update", "w5")] * 3)
    check("blocker is deleted", orb.delete(blocker["id"]) == 204)
    s, _ = orb.act(dates[3]["id"], "cancel", {"comment": "gone"})
    check("cancel of one date", s == 202 and
          orb.get(dates[3]["id"])[0] == 404)
    s, j = room.get(theirs[3]["id"])
    check("the room keeps it as cancelled", s == 200 and j["isCancelled"] and
          j["type"] == "exception", j)
    mails.new()
    s, j = orb.patch(master["id"], {"attendees": []})
    check("a series without its room", s == 200 and
          mails.new() == [("cancellation", "w5")], j)


def test_replies(sim, check):
    """What the room's copy can answer."""
    sim.ctl("add_room", mailbox="w6@sim.test", name="W 6", settings=PLAIN)
    rose, room = Box(sim, "rose@sim.test"), Box(sim, "w6@sim.test")

    def copy(e):
        return room.find("iCalUId eq '%s'" % e["iCalUId"])[1]["value"][0]
    one = rose.post(body(5, 8, "w6@sim.test"))[1]
    mine = copy(one)["id"]
    mails = Mails(sim)
    delta = "/users/%s/calendarView/delta?%s" % (room.email, WINDOW)
    _, _, link = sim.delta(delta)
    for verb, says in (("tentativelyAccept", "tentativelyAccepted"),
                       ("accept", "accepted")):
        s, _ = room.act(mine, verb, {"comment": "", "sendResponse": True})
        check(verb, s == 202 and rose.status(one["id"], room.email)[
            "response"] == says and mails.new() == [("response", "rose")])
    s, j = rose.act(one["id"], "decline")
    check("not the organiser", (s, j["error"]["code"]) ==
          (400, "ErrorInvalidRequest"), j)
    s, j = room.act(mine, "cancel", {"comment": "x"})
    check("not the room", (s, j["error"]["code"]) ==
          (400, "ErrorInvalidRequest"), j)
    s, j = room.patch(mine, {"subject": "x"})
    check("nor a change", s == 400, j)
    s, _ = room.act(mine, "decline", {"comment": "taken in TOPdesk"})
    rows, _, link = sim.delta(link)
    check("decline of a single one", s == 202 and room.get(mine)[0] == 404 and
          rows == [{"@odata.type": "#microsoft.graph.event", "id": mine,
                    "@removed": {"reason": "deleted"}}], rows)
    check("the organiser knows, by one mail", rose.status(
        one["id"], room.email)["response"] == "declined" and
        mails.new() == [("response", "rose")])
    check("declined once", room.act(mine, "decline")[0] == 404)
    s, j = rose.patch(one["id"], {"start": at(5, 10), "end": at(5, 11)})
    check("asked again at another time", rose.status(
        one["id"], room.email)["response"] == "accepted" and mails.new() ==
        [("response", "rose"), ("update", "w6")])
    s, _ = room.act(copy(one)["id"], "decline", {"sendResponse": False})
    check("without a word", s == 202 and mails.new() == [] and rose.status(
        one["id"], room.email)["response"] == "accepted" and
        all(r["iCalUId"] != one["iCalUId"] for r in room.view()))

    many = series(sim, "rose@sim.test", "w6@sim.test", 12)
    mine = copy(many)
    dates = instances(room, mine["id"])
    rose_dates = instances(rose, many["id"])
    rose.patch(rose_dates[2]["id"], {"start": at(16, 14), "end": at(16, 15)})
    dates = instances(room, mine["id"])
    mails.new()
    for n, kind in ((1, "occurrence"), (2, "exception")):
        check("is an " + kind, dates[n]["type"] == kind)
        s, _ = room.act(dates[n]["id"], "decline", {"comment": "no"})
        check("decline of an " + kind, s == 202 and
              room.get(dates[n]["id"])[0] == 404 and
              mails.new() == [("response", "rose")], s)
        got = rose.get(rose_dates[n]["id"])[1]["attendees"][0]["status"]
        check("the organiser sees it at that date", got["response"] ==
              "declined", got)
    check("and nowhere else", rose.status(many["id"], room.email)[
        "response"] == "accepted" and len(instances(room, mine["id"])) == 2)
    s, j = room.get(mine["id"], "?$select=id,cancelledOccurrences")
    check("cancelledOccurrences of the room's copy",
          len(j["cancelledOccurrences"]) == 2, j)
    check("DELETE of one date in the room", room.delete(dates[3]["id"]) == 204
          and len(instances(rose, many["id"])) == 4 and
          len(instances(room, mine["id"])) == 1 and mails.new() == [])
    s, _ = room.act(mine["id"], "decline", {"comment": "all of it"})
    check("decline of a series", s == 202 and room.get(mine["id"])[0] == 404
          and rose.status(many["id"], room.email)["response"] == "declined"
          and mails.new() == [("response", "rose")])
    other = rose.post(body(20, 8, "w6@sim.test", responseRequested=False))[1]
    s, j = room.act(copy(other)["id"], "decline", {"sendResponse": True})
    check("no response was requested", s == 400, j)
    s, j = room.act(copy(other)["id"], "decline", {"sendResponse": False})
    check("so none is sent", s == 202, j)


def test_mails(sim, check):
    """One message for each who must hear of it, and no other."""
    sim.ctl("add_room", mailbox="w7@sim.test", name="W 7", settings={
        **PLAIN, "silent": True})
    sim.ctl("add_room", mailbox="w8@sim.test", name="W 8", settings={
        **PLAIN, "silent": True})
    orb = Box(sim, "orb@sim.test")
    sim.ctl("mails_reset")
    mails = Mails(sim)
    b = body(25, 8, "w7@sim.test", ("rose@sim.test", "anna@sim.test"))
    e = orb.post(b)[1]["id"]
    check("one invitation each", mails.new() == [
        ("invitation", "anna"), ("invitation", "rose"), ("invitation", "w7")])
    for name, change in (("times", {"start": at(25, 9), "end": at(25, 10)}),
                         ("subject", {"subject": "S"}),
                         ("location", {"location": {"displayName": "L"}})):
        orb.patch(e, change)
        check("one update each: " + name, mails.new() == [
            ("update", "anna"), ("update", "rose"), ("update", "w7")])
    orb.patch(e, {"singleValueExtendedProperties": [
        {"id": TAG, "value": "v"}], "isReminderOn": False})
    check("a tag is nobody's business", mails.new() == [])
    orb.patch(e, {"attendees": body(25, 8, "w8@sim.test", (
        "rose@sim.test", "bert@sim.test"))["attendees"]})
    check("only those who changed", mails.new() == [
        ("cancellation", "anna"), ("cancellation", "w7"),
        ("invitation", "bert"), ("invitation", "w8")])
    orb.patch(e, {"attendees": body(25, 8, "w8@sim.test", (
        "rose@sim.test",))["attendees"], "start": at(25, 9),
        "end": at(25, 11)})
    check("both at once", mails.new() == [
        ("cancellation", "bert"), ("update", "rose"), ("update", "w8")])
    orb.act(e, "cancel", {"comment": "over"})
    check("one cancellation each", mails.new() == [
        ("cancellation", "rose"), ("cancellation", "w8")])
    e = orb.post(body(26, 8, None))[1]["id"]
    orb.patch(e, {"subject": "alone"})
    orb.delete(e)
    check("nobody invited, nobody told", mails.new() == [])
    m = sim.ctl("meeting_create", organiser="anna@sim.test", subject="P",
                start="2027-04-27T08:00:00Z", end="2027-04-27T09:00:00Z",
                rooms=["w7@sim.test"], attendees=["bert@sim.test"])
    sim.ctl("meeting_respond", uid=m["uid"], room="bert@sim.test",
            response="accepted")
    sim.ctl("meeting_delete", uid=m["uid"])
    check("people in Outlook, too; no trace, no mail", mails.new() == [
        ("invitation", "bert"), ("invitation", "w7"), ("response", "anna")])
    j = sim.ctl("mails")
    check("sums", j["total"] == j["to_people"] + j["to_rooms"] ==
          sum(j["by_kind"].values()) == len(j["list"]) and
          j["to_rooms"] == sum(j["rooms_by_kind"].values()) == 9 and
          j["people_by_kind"]["invitation"] == 4, j)
    check("reset", sim.ctl("mails_reset") == {"ok": True} and
          sim.ctl("mails")["total"] == 0)


TESTS = (test_three_mailboxes, test_room_policy, test_look_ups,
         test_transactions, test_occurrences, test_replies, test_mails)
