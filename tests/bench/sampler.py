"""sampler: memory and processor time of ORB's processes while they run.

Here: a thread that looks every tenth of a second.  Not here: what it means.
"""
import re
import threading

import orbtest

EVERY = 0.1
PSS = re.compile(r"^Pss:\s+(\d+)", re.M)
RSS = re.compile(r"^Rss:\s+(\d+)", re.M)


class Sampler(threading.Thread):
    def __init__(self, orb):
        super().__init__(daemon=True)
        self.orb = orb
        self.ending = threading.Event()
        self.best = {"pss": 0, "rss": 0}
        self.start_cpu = self.last_cpu = self.cpu_now()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        self.last_cpu = self.cpu_now()

    def cpu_now(self):
        """Process -> seconds on a processor."""
        found = {}
        for name, pid in self.orb.pids().items():
            try:
                text = orbtest.read("/proc/%d/schedstat" % pid)
                found[name] = int(text.split()[0]) / 1e9
            except (OSError, ValueError):
                pass
        return found

    def run(self):
        while not self.ending.wait(EVERY):
            self.look()

    def look(self):
        each = {}
        for name, pid in self.orb.pids().items():
            try:
                text = orbtest.read("/proc/%d/smaps_rollup" % pid)
                each[name] = (int(PSS.search(text).group(1)),
                              int(RSS.search(text).group(1)))
            except (OSError, AttributeError):
                pass  # it has just ended
        pss = sum(v[0] for v in each.values())
        rss = sum(v[1] for v in each.values())
        if pss > self.best["pss"]:
            self.best["pss"] = pss
            self.best["pss_by_process"] = {n: v[0] for n, v in each.items()}
        if rss > self.best["rss"]:
            self.best["rss"] = rss
            self.best["rss_by_process"] = {n: v[1] for n, v in each.items()}

    def peak(self):
        """KiB of all processes together, and of each when it was so."""
        return self.best

    def cpu(self):
        """Process -> seconds of processor between start and end."""
        now = self.cpu_now() if not self.ending.is_set() else self.last_cpu
        return {n: round(v - self.start_cpu.get(n, 0.0), 3)
                for n, v in now.items()}
