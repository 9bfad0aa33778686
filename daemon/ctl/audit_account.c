/*
 * audit_account.c: orbctl audit account: who used the account, when, for what.
 *
 * The whole log is read once and added up (audit_leases.c); here is how the
 * sums are shown.
 */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/audit_leases.h"
#include "ctl/ctl.h"

#define DEADLINE 600000 /* ms */
#define SECOND INT64_C(1000000000)
#define KINDS 24 /* of method and status in one cell */

struct account {
	struct leases leases;
	int bad, full;
};

static int
on_record(struct packet *pk, void *arg)
{
	struct account *a = arg;
	struct msg_ctl_record m;
	json_t *r;

	if (pk->type != MSG_CTL_RECORD || ctl_record_get(pk, &m))
		return -1;
	if (a->full)
		return 0;
	r = json_loadb((const char *)m.canonical.p, m.canonical.len, 0, NULL);
	if (r == NULL)
		a->bad++;
	else if (leases_take(&a->leases, r))
		a->full = 1;
	json_decref(r);
	return 0;
}

static int
read_log(struct ctl *ctl, struct account *a)
{
	struct msg_ledgerd_tail m = {.from = 0};
	struct chan *c;
	uint64_t id;
	int rc = ctl_connect(ctl, ROLE_LEDGERD, &c);

	if (rc)
		return rc;
	id = ctl_ask(ctl, c, DEADLINE, on_record, a);
	if (ledgerd_tail_send(c, id, 0, &m))
		return ctl_error(CTL_FAILED, "ledgerd takes no request");
	if ((rc = ctl_wait(ctl, NULL)) != 0)
		return rc;
	if (a->full)
		return ctl_error(CTL_FAILED,
		    "more than %d leases or %d bookings, or no memory for "
		    "them: ask for less with --since and --until",
		    LEASES_MAX, LEASES_BOOKINGS);
	if (a->bad)
		return ctl_error(CTL_FAILED,
		    "records that are no JSON: %d; the log is damaged", a->bad);
	return CTL_OK;
}

/* --- for people ----------------------------------------------------------------- */

static const struct table_column columns[] = {
    {"granted", "GRANTED", TABLE_TIME, 0},
    {"upstream", "UPSTREAM", TABLE_TEXT, 0},
    {"lease", "LEASE", TABLE_TEXT, 0},
    {"credential", "CREDENTIAL", TABLE_TEXT, 1},
    {"process", "BY", TABLE_TEXT, 1},
    {"requests", "REQUESTS", TABLE_NUMBER, 0},
    {"refused", "REFUSED", TABLE_NUMBER, 0},
    {"bookings", "BOOKINGS", TABLE_NUMBER, 0},
    {"what", "WHAT", TABLE_TEXT, 1},
};

/* Requests of one method that got one status. */
struct kind {
	char method[8];
	unsigned status;
	uint64_t count;
};

static size_t
kinds_of(const struct leases *l, const struct lease_row *row, struct kind *k)
{
	char method[8];
	const char *what;
	size_t n = 0, j;

	for (size_t i = 0; i < row->nuse; i++) {
		what = l->what[row->use[i].what];
		snprintf(method, sizeof(method), "%.*s",
		    (int)strcspn(what, " "), what);
		for (j = 0; j < n; j++)
			if (k[j].status == row->use[i].status &&
			    strcmp(k[j].method, method) == 0)
				break;
		if (j == n && n == KINDS)
			j--;
		else if (j == n) {
			memcpy(k[n].method, method, sizeof(method));
			k[n].status = row->use[i].status;
			k[n++].count = 0;
		}
		k[j].count += row->use[i].count;
	}
	return n;
}

/* "30 GET 200, 2 POST 201, 1 GET unanswered" */
static void
text_of(
    const struct leases *l, const struct lease_row *row, char *buf, size_t size)
{
	struct kind k[KINDS];
	size_t n = kinds_of(l, row, k), at = 0;
	char status[12];
	int len;

	buf[0] = '\0';
	for (size_t i = 0; i < n && at < size; i++) {
		snprintf(status, sizeof(status), "%u", k[i].status);
		len = snprintf(buf + at, size - at, "%s%" PRIu64 " %s %s",
		    i ? ", " : "", k[i].count, k[i].method,
		    k[i].status ? status : "unanswered");
		at += len < 0 ? size : (size_t)len;
	}
}

static void
print_row(struct table *t, const struct leases *l, const struct lease_row *row)
{
	char what[400];

	table_time(t, row->granted / SECOND);
	table_text(t, row->upstream);
	table_text(t, row->number[0] ? row->number : "refused");
	table_text(t, row->credential);
	table_text(t, row->process);
	table_number(t, row->requests);
	table_number(t, row->refused);
	table_mark(t, row->refused ? TABLE_WARN : TABLE_PLAIN);
	table_number(t, row->bookings);
	text_of(l, row, what, sizeof(what));
	table_text(t, row->number[0] ? what : row->text);
}

