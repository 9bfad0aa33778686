"""What TOPdesk does by people's hands, and both sides held together.

Each test is called with a running simulator and selftest.py's check().
"""
import datetime

from selftest_write import Box, PLAIN, TAG, WINDOW, at, body


def day(n, hour=8, minute=0):
    t = datetime.datetime.now(datetime.timezone.utc).replace(
        hour=hour, minute=minute, second=0, microsecond=0)
    return (t + datetime.timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


def find(sim, id):
    return sim.td("GET", "/reservations/" + id)[1]


def move(sim, id, n, hour, more=""):
    return sim.td("POST", "/reservations/%s/reschedule%s" % (id, more), {
        "plannedStartDate": day(n, hour),
        "plannedEndDate": day(n, hour + 1)})[:2]


def test_block_time(sim, check):
    """Gaps smaller than the block are overlaps; a conflict stays one."""
    room = sim.ctl("add_room", mailbox="b1@sim.test", name="B 1")
    sim.ctl("add_person", email="rose@sim.test")
    sim.ctl("location_set", location="B 1", block_minutes=15)

    def make(hour, minute):
        return sim.ctl("reservation_create", location="B 1",
                       requester="rose@sim.test", start=day(20, hour, minute),
                       end=day(20, hour + 1, minute))
    first = make(8, 0)
    f = find(sim, first["id"])["reservedFacilities"][0]
    check("block dates", (f["startDateBlock"], f["endDateBlock"]) ==
          (day(20, 7, 45), day(20, 9, 15)), f)
    second = make(9, 14)
    check("a gap of 14 minutes", second["status"] == "conflictingPlanned")
    check("a gap of 15 minutes", make(6, 45)["status"] == "planned")
    sim.ctl("reservation_cancel", id=first["id"])
    check("stays when the rival goes", find(sim, second["id"])["status"] ==
          "conflictingPlanned")
    s, j = move(sim, second["id"], 20, 10)
    check("until it is rescheduled", j["status"] == "planned", j)
    sim.ctl("set", key="conflict", value="refused")
    person = find(sim, second["id"])["requester"]
    check("requester", person["email"] == "rose@sim.test" and person["id"])
    s, j, _ = sim.td("POST", "/reservations", {
        "requester": {"id": person["id"]},
        "plannedStartDate": day(20, 9, 30),
        "plannedEndDate": day(20, 9, 50),
        "reservedFacilities": [{"location": {"id": room["location"]}}]})
    check("refused", s == 400 and j["errors"][0]["errorCode"], j)
    sim.ctl("set", key="conflict", value="stored")


def test_reservations_of_people(sim, check):
    """Several rooms, services, requests, issued, series, no e-mail."""
    for n in (2, 3):
        sim.ctl("add_room", mailbox="b%d@sim.test" % n, name="B %d" % n)
    two = sim.ctl("reservation_create", locations=["B 2", "B 3"],
                  requester="rose@sim.test", start=day(9), end=day(9, 9))
    j = find(sim, two["id"])
    check("two facilities", [f["location"]["name"] for f in
                             j["reservedFacilities"]] == ["B 2", "B 3"], j)
    ghost = sim.ctl("add_person", name="No Mail")
    r = sim.ctl("reservation_create", location="B 2", requester=ghost["id"],
                start=day(10), end=day(10, 9), series="s-1")
    j = find(sim, r["id"])
    check("no e-mail, in a series", j["requester"]["email"] is None and
          j["requester"]["id"] == ghost["id"] and j["series"] ==
          {"id": "s-1"}, j)
    r = sim.ctl("reservation_create", location="B 2", status="request",
                requester="rose@sim.test", start=day(11), end=day(11, 9))
    check("a request", find(sim, r["id"])["status"] == "request")
    sim.ctl("reservation_status", id=r["id"], status="approved")
    check("approved", find(sim, r["id"])["status"] == "planned")
    r = sim.ctl("reservation_create", location="B 2", status="request",
                requester="rose@sim.test", start=day(12), end=day(12, 9))
    sim.ctl("reservation_status", id=r["id"], status="rejected")
    check("rejected", find(sim, r["id"])["status"] == "rejectedRequest")
    check("a rejected one is at its end", "error" in sim.ctl(
        "reservation_status", id=r["id"], status="approved"))
    lunch = sim.ctl("reservation_create", location="B 3",
                    requester="rose@sim.test", start=day(3), end=day(3, 9),
                    services=[{"name": "Lunch", "lead_minutes": 5 * 1440,
                               "from_hour": 7, "to_hour": 14}])
    one = "/reservations/" + lunch["id"]
    j = find(sim, lunch["id"])["reservedFacilities"][0]["reservedServices"]
    check("a service", len(j) == 1 and j[0]["id"] != j[0]["serviceId"], j)
    s, j = move(sim, lunch["id"], 9, 9)
    check("lead time of what it leaves", s == 400 and
          j["errors"][0]["errorCode"], j)
    s, j, _ = sim.td("POST", one + "/cancel")
    check("cancel within the lead time", s == 400, j)
    s, j = move(sim, lunch["id"], 9, 10, "?allowPassedLeadTimes=true")
    check("allowed", s == 200, j)
    s, j = move(sim, lunch["id"], 9, 16)
    check("outside the service window", s == 400, j)
    s, j = move(sim, lunch["id"], 9, 16,
                "?allowServicesOutsideServiceWindow=true")
    check("allowed outside", s == 200, j)
    check("cancelled in time", sim.td("POST", one + "/cancel")[0] == 204)
    for what in ("issued", "archived"):
        sim.ctl("reservation_change", id=two["id"],
                issued=what == "issued", archived=what == "archived")
        check(what + " cannot be moved",
              move(sim, two["id"], 9, 12)[0] == 400)
        check(what + " cannot be cancelled", sim.td(
            "POST", "/reservations/%s/cancel" % two["id"])[0] == 400)
    sim.ctl("reservation_change", id=two["id"], archived=False)
    s, j, _ = sim.td("PATCH", "/reservations/" + two["id"], {
        "briefDescription": "New", "requester": {"id": ghost["id"]},
        "externalLink": {"id": "orb:1", "type": "7301"}})
    check("PATCH", s == 200 and j["briefDescription"] == "New" and
          j["requester"]["id"] == ghost["id"], j)
    s, j, _ = sim.td("PATCH", "/reservations/" + two["id"], {
        "externalLink": {"id": "orb:2", "type": "7301"}})
    check("a link once only", s == 400 and j["errors"][0]["errorCode"], j)


def test_equality(sim, check):
    """compare, in both directions, with what is doubled on either side."""
    for n in (1, 2):
        sim.ctl("add_room", mailbox="e%d@sim.test" % n, name="E %d" % n,
                settings=PLAIN)
    orb = Box(sim, "orb@sim.test")
    win = {"from": "2027-04-01T00:00:00Z", "to": "2027-04-30T00:00:00Z"}

    def compare():
        j = sim.ctl("compare", **win)

        def here(row):
            return any((row.get(k) or {}).get(f, "").startswith("e")
                       for k, f in (("booking", "room"),)) or \
                (row.get("reservation") or {}).get("location") in places
        return {k: [r.get("what") for r in j[k] if here(r)]
                for k in ("missing", "extra", "different", "duplicates")}, j
    places = [sim.ctl("add_room", mailbox="e%d@sim.test" % n)["location"]
              for n in (1, 2)]
    none = {"missing": [], "extra": [], "different": [], "duplicates": []}

    def reserve(hour, **more):
        return sim.ctl("reservation_create", requester="rose@sim.test",
                       start="2027-04-14T%02d:00:00Z" % hour,
                       end="2027-04-14T%02d:00:00Z" % (hour + 1),
                       **{"locations": ["E 1", "E 2"], **more})
    both = reserve(8)
    check("a reservation without a meeting", compare()[0] ==
          {**none, "extra": [None, None]}, compare()[0])
    b = body(14, 8, "e1@sim.test", ("rose@sim.test",))
    b["attendees"].append({"type": "resource", "emailAddress": {
        "address": "e2@sim.test"}})
    tag = {"singleValueExtendedProperties": [
        {"id": TAG, "value": "topdesk:" + both["id"]}]}
    e = orb.post({**b, **tag})[1]
    check("two rooms of one reservation, booked for somebody",
          compare()[0] == none, compare()[0])
    before = compare()[1]["duplicate_tags"]
    t = orb.post(body(20, 8, "e1@sim.test", **tag))[1]
    check("the same tag twice", compare()[1]["duplicate_tags"] == before + 1)
    orb.delete(t["id"])
    sim.ctl("reservation_move", id=both["id"], start="2027-04-14T08:30:00Z",
            end="2027-04-14T09:30:00Z")
    check("another time", compare()[0] ==
          {**none, "different": ["time", "time"]}, compare()[0])
    orb.patch(e["id"], {"start": at(14, 8, 30), "end": at(14, 9, 30)})
    check("equal again", compare()[0] == none, compare()[0])
    sim.ctl("location_set", location="E 1", block_minutes=0)
    links = compare()[1]["duplicate_links"]
    for hour in (12, 14):
        reserve(hour, locations=["E 1"], link_id="orb:twice",
                link_type="7301")
    got, j = compare()
    check("the same link twice", j["duplicate_links"] == links + 1 and
          got["duplicates"] == ["link"] and got["extra"] == [None, None], got)
    check("not equal", j["equal"] is False)


def test_zones(sim, check):
    """Names nobody knows, and clocks that change on dates of their own."""
    sim.ctl("add_room", mailbox="z1@sim.test", name="Z 1", settings={
        **PLAIN, "allow_conflicts": True})
    room = Box(sim, "z1@sim.test")
    for name in ("tzone://Microsoft/Custom", "(GMT+01:00) Amsterdam", "",
                 "Mitteleurop\u00e4ische Zeit"):
        m = sim.ctl("meeting_create", organiser="anna@sim.test",
                    rooms=["z1@sim.test"], start="2027-04-06T10:00:00",
                    end="2027-04-06T11:00:00",
                    zone="W. Europe Standard Time", zone_name_shown=name)
        j = room.find("iCalUId eq '%s'" % m["uid"])[1]["value"][0]
        check("zone %r is shown, times are UTC" % name,
              j["originalStartTimeZone"] == name and
              j["start"] == {"dateTime": "2027-04-06T08:00:00.0000000",
                             "timeZone": name}, j)
    # (zone, first date, interval in days, the UTC hours of 09:00 there)
    for zone, start, step, hours in (
            ("America/Sao_Paulo", "2018-11-01", 7, [12, 11, 11]),
            ("E. South America Standard Time", "2027-10-15", 14, [12, 12]),
            ("Pacific SA Standard Time", "2027-04-01", 7, [12, 13]),
            ("America/New_York", "2027-03-08", 7, [14, 13]),
            ("Asia/Tehran", "2022-03-15", 14, [5.5, 4.5]),
            ("Iran Standard Time", "2027-03-15", 14, [5.5, 5.5]),
            ("Morocco Standard Time", "2025-02-20", 7, [8, 9]),
            ("Lord Howe Standard Time", "2027-03-29", 7, [-2, -1.5])):
        m = sim.ctl("meeting_create", organiser="anna@sim.test",
                    rooms=["z1@sim.test"], start=start + "T09:00:00",
                    end=start + "T09:30:00", zone=zone, recurrence={
                        "pattern": {"type": "daily", "interval": step},
                        "range": {"type": "numbered", "startDate": start,
                                  "numberOfOccurrences": len(hours)}})
        check("known: " + zone, "uid" in m, m)
        copy = room.find("iCalUId eq '%s'" % m["uid"])[1]["value"]
        day0 = datetime.datetime.fromisoformat(start)
        rows = sim.graph("GET", room.one(copy[0]["id"], "/instances?" +
                         "startDateTime=%sT00:00:00Z&endDateTime=%sT00:00:00Z"
                         % ((day0 - datetime.timedelta(2)).date(),
                            (day0 + datetime.timedelta(90)).date())))[1][
            "value"] if copy else []
        got = [(datetime.datetime.fromisoformat(r["start"]["dateTime"][:19]) -
                day0 - datetime.timedelta(days=step * n)).total_seconds() /
               3600 for n, r in enumerate(rows)]
        check("clocks of " + zone, got == hours, got)
    check("the view has them all", len(room.view(WINDOW)) >= 4)


TESTS = (test_block_time, test_reservations_of_people, test_equality,
         test_zones)
