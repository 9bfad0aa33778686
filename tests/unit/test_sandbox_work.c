/*
 * test_sandbox_work.c: inside its sandbox each process can still do its work:
 * the edges, the resolver, libcurl's connect(), SQLite, the vault, the log.
 * test_sandbox.c is the other half: what they cannot do.
 */
#include "sandboxed.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* In a child: ends it with the line's number, which the parent prints. */
#define MUST(x)                                    \
	do {                                       \
		if (!(x))                          \
			_exit(1 + __LINE__ % 254); \
	} while (0)

static void
all_well(const char *process, int (*fn)(void))
{
	struct outcome o = sandboxed(process, fn);

	if (o.killed)
		fail_msg("%s was killed", process);
	if (o.error)
		fail_msg("%s: failed at a line that is %d modulo 254", process,
		    o.error - 1);
}

/* --- what all of them do ----------------------------------------------------- */

static int pair[2];       /* an edge to the parent, or to itself */
static int listener = -1; /* passed by systemd */
static int client = -1;   /* connected to it */

static void
pass_fd(int s, int fd)
{
	char buf[CMSG_SPACE(sizeof(int))] = {0}, byte = 'x';
	struct iovec iov = {&byte, 1};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = buf,
				.msg_controllen = sizeof(buf)}};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m.msg_hdr);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	MUST(sendmmsg(s, &m, 1, MSG_NOSIGNAL) == 1 && m.msg_len == 1);
}

static int
take_fd(int s)
{
	char buf[CMSG_SPACE(sizeof(int))], byte;
	struct iovec iov = {&byte, 1};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &iov,
				.msg_iovlen = 1,
				.msg_control = buf,
				.msg_controllen = sizeof(buf)}};
	int fd;

	MUST(recvmmsg(s, &m, 1, MSG_CMSG_CLOEXEC, NULL) == 1);
	MUST(m.msg_hdr.msg_controllen >= sizeof(struct cmsghdr));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m.msg_hdr)), sizeof(fd));
	return fd;
}

/* A payload of more than 16 KiB travels in a sealed memfd, as chan.c does it. */
static void
large_payload(void)
{
	static uint8_t data[100000];
	int fd = memfd_create("orb", MFD_CLOEXEC | MFD_ALLOW_SEALING), got;
	int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
	struct stat st;
	uint8_t *p;

	MUST(fd >= 0 && write(fd, data, sizeof(data)) == sizeof(data));
	MUST(fcntl(fd, F_ADD_SEALS, seals) == 0);
	pass_fd(pair[0], fd);
	got = take_fd(pair[1]);
	MUST(fcntl(got, F_GET_SEALS) == seals && fstat(got, &st) == 0);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, got, 0);
	MUST(p != MAP_FAILED && munmap(p, (size_t)st.st_size) == 0);
	close(fd);
	close(got);
}

static void
accepted(void)
{
	struct pollfd p = {listener, POLLIN, 0};
	socklen_t len = sizeof(struct ucred);
	struct ucred cr;
	int s;

	MUST(poll(&p, 1, 1000) == 1);
	s = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	MUST(s >= 0);
	MUST(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &cr, &len) == 0);
	MUST(cr.uid == geteuid());
	MUST(shutdown(s, SHUT_RDWR) == 0 && close(s) == 0);
}

