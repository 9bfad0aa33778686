/*
 * ews_admit.c: who may come in, and as whom: Basic logins, and the lock after
 * too many wrong ones; versions; impersonation and its anchor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"

#define LOCK_AFTER 5

struct ews_account ews_account;

int
ews_refuse_login(struct request *r)
{
	r->status = 401;
	r->type = "text/html";
	ews_trace(r);
	answer_header(r, "WWW-Authenticate", "Negotiate");
	answer_header(r, "WWW-Authenticate", "Basic realm=\"sim.test\"");
	return 0;
}

static int
login_good(const char *sent)
{
	char *pair, *b64;
	int good;

	pair = text_print("%s:%s", ews_account.login, ews_account.password);
	b64 = zalloc(strlen(pair) * 2 + 8);
	base64(b64, (unsigned char *)pair, strlen(pair));
	good =
	    strncasecmp(sent, "Basic ", 6) == 0 && strcmp(sent + 6, b64) == 0;
	free(pair);
	free(b64);
	return good;
}

/* Whether the login is good; answers 401 when not.  Five bad ones in a row
 * lock the account, as a directory would. */
static int
ews_login(struct request *r)
{
	const char *sent = request_header(r, "Authorization");

	if (sent == NULL)
		return ews_refuse_login(r);
	if (!login_good(sent)) {
		ews_account.failed++;
		if (++ews_account.failed_in_row >= LOCK_AFTER)
			ews_account.locked = 1;
		return ews_refuse_login(r);
	}
	if (ews_account.locked) {
		ews_account.failed++;
		return ews_refuse_login(r);
	}
	ews_account.failed_in_row = 0;
	return 1;
}

static struct mailbox *
sid_mailbox(const struct node *sid)
{
	const char *s = sid->text ? sid->text : "", *last = strrchr(s, '-');
	struct mailbox *mb;
	size_t at = 0;
	void *v;

	if (!node_is(sid, "t:SID"))
		return mailbox_find(s);
	while (last && map_each(&exchange.mailboxes, &at, NULL, &v))
		if ((mb = v)->number + 1000 == strtoul(last + 1, NULL, 10))
			return mb;
	return NULL;
}

static const char *
impersonate(struct ews *w, const struct node *header)
{
	const struct node *who = node_child(header, "t:ExchangeImpersonation");
	struct mailbox *mb;

	if (who == NULL)
		mb = mailbox_new(settings.service_mailbox, NULL, 0);
	else
		mb = sid_mailbox(who->first->first);
	if (mb == NULL)
		return "ErrorNonExistentMailbox";
	if (who != NULL &&
	    (mb->out_of_scope ||
		(settings.rooms_only && !mb->is_room &&
		    strcasecmp(mb->email, settings.service_mailbox) != 0)))
		return "ErrorImpersonateUserDenied";
	w->mb = w->r->mailbox = mb;
	if (++mb->busy > mb->busy_peak)
		mb->busy_peak = mb->busy;
	return NULL;
}

/* X-AnchorMailbox must be the mailbox that the request is about. */
static void
anchor_check(struct ews *w)
{
	const char *anchor = request_header(w->r, "X-AnchorMailbox");

	if (anchor == NULL) {
		ews_account.unanchored++;
		violation(w->r, "X-AnchorMailbox is missing");
	} else if (strcasecmp(anchor, w->mb->email) != 0) {
		ews_account.misanchored++;
		violation(w->r, "X-AnchorMailbox is %.100s, not %.100s", anchor,
		    w->mb->email);
	}
}

static const char *
version_check(const struct node *header)
{
	static const char *const known[] = {
	    "Exchange2013", "Exchange2013_SP1", "Exchange2016", "Exchange2019"};
	const char *v =
	    node_attr(node_child(header, "t:RequestServerVersion"), "Version");
	size_t i;

	for (i = 0; v != NULL && i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], v) == 0)
			return NULL;
	return "ErrorInvalidServerVersion";
}

static void
content_check(struct request *r)
{
	const char *v = request_header(r, "Content-Type");

	if (v == NULL || strncasecmp(v, "text/xml", 8) != 0)
		violation(r, "a body that is not said to be text/xml");
}

/*
 * Whether the request may be served; answers when not.  Afterwards w->mb is
 * the mailbox that it is about.
 */
int
ews_admit(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *header, *tz;
	const char *code;

	if (!ews_login(r))
		return 0;
	if (w->bad != NULL) {
		violation(r, "%s", w->bad);
		ews_fault_say(r, "ErrorSchemaValidation", w->bad, -1);
		return 0;
	}
	content_check(r);
	header = node_child(w->root, "s:Header");
	if ((code = version_check(header)) != NULL ||
	    (code = impersonate(w, header)) != NULL) {
		ews_fault_say(r, code, ews_text(code), -1);
		return 0;
	}
	anchor_check(w);
	tz = node_child(
	    node_child(header, "t:TimeZoneContext"), "t:TimeZoneDefinition");
	w->zone = zone_find(node_attr(tz, "Id"));
	ews_open(w);
	return 1;
}
