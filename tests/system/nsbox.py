"""nsbox: a throw-away machine with systemd as its first process.

Here: an overlay over this machine's own file system with a memory file system
on top, systemd-nspawn, a cgroup of its own, commands and files inside.  Not
here: anything of ORB.

All mounts are made in a mount namespace of the machine's own and go with it,
and so do its processes, also when the test is killed: its first process gets
SIGKILL when the test ends.  What has a name outside is one empty directory and
one cgroup.
"""
import atexit
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PREFIX = "orb-nsbox-"
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1

# Runs in namespaces of its own, of which nobody else sees the mounts.  What
# this machine starts by itself is not wanted in the throw-away one: no service
# of /etc, no init script, no journal of old.  /sys/fs/cgroup becomes a pure
# version 2, and /run one that nspawn may keep its own files in.
INSIDE = r"""
set -eu
dir=$1 name=$2 id=$3
# Else the filter that nspawn puts on the machine would hide what ORB's own do.
calls="@memlock @keyring bpf perf_event_open memfd_secret
    landlock_create_ruleset landlock_add_rule landlock_restrict_self"
mount -t tmpfs -o mode=755,size=2g orb-nsbox "$dir"
mkdir "$dir/upper" "$dir/work" "$dir/root"
mount -t overlay orb-nsbox "$dir/root" \
    -o "lowerdir=/,upperdir=$dir/upper,workdir=$dir/work"
cd "$dir/root"
rm -rf etc/systemd/system/*.wants etc/systemd/system/*.requires \
    etc/rc?.d/S* etc/init.d/* var/log/journal usr/sbin/policy-rc.d \
    etc/orb var/lib/orb etc/systemd/system/orb* etc/fstab
echo "$id" >etc/machine-id
cd /
umount -R -l /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs /run
exec systemd-nspawn --quiet --settings=no --register=no --keep-unit \
    --machine="$name" --directory="$dir/root" --private-network \
    --resolv-conf=off --timezone=off --link-journal=no --console=read-only \
    --capability=CAP_BPF,CAP_NET_ADMIN,CAP_IPC_LOCK,CAP_PERFMON \
    "--system-call-filter=$calls" \
    --boot -- --unit=multi-user.target
"""


class Impossible(Exception):
    """This machine cannot boot another; the text says what it lacks."""


def read(path):
    with open(path) as f:
        return f.read()