static void
print_amount(uint64_t n, const char *what, const char *end)
{
	printf("%" PRIu64 " %s%s%s", n, what, n == 1 ? "" : "s", end);
}

static size_t
rows_of_leases(const struct leases *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		n += l->row[i].number[0] != '\0';
	return n;
}

static int
print_text(struct ctl *ctl, const struct leases *l)
{
	struct table *t =
	    table_begin(ctl, columns, sizeof(columns) / sizeof(columns[0]));
	int rc;

	if (t == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	for (size_t i = 0; i < l->n; i++)
		print_row(t, l, &l->row[i]);
	if ((rc = table_end(t)) != CTL_OK)
		return rc;
	print_amount(rows_of_leases(l), "lease", " and ");
	print_amount(l->leases_refused, "refusal", " of one; ");
	print_amount(l->requests, "request", " with a credential, ");
	printf("%" PRIu64 " of them refused (401, 403); ", l->refused);
	print_amount(l->logins, "login", " refused; ");
	print_amount(l->bookings, "booking", "\n");
	return fflush(stdout) ? ctl_error(CTL_FAILED, "cannot write") : CTL_OK;
}

/* --- for programs ------------------------------------------------------------------ */

static json_t *
json_text(const char *s)
{
	return *s ? json_string(s) : json_null();
}

/* json_null() where there is no time: json_pack() would take NULL for an
 * error. */
static json_t *
json_when(int64_t ns)
{
	json_t *t = ctl_json_time(ns / SECOND);

	return t ? t : json_null();
}

static json_t *
json_uses(const struct leases *l, const struct lease_row *row)
{
	json_t *all = json_array();

	for (size_t i = 0; i < row->nuse; i++)
		json_array_append_new(all,
		    json_pack("{s:s,s:o,s:I}", "request",
			l->what[row->use[i].what], "status",
			row->use[i].status ? json_integer(row->use[i].status)
					   : json_null(),
			"count", (json_int_t)row->use[i].count));
	return all;
}

static json_t *
json_lease(const struct leases *l, const struct lease_row *row)
{
	return json_pack("{s:o,s:s,s:s,s:o,s:o,s:I,s:I,s:I,s:I,s:o}", "granted",
	    json_when(row->granted), "upstream", row->upstream, "lease",
	    row->number, "credential", json_text(row->credential), "process",
	    json_text(row->process), "requests", (json_int_t)row->requests,
	    "refused", (json_int_t)row->refused, "logins_refused",
	    (json_int_t)row->logins, "bookings", (json_int_t)row->bookings,
	    "what", json_uses(l, row));
}

static json_t *
json_refusal(const struct lease_row *row)
{
	return json_pack("{s:o,s:s,s:I,s:o}", "since", json_when(row->granted),
	    "upstream", row->upstream, "count", (json_int_t)row->refused,
	    "text", json_text(row->text));
}

static int
print_json(const struct leases *l)
{
	json_t *leases = json_array(), *refusals = json_array();

	for (size_t i = 0; i < l->n; i++)
		if (l->row[i].number[0])
			json_array_append_new(
			    leases, json_lease(l, &l->row[i]));
		else
			json_array_append_new(
			    refusals, json_refusal(&l->row[i]));
	return ctl_print_json(json_pack(
	    "{s:o,s:o,s:o,s:o,s:{s:I,s:I,s:I,s:I,s:I,s:I}}", "since",
	    json_when(l->pick.since), "until", json_when(l->pick.until),
	    "leases", leases, "refusals", refusals, "sum", "leases",
	    (json_int_t)rows_of_leases(l), "leases_refused",
	    (json_int_t)l->leases_refused, "requests", (json_int_t)l->requests,
	    "refused", (json_int_t)l->refused, "logins_refused",
	    (json_int_t)l->logins, "bookings", (json_int_t)l->bookings));
}

int
ctl_audit_account(struct ctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
	    {"since", required_argument, NULL, 's'},
	    {"until", required_argument, NULL, 'u'},
	    {NULL, 0, NULL, 0},
	};
	struct account *a;
	struct audit_pick pick = {0};
	int o, rc;

	optind = 0;
	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
		if ((rc = audit_pick_option(&pick, o, optarg)) != CTL_OK)
			return rc;
	if (optind + 1 < argc)
		return -1;
	if (optind < argc &&
	    (rc = audit_pick_option(&pick, 'U', argv[optind])) != CTL_OK)
		return rc;
	if ((rc = audit_pick_check(&pick)) != CTL_OK)
		return rc;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	a->leases.pick = pick;
	rc = read_log(ctl, a);
	if (rc == CTL_OK)
		rc = ctl->output == CTL_JSON ? print_json(&a->leases)
					     : print_text(ctl, &a->leases);
	leases_free(&a->leases);
	free(a);
	return rc;
}
