/*
 * test_chan.c: the boundary itself: what a channel serves, what it refuses,
 * descriptors, memfds and their seals, requests and deadlines, a peer that
 * does not read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/chan.h"

struct rig {
	struct loop *loop;
	struct chan *a, *b; /* a: adapter, b: http */
	int raw;            /* b's end as a bare socket, when there is no b */
	int served, closed, answers, ended, nulls;
	int refuse; /* answers are nonsense to a */
	char why[200];
	uint64_t id;
	size_t body;
	int fd;
};
static struct rig *rig;

static int
on_request(struct chan *c, struct packet *p)
{
	struct msg_http_request m;

	(void)c;
	if (http_request_get(p, &m))
		return -1;
	rig->served++;
	rig->id = p->id;
	rig->body = m.body.len;
	return 0;
}

static int
on_hold(struct chan *c, struct packet *p)
{
	struct msg_http_hold m;

	(void)c;
	if (http_hold_get(p, &m))
		return -1;
	rig->served++;
	return 0;
}

static const struct permit permits[] = {
    {MSG_HTTP_REQUEST, on_request, 0},
    {MSG_HTTP_HOLD, on_hold, 1},
    {0, NULL, 0},
};

static void
on_closed(struct chan *c, const char *why)
{
	/* The other end closes in answer: the first reason counts. */
	if (rig->closed++ == 0)
		snprintf(
		    rig->why, sizeof(rig->why), "%s", why ? why : "orderly");
	if (c == rig->a)
		rig->a = NULL;
	if (c == rig->b)
		rig->b = NULL;
}

static int
on_answer(struct chan *c, struct packet *p, void *arg)
{
	(void)c;
	assert_ptr_equal(arg, rig);
	if (p == NULL) {
		rig->nulls++;
		return 0;
	}
	if (rig->refuse)
		return -1;
	rig->answers++;
	rig->ended += (p->flags & CHAN_END) != 0;
	return 0;
}

static int
setup(void **state)
{
	int s[2];

	rig = calloc(1, sizeof(*rig));
	rig->fd = -1;
	rig->loop = loop_new();
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	rig->a = chan_new(
	    rig->loop, s[0], ROLE_ADAPTER, ROLE_HTTP, NULL, on_closed, NULL);
	rig->b = chan_new(
	    rig->loop, s[1], ROLE_HTTP, ROLE_ADAPTER, permits, on_closed, NULL);
	rig->raw = -1;
	*state = rig;
	return 0;
}

/* b as a bare end on which a test sends what it likes, to a as http. */
static int
setup_raw(void **state)
{
	int s[2];

	rig = calloc(1, sizeof(*rig));
	rig->loop = loop_new();
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	rig->b = chan_new(
	    rig->loop, s[0], ROLE_HTTP, ROLE_ADAPTER, permits, on_closed, NULL);
	rig->raw = s[1];
	*state = rig;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	chan_free(rig->a);
	chan_free(rig->b);
	if (rig->raw >= 0)
		close(rig->raw);
	loop_free(rig->loop);
	free(rig);
	return 0;
}

static void
turns(int n)
{
	while (n-- > 0)
		loop_turn(rig->loop, 0);
}

static uint64_t
request(size_t body, int64_t deadline)
{
	uint8_t *p = calloc(1, body + 1);
	struct msg_http_request m = {
	    .method = METHOD_GET, .path = "/x", .body = {p, body}};
	uint64_t id = chan_call(rig->a, deadline, on_answer, rig);

	assert_int_equal(http_request_send(rig->a, id, 0, &m), 0);
	free(p);
	return id;
}

static void
request_and_answer(void **state)
{
	struct msg_adapter_response r = {.status = 200};
	struct msg_adapter_chunk ch = {{(const uint8_t *)"abc", 3}};
	uint64_t id;

	(void)state;
	id = request(3, 1000);
	turns(2);
	assert_int_equal(rig->served, 1);
	assert_true(rig->id == id);
	assert_int_equal(adapter_response_send(rig->b, id, 0, &r), 0);
	assert_int_equal(adapter_chunk_send(rig->b, id, 0, &ch), 0);
	assert_int_equal(adapter_chunk_send(rig->b, id, CHAN_END, &ch), 0);
	turns(2);
	assert_int_equal(rig->answers, 3);
	assert_int_equal(rig->ended, 1);
	/* After its END an answer is late: dropped, not a fault. */
	assert_int_equal(adapter_chunk_send(rig->b, id, CHAN_END, &ch), 0);
	turns(2);
	assert_int_equal(rig->answers, 3);
	assert_int_equal(rig->closed, 0);
}

