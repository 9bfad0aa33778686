/*
 * http_lease.c: how http comes to a credential, and how it loses it.
 *
 *	a request without credential (HEAD) to the login host: TLS verifies
 *	KEYD_LEASE with the host and the key that it showed
 *	Graph: the lease is the body of the token request, which is posted
 *	TOPdesk, EWS: the lease is the Authorization header (Basic)
 *
 * One at a time, ahead of expiry, while the old token still serves.  A login
 * that is refused is not tried again and again, since accounts are locked for
 * that: one more lease, then pauses from one minute to a quarter of an hour, and
 * a password of EWS not for an hour (http_locked.c).
 */
#include "fetchd/http.h"
#include "lib/events.h"
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define KEYD_MS 15000
#define KEYD_PAUSE 3000    /* keyd gave no lease: somebody may be entering it */
#define BUSY_PAUSE 10000   /* the login host is busy */
#define DENIED_PAUSE 60000 /* doubles */
#define DENIED_LAST 900000
#define REFRESH_BEFORE 300000 /* ms before expiry */
#define LEASE_BASIC 2         /* kind of a lease: see keyd */
#define LEASE_TOKEN_REQUEST 1

static void ask_keyd(struct http *);

struct token *
token_ref(struct token *t)
{
	t->refs++;
	return t;
}

void
token_unref(struct token *t)
{
	if (t == NULL || --t->refs > 0)
		return;
	secret_free(&t->line);
	free(t);
}

void
lease_drop(struct http *h)
{
	token_unref(h->lease.token);
	h->lease.token = NULL;
}

void
lease_fail(struct http *h, enum outcome outcome, int64_t pause, const char *why)
{
	struct lease *l = &h->lease;

	l->stage = LEASE_IDLE;
	secret_free(&l->body);
	l->pause_until = loop_now() + pause;
	l->outcome = (uint16_t)outcome;
	wire_clean(l->trouble, sizeof(l->trouble), why, sizeof(l->trouble) - 1);
	log_warn("no credential: %s", l->trouble);
	if (l->token == NULL)
		request_fail_all(h, outcome, l->trouble);
	http_tell_status(h);
}

int64_t
lease_denied_pause(const struct lease *l)
{
	unsigned shift = l->failures > 2 ? l->failures - 2 : 0;
	int64_t ms = (int64_t)DENIED_PAUSE << (shift > 4 ? 4 : shift);

	return ms > DENIED_LAST ? DENIED_LAST : ms;
}

/*
 * line, a whole header, becomes the token in force.  lifetime and refresh in
 * seconds; refresh 0 is five minutes before the end, or half of a short life.
 */
static int
token_set(struct http *h, const char *scheme, const uint8_t *value, size_t len,
    uint32_t lifetime, uint32_t refresh)
{
	struct token *t = calloc(1, sizeof(*t));
	size_t n = strlen(scheme);
	int64_t life = (int64_t)lifetime * 1000, now = loop_now(), early;
	uint16_t jitter = 0;

	if (t == NULL || secret_alloc(&t->line, n + len + 1)) {
		free(t);
		return -1;
	}
	memcpy(t->line.p, scheme, n);
	memcpy(t->line.p + n, value, len);
	(void)!getrandom(&jitter, sizeof(jitter), GRND_NONBLOCK);
	early = life / 2 < REFRESH_BEFORE ? life / 2 : REFRESH_BEFORE;
	if (refresh > 0 && (int64_t)refresh * 1000 < life)
		early = life - (int64_t)refresh * 1000;
	t->refs = 1;
	t->lease = h->lease.number;
	t->expires = now + life - (life > 120000 ? 30000 : 0);
	/* Up to a tenth earlier, so that many installations do not come to
	 * the login host in the same second. */
	t->refresh = now + life - early - (life - early) / 10 * jitter / 65536;
	lease_drop(h);
	h->lease.token = t;
	return 0;
}

static void
lease_won(struct http *h)
{
	struct lease *l = &h->lease;

	l->stage = LEASE_IDLE;
	secret_free(&l->body);
	l->trouble[0] = l->refused[0] = '\0';
	l->retried = 0;
	http_tell_status(h);
}

/* --- keyd ---------------------------------------------------------------------- */

