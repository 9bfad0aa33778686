/*
 * control_world.c: commands about the simulator itself: faults, settings,
 * counters, certificates.
 */
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "ews.h"
#include "topdesk.h"

static json_t *
fail(const char **why, const char *text)
{
	*why = text;
	return NULL;
}

json_t *
cmd_ping(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	return done();
}

json_t *
cmd_fault(json_t *a, const char **why)
{
	struct fault *f = fault_arm(arg_text(a, "kind"));
	const char *where = arg_text(a, "listener");
	json_t *p = json_object_get(a, "probability");
	int i;

	if (f == NULL)
		return fail(why, fault_names());
	for (i = 0; where != NULL && i < LISTENERS; i++)
		if (strcmp(listener_names[i], where) == 0)
			f->listener = i;
	set_text(&f->endpoint, arg_text(a, "endpoint"));
	set_text(&f->location, arg_text(a, "location"));
	set_text(&f->mailbox, arg_text(a, "mailbox"));
	f->count = arg_int(a, "count", 1);
	f->skip = arg_int(a, "skip", 0);
	f->seed = (unsigned int)arg_int(a, "seed", 1);
	f->retry_after = arg_int(a, "retry_after", 1);
	f->ms = arg_int(a, "ms", 0);
	f->status = arg_int(a, "status", 400);
	set_text(&f->body, arg_text(a, "body"));
	if (json_is_number(p))
		f->probability = json_number_value(p);
	return done();
}

json_t *
cmd_faults_clear(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	fault_clear();
	return done();
}

json_t *
cmd_counters(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	return counters_json();
}

json_t *
cmd_counters_reset(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	counters_reset();
	return done();
}

json_t *
cmd_violations(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	return json_pack("{s:I,s:o}", "count", (json_int_t)violation_count,
	    "violations", violations_json());
}

json_t *
cmd_register_certificate(json_t *a, const char **why)
{
	const char *pem = arg_text(a, "pem");
	char thumb[65];

	if (pem == NULL || certificate_register(pem, thumb) == -1)
		return fail(why, "pem is no certificate");
	return json_pack("{s:s}", "sha256", thumb);
}

json_t *
cmd_record(json_t *a, const char **why)
{
	long n = record_to(arg_text(a, "file"));

	if (n == -1)
		return fail(why, "the file cannot be written");
	return json_pack("{s:I}", "requests", (json_int_t)n);
}

json_t *
cmd_ews(json_t *a, const char **why)
{
	(void)a;
	(void)why;
	return json_pack("{s:s,s:I,s:b,s:I,s:I}", "login", ews_account.login,
	    "failed_logins", (json_int_t)ews_account.failed, "locked",
	    ews_account.locked, "without_anchor",
	    (json_int_t)ews_account.unanchored, "other_anchor",
	    (json_int_t)ews_account.misanchored);
}

static void
set_scope(json_t *list)
{
	struct mailbox *mb;
	size_t at = 0, i;
	void *v;
	json_t *j;

	while (map_each(&exchange.mailboxes, &at, NULL, &v))
		((struct mailbox *)v)->out_of_scope = 0;
	json_array_foreach(list, i, j) if (json_is_string(j))
	{
		mb = mailbox_new(json_string_value(j), NULL, 0);
		mb->out_of_scope = 1;
	}
}

static void
set_unknown(json_t *list, int how)
{
	size_t i;
	json_t *j;

	json_array_foreach(list, i, j) if (json_is_string(j))
	    mailbox_new(json_string_value(j), NULL, 0)
		->unknown = how;
}

static void
set_latency(json_t *v)
{
	int i;

	for (i = 0; i < LISTENERS; i++)
		if (json_is_number(v))
			listening[i].latency = (int)json_number_value(v);
		else
			listening[i].latency =
			    arg_int(v, listener_names[i], listening[i].latency);
}

static void
set_permissions(json_t *v)
{
	topdesk.may_read = arg_int(v, "read", topdesk.may_read);
	topdesk.may_create = arg_int(v, "create", topdesk.may_create);
	topdesk.may_edit = arg_int(v, "edit", topdesk.may_edit);
	topdesk.may_locations = arg_int(v, "locations", topdesk.may_locations);
	topdesk.may_persons = arg_int(v, "persons", topdesk.may_persons);
}

json_t *
cmd_set(json_t *a, const char **why)
{
	const struct {
		const char *key;
		int *where;
	} numbers[] = {
	    {"token_lifetime", &settings.token_lifetime},
	    {"page_size", &settings.page_size},
	    {"empty_pages", &settings.empty_pages},
	    {"replay", &settings.replay},
	    {"rooms_only", &settings.rooms_only},
	    {"enforce", &settings.enforce},
	    {"accept_delay_ms", &exchange.accept_delay},
	    {"account", &topdesk.operator_ok},
	    {"sync_state_bytes", &ews_account.sync_state_bytes},
	    {"default_reason", &topdesk.default_reason},
	};
	const char *key = arg_text(a, "key"), *s = arg_text(a, "value");
	json_t *v = json_object_get(a, "value");
	size_t i;

	if (key == NULL)
		return fail(why, "key");
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (strcmp(key, numbers[i].key) == 0) {
			*numbers[i].where = arg_int(a, "value", 0);
			return done();
		}
	if (strcmp(key, "expire_tokens") == 0)
		token_expire_all();
	else if (strcmp(key, "conflict") == 0 && s != NULL)
		topdesk.refuse_conflicts = strcmp(s, "refused") == 0;
	else if (strcmp(key, "out_of_scope") == 0)
		set_scope(v);
	else if (strcmp(key, "unknown_organisers") == 0)
		set_unknown(v, 1);
	else if (strcmp(key, "lost_organisers") == 0)
		set_unknown(v, 2);
	else if (strcmp(key, "service_mailbox") == 0 && s != NULL) {
		set_text(&settings.service_mailbox, s);
		(void)mailbox_new(s, NULL, 0);
	} else if (strcmp(key, "duplicate_transaction") == 0)
		settings.duplicate_status = json_is_integer(v)
		    ? (int)json_integer_value(v)
		    : s ? (int)strtol(s, NULL, 10) /* "same" is 0 */
			: 0;
	else if (strcmp(key, "ews_login") == 0 && s != NULL)
		set_text(&ews_account.login, s);
	else if (strcmp(key, "ews_password") == 0 && s != NULL)
		set_text(&ews_account.password, s);
	else if (strcmp(key, "ews_unlock") == 0)
		ews_account.locked = ews_account.failed_in_row = 0;
	else if (strcmp(key, "latency_ms") == 0)
		set_latency(v);
	else if (strcmp(key, "permissions") == 0)
		set_permissions(v);
	else
		return fail(why, "unknown key, or a value of another type");
	return done();
}
