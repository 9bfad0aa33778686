#!/usr/bin/env python3
"""orb-sim's EWS on the wire: what a good client never sends, and the ways in
which a server says no.

Here: SOAP written by hand.  Not here: what exchangelib can ask
(test_exchangelib.py).
"""
import base64
import http.client
import os
import re
import shutil
import ssl
import tempfile
import unittest
import urllib.parse

import orbtest
import tap

ROOM, ANNA = "room1@sim.test", "anna@sim.test"
NAMESPACES = (
    'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"')
CALENDAR = '<t:DistinguishedFolderId Id="calendar"/>'
ID_ONLY = "<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"


def shape(*fields):
    return ("<m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
            "<t:AdditionalProperties>%s</t:AdditionalProperties>"
            "</m:ItemShape>" % "".join(
                '<t:FieldURI FieldURI="%s"/>' % f for f in fields))


def sync(state="", max_changes=100):
    return ("<m:SyncFolderItems>%s<m:SyncFolderId>%s</m:SyncFolderId>%s"
            "<m:MaxChangesReturned>%d</m:MaxChangesReturned>"
            "</m:SyncFolderItems>" % (
                ID_ONLY, CALENDAR, state and
                "<m:SyncState>%s</m:SyncState>" % state, max_changes))


def find(start, end, most=500, item_shape=ID_ONLY):
    return ('<m:FindItem Traversal="Shallow">%s<m:CalendarView '
            'MaxEntriesReturned="%d" StartDate="%s" EndDate="%s"/>'
            "<m:ParentFolderIds>%s</m:ParentFolderIds></m:FindItem>" % (
                item_shape, most, start, end, CALENDAR))


def get(item, item_shape=ID_ONLY):
    return ("<m:GetItem>%s<m:ItemIds>%s</m:ItemIds></m:GetItem>"
            % (item_shape, item))


def create(inner, send=' SendMeetingInvitations="SendToAllAndSaveCopy"'):
    return ("<m:CreateItem%s><m:SavedItemFolderId>%s</m:SavedItemFolderId>"
            "<m:Items><t:CalendarItem>%s</t:CalendarItem></m:Items>"
            "</m:CreateItem>" % (send, CALENDAR, inner))


def times(day, zone=""):
    text = ("<t:Start>%sT10:00:00%s</t:Start><t:End>%sT11:00:00%s</t:End>")
    return text % (day, zone, day, zone)