/* A credential that is sent as it is: the header's value must be one. */
static void
take_basic(struct http *h, const struct msg_http_lease *m)
{
	struct lease *l = &h->lease;
	char text[200];

	if (!locked_is_bad(l, m->value.p, m->value.len)) {
		/* Another one gets one try, as the one before had two. */
		if (l->bad)
			l->failures = 1;
		locked_forget(l);
	} else if (locked_wait(l) > 0) {
		snprintf(text, sizeof(text),
		    "Exchange refused this password and the account could be "
		    "locked: the next try is in %lld min, or when another one "
		    "is entered with orbctl credential set exchange",
		    (long long)locked_wait(l) / 60000 + 1);
		lease_fail(h, OUTCOME_DENIED, locked_pause(l), text);
		return;
	}
	for (size_t i = 0; i < m->value.len; i++)
		if (m->value.p[i] < ' ' || m->value.p[i] > '~') {
			lease_fail(h, OUTCOME_DENIED, KEYD_PAUSE,
			    "the lease cannot stand in a header");
			return;
		}
	if (token_set(
		h, LEASE_HEADER, m->value.p, m->value.len, m->lifetime, 0))
		lease_fail(h, OUTCOME_FAILED, KEYD_PAUSE,
		    "no secure memory for the lease");
	else
		lease_won(h);
}

static void
take_lease(struct http *h, const struct msg_http_lease *m)
{
	int kind = h->token_request ? LEASE_TOKEN_REQUEST : LEASE_BASIC;
	struct lease *l = &h->lease;

	l->number = m->lease;
	wire_clean(l->key_name, sizeof(l->key_name), m->key_name,
	    sizeof(l->key_name) - 1);
	if (m->kind != kind || m->lifetime == 0 || m->value.len == 0) {
		lease_fail(h, OUTCOME_DENIED, KEYD_PAUSE,
		    "the lease is not of this upstream's kind: "
		    "see orbctl credential list");
		return;
	}
	if (kind == LEASE_BASIC) {
		take_basic(h, m);
		return;
	}
	secret_free(&l->body);
	if (secret_copy(&l->body, m->value.p, m->value.len))
		lease_fail(h, OUTCOME_FAILED, KEYD_PAUSE,
		    "no secure memory for the lease");
	else
		l->stage = LEASE_TOKEN_WAIT;
}

static int
on_keyd_answer(struct chan *c, struct packet *pk, void *arg)
{
	struct msg_http_lease m;
	struct http *h = arg;
	struct msg_error no;

	(void)c;
	if (pk && !(pk->flags & CHAN_END))
		return -1;
	if (pk == NULL)
		lease_fail(
		    h, OUTCOME_FAILED, KEYD_PAUSE, "orb-keyd did not answer");
	else if (pk->type == MSG_ERROR) {
		if (error_get(pk, &no))
			return -1;
		/* Only what a person has to cure is "denied". */
		lease_fail(h,
		    no.code == OUTCOME_BUSY ? OUTCOME_BUSY : OUTCOME_DENIED,
		    KEYD_PAUSE, no.text);
	} else {
		if (pk->type != MSG_HTTP_LEASE || http_lease_get(pk, &m))
			return -1;
		take_lease(h, &m);
	}
	return 0;
}

static void
ask_keyd(struct http *h)
{
	struct lease *l = &h->lease;
	struct msg_keyd_lease m = {l->dest->url->host, l->dest->url->port,
	    {l->spki, sizeof(l->spki)}, l->refused};
	uint64_t id = 0;

	l->stage = LEASE_ASKED;
	if (h->keyd)
		id = chan_call(h->keyd, KEYD_MS, on_keyd_answer, h);
	if (id == 0 || keyd_lease_send(h->keyd, id, 0, &m)) {
		if (id)
			chan_forget(h->keyd, id);
		lease_fail(
		    h, OUTCOME_FAILED, KEYD_PAUSE, "orb-keyd is not connected");
	}
}

/* --- the login host --------------------------------------------------------------- */

static struct curl_slist verify_head[] = {
    {(char *)(uintptr_t) "Accept: */*", NULL},
};
static struct curl_slist token_head[] = {
    {(char *)(uintptr_t) "Accept: application/json", &token_head[1]},
    {(char *)(uintptr_t) "Content-Type: application/x-www-form-urlencoded",
	&token_head[2]},
    {(char *)(uintptr_t) "Expect:", NULL},
};

