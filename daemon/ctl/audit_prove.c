/*
 * audit_prove.c: orbctl audit prove: that a record, or all records of one
 * booking, are in the log that was signed.  orb-verify(1) has the format.
 *
 * Everything up to the newest checkpoint is read once: 32 bytes a record are
 * kept, and the records that were asked for.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/audit_notes.h"
#include "lib/merkle.h"

#include <openssl/evp.h>

#define DEADLINE 600000 /* ms */
#define BOOKING_MIN 8   /* digits of a booking's identity, the least */
#define PROOFS_MAX 10000

struct wanted {
	struct wanted *next;
	uint64_t index;
	size_t len;
	char text[];
};

struct prove {
	struct ctl *ctl;
	const char *booking; /* how it begins; NULL: one record */
	uint64_t index;
	uint64_t size; /* of the tree that was signed */
	struct merkle_hash *leaf;
	uint64_t n;
	struct wanted *first, **last;
	unsigned nwanted;
	int failed;
};

static int
is_wanted(const struct prove *p, uint64_t index, const char *text)
{
	static const char name[] = "\"booking\":\"";
	const char *at;

	if (p->booking == NULL)
		return index == p->index;
	at = strstr(text, name);
	return at &&
	    strncmp(at + strlen(name), p->booking, strlen(p->booking)) == 0;
}

static int
keep(struct prove *p, uint64_t index, struct wire_bytes r)
{
	struct wanted *w = malloc(sizeof(*w) + r.len + 1);

	if (w == NULL || p->nwanted == PROOFS_MAX) {
		free(w);
		return ctl_error(-1,
		    w ? "more than %d records: name one"
		      : "no memory for %d records",
		    PROOFS_MAX);
	}
	w->index = index;
	w->len = r.len;
	memcpy(w->text, r.p, r.len);
	w->text[r.len] = '\0';
	if (!is_wanted(p, index, w->text)) {
		free(w);
		return 0;
	}
	w->next = NULL;
	*p->last = w;
	p->last = &w->next;
	p->nwanted++;
	return 0;
}

static int
on_record(struct packet *pk, void *arg)
{
	struct prove *p = arg;
	struct msg_ctl_record m;

	if (pk->type != MSG_CTL_RECORD || ctl_record_get(pk, &m))
		return -1;
	if (p->failed || p->n == p->size)
		return 0;
	if (m.index != p->n || keep(p, m.index, m.canonical))
		p->failed = 1;
	else
		p->leaf[p->n++] = merkle_leaf(m.canonical.p, m.canonical.len);
	return 0;
}

/* The hash of a whole subtree, out of the leaves. */
static int
source_get(void *arg, unsigned level, uint64_t index, struct merkle_hash *out)
{
	const struct prove *p = arg;
	struct merkle_edge e = {0};
	uint64_t from = index << level, n = UINT64_C(1) << level;

	if (from + n > p->n)
		return -1;
	for (uint64_t i = 0; i < n; i++)
		merkle_append(&e, &p->leaf[from + i]);
	*out = merkle_root(&e);
	return 0;
}

static void
print_proof(FILE *f, const struct prove *p, const struct wanted *w,
    const struct merkle_proof *proof, const char *note)
{
	char b64[48];

	fprintf(
	    f, "%s\n%" PRIu64 "\n%" PRIu64 "\n", w->text, w->index, p->size);
	for (size_t i = 0; i < proof->n; i++) {
		EVP_EncodeBlock((uint8_t *)b64, proof->at[i].b, MERKLE_HASH);
		fprintf(f, "%s\n", b64);
	}
	fprintf(f, "\n%s", note);
}