static void
an_answer_to_nothing_closes(void **state)
{
	struct msg_adapter_response r = {.status = 200};

	(void)state;
	adapter_response_send(rig->b, 77, CHAN_END, &r);
	turns(3);
	assert_null(rig->a);
	assert_non_null(strstr(rig->why, "ADAPTER_RESPONSE"));
}

/* END where it does not belong, and none where it does. */
static void
end_belongs_to_the_type(void **state)
{
	struct msg_adapter_failed f = {.outcome = OUTCOME_FAILED};
	struct msg_http_lease l = {.lease = 1};
	uint64_t id = request(0, 0);

	(void)state;
	turns(2);
	/* A final answer has it even when its sender forgot. */
	assert_int_equal(adapter_failed_send(rig->b, id, 0, &f), 0);
	turns(2);
	assert_int_equal(rig->ended, 1);
	assert_int_equal(rig->closed, 0);
	/* Not http's to send, whatever flags. */
	assert_int_equal(http_lease_send(rig->b, id, CHAN_END, &l), -1);
}

/* The last packet of an answer is nonsense: the request must not be lost. */
static void
nonsense_ends_a_request(void **state)
{
	struct msg_adapter_failed f = {.outcome = OUTCOME_FAILED};
	uint64_t id = request(0, 0);

	(void)state;
	turns(2);
	rig->refuse = 1;
	adapter_failed_send(rig->b, id, CHAN_END, &f);
	turns(3);
	assert_int_equal(rig->answers, 0);
	assert_int_equal(rig->nulls, 1);
	assert_null(rig->a);
}

static void
deadline_ends_a_request(void **state)
{
	struct msg_adapter_response r = {.status = 200};
	uint64_t id = request(0, 100);
	int64_t end = loop_now() + 5000;

	(void)state;
	while (rig->nulls == 0 && loop_now() < end)
		loop_turn(rig->loop, 50);
	assert_int_equal(rig->nulls, 1);
	adapter_response_send(rig->b, id, CHAN_END, &r);
	turns(3);
	assert_int_equal(rig->answers, 0);
	assert_int_equal(rig->closed, 0);
}

static void
closing_ends_requests(void **state)
{
	(void)state;
	request(0, 0);
	request(0, 0);
	turns(2);
	chan_free(rig->b);
	rig->b = NULL;
	turns(3);
	assert_int_equal(rig->nulls, 2);
	assert_null(rig->a);
	assert_string_equal(rig->why, "orderly");
}

static void
a_large_payload_is_a_sealed_memfd(void **state)
{
	(void)state;
	request(100000, 0);
	turns(2);
	assert_int_equal(rig->served, 1);
	assert_int_equal(rig->body, 100000);
}

static void
too_large_is_an_error_for_the_sender(void **state)
{
	size_t n = 4194304 + 1;
	uint8_t *p = calloc(1, n);
	struct msg_http_request m = {
	    .method = METHOD_GET, .path = "/x", .body = {p, n}};
	struct msg_adapter_chunk ch = {{p, 16001}};

	(void)state;
	assert_int_equal(http_request_send(rig->a,
			     chan_call(rig->a, 0, on_answer, rig), 0, &m),
	    -1);
	assert_int_equal(adapter_chunk_send(rig->b, 1, 0, &ch), -1);
	turns(2);
	assert_int_equal(rig->closed, 0);
	free(p);
}

static void
a_sender_keeps_to_its_role(void **state)
{
	struct msg_keyd_lease lease = {.host = "h"};
	struct msg_done d = {1};

	(void)state;
	/* adapter may not ask for a lease, from whatever code. */
	assert_int_equal(keyd_lease_send(rig->a, 1, 0, &lease), -1);
	/* DONE is everybody's. */
	assert_int_equal(done_send(rig->a, 1, CHAN_END, &d), 0);
}

static void
once_is_once(void **state)
{
	struct msg_http_hold h = {.seconds = 1};

	(void)state;
	http_hold_send(rig->a, 0, 0, &h);
	turns(2);
	assert_int_equal(rig->served, 1);
	http_hold_send(rig->a, 0, 0, &h);
	turns(3);
	assert_int_equal(rig->served, 1);
	assert_null(rig->b);
}