class Wire(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="orb-ews-")
        cls.addClassCleanup(shutil.rmtree, cls.dir)
        cls.sim = orbtest.Sim(os.path.join(cls.dir, "sim"))
        cls.addClassCleanup(cls.sim.stop)
        facts = cls.sim.facts
        cls.tls = ssl.create_default_context(cafile=facts["ca_file"])
        cls.url = urllib.parse.urlsplit(facts["ews_url"])
        cls.login = "%s:%s" % (facts["ews_login"],
                               orbtest.read(facts["ews_password"]))
        cls.sim.add_room(mailbox=ROOM, name="Room 1")
        cls.sim.add_room(mailbox="empty@sim.test", name="Empty")
        for n in range(3):
            cls.sim.meeting_create(
                organiser=ANNA, start="2027-01-1%dT10:00:00Z" % n,
                end="2027-01-1%dT11:00:00Z" % n, rooms=[ROOM])

    def setUp(self):
        self.addCleanup(self.sim.faults_clear)

    def raw(self, body, headers=(), login=None, path=None):
        c = http.client.HTTPSConnection("localhost", self.url.port,
                                        context=self.tls, timeout=20)
        given = {"Content-Type": "text/xml; charset=utf-8",
                 "Accept": "text/xml", "User-Agent": "test",
                 "Authorization": "Basic " + base64.b64encode(
                     (login or self.login).encode()).decode()}
        given.update(headers)
        try:
            c.request("POST", path or self.url.path, body.encode(), given)
            r = c.getresponse()
            return r.status, r.headers, r.read().decode()
        finally:
            c.close()

    def ask(self, op, room=ROOM, version="Exchange2016", sid=None, header="",
            **more):
        sid = sid or ("<t:PrimarySmtpAddress>%s</t:PrimarySmtpAddress>" % room)
        more.setdefault("headers", {"X-AnchorMailbox": room})
        return self.raw(
            '<s:Envelope %s><s:Header><t:RequestServerVersion Version="%s"/>'
            "<t:ExchangeImpersonation><t:ConnectingSID>%s</t:ConnectingSID>"
            "</t:ExchangeImpersonation>%s</s:Header><s:Body>%s</s:Body>"
            "</s:Envelope>" % (NAMESPACES, version, sid, header, op), **more)

    def code(self, op, **more):
        """The response codes of an answer that is no fault."""
        status, _, text = self.ask(op, **more)
        self.assertEqual(status, 200, text)
        codes = re.findall(r"<m:ResponseCode>(\w+)</m:ResponseCode>", text)
        return codes[0] if len(codes) == 1 else codes

    def fault(self, op, **more):
        status, _, text = self.ask(op, **more)
        self.assertEqual(status, 500, text)
        return re.search(r"<e:ResponseCode[^>]*>(\w+)<", text).group(1)

    def item(self, inner="", day="2027-03-01"):
        """A new item of Anna's: its ItemId element."""
        text = self.ask(create(inner + times(day, "Z")), ANNA)[2]
        return re.search(r"<t:ItemId [^>]*/>", text).group(0)

    def value(self, text, name):
        found = re.search("<[mt]:%s[^>]*>([^<]*)<" % name, text)
        return found and found.group(1)

    def test_schema(self):
        """Order, names and namespaces of the schema are kept to"""
        late = "<t:ReminderIsSet>false</t:ReminderIsSet>"
        first = "<t:Subject>x</t:Subject>"
        good = create(first + late + times("2027-02-01", "Z"))
        self.assertEqual(self.code(good, room=ANNA), "NoError")
        for bad in (create(late + first + times("2027-02-01", "Z")),
                    create(first + times("2027-02-01", "Z") + late),
                    create(first + "<t:Colour>red</t:Colour>"),
                    create("<t:Sensitivity>Secret</t:Sensitivity>"),
                    good.replace("t:Subject", "m:Subject"),
                    sync().replace("m:MaxChangesReturned", "m:MaxChanges"),
                    get('<t:ItemId ChangeKey="x"/>'), "<m:EmptyFolder/>"):
            self.assertEqual(self.fault(bad, room=ANNA),
                             "ErrorSchemaValidation")
        self.assertEqual(self.raw("<!DOCTYPE x><x/>")[0], 500)
        self.assertEqual(self.raw("no XML")[0], 500)
        self.assertGreaterEqual(self.sim.violations()["count"], 10)

    def test_versions(self):
        """Versions that are served, and those that are not"""
        for v in ("Exchange2013", "Exchange2013_SP1", "Exchange2016",
                  "Exchange2019"):
            self.assertEqual(self.code(sync(), version=v), "NoError")
        for v in ("Exchange2007", "Exchange2099"):
            self.assertEqual(self.fault(sync(), version=v),
                             "ErrorInvalidServerVersion")

    def test_impersonation(self):
        """All four kinds of SID; nobody; the path in any case"""
        for kind in ("PrincipalName", "PrimarySmtpAddress", "SmtpAddress"):
            self.assertEqual(self.code(
                sync(), sid="<t:%s>%s</t:%s>" % (kind, ROOM, kind)),
                "NoError")
        self.assertEqual(self.fault(sync(), room="no@sim.test"),
                         "ErrorNonExistentMailbox")
        self.assertEqual(self.ask(sync(), path="/ews/exchange.asmx")[0], 200)
        self.assertEqual(self.code(sync(), sid="<t:SID>S-1-5-21-1-1000</t:SID>"),
                         "NoError")

    def test_anchor(self):
        """X-AnchorMailbox, missing or of another mailbox, is seen"""
        before = self.sim.ews()
        self.ask(sync(), headers={})
        self.ask(sync(), headers={"X-AnchorMailbox": ANNA})
        after = self.sim.ews()
        for key in ("without_anchor", "other_anchor"):
            self.assertEqual(after[key], before[key] + 1, key)

    def test_login(self):
        """401 offers Negotiate and Basic; without a login nothing counts"""
        before = self.sim.ews()["failed_logins"]
        status, headers, _ = self.raw("", {"Authorization": ""}, login="x")
        self.assertEqual(status, 401)
        offered = headers.get_all("WWW-Authenticate")
        self.assertIn("Negotiate", offered)
        self.assertTrue(any(o.startswith("Basic ") for o in offered))
        self.assertEqual(self.sim.ews()["failed_logins"], before + 1)
        self.assertEqual(self.ask(sync())[0], 200)

    def test_sync_state(self):
        """A sync state counts whole; limits of MaxChangesReturned"""
        text = self.ask(sync(max_changes=1))[2]
        state = self.value(text, "SyncState")
        self.assertEqual(self.value(text, "IncludesLastItemInRange"), "false")
        self.assertGreater(len(state), 700)
        self.assertEqual(self.code(sync(state)), "NoError")
        self.sim.set(key="sync_state_bytes", value=20000)
        self.addCleanup(self.sim.set, key="sync_state_bytes", value=600)
        state = self.value(self.ask(sync())[2], "SyncState")
        self.assertGreater(len(state), 26000)
        self.assertEqual(self.code(sync(state)), "NoError")
        for bad in (state[:-8], state[:1000], "AAAA", "!", state[4:]):
            self.assertEqual(self.code(sync(bad)),
                             "ErrorInvalidSyncStateData")
        self.assertEqual(self.code(sync(state), room="empty@sim.test"),
                         "ErrorInvalidSyncStateData")
        for n in (0, 513):
            self.assertEqual(self.code(sync(max_changes=n)),
                             "ErrorSchemaValidation")

    def test_view(self):
        """A view is cut short without pages, and at most two years"""
        whole = ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z")
        text = self.ask(find(*whole))[2]
        self.assertEqual(text.count("<t:CalendarItem>"), 3)
        self.assertIn('IncludesLastItemInRange="true"', text)
        text = self.ask(find(*whole, most=2))[2]
        self.assertEqual(text.count("<t:CalendarItem>"), 2)
        self.assertIn('IncludesLastItemInRange="false"', text)
        self.assertEqual(self.code(find("2027-01-01T00:00:00Z",
                                        "2029-02-01T00:00:00Z")),
                         "ErrorCalendarViewRangeTooBig")
        self.assertEqual(self.code(find(
            *whole, item_shape=shape("item:Body"))),
            "ErrorInvalidPropertyRequest")

    def test_times(self):
        """Z without a context, offsets with one; a zone for bare times"""
        zone = '<t:StartTimeZone Id="W. Europe Standard Time"/>'
        made = self.ask(create(times("2027-07-01") + zone), ANNA)[2]
        item = re.search(r"<t:ItemId [^>]*/>", made).group(0)
        want = get(item, shape("calendar:Start", "calendar:StartTimeZone"))
        text = self.ask(want, ANNA)[2]
        self.assertEqual(self.value(text, "Start"), "2027-07-01T08:00:00Z")
        self.assertIn('<t:StartTimeZone Id="W. Europe Standard Time"', text)
        text = self.ask(want, ANNA, header=(
            '<t:TimeZoneContext><t:TimeZoneDefinition '
            'Id="Tokyo Standard Time"/></t:TimeZoneContext>'))[2]
        self.assertEqual(self.value(text, "Start"),
                         "2027-07-01T17:00:00+09:00")

    def test_all_day(self):
        """All-day shows the midnights of its own zone in UTC"""
        zone = '<t:StartTimeZone Id="W. Europe Standard Time"/>'
        inner = ("<t:Start>2027-01-05T00:00:00</t:Start>"
                 "<t:End>2027-01-05T00:00:00</t:End>"
                 "<t:IsAllDayEvent>true</t:IsAllDayEvent>")
        made = self.ask(create(inner + zone), ANNA)[2]
        item = re.search(r"<t:ItemId [^>]*/>", made).group(0)
        text = self.ask(get(item, shape("calendar:Start", "calendar:End")),
                        ANNA)[2]
        self.assertEqual(self.value(text, "Start"), "2027-01-04T23:00:00Z")
        self.assertEqual(self.value(text, "End"), "2027-01-05T23:00:00Z")

    def test_keys(self):
        """Writes need the change key, and the sending to be said"""
        item = self.item()
        bare = re.sub(' ChangeKey="[^"]*"', "", item)
        update = ('<m:UpdateItem ConflictResolution="NeverOverwrite"%s>'
                  "<m:ItemChanges><t:ItemChange>%s<t:Updates><t:SetItemField>"
                  '<t:FieldURI FieldURI="item:Subject"/><t:CalendarItem>'
                  "<t:%s>x</t:%s></t:CalendarItem></t:SetItemField>"
                  "</t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>")
        send = ' SendMeetingInvitationsOrCancellations="SendToNone"'
        subject, other = ("Subject",) * 2, ("Location",) * 2
        for op, code in (
                (update % ((send, bare) + subject),
                 "ErrorChangeKeyRequiredForWriteOperations"),
                (update % (("", item) + subject),
                 "ErrorSendMeetingInvitationsOrCancellationsRequired"),
                (update % ((send, item) + other),
                 "ErrorUpdatePropertyMismatch"),
                (update % ((send, item) + subject), "NoError"),
                (update % ((send, item) + subject),
                 "ErrorIrresolvableConflict"),
                (create(times("2027-03-01", "Z"), ""),
                 "ErrorSendMeetingInvitationsRequired"),
                ('<m:DeleteItem DeleteType="HardDelete"><m:ItemIds>%s'
                 "</m:ItemIds></m:DeleteItem>" % item,
                 "ErrorSendMeetingCancellationsRequired")):
            self.assertEqual(self.code(op, room=ANNA), code, op)

    def test_refused(self):
        """An update that is refused changes nothing of the item"""
        item = self.item("<t:Subject>old</t:Subject>")
        field = ('<t:SetItemField><t:FieldURI FieldURI="%s"/><t:CalendarItem>'
                 "<t:%s>%s</t:%s></t:CalendarItem></t:SetItemField>")
        self.assertEqual(self.code(
            '<m:UpdateItem ConflictResolution="AlwaysOverwrite" '
            'SendMeetingInvitationsOrCancellations="SendToNone">'
            "<m:ItemChanges><t:ItemChange>%s<t:Updates>%s%s</t:Updates>"
            "</t:ItemChange></m:ItemChanges></m:UpdateItem>" % (
                item, field % ("item:Subject", "Subject", "new", "Subject"),
                field % ("calendar:End", "End", "2026-01-01T00:00:00Z",
                         "End")), room=ANNA),
            "ErrorCalendarEndDateIsEarlierThanStartDate")
        text = self.ask(get(item, shape("item:Subject")), ANNA)[2]
        self.assertEqual(self.value(text, "Subject"), "old")

    def test_ids(self):
        """Ids are of one mailbox and of one protocol"""
        item = self.item()
        self.assertEqual(self.code(get(item)), "ErrorItemNotFound")
        self.assertEqual(self.code(get('<t:ItemId Id="AAMk"/>')),
                         "ErrorInvalidIdMalformed")
        self.assertEqual(self.code(get(item), room=ANNA), "NoError")

    def test_goid(self):
        """The meeting's GlobalObjectId is its UID, over both protocols"""
        uid = "040000008200E00074C5B7101A82E008" + "0" * 48 + "1234"
        self.sim.meeting_create(
            organiser=ANNA, start="2027-04-01T10:00:00Z", uid=uid,
            end="2027-04-01T11:00:00Z", rooms=["empty@sim.test"])
        text = self.ask(find(
            "2027-04-01T00:00:00Z", "2027-04-02T00:00:00Z",
            item_shape=shape("calendar:UID").replace(
                "</t:AdditionalProperties>", "<t:ExtendedFieldURI "
                'DistinguishedPropertySetId="Meeting" PropertyId="35" '
                'PropertyType="Binary"/></t:AdditionalProperties>')),
            "empty@sim.test")[2]
        self.assertEqual(self.value(text, "UID"), uid)
        self.assertEqual(base64.b64decode(self.value(text, "Value")),
                         bytes.fromhex(uid))

    def test_faults(self):
        """Faults on demand look as Exchange's do"""
        def arm(kind, **more):
            self.sim.fault(kind=kind, listener="ews", **more)
        arm("429", ms=297749, endpoint="*SyncFolderItems")
        status, _, text = self.ask(sync())
        self.assertEqual(status, 500)
        self.assertIn("ErrorServerBusy", text)
        self.assertIn('<t:Value Name="BackOffMilliseconds">297749<', text)
        arm("410")
        self.assertEqual(self.code(sync()), "ErrorInvalidSyncStateData")
        arm("ews_error")
        self.assertEqual(self.code(sync()),
                         "ErrorInternalServerTransientError")
        arm("ews_error", location="ErrorMailboxMoveInProgress")
        self.assertEqual(self.code(sync()), "ErrorMailboxMoveInProgress")
        arm("ews_fault", location="ErrorTimeoutExpired")
        self.assertEqual(self.fault(sync()), "ErrorTimeoutExpired")
        arm("401")
        self.assertEqual(self.ask(sync())[0], 401)
        arm("503")
        self.assertEqual(self.ask(sync())[0], 503)
        arm("500_html")
        status, headers, _ = self.ask(sync())
        self.assertEqual((status, headers["Content-Type"]),
                         (500, "text/html"))
        arm("truncate")
        with self.assertRaises(http.client.IncompleteRead):
            self.ask(sync())
        self.assertEqual(self.code(sync()), "NoError")

    def test_directory(self):
        """Room lists, rooms, names, zones, folders"""
        text = self.ask("<m:GetRoomLists/>")[2]
        self.assertIn("rooms@sim.test", text)
        rooms = ("<m:GetRooms><m:RoomList><t:EmailAddress>%s"
                 "</t:EmailAddress></m:RoomList></m:GetRooms>")
        self.assertIn(ROOM, self.ask(rooms % "rooms@sim.test")[2])
        self.assertEqual(self.code(rooms % "x@sim.test"),
                         "ErrorNameResolutionNoResults")
        self.assertIn(ROOM, self.ask(
            '<m:ResolveNames ReturnFullContactData="false">'
            "<m:UnresolvedEntry>%s</m:UnresolvedEntry></m:ResolveNames>"
            % ROOM)[2])
        self.assertIn("IPF.Appointment", self.ask(
            "<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape>"
            "</m:FolderShape><m:FolderIds>%s</m:FolderIds></m:GetFolder>"
            % CALENDAR)[2])

    def test_uid_again(self):
        """A UID that was called off may be used again: the same room copy"""
        uid, room = "<t:UID>again@sim.test</t:UID>", "empty@sim.test"
        guests = ("<t:Resources><t:Attendee><t:Mailbox><t:EmailAddress>%s"
                  "</t:EmailAddress></t:Mailbox></t:Attendee></t:Resources>"
                  % room)
        op = create(uid + times("2027-05-03", "Z") + guests)
        item = re.search(r"<t:ItemId [^>]*/>",
                         self.ask(op, ANNA)[2]).group(0)
        view = find("2027-05-03T00:00:00Z", "2027-05-04T00:00:00Z",
                    item_shape=shape("calendar:IsCancelled"))
        self.assertEqual(self.value(self.ask(view, room)[2], "IsCancelled"),
                         "false")
        self.assertEqual(self.code(
            '<m:DeleteItem DeleteType="MoveToDeletedItems" '
            'SendMeetingCancellations="SendToAllAndSaveCopy"><m:ItemIds>%s'
            "</m:ItemIds></m:DeleteItem>" % item, room=ANNA), "NoError")
        self.assertEqual(self.value(self.ask(view, room)[2], "IsCancelled"),
                         "true")
        self.assertEqual(self.code(op, room=ANNA), "NoError")
        text = self.ask(view, room)[2]
        self.assertEqual(text.count("<t:CalendarItem>"), 1)
        self.assertEqual(self.value(text, "IsCancelled"), "false")

    def test_counters(self):
        """Each operation is counted by its name"""
        self.sim.counters_reset()
        self.ask(sync())
        self.ask(find("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"))
        counted = {e["endpoint"]: e["count"]
                   for e in self.sim.counters()["endpoints"]}
        self.assertEqual(counted, {
            "POST /EWS/Exchange.asmx/SyncFolderItems": 1,
            "POST /EWS/Exchange.asmx/FindItem": 1})


if __name__ == "__main__":
    tap.main()
