/* ews_upstream.c: see ews_upstream.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/ews_order.h"
#include "tests/unit/ews_upstream.h"

#define LOG 2000

static const struct ews_line *lines;
static const char *as;
static char *asked[LOG];
static unsigned nasked;

static void
forget(void)
{
	while (nasked > 0)
		free(asked[--nasked]);
}

static int
is_write(const char *body)
{
	return strstr(body, "<m:CreateItem") || strstr(body, "<m:UpdateItem") ||
	    strstr(body, "<m:DeleteItem");
}

static void
check_mailbox(const struct rig *r, const char *body)
{
	char want[600];

	snprintf(want, sizeof(want),
	    "<t:ExchangeImpersonation><t:ConnectingSID><t:PrimarySmtpAddress>"
	    "%s</t:PrimarySmtpAddress></t:ConnectingSID>"
	    "</t:ExchangeImpersonation>",
	    as);
	assert_non_null(strstr(body, want));
	assert_string_equal(r->anchor, as);
}

static void
upstream(struct rig *r, const char *method, const char *path, const char *body,
    struct rig_answer *x)
{
	const struct ews_line *s = lines;
	char why[300];

	assert_string_equal(method, "post");
	assert_string_equal(path, "/");
	assert_string_equal(r->accept, "text/xml");
	check_mailbox(r, body);
	if (ews_order_check(body, why, sizeof(why)))
		fail_msg("not in the schema: %s: %s", why, body);
	assert_in_range(nasked, 0, LOG - 1);
	asked[nasked++] = strdup(body);
	while (s->word && strstr(body, s->word) == NULL)
		s++;
	if (s->word == NULL)
		fail_msg("nobody expected %s", body);
	if (s->status == ANSWER_LOST) {
		x->status = 0;
		x->outcome = is_write(body) ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
		return;
	}
	x->status = s->status ? s->status : 200;
	x->body = s->say ? s->say(body) : strdup(s->body);
	x->type = strncmp(x->body, "<html", 5) == 0 ? "text/html" : "text/xml";
}

void
ews_script(const struct ews_line *script)
{
	lines = script;
}

struct rig *
ews_rig(const struct ews_line *script, const char *mailbox)
{
	static int once;
	struct rig *r;

	if (!once++)
		atexit(forget);
	forget();
	rig_ews = 1;
	r = rig_new(UPSTREAM_EXCHANGE);
	r->upstream = upstream;
	as = mailbox;
	ews_script(script);
	return r;
}

const char *
ews_sent(void)
{
	return nasked ? asked[nasked - 1] : "";
}

unsigned
ews_sent_with(const char *word)
{
	unsigned n = 0;

	for (unsigned i = 0; i < nasked; i++)
		n += strstr(asked[i], word) != NULL;
	return n;
}