static int
compare_chars(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

static void
memory_and_time(void)
{
	static char many[200000];
	struct timespec ts = {0, 1000};
	char *p, *q;

	/* glibc's wants memory of its own, and once to know how much there is. */
	qsort(many, sizeof(many) / 100, 100, compare_chars);

	for (size_t n = 1; n < 64u << 20; n *= 4) {
		MUST((p = malloc(n)) != NULL);
		MUST((q = realloc(p, n * 2)) != NULL);
		memset(q, 1, n * 2);
		free(q);
	}
	MUST(clock_gettime(CLOCK_REALTIME, &ts) == 0 && time(NULL) > 0);
	ts = (struct timespec){0, 1000};
	MUST(nanosleep(&ts, NULL) == 0);
	MUST(getrandom(&ts, sizeof(ts), 0) == sizeof(ts));
}

static int
compare_ints(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* More than the C library sorts on its stack. */
static void
long_list(void)
{
	static int list[10000];

	for (int i = 0; i < 10000; i++)
		list[i] = 10000 - i;
	qsort(list, 10000, sizeof(list[0]), compare_ints);
	MUST(list[0] == 1 && list[9999] == 10000);
}

/* The status line's socket, an edge with nothing to read, standard error. */
static void
small_talk(void)
{
	char text[16];

	MUST(send(pair[0], "STATUS=1", 8, MSG_NOSIGNAL) == 8);
	MUST(recv(pair[1], text, sizeof(text), MSG_DONTWAIT) == 8);
	MUST(fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0);
	MUST(recv(pair[0], text, sizeof(text), 0) < 0 && errno == EAGAIN);
	MUST(write(STDERR_FILENO, "", 0) == 0);
}

static int
common_work(void)
{
	memory_and_time();
	long_list();
	large_payload();
	accepted();
	small_talk();
	return 0;
}

static void
each_does_common_work(void **state)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	(void)state;
	for (size_t i = 0; i < SANDBOXED_COUNT; i++) {
		/* An AF_UNIX listener named by the kernel (autobind). */
		listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		ss.ss_family = AF_UNIX;
		assert_int_equal(
		    bind(listener, (struct sockaddr *)&ss, sizeof(sa_family_t)),
		    0);
		assert_int_equal(listen(listener, 4), 0);
		client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		len = sizeof(ss);
		getsockname(listener, (struct sockaddr *)&ss, &len);
		assert_int_equal(
		    connect(client, (struct sockaddr *)&ss, len), 0);
		assert_int_equal(
		    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
		all_well(sandboxed_processes[i], common_work);
		close(pair[0]);
		close(pair[1]);
		close(listener);
		close(client);
	}
}

/* abort() must be seen as SIGABRT, not as a forbidden call: a failed check of
 * the compiler's (stack protector, fortify) would be taken for an attack. */
static void
abort_is_abort(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < SANDBOXED_COUNT; i++) {
		if ((pid = fork()) == 0) {
			if (sandboxed_enter(sandboxed_processes[i]))
				_exit(1);
			signal(SIGABRT, SIG_DFL);
			abort();
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGABRT);
	}
}

/* --- dial and http: the way of a connection ----------------------------------- */

static struct sockaddr_in server; /* listens in the parent */

/* dial: resolve, connect from a given address, hand the socket over. */
static int
dial_work(void)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
			    .ai_flags = AI_ADDRCONFIG},
			*ai;
	struct sockaddr_in from = {.sin_family = AF_INET};
	socklen_t len = sizeof(int);
	int s, err = -1;
	struct pollfd p;

	MUST(getaddrinfo("localhost", "443", &hints, &ai) == 0);
	freeaddrinfo(ai);
	/* One that no file knows: asks the resolver, whatever it says. */
	if (getaddrinfo("orb-test.invalid", "443", &hints, &ai) == 0)
		freeaddrinfo(ai);
	s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	MUST(s >= 0);
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST(bind(s, (struct sockaddr *)&from, sizeof(from)) == 0);
	MUST(connect(s, (struct sockaddr *)&server, sizeof(server)) == 0 ||
	    errno == EINPROGRESS);
	p = (struct pollfd){s, POLLOUT, 0};
	MUST(poll(&p, 1, 1000) == 1);
	MUST(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0);
	pass_fd(pair[0], s);
	return 0;
}

/* http: what libcurl 7.88.1 does with a socket that it was given. */
static int
http_work(void)
{
	int s = take_fd(pair[1]), err = -1, one = 1;
	struct sockaddr_in sa;
	socklen_t len = sizeof(err);
	struct pollfd p = {s, POLLOUT, 0};
	char buf[8];

	MUST(connect(s, (struct sockaddr *)&server, sizeof(server)) < 0);
	MUST(errno == EINPROGRESS);
	MUST(poll(&p, 1, 1000) == 1);
	MUST(getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &len) == 0 && err == 0);
	MUST(setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0);
	len = sizeof(sa);
	MUST(getpeername(s, (struct sockaddr *)&sa, &len) == 0);
	MUST(getsockname(s, (struct sockaddr *)&sa, &len) == 0);
	MUST(send(s, "hello", 5, MSG_NOSIGNAL) == 5);
	p.events = POLLIN;
	MUST(poll(&p, 1, 5000) == 1);
	MUST(recv(s, buf, sizeof(buf), 0) == 5 && !memcmp(buf, "world", 5));
	return 0;
}

/* The parent's side: answers one connection from a thread of execution of its
 * own, since the parent waits for the child. */
static pid_t
answer_one(int l)
{
	char buf[8];
	pid_t pid = fork();
	int s;

	if (pid != 0)
		return pid;
	s = accept(l, NULL, NULL);
	if (read(s, buf, 5) == 5 && write(s, "world", 5) == 5)
		_exit(0);
	_exit(1);
}

static void
dialled_socket_serves_http(void **state)
{
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), status;
	socklen_t len = sizeof(server);
	pid_t pid;

	(void)state;
	memset(&server, 0, sizeof(server));
	server.sin_family = AF_INET;
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(l, (struct sockaddr *)&server, len), 0);
	assert_int_equal(listen(l, 4), 0);
	getsockname(l, (struct sockaddr *)&server, &len);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	pid = answer_one(l);
	all_well("dial", dial_work);
	all_well("http", http_work);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(l);
	close(pair[0]);
	close(pair[1]);
}