static void
a_peer_that_does_not_read(void **state)
{
	struct msg_adapter_chunk ch;
	uint8_t p[16000] = {0};
	uint64_t id = request(0, 0);
	int rc = 0, n;

	(void)state;
	turns(2);
	chan_pause(rig->a, 1);
	ch.data = (struct wire_bytes){p, sizeof(p)};
	for (n = 0; n < 5000 && rc == 0; n++)
		rc = adapter_chunk_send(rig->b, id, 0, &ch);
	assert_int_equal(rc, -1);
	assert_in_range(n, CHAN_BACKLOG / 16000, 5000);
	turns(2);
	assert_null(rig->b);
	assert_non_null(strstr(rig->why, "does not take messages"));
}

static void
backlog_drains(void **state)
{
	struct msg_adapter_chunk ch;
	uint8_t p[16000] = {0};
	uint64_t id = request(0, 0);

	(void)state;
	turns(2);
	ch.data = (struct wire_bytes){p, sizeof(p)};
	for (int i = 0; i < 100; i++)
		assert_int_equal(adapter_chunk_send(rig->b, id, 0, &ch), 0);
	assert_true(chan_backlog(rig->b) > CHAN_BACKLOG);
	for (int i = 0; i < 200; i++)
		loop_turn(rig->loop, 1);
	assert_int_equal(chan_backlog(rig->b), 0);
	assert_int_equal(rig->answers, 100);
}

/* --- a peer that sends what it likes ---------------------------------------------- */

static void
put_header(uint8_t h[16], unsigned version, unsigned flags, unsigned type,
    uint32_t len, uint64_t id)
{
	h[0] = (uint8_t)version;
	h[1] = (uint8_t)flags;
	h[2] = (uint8_t)(type >> 8);
	h[3] = (uint8_t)type;
	for (int i = 0; i < 4; i++)
		h[4 + i] = (uint8_t)(len >> (24 - 8 * i));
	for (int i = 0; i < 8; i++)
		h[8 + i] = (uint8_t)(id >> (56 - 8 * i));
}

static void
send_raw(const void *p, size_t len, const int *fd, int nfd)
{
	struct iovec iov = {(void *)(uintptr_t)p, len};
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(4 * sizeof(int))];
	} u;
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfd) {
		memset(&u, 0, sizeof(u));
		m.msg_control = u.b;
		m.msg_controllen = CMSG_SPACE((size_t)nfd * sizeof(int));
		u.h.cmsg_level = SOL_SOCKET;
		u.h.cmsg_type = SCM_RIGHTS;
		u.h.cmsg_len = CMSG_LEN((size_t)nfd * sizeof(int));
		memcpy(CMSG_DATA(&u.h), fd, (size_t)nfd * sizeof(int));
	}
	assert_true(sendmsg(rig->raw, &m, 0) >= 0);
	turns(2);
}

/* HTTP_HOLD{seconds 1, text ""}: the smallest good message. */
static size_t
hold(uint8_t p[23])
{
	put_header(p, 1, 0, MSG_HTTP_HOLD, 7, 0);
	memset(p + 16, 0, 7);
	p[19] = 1;
	return 23;
}

static void
expect_closed(void)
{
	assert_int_equal(rig->served, 0);
	assert_int_equal(rig->closed, 1);
	assert_null(rig->b);
}

static void
good_raw(void **state)
{
	uint8_t p[23];

	(void)state;
	send_raw(p, hold(p), NULL, 0);
	assert_int_equal(rig->served, 1);
	assert_int_equal(rig->closed, 0);
}

#define BAD(name, change)                \
	static void name(void **state)   \
	{                                \
		uint8_t p[64] = {0};     \
		size_t n = hold(p);      \
                                         \
		(void)state;             \
		change;                  \
		send_raw(p, n, NULL, 0); \
		expect_closed();         \
	}
BAD(bad_version, p[0] = 2)
BAD(bad_flag, p[1] = 0x40)
BAD(bad_type_unknown, p[2] = 0x55)
BAD(bad_type_of_other_roles, put_header(p, 1, 0, MSG_KEYD_DATA_KEY, 0, 1);
    n = 16)
BAD(bad_type_not_permitted, put_header(p, 1, 0, MSG_HTTP_INCIDENT, 5, 0);
    n = 21)