static int
write_proof(struct prove *p, const struct wanted *w, int dir, const char *note)
{
	struct merkle_source src = {source_get, p};
	struct merkle_proof proof;
	char name[40];
	FILE *f;
	int fd, bad;

	if (merkle_prove_inclusion(&src, w->index, p->size, &proof))
		return ctl_error(CTL_FAILED,
		    "record %" PRIu64 ": no proof can "
		    "be made",
		    w->index);
	snprintf(name, sizeof(name), "%" PRIu64 ".proof", w->index);
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || (f = fdopen(fd, "w")) == NULL) {
		if (fd >= 0)
			close(fd);
		return ctl_error(CTL_FAILED, "%s: %s", name, strerror(errno));
	}
	print_proof(f, p, w, &proof, note);
	bad = fflush(f) | ferror(f);
	if (fclose(f) || bad)
		return ctl_error(CTL_FAILED, "%s: %s", name, strerror(errno));
	return CTL_OK;
}

static int
read_log(struct prove *p, struct chan *c)
{
	struct msg_ledgerd_tail m = {.from = 0, .count = (uint32_t)p->size};
	uint64_t id;
	int rc;

	if (c == NULL)
		return ctl_error(CTL_NOT_RUNNING, "ledgerd is not running");
	p->leaf = calloc(p->size, sizeof(*p->leaf));
	if (p->leaf == NULL)
		return ctl_error(
		    CTL_FAILED, "no memory for %" PRIu64 " records", p->size);
	id = ctl_ask(p->ctl, c, DEADLINE, on_record, p);
	if (ledgerd_tail_send(c, id, 0, &m))
		return ctl_error(CTL_FAILED, "ledgerd takes no request");
	if ((rc = ctl_wait(p->ctl, NULL)) != 0)
		return rc;
	if (p->failed || p->n != p->size)
		return ctl_error(CTL_FAILED,
		    "the log does not have the %" PRIu64 " records that were "
		    "signed: run orbctl audit export and orb-verify",
		    p->size);
	return CTL_OK;
}

static int
prove_all(struct prove *p, const char *what, const char *dir)
{
	char note[AUDIT_NOTE_MAX + 1];
	struct merkle_hash root;
	struct chan *c;
	int fd, rc;

	if ((rc = ctl_connect(p->ctl, ROLE_LEDGERD, &c)) != 0 ||
	    (rc = audit_last_note(p->ctl, c, note, &p->size, &root)) != 0 ||
	    (rc = read_log(p, p->ctl->chan)) != 0)
		return rc;
	if (p->nwanted == 0)
		return ctl_error(CTL_FAILED,
		    "%s is not among the %" PRIu64 " records that are signed",
		    what, p->size);
	if ((mkdir(dir, 0700) && errno != EEXIST) ||
	    (fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return ctl_error(CTL_FAILED, "%s: %s", dir, strerror(errno));
	for (struct wanted *w = p->first; w && rc == CTL_OK; w = w->next)
		rc = write_proof(p, w, fd, note);
	close(fd);
	if (rc)
		return rc;
	if (p->ctl->output == CTL_JSON)
		return ctl_print_json(json_pack("{s:s,s:I}", "directory", dir,
		    "proofs", (json_int_t)p->nwanted));
	printf(
	    "%u proof%s in %s\n", p->nwanted, p->nwanted == 1 ? "" : "s", dir);
	return CTL_OK;
}

int
ctl_audit_prove(struct ctl *ctl, const char *what, const char *dir)
{
	struct prove p = {.ctl = ctl};
	struct wanted *w;
	char *end;
	int rc;

	p.last = &p.first;
	p.index = strtoull(what, &end, 10);
	if (*what < '0' || *what > '9' || *end || strlen(what) >= BOOKING_MIN) {
		p.booking = what;
		if (strlen(what) < BOOKING_MIN ||
		    strspn(what, "0123456789abcdef") != strlen(what))
			return ctl_error(CTL_USAGE,
			    "\"%s\" is neither the index of a record nor at "
			    "least %d digits of a booking's identity",
			    what, BOOKING_MIN);
	}
	rc = prove_all(&p, what, dir);
	while ((w = p.first) != NULL) {
		p.first = w->next;
		free(w);
	}
	free(p.leaf);
	return rc;
}
