"""demo_summary: what the demonstration comes to: both sides compared, mails
counted beside the number expected, requests, and what ORB's processes may not
do.

Here: what is printed after the last act.  Not here: the acts (demo.py).  All of
it is the simulator's word or /proc's, none of it ORB's, but for the source of
its key.
"""
import os
import sys

import orbtest

TTY = sys.stdout.isatty()
BOLD, DIM, GREEN, RED, PLAIN = ("\033[1m", "\033[2m", "\033[32m", "\033[31m",
                                "\033[0m") if TTY else ("",) * 5
SAY = "  %-34s %s"


def verdict(good, text="yes", otherwise="NO"):
    return GREEN + text + PLAIN if good else RED + otherwise + PLAIN


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
    print("  %-18s %-7s %-22s %-18s %s" % (
        "process", "uid", "network", "system calls", "new privileges"))
    for name, pid in sorted(orb.pids().items()):
        print("  %-18s %-7s %-22s %-18s %s" % (
            name, fact(pid, "Uid").split()[0], network_of(pid),
            "listed, else dies" if fact(pid, "Seccomp") == "2" else "ANY",
            "never" if fact(pid, "NoNewPrivs") == "1" else "POSSIBLE"))


def equality(orb):
    """Both sides as the simulator sees them."""
    result = orb.compare()
    print("\n%sCompared by the simulator%s, room by room, on both sides" % (
        BOLD, PLAIN))
    print(SAY % ("rooms", result["rooms"]))
    print(SAY % ("bookings in Exchange", result["bookings"]))
    print(SAY % ("reservations in TOPdesk", result["reservations"]))
    for key in ("missing", "extra", "different", "duplicates"):
        print(SAY % (key, result[key + "_count"]))
    print(SAY % ("equal", verdict(result["equal"])))
    return result["equal"] and result["bookings"] > 0


def delays(acts):
    ok = True
    for side, text in (("topdesk", "from Outlook to TOPdesk"),
                       ("exchange", "from TOPdesk to Exchange")):
        mine = [a for a in acts if a.side == side]
        took = sorted(a.delay for a in mine if a.delay is not None)
        if took:
            print(SAY % (text, "median %.0f ms, longest %.0f ms (polling "
                         "every second)" % (took[len(took) // 2], took[-1])))
        ok = ok and len(took) == len(mine)
    return ok


def mails(orb, show, service):
    """Who was mailed.  What rooms answer to ORB's own mailbox is not counted:
    nobody reads it."""
    sent = orb.sim.mails()["list"]
    rows = [("%ss by ORB, to people" % kind, show.mails[kind],
             sum(m["kind"] == kind and m["from"] == service and
                 not m["to_room"] for m in sent))
            for kind in ("invitation", "update", "cancellation")]
    rows.append(("answers of rooms, to people", show.answers,
                 sum(m["kind"] == "response" and m["to"] != service
                     for m in sent)))
    print("\n%sMails%s that Exchange sent%18s %6s" % (
        BOLD, PLAIN, "expected", "sent"))
    for text, expected, n in rows:
        print("  %-34s %6d %s" % (text, expected, verdict(
            n == expected, "%6d" % n, "%6d" % n)))
    return all(expected == n for _, expected, n in rows)


def requests(orb):
    counters = orb.sim.counters()["listeners"]
    violations = orb.sim.violations()
    print("\n%sRequests%s" % (BOLD, PLAIN))
    if orb.settings["exchange"]["kind"] == "ews":
        used = (("Exchange Web Services", "ews"),)
        others = ("graph", "login", "trap")
    else:
        used = (("Microsoft Graph", "graph"), ("its login", "login"))
        others = ("ews", "trap")
    for what, listener in used + (("TOPdesk", "topdesk"),):
        print(SAY % ("to " + what, counters[listener]["requests"]))
    elsewhere = sum(counters[n]["requests"] for n in others)
    print(SAY % ("to any other host", elsewhere))
    print(SAY % ("against the APIs' rules", violations["count"]))
    for v in violations["violations"][:10]:
        print("  violation: %s" % v)
    print(SAY % ("key of stored credentials",
                 orb.status().get("key_source")))
    return violations["count"] == 0 and elsewhere == 0


def show(orb, acts_of, service):
    """Prints it all; whether everything is as it should be."""
    try:
        orb.wait_until_equal(20)
    except orbtest.Failure as e:
        print(e)
    good = [equality(orb), delays(acts_of.acts), mails(orb, acts_of, service),
            requests(orb)]
    processes(orb)
    return all(good)
