/*
 * test_sandbox.c: each process tries each forbidden thing and is stopped.
 *
 * Each attempt runs in a child of its own that has entered the sandbox as that
 * process.  test_sandbox_work.c is the other half: what they need still works.
 */
#include "config.h"
#include "sandboxed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define PAGE 4096
#define RESULT(call) ((call) < 0 ? errno : 0)

/* --- attempts: 0, or the errno that stopped it ------------------------------ */

static int
socket_inet(void)
{
	return RESULT(socket(AF_INET, SOCK_STREAM, 0));
}

static int
socket_inet6(void)
{
	return RESULT(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int
socket_unix(void)
{
	return RESULT(socket(AF_UNIX, SOCK_SEQPACKET, 0));
}

static int
socket_netlink(void)
{
	return RESULT(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int
socket_packet(void)
{
	return RESULT(socket(AF_PACKET, SOCK_RAW, 0));
}

static int
socket_pair(void)
{
	int sv[2];

	return RESULT(socketpair(AF_UNIX, SOCK_STREAM, 0, sv));
}

static int
connect_any(void)
{
	struct sockaddr_un sa = {
	    .sun_family = AF_UNIX, .sun_path = "/nonexistent"};

	return RESULT(
	    connect(sandboxed_tcp, (struct sockaddr *)&sa, sizeof(sa)));
}

static int
bind_any(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};

	return RESULT(bind(-1, (struct sockaddr *)&sa, sizeof(sa)));
}

static int
listen_any(void)
{
	return RESULT(listen(sandboxed_tcp, 1));
}

/* A datagram to somebody by address, as malware would carry data away. */
static int
sendto_address(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = 53};

	return RESULT(
	    sendto(-1, "x", 1, 0, (struct sockaddr *)&sa, sizeof(sa)));
}

/* An abstract socket of somebody else: no file mode protects it. */
static int
abstract_unix(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (s < 0)
		return errno;
	memcpy(sa.sun_path, sandboxed_abstract, sizeof(sandboxed_abstract));
	return RESULT(connect(s, (struct sockaddr *)&sa,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		sizeof(sandboxed_abstract))));
}

static int
open_read(void)
{
	return RESULT(open("/etc/passwd", O_RDONLY));
}

static int
open_write(void)
{
	return RESULT(
	    open("/tmp/orb-test-forbidden", O_WRONLY | O_CREAT, 0600));
}

static int
open_truncate(void)
{
	return RESULT(open("/etc/orb-test-none", O_RDONLY | O_TRUNC));
}

static int
open_proc(void)
{
	return RESULT(open("/proc/self/mem", O_RDWR));
}

static int
remove_file(void)
{
	return RESULT(unlinkat(AT_FDCWD, "/tmp/orb-test-none", 0));
}

static int
make_link(void)
{
	return RESULT(symlink("/etc/passwd", "/tmp/orb-test-link"));
}

static int
make_device(void)
{
	return RESULT(mknod("/tmp/orb-test-node", S_IFCHR | 0600, 0x103));
}

static int
change_mode(void)
{
	return RESULT(chmod("/tmp/orb-test-none", 0777));
}

static int
change_root(void)
{
	return RESULT(chroot("/tmp"));
}

static int
by_handle(void)
{
	char handle[64] = {0};

	return RESULT(syscall(SYS_open_by_handle_at, AT_FDCWD, handle, 0));
}

static int
exec(void)
{
	char *argv[] = {(char *)(uintptr_t) "true", NULL};

	return RESULT(execve("/bin/true", argv, argv + 1));
}

/* The code in a memfd: memfd_create is allowed, running it is not. */
static int
exec_memfd(void)
{
	char *argv[] = {(char *)(uintptr_t) "x", NULL};
	int fd = memfd_create("x", MFD_CLOEXEC);

	return RESULT(
	    syscall(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH));
}

static int
child_of(long pid)
{
	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int
fork_clone(void)
{
	return child_of(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}

static int
fork_clone3(void)
{
	struct {
		uint64_t flags, pidfd, child, parent, signal, stack, size, tls;
	} args = {.signal = SIGCHLD};

	return child_of(syscall(SYS_clone3, &args, sizeof(args)));
}

#ifdef SYS_fork
static int
fork_fork(void)
{
	return child_of(syscall(SYS_fork));
}
#endif

static int
trace(void)
{
	return RESULT(ptrace(PTRACE_ATTACH, getppid(), 0, 0));
}

static int
read_memory(void)
{
	char a[8];
	struct iovec l = {a, sizeof(a)}, r = {a, sizeof(a)};

	return RESULT(process_vm_readv(1, &l, 1, &r, 1, 0));
}

static int
kill_other(void)
{
	return RESULT(kill(getpid() + 1, 0));
}

static int
kill_thread(void)
{
	return RESULT(syscall(SYS_tgkill, getpid() + 1, getpid() + 1, 0));
}

static int
memory_wx(void)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
	    ? errno
	    : 0;
}

static int
memory_exec_file(void)
{
	int fd = memfd_create("x", MFD_CLOEXEC);

	return mmap(NULL, PAGE, PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED
	    ? errno
	    : 0;
}

static int
memory_to_exec(void)
{
	void *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return RESULT(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
}

static int
memory_pkey(void)
{
	return RESULT(syscall(SYS_pkey_mprotect, NULL, PAGE, PROT_EXEC, -1));
}

static int
become_root(void)
{
	return RESULT(syscall(SYS_setuid, 0));
}

static int
become_nobody(void)
{
	return RESULT(syscall(SYS_setresuid, 65534, 65534, 65534));
}

static int
capabilities(void)
{
	return RESULT(syscall(SYS_capset, NULL, NULL));
}

static int
mount_fs(void)
{
	return RESULT(mount("none", "/tmp", "tmpfs", 0, NULL));
}

static int
new_namespace(void)
{
	return RESULT(unshare(CLONE_NEWUSER));
}

static int
enter_namespace(void)
{
	return RESULT(setns(-1, 0));
}

static int
io_uring(void)
{
	return RESULT(syscall(SYS_io_uring_setup, 1, NULL));
}

static int
bpf_call(void)
{
	union bpf_attr a = {0};

	return RESULT(syscall(SYS_bpf, BPF_MAP_CREATE, &a, sizeof(a)));
}

static int
key_ring(void)
{
	return RESULT(syscall(SYS_keyctl, 0, 0, 0));
}

static int
user_fault(void)
{
	return RESULT(syscall(SYS_userfaultfd, 0));
}

static int
perf_event(void)
{
	struct perf_event_attr a = {.size = sizeof(a)};

	return RESULT(syscall(SYS_perf_event_open, &a, 0, -1, -1, 0));
}

static int
kernel_module(void)
{
	return RESULT(syscall(SYS_init_module, NULL, 0, ""));
}

static int
terminal_input(void)
{
	return RESULT(ioctl(STDERR_FILENO, TIOCSTI, "x"));
}

static int
be_dumpable(void)
{
	return RESULT(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
change_personality(void)
{
	return RESULT(syscall(SYS_personality, 0x0400000)); /* read = exec */
}

static int
raise_limit(void)
{
	return RESULT(syscall(SYS_prlimit64, 0, 4, NULL, NULL));
}

static int
set_clock(void)
{
	return RESULT(syscall(SYS_clock_settime, 0, NULL));
}

#ifdef __x86_64__
/* Another ABI's numbers must not be a way around. */
static int
socket_x32(void)
{
	return RESULT(
	    syscall(0x40000000 | SYS_socket, AF_INET, SOCK_STREAM, 0));
}
#endif

/* --- the table --------------------------------------------------------------- */

struct attempt {
	const char *name;
	int (*try)(void);
	/* For each process, in the order of sandboxed_processes: KILL, ok (it
	 * is allowed), or the errno it is answered with. */
	const char *want;
};

/* clang-format off */
static const struct attempt attempts[] = {
	/*                                              dial    http    adapter keyd    mapd    ledgerd */
	{"socket AF_INET",            socket_inet,     "ok      KILL    KILL    KILL    KILL    KILL"},
	{"socket AF_INET6",           socket_inet6,    "ok      KILL    KILL    KILL    KILL    KILL"},
	{"socket AF_UNIX",            socket_unix,     "ok      KILL    KILL    KILL    ok      KILL"},
	{"socket AF_NETLINK",         socket_netlink,  "ok      KILL    KILL    KILL    KILL    KILL"},
	{"socket AF_PACKET",          socket_packet,   "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"socketpair",                socket_pair,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"connect",                   connect_any,     "any     EINPROGRESS KILL KILL   any     KILL"},
	{"connect, abstract AF_UNIX", abstract_unix,   "EPERM   KILL    KILL    KILL    EPERM   KILL"},
	{"bind",                      bind_any,        "EBADF   KILL    KILL    KILL    KILL    KILL"},
	{"listen",                    listen_any,      "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"sendto an address",         sendto_address,  "EBADF   KILL    KILL    KILL    KILL    KILL"},
	{"open to read",              open_read,       "EACCES  KILL    KILL    EACCES  EACCES  EACCES"},
	{"open to write, elsewhere",  open_write,      "KILL    KILL    KILL    EACCES  EACCES  EACCES"},
	{"open with O_TRUNC",         open_truncate,   "KILL    KILL    KILL    any     any     any"},
	{"open /proc/self/mem",       open_proc,       "KILL    KILL    KILL    EACCES  EACCES  EACCES"},
	{"unlink, elsewhere",         remove_file,     "KILL    KILL    KILL    any     any     KILL"},
	{"symlink",                   make_link,       "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"mknod",                     make_device,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"chmod",                     change_mode,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"chroot",                    change_root,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"open_by_handle_at",         by_handle,       "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"execve",                    exec,            "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"execveat of a memfd",       exec_memfd,      "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"clone",                     fork_clone,      "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"clone3",                    fork_clone3,     "KILL    KILL    KILL    KILL    KILL    KILL"},
#ifdef SYS_fork
	{"fork",                      fork_fork,       "KILL    KILL    KILL    KILL    KILL    KILL"},
#endif
	{"ptrace",                    trace,           "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"process_vm_readv",          read_memory,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"kill another",              kill_other,      "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"tgkill another",            kill_thread,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"mmap W+X",                  memory_wx,       "EACCES! KILL    KILL    KILL    KILL    KILL"},
	{"mmap a file as code",       memory_exec_file,"EACCES! KILL    KILL    KILL    KILL    KILL"},
	{"mprotect to X",             memory_to_exec,  "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"pkey_mprotect to X",        memory_pkey,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"setuid",                    become_root,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"setresuid",                 become_nobody,   "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"capset",                    capabilities,    "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"mount",                     mount_fs,        "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"unshare",                   new_namespace,   "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"setns",                     enter_namespace, "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"io_uring_setup",            io_uring,        "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"bpf",                       bpf_call,        "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"keyctl",                    key_ring,        "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"userfaultfd",               user_fault,      "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"perf_event_open",           perf_event,      "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"init_module",               kernel_module,   "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"ioctl TIOCSTI",             terminal_input,  "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"prctl PR_SET_DUMPABLE",     be_dumpable,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"personality",               change_personality, "KILL KILL    KILL    KILL    KILL    KILL"},
	{"prlimit",                   raise_limit,     "KILL    KILL    KILL    KILL    KILL    KILL"},
	{"clock_settime",             set_clock,       "KILL    KILL    KILL    KILL    KILL    KILL"},
#ifdef __x86_64__
	{"socket by the x32 ABI",     socket_x32,      "KILL    KILL    KILL    KILL    KILL    KILL"},
#endif
};
/* clang-format on */

static const struct {
	const char *name;
	int value;
	int landlock; /* the version of Landlock that answers so; 0: seccomp */
} errnos[] = {
    {"EINPROGRESS", EINPROGRESS, 0},
    {"EACCES", EACCES, 1},
    {"EACCES!", EACCES, 0},
    {"EPERM", EPERM, 6},
    {"EBADF", EBADF, 0},
};

/* 1 when what happened is what was wanted. */
static int
as_wanted(const char *want, struct outcome got)
{
	if (strcmp(want, "KILL") == 0)
		return got.killed;
	if (got.killed)
		return 0;
	if (strcmp(want, "any") == 0)
		return 1;
	if (strcmp(want, "ok") == 0)
		return got.error == 0;
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (strcmp(want, errnos[i].name) == 0)
			return got.error == errnos[i].value ||
			    sandboxed_landlock() < errnos[i].landlock;
	fail_msg("the table says \"%s\"", want);
	return 0;
}

static void
each_attempt(void **state)
{
	size_t at = (size_t)(uintptr_t)*state;
	const char *process = sandboxed_processes[at], *p;
	struct outcome got;
	char want[16];
	int bad = 0, skip;

	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		p = attempts[i].want;
		for (size_t k = 0; k <= at; k++, p += skip)
			assert_int_equal(sscanf(p, "%15s%n", want, &skip), 1);
		got = sandboxed(process, attempts[i].try);
		if (as_wanted(want, got))
			continue;
		print_error("%s: %s: wanted %s, got %s (%s)\n", process,
		    attempts[i].name, want, got.killed ? "KILL" : "an answer",
		    strerror(got.error));
		bad++;
	}
	assert_int_equal(bad, 0);
}

/* A name without a list must not run unconfined. */
static int
unknown_process(void)
{
	struct sandbox sb = {"nobody", NULL, NULL};
	char level[64];
	struct err e;

	return sandbox_enter(&sb, level, sizeof(level), &e) == -1 &&
		strstr(e.text, "no list of system calls for \"nobody\"")
	    ? 0
	    : 1;
}

static void
no_list_no_start(void **state)
{
	(void)state;
	assert_int_equal(unknown_process(), 0);
}

int
main(void)
{
	struct CMUnitTest tests[] = {
	    {"dial", each_attempt, NULL, NULL, (void *)0},
	    {"http", each_attempt, NULL, NULL, (void *)1},
	    {"adapter", each_attempt, NULL, NULL, (void *)2},
	    {"keyd", each_attempt, NULL, NULL, (void *)3},
	    {"mapd", each_attempt, NULL, NULL, (void *)4},
	    {"ledgerd", each_attempt, NULL, NULL, (void *)5},
	    cmocka_unit_test(no_list_no_start),
	};

	return cmocka_run_group_tests_name(
	    "sandbox", tests, sandboxed_setup, sandboxed_teardown);
}