/* --- the ones with files ------------------------------------------------------- */

static char name[128], name2[128];

/* The vault: a new file, durable, renamed over the old; listed; removed. */
static int
keyd_work(void)
{
	char dir[64];
	struct stat st;
	int fd, d;

	snprintf(dir, sizeof(dir), "%s", sandboxed_dir);
	snprintf(name, sizeof(name), "%s/new", sandboxed_dir);
	snprintf(name2, sizeof(name2), "%s/exchange.cred", sandboxed_dir);
	d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(d >= 0);
	fd = open(
	    name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	MUST(fd >= 0 && write(fd, "sealed", 6) == 6 && fsync(fd) == 0);
	MUST(close(fd) == 0 && renameat(d, "new", d, "exchange.cred") == 0);
	MUST(fsync(d) == 0);
	MUST((fd = open(name2, O_RDONLY | O_CLOEXEC)) >= 0);
	MUST(fstat(fd, &st) == 0 && st.st_size == 6);
	MUST(close(fd) == 0 && unlinkat(d, "exchange.cred", 0) == 0);
	return 0;
}

static void
keyd_keeps_its_vault(void **state)
{
	(void)state;
	all_well("keyd", keyd_work);
}

static int
sql(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL);
}

/* SQLite as mapd uses it: WAL, synchronous FULL, checkpoint, a second look. */
static int
mapd_work(void)
{
	time_t summer = 1782000000; /* 2026-06-21 */
	sqlite3 *db;
	struct tm tm;

	snprintf(name, sizeof(name), "%s/state.db", sandboxed_dir);
	for (int round = 0; round < 2; round++) {
		MUST(sqlite3_open(name, &db) == SQLITE_OK);
		/* Else large sorts would want files in /var/tmp. */
		MUST(!sql(db, "PRAGMA temp_store=MEMORY"));
		MUST(!sql(db, "PRAGMA journal_mode=WAL"));
		MUST(!sql(db, "PRAGMA synchronous=FULL"));
		MUST(!sql(db, "CREATE TABLE IF NOT EXISTS t(a, b)"));
		MUST(!sql(db, "BEGIN IMMEDIATE"));
		MUST(!sql(db,
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
		    "SELECT i+1 FROM n WHERE i<5000) INSERT INTO t "
		    "SELECT i, randomblob(100) FROM n"));
		MUST(!sql(db, "COMMIT"));
		MUST(!sql(db, "CREATE INDEX IF NOT EXISTS x ON t(b)"));
		MUST(!sql(db, "DELETE FROM t WHERE a % 2"));
		MUST(!sql(db, "SELECT * FROM t ORDER BY b"));
		MUST(!sql(db, "PRAGMA wal_checkpoint(TRUNCATE)"));
		MUST(!sql(db, "VACUUM"));
		MUST(sqlite3_close(db) == SQLITE_OK);
	}
	setenv("TZ", ":Europe/Amsterdam", 1);
	tzset();
	MUST(localtime_r(&summer, &tm) && tm.tm_isdst == 1);
	return 0;
}

static void
mapd_keeps_its_database(void **state)
{
	(void)state;
	all_well("mapd", mapd_work);
}

static int
ledgerd_work(void)
{
	struct iovec iov = {(void *)(uintptr_t) "MESSAGE=x\n", 10};
	struct mmsghdr m = {.msg_hdr = {.msg_iov = &iov, .msg_iovlen = 1}};
	int fd;

	snprintf(name, sizeof(name), "%s/segment", sandboxed_dir);
	fd = open(name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, "record", 6) == 6 && fdatasync(fd) == 0);
	MUST(ftruncate(fd, 3) == 0 && lseek(fd, 0, SEEK_END) == 3);
	MUST(fsync(fd) == 0 && close(fd) == 0);
	MUST(sendmmsg(pair[0], &m, 1, MSG_NOSIGNAL) == 1 && m.msg_len == 10);
	return 0;
}

static void
ledgerd_appends(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	all_well("ledgerd", ledgerd_work);
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_does_common_work),
	    cmocka_unit_test(abort_is_abort),
	    cmocka_unit_test(dialled_socket_serves_http),
	    cmocka_unit_test(keyd_keeps_its_vault),
	    cmocka_unit_test(mapd_keeps_its_database),
	    cmocka_unit_test(ledgerd_appends),
	};

	return cmocka_run_group_tests_name(
	    "sandbox_work", tests, sandboxed_setup, sandboxed_teardown);
}