static void
login_url(const struct http *h, int token, char *buf, size_t size)
{
	const struct conf_url *u = h->lease.url;

	if (token)
		snprintf(buf, size, "https://%s:%u%s/%s/oauth2/v2.0/token",
		    u->host, (unsigned)u->port, u->path,
		    h->conf->exchange.tenant);
	else
		snprintf(buf, size, "https://%s:%u%s%s", u->host,
		    (unsigned)u->port, u->path, u->path[0] ? "" : "/");
}

static void
login_begin(struct http *h, enum slot_kind kind)
{
	struct slot *s = &h->login_slot;
	struct lease *l = &h->lease;
	char url[900];

	s->kind = kind;
	s->dest = l->dest;
	s->sent = s->no_socket = s->paused = 0;
	s->why = NULL;
	s->status = 0;
	s->request_id[0] = s->error[0] = '\0';
	l->answer_len = 0;
	login_url(h, kind == SLOT_TOKEN, url, sizeof(url));
	curl_easy_setopt(s->easy, CURLOPT_URL, url);
	if (kind == SLOT_VERIFY) {
		l->have_spki = 0;
		curl_easy_setopt(s->easy, CURLOPT_NOBODY, 1L);
		curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, verify_head);
	} else {
		curl_easy_setopt(s->easy, CURLOPT_HTTPGET, 1L);
		curl_easy_setopt(s->easy, CURLOPT_POST, 1L);
		curl_easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		    (curl_off_t)l->body.len);
		curl_easy_setopt(s->easy, CURLOPT_POSTFIELDS, l->body.p);
		curl_easy_setopt(s->easy, CURLOPT_HTTPHEADER, token_head);
	}
	l->stage = kind == SLOT_VERIFY ? LEASE_VERIFY : LEASE_TOKEN;
	if (pool_start(s)) {
		s->kind = SLOT_FREE;
		lease_fail(
		    h, OUTCOME_FAILED, BUSY_PAUSE, "libcurl refused a request");
	}
}

size_t
lease_on_body(struct slot *s, const uint8_t *p, size_t n)
{
	struct lease *l = &s->h->lease;

	if (s->kind != SLOT_TOKEN)
		return n;
	if (l->answer == NULL && (l->answer = malloc(HTTP_TOKEN_MAX)) == NULL)
		return 0;
	if (n > HTTP_TOKEN_MAX - l->answer_len) {
		s->why = "the token answer is larger than 64 KiB";
		return 0;
	}
	memcpy(l->answer + l->answer_len, p, n);
	l->answer_len += n;
	s->moved = loop_now();
	return n;
}

static void
drop_answer(struct lease *l)
{
	if (l->answer)
		explicit_bzero(l->answer, HTTP_TOKEN_MAX);
	free(l->answer);
	l->answer = NULL;
	l->answer_len = 0;
}

/* The login said no.  With two keys loaded, the other one gets one try. */
static void
login_refused(
    struct http *h, const struct slot *s, const struct token_answer *a)
{
	struct lease *l = &h->lease;
	char text[300];

	snprintf(text, sizeof(text), "the login answered %s (AADSTS%u) to %s",
	    a->error, (unsigned)a->error_code,
	    l->key_name[0] ? l->key_name : "the credential");
	record_event(h, EV_LOGIN_FAILED, (uint16_t)s->status, l->number,
	    s->request_id, text);
	if (strcmp(a->error, "invalid_client") == 0 && !l->retried &&
	    l->key_name[0]) {
		log_warn("%s; asking for the other key", text);
		l->retried = 1;
		secret_free(&l->body);
		memcpy(l->refused, l->key_name, sizeof(l->refused));
		ask_keyd(h);
		return;
	}
	l->retried = 0;
	l->refused[0] = '\0';
	l->failures++;
	lease_fail(h, OUTCOME_DENIED, lease_denied_pause(l), text);
}

static void
login_busy(struct http *h, const struct slot *s, const char *error)
{
	curl_off_t seconds = 0;
	int64_t pause = BUSY_PAUSE;
	char text[120];

	curl_easy_getinfo(s->easy, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > BUSY_PAUSE / 1000)
		pause = seconds > 600 ? 600000 : seconds * 1000;
	snprintf(text, sizeof(text), "the login host is busy (HTTP %ld%s%s)",
	    s->status, error[0] ? ", " : "", error);
	lease_fail(h, OUTCOME_BUSY, pause, text);
}