def cgroup_top():
    """Where the second version of cgroups is mounted, or None."""
    for line in read("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        if after.startswith("cgroup2 "):
            return before.split()[4]
    return None


def lacking():
    """Why no machine can be booted here, or None."""
    if os.getuid() != 0:
        return "needs root"
    for program in ("systemd-nspawn", "nsenter", "unshare"):
        if not shutil.which(program, path=PATH):
            return "%s is not installed" % program
    if not os.path.exists("/lib/systemd/systemd"):
        return "systemd is not installed"
    if "\toverlay\n" not in read("/proc/filesystems"):
        return "the kernel has no overlay file system"
    top = cgroup_top()
    if top is None:
        return "no cgroup2 is mounted"
    if not os.access(os.path.join(top, "cgroup.procs"), os.W_OK) or \
            os.statvfs(top).f_flag & os.ST_RDONLY:
        return "cgroup2 (%s) cannot be written" % top
    probe = subprocess.run(["unshare", "-m", "-C", "-p", "-f", "true"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           text=True)
    if probe.returncode != 0:
        return "namespaces cannot be made: %s" % probe.stdout.strip()
    probe = subprocess.run(["unshare", "-U", "true"], stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True)
    if probe.returncode != 0:  # as in a chroot; orb-dial has PrivateUsers=
        return "user namespaces cannot be made: %s" % probe.stdout.strip()
    return None


def sweep(top):
    """Cgroups and directories of tests that were killed: rmdir(2) takes only
    what nobody uses any more."""
    for parent in (top, tempfile.gettempdir()):
        for name in os.listdir(parent):
            if name.startswith(PREFIX):
                remove_tree(os.path.join(parent, name))


def remove_tree(path):
    """Empty directories below path and path; True when it is gone."""
    for directory, _, _ in os.walk(path, topdown=False):
        try:
            os.rmdir(directory)
        except OSError:
            pass
    return not os.path.exists(path)


def children(pid):
    try:
        return [int(p) for p in
                read("/proc/%d/task/%d/children" % (pid, pid)).split()]
    except OSError:
        return []


class Machine:
    """with Machine() as m: m.run("systemctl", "status")"""

    def __init__(self):
        reason = lacking()
        if reason:
            raise Impossible(reason)
        top = cgroup_top()
        sweep(top)
        self.dir = tempfile.mkdtemp(prefix=PREFIX)
        self.name = os.path.basename(self.dir).replace("_", "x")
        self.cgroup = os.path.join(top, os.path.basename(self.dir))
        self.console = tempfile.TemporaryFile("w+")
        self.process = None
        self.leader = 0
        atexit.register(self.stop)
        try:
            os.mkdir(self.cgroup)
            self.boot()
        except BaseException:
            self.stop()
            raise

    def boot(self, timeout=30):
        def enter():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            with open(os.path.join(self.cgroup, "cgroup.procs"), "w") as f:
                f.write("0")
        self.process = subprocess.Popen(
            ["unshare", "-m", "-C", "-p", "-f", "--kill-child",
             "--mount-proc", "--propagation", "private", "sh", "-c", INSIDE,
             "sh", self.dir, self.name, uuid.uuid4().hex],
            stdin=subprocess.DEVNULL, stdout=self.console,
            stderr=subprocess.STDOUT, preexec_fn=enter,
            start_new_session=True, env={"PATH": PATH})
        end = time.monotonic() + timeout
        while self.state() not in ("running", "degraded"):
            if self.process.poll() is not None:
                raise Impossible("the machine ended at its start: %s" %
                                 self.console_tail())
            if time.monotonic() > end:
                raise Impossible("the machine is not up after %d s: %s" %
                                 (timeout, self.console_tail()))
            time.sleep(0.1)

    def state(self):
        self.leader = self.leader or self.find_leader()
        if not self.leader:
            return ""
        try:
            return self.run("systemctl", "is-system-running",
                            check=False).strip()
        except OSError:
            return ""

    def find_leader(self):
        """unshare's child is the shell, then nspawn, whose child is systemd."""
        pid = self.process.pid
        while True:
            try:
                if read("/proc/%d/comm" % pid) == "systemd\n":
                    return pid
            except OSError:
                return 0
            below = children(pid)
            if not below:
                return 0
            pid = below[0]

    def console_tail(self):
        self.console.seek(0)
        return " / ".join(self.console.read().split("\n")[-6:])

    # inside

    def path(self, inside):
        """The same file as seen from outside; it goes with the machine."""
        return "/proc/%d/root%s" % (self.leader, inside)

    def read(self, inside):
        return read(self.path(inside))

    def write(self, inside, text, mode=0o644):
        fd = os.open(self.path(inside), os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                     mode)
        with os.fdopen(fd, "w") as f:
            f.write(text)

    def run(self, *command, check=True, pass_fds=(), timeout=30, pid=0):
        """A command inside, as root; what it printed.  pid: in the file
        systems, network and so on of that process."""
        process = subprocess.Popen(
            ["nsenter", "-t", str(pid or self.leader), "-m", "-u", "-i", "-n",
             "-p", "-C", "--"] + list(command),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, pass_fds=pass_fds, text=True,
            errors="replace", start_new_session=True,
            env={"PATH": PATH, "LANG": "C.UTF-8", "SYSTEMD_PAGER": "",
                 "HOME": "/root"})
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # nsenter and its child
            out, _ = process.communicate()
            out += "\n(not done after %d s)" % timeout
        self.last = subprocess.CompletedProcess(command, process.returncode,
                                                out)
        if check and self.last.returncode != 0:
            raise AssertionError("%s: status %d: %s" % (
                " ".join(command), self.last.returncode, self.last.stdout))
        return self.last.stdout

    def shell(self, line, **more):
        return self.run("sh", "-c", line, **more)

    def show(self, unit, *names):
        """systemctl show: properties of a unit as a dict."""
        text = self.run("systemctl", "show", unit,
                        *["-p" + n for n in names])
        return dict(line.split("=", 1) for line in text.splitlines()
                    if "=" in line)

    def processes(self, unit):
        """Those of a unit, name -> number as seen from outside."""
        group = self.show(unit, "ControlGroup")["ControlGroup"]
        procs = "/sys/fs/cgroup%s/cgroup.procs" % group
        return {read("/proc/%s/comm" % pid).strip(): int(pid)
                for pid in self.read(procs).split()}

    # ending

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()  # unshare's --kill-child takes the rest along
            self.process.wait()
        self.process = None
        for _ in range(100):
            if remove_tree(self.cgroup):
                break
            self.end_group()
            time.sleep(0.05)
        remove_tree(self.dir)
        self.console.close()
        atexit.unregister(self.stop)

    def end_group(self):
        try:
            with open(os.path.join(self.cgroup, "cgroup.kill"), "w") as f:
                f.write("1")
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def blocks(markdown, heading):
    """The lines of the indented (code) blocks below a heading of level 2."""
    text = markdown.split("\n## %s\n" % heading, 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^    (\S.*)$", text, re.M)