BAD(bad_length_long, p[7] = 8)
BAD(bad_length_short, p[7] = 6)
BAD(bad_trailing_byte, p[7] = 8; n = 24)
BAD(bad_header_only, n = 10)
BAD(bad_id_on_a_notice, p[15] = 9)
BAD(bad_request_without_id, put_header(p, 1, 0, MSG_HTTP_REQUEST, 0, 0); n = 16)
BAD(bad_memfd_flag_without_fd, p[1] = CHAN_MEMFD)

static void
a_stray_descriptor_closes(void **state)
{
	uint8_t p[23];
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	send_raw(p, hold(p), &fd, 1);
	expect_closed();
	close(fd);
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void
several_descriptors(int n)
{
	uint8_t p[23];
	int fd[3], before;

	for (int i = 0; i < n; i++)
		fd[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	before = open_descriptors();
	send_raw(p, hold(p), fd, n);
	expect_closed();
	/* The connection's own is closed, and none of those is kept. */
	assert_int_equal(open_descriptors(), before - 1);
	for (int i = 0; i < n; i++)
		close(fd[i]);
}

static void
two_descriptors_close(void **state)
{
	(void)state;
	several_descriptors(2);
}

static void
three_descriptors_close(void **state)
{
	(void)state;
	several_descriptors(3);
}

/* A memfd that its sender could still change is refused. */
static void
memfd_case(int seals, size_t claim, int want_served)
{
	uint8_t h[16], body[200] = {0};
	struct wire_out w;
	struct msg_http_request m = {
	    .method = METHOD_GET, .path = "/x", .body = {body, sizeof(body)}};
	int fd = memfd_create("t", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	wire_out_init(&w, 1000);
	http_request_put(&w, &m);
	assert_int_equal(write(fd, w.buf, w.len), (ssize_t)w.len);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	put_header(h, 1, CHAN_MEMFD, MSG_HTTP_REQUEST,
	    (uint32_t)(claim ? claim : w.len), 1);
	send_raw(h, 16, &fd, 1);
	assert_int_equal(rig->served, want_served);
	assert_int_equal(rig->closed, !want_served);
	close(fd);
	wire_out_free(&w);
}

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK)

static void
memfd_sealed(void **state)
{
	(void)state;
	memfd_case(ALL_SEALS, 0, 1);
}

static void
memfd_unsealed(void **state)
{
	(void)state;
	memfd_case(0, 0, 0);
}

static void
memfd_writable(void **state)
{
	(void)state;
	memfd_case(F_SEAL_GROW | F_SEAL_SHRINK, 0, 0);
}

static void
memfd_shrinkable(void **state)
{
	(void)state;
	memfd_case(F_SEAL_WRITE | F_SEAL_GROW, 0, 0);
}

static void
memfd_smaller_than_claimed(void **state)
{
	(void)state;
	memfd_case(ALL_SEALS, 4000, 0);
}

static void
not_a_memfd(void **state)
{
	uint8_t h[16];
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	put_header(h, 1, CHAN_MEMFD, MSG_HTTP_REQUEST, 100, 1);
	send_raw(h, 16, fd, 1);
	expect_closed();
	close(fd[0]);
	close(fd[1]);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define R(f) cmocka_unit_test_setup_teardown(f, setup_raw, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(request_and_answer),
	    T(an_answer_to_nothing_closes),
	    T(end_belongs_to_the_type),
	    T(nonsense_ends_a_request),
	    T(deadline_ends_a_request),
	    T(closing_ends_requests),
	    T(a_large_payload_is_a_sealed_memfd),
	    T(too_large_is_an_error_for_the_sender),
	    T(a_sender_keeps_to_its_role),
	    T(once_is_once),
	    T(a_peer_that_does_not_read),
	    T(backlog_drains),
	    R(good_raw),
	    R(bad_version),
	    R(bad_flag),
	    R(bad_type_unknown),
	    R(bad_type_of_other_roles),
	    R(bad_type_not_permitted),
	    R(bad_length_long),
	    R(bad_length_short),
	    R(bad_trailing_byte),
	    R(bad_header_only),
	    R(bad_id_on_a_notice),
	    R(bad_request_without_id),
	    R(bad_memfd_flag_without_fd),
	    R(a_stray_descriptor_closes),
	    R(two_descriptors_close),
	    R(three_descriptors_close),
	    R(memfd_sealed),
	    R(memfd_unsealed),
	    R(memfd_writable),
	    R(memfd_shrinkable),
	    R(memfd_smaller_than_claimed),
	    R(not_a_memfd),
	};

	return cmocka_run_group_tests_name("chan", tests, NULL, NULL);
}