static void
token_answered(struct http *h, const struct slot *s)
{
	struct lease *l = &h->lease;
	struct token_answer a = {0};
	const char *why = "it is empty";
	char text[160];
	int rc = -1;

	if (l->answer)
		rc = token_parse(l->answer, l->answer_len, &a, &why);
	drop_answer(l);
	if (s->status == 429 || s->status >= 500 ||
	    (rc == 0 && strcmp(a.error, "temporarily_unavailable") == 0))
		login_busy(h, s, a.error);
	else if (rc || (a.access_token == NULL && a.error[0] == '\0') ||
	    (s->status != 200 && a.error[0] == '\0')) {
		snprintf(text, sizeof(text),
		    "the token answer (HTTP %ld) cannot be used: %s", s->status,
		    why);
		record_event(h, EV_ANSWER_BROKEN, (uint16_t)s->status,
		    l->number, s->request_id, text);
		lease_fail(h, OUTCOME_BROKEN, DENIED_PAUSE, text);
	} else if (a.error[0])
		login_refused(h, s, &a);
	else if (token_set(h, "Authorization: Bearer ",
		     (const uint8_t *)a.access_token, a.token_len, a.expires_in,
		     a.refresh_in))
		lease_fail(h, OUTCOME_FAILED, KEYD_PAUSE,
		    "no secure memory for the token");
	else
		lease_won(h);
	token_answer_free(&a);
}

void
lease_note(struct slot *s)
{
	record_event(s->h, EV_REQUEST, (uint16_t)s->status, s->h->lease.number,
	    s->request_id, "POST /*/oauth2/v2.0/token");
}

void
lease_on_done(struct slot *s, CURLcode code)
{
	enum slot_kind kind = s->kind;
	struct http *h = s->h;
	struct lease *l = &h->lease;
	const char *why = s->why ? s->why
	    : s->error[0]        ? s->error
				 : curl_easy_strerror(code);

	s->kind = SLOT_FREE;
	if (kind == SLOT_TOKEN && s->sent)
		lease_note(s);
	if (s->no_socket && s->sent == 0) {
		/* The connection was closed meanwhile: on a new one. */
		l->stage =
		    kind == SLOT_VERIFY ? LEASE_VERIFY_WAIT : LEASE_TOKEN_WAIT;
	} else if (code != CURLE_OK || s->status == 0) {
		drop_answer(l);
		if (s->sent == 0)
			pool_failed(s->dest, why);
		lease_fail(h, OUTCOME_FAILED, s->sent ? BUSY_PAUSE : 0, why);
	} else if (kind == SLOT_TOKEN)
		token_answered(h, s);
	else if (l->have_spki)
		ask_keyd(h);
	else
		lease_fail(h, OUTCOME_FAILED, BUSY_PAUSE,
		    "TLS did not tell whom it verified");
}

/* --- what the requests see ------------------------------------------------------- */

static void
go_on(struct http *h)
{
	struct lease *l = &h->lease;
	const char *why;

	if (l->stage != LEASE_VERIFY_WAIT && l->stage != LEASE_TOKEN_WAIT)
		return;
	if (pool_ready(l->dest))
		login_begin(h,
		    l->stage == LEASE_VERIFY_WAIT ? SLOT_VERIFY : SLOT_TOKEN);
	else if ((why = pool_trouble(l->dest)) != NULL)
		lease_fail(h, OUTCOME_FAILED, 0, why);
	else
		pool_ask(l->dest, 1);
}

int
lease_ready(struct http *h)
{
	struct lease *l = &h->lease;
	int64_t now = loop_now();

	if (l->token && now >= l->token->expires)
		lease_drop(h);
	if (l->stage == LEASE_IDLE &&
	    (l->token == NULL || now >= l->token->refresh)) {
		if (now >= l->pause_until)
			l->stage = LEASE_VERIFY_WAIT;
		else if (l->token == NULL)
			request_fail_all(h, l->outcome, l->trouble);
	}
	go_on(h);
	return l->token != NULL;
}

void
lease_close(struct http *h)
{
	lease_drop(h);
	locked_forget(&h->lease);
	secret_free(&h->lease.body);
	drop_answer(&h->lease);
}
