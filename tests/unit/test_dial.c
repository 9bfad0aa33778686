/* test_dial.c: dial's CONNECT request, and a proxy's answer in any pieces. */
#include "dial/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static int
answer(const char *text, int *status, size_t *used)
{
	return proxy_answer(text, strlen(text), status, used);
}

static void
request(void **state)
{
	char buf[128];
	size_t n = proxy_request(buf, sizeof(buf), "graph.example", 443);

	(void)state;
	assert_int_equal(n, strlen(buf));
	assert_string_equal(buf,
	    "CONNECT graph.example:443 HTTP/1.1\r\n"
	    "Host: graph.example:443\r\n\r\n");
	assert_int_equal(proxy_request(buf, 20, "graph.example", 443), 0);
}

/* Nothing is decided before the header is whole, and nothing behind it is
 * counted to it. */
static void
pieces(void **state)
{
	static const char whole[] = "HTTP/1.1 200 Connection established\r\n"
				    "Via: 1.1 x\r\n\r\nbehind";
	size_t head = strlen(whole) - 6, used = 0;
	int status = 0;

	(void)state;
	for (size_t n = 0; n <= strlen(whole); n++) {
		int rc = proxy_answer(whole, n, &status, &used);

		assert_int_equal(rc, n >= head);
	}
	assert_int_equal(status, 200);
	assert_int_equal(used, head);
}

static void
numbers(void **state)
{
	size_t used;
	int status;

	(void)state;
	assert_int_equal(answer("HTTP/1.0 407 x\r\n\r\n", &status, &used), 1);
	assert_int_equal(status, 407);
	assert_int_equal(answer("HTTP/1.1 503\r\n\r\n", &status, &used), 1);
	assert_int_equal(status, 503);
}

static void
refused(void **state)
{
	static const char *const bad[] = {"S", "SSH-2.0\r\n\r\n", "HTTP/2 200",
	    "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
	    "HTTP/1.1 099 x\r\n\r\n", "HTTP/1.1 600 x\r\n\r\n",
	    "HTTP/1.1  200 x\r\n\r\n", "HTTP/1.x 200 x\r\n\r\n",
	    "HTTP/1.1200 x\r\n\r\n", "\r\n\r\n"};
	static char big[DIAL_PROXY_HEADER];
	size_t used;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(answer(bad[i], &status, &used), -1);
	memset(big, 'x', sizeof(big));
	memcpy(big, "HTTP/1.1 200 ", 13);
	assert_int_equal(proxy_answer(big, sizeof(big) - 1, &status, &used), 0);
	assert_int_equal(proxy_answer(big, sizeof(big), &status, &used), -1);
}

static void
numeric(void **state)
{
	struct address a;
	char text[64];

	(void)state;
	assert_int_equal(resolve_numeric("192.0.2.7", &a), 0);
	assert_string_equal(
	    address_text(&a, text, sizeof(text)), "192.0.2.7:0");
	assert_int_equal(resolve_numeric("2001:db8::7", &a), 0);
	assert_string_equal(
	    address_text(&a, text, sizeof(text)), "[2001:db8::7]:0");
	assert_int_equal(resolve_numeric("localhost", &a), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(request),
	    cmocka_unit_test(pieces),
	    cmocka_unit_test(numbers),
	    cmocka_unit_test(refused),
	    cmocka_unit_test(numeric),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
