/*
 * audit_export.c: orbctl audit key, checkpoints and export: what somebody needs
 * to check the audit log without ORB.  ledgerd/FORMAT describes the export.
 *
 * Not here: the checking (orb-verify, which shares no code with this), the
 * reading for people (audit.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/audit_notes.h"
#include "ctl/ctl.h"
#include "lib/notehead.h"
#include "lib/tile.h"

#define DEADLINE 600000 /* ms */

/* --- key -------------------------------------------------------------------- */

struct key {
	char text[201], kept[101];
};

static int
on_key(struct packet *pk, void *arg)
{
	struct key *k = arg;
	struct msg_ctl_audit_key m;

	if (pk->type != MSG_CTL_AUDIT_KEY || ctl_audit_key_get(pk, &m))
		return -1;
	snprintf(k->text, sizeof(k->text), "%s", m.key);
	snprintf(k->kept, sizeof(k->kept), "%s", m.kept);
	return 0;
}

static int
key_get(struct ctl *ctl, struct key *k)
{
	struct chan *c;
	uint64_t id;
	int rc = ctl_connect(ctl, ROLE_KEYD, &c);

	if (rc)
		return rc;
	id = ctl_ask(ctl, c, DEADLINE, on_key, k);
	if (keyd_audit_key_send(c, id, 0))
		return ctl_error(CTL_FAILED, "keyd takes no request");
	rc = ctl_wait(ctl, NULL);
	ctl_close(ctl);
	return rc;
}

int
ctl_audit_key(struct ctl *ctl)
{
	struct key k = {"", ""};
	int rc = key_get(ctl, &k);

	if (rc)
		return rc;
	if (ctl->output == CTL_JSON)
		return ctl_print_json(
		    json_pack("{s:s,s:s}", "key", k.text, "kept", k.kept));
	printf("%s\n", k.text);
	return CTL_OK;
}

/* --- checkpoints --------------------------------------------------------------- */

struct notes {
	struct ctl *ctl;
	FILE *to; /* NULL: print */
	int quiet;
	uint64_t n;
	char last[AUDIT_NOTE_MAX + 1];
};

static int
on_note(struct packet *pk, void *arg)
{
	struct notes *x = arg;
	struct msg_ctl_note m;

	if (pk->type != MSG_CTL_NOTE || ctl_note_get(pk, &m))
		return -1;
	x->n++;
	snprintf(x->last, sizeof(x->last), "%s", m.note);
	if (x->to)
		fprintf(x->to, "%s\n", m.note);
	else if (x->quiet)
		return 0;
	else if (x->ctl->output == CTL_JSON)
		ctl_print_json(json_pack("{s:s}", "checkpoint", m.note));
	else
		printf("%s\n", m.note);
	return 0;
}

static int
notes_get(struct ctl *ctl, struct chan *c, struct notes *x)
{
	uint64_t id = ctl_ask(ctl, c, DEADLINE, on_note, x);

	if (ledgerd_notes_send(c, id, 0))
		return ctl_error(CTL_FAILED, "ledgerd takes no request");
	return ctl_wait(ctl, NULL);
}

/* All notes, of which the last is read; to: NULL, or where they all go. */
static int
newest(struct ctl *ctl, struct chan *c, struct notes *x, uint64_t *size,
    struct merkle_hash *root)
{
	int rc = notes_get(ctl, c, x);

	if (rc)
		return rc;
	if (x->n == 0)
		return ctl_error(CTL_FAILED,
		    "nothing of the log is signed yet: see systemctl status "
		    "orb-ledgerd");
	/* LEDGERD_TAIL counts in 32 bits. */
	return note_head(x->last, size, root) || *size > UINT32_MAX
	    ? ctl_error(CTL_FAILED, "the last checkpoint is none")
	    : CTL_OK;
}

int
audit_last_note(struct ctl *ctl, struct chan *c, char *note, uint64_t *size,
    struct merkle_hash *root)
{
	struct notes x = {.ctl = ctl, .quiet = 1};
	int rc = newest(ctl, c, &x, size, root);

	memcpy(note, x.last, sizeof(x.last));
	return rc;
}

int
ctl_audit_checkpoints(struct ctl *ctl)
{
	struct notes x = {.ctl = ctl};
	struct chan *c;
	int rc = ctl_connect(ctl, ROLE_LEDGERD, &c);

	return rc ? rc : notes_get(ctl, c, &x);
}

/* --- export --------------------------------------------------------------------- */

struct level {
	unsigned n;
	uint64_t tiles; /* full ones, written */
	struct merkle_hash at[TILE_WIDTH];
};

struct export
{
	const char *dir;
	int fd; /* of dir */
	struct merkle_edge edge;
	struct level level[TILE_LEVELS];
	FILE *bundle;
	int failed; /* said */
};

static int
complain(struct export *x, const char *what)
{
	if (!x->failed)
		ctl_error(0, "%s/%s: %s", x->dir, what, strerror(errno));
	x->failed = 1;
	return -1;
}

/* A new file below the export, with the directories it needs. */
static FILE *
create(struct export *x, const char *path)
{
	char part[TILE_PATH];
	FILE *f;
	int fd;

	snprintf(part, sizeof(part), "%s", path);
	for (char *s = part; (s = strchr(s, '/')) != NULL; *s++ = '/') {
		*s = '\0';
		if (mkdirat(x->fd, part, 0700) && errno != EEXIST) {
			(void)complain(x, part);
			return NULL;
		}
	}
	fd = openat(x->fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	if (f == NULL) {
		(void)complain(x, path);
		if (fd >= 0)
			close(fd);
	}
	return f;
}

static int
finish(struct export *x, FILE *f, const char *path)
{
	int bad = ferror(f) | fflush(f);

	return fclose(f) || bad ? complain(x, path) : 0;
}

static int
write_tile(struct export *x, int level, unsigned partial)
{
	struct level *l = &x->level[level];
	char path[TILE_PATH];
	FILE *f;

	tile_path(path, level, l->tiles, partial);
	if ((f = create(x, path)) == NULL)
		return -1;
	fwrite(l->at, sizeof(*l->at), partial ? partial : TILE_WIDTH, f);
	return finish(x, f, path);
}

static int
add_hash(struct export *x, int level, const struct merkle_hash *h)
{
	struct level *l = &x->level[level];
	struct merkle_hash root;

	l->at[l->n++] = *h;
	if (l->n < TILE_WIDTH)
		return 0;
	if (write_tile(x, level, 0))
		return -1;
	root = tile_fold(l->at, TILE_WIDTH);
	l->n = 0;
	l->tiles++;
	return level + 1 < TILE_LEVELS ? add_hash(x, level + 1, &root) : -1;
}

/* A bundle is written under its full name and gets the partial one at the end,
 * when it has not filled. */
static int
bundle_end(struct export *x, uint64_t number, unsigned partial)
{
	char path[TILE_PATH], as[TILE_PATH], *slash;
	FILE *f = x->bundle;

	x->bundle = NULL;
	tile_path(path, -1, number, 0);
	if (finish(x, f, path))
		return -1;
	if (partial == 0)
		return 0;
	tile_path(as, -1, number, partial);
	/* N.p is a directory, whose name N does not have. */
	slash = strrchr(as, '/');
	*slash = '\0';
	if (mkdirat(x->fd, as, 0700))
		return complain(x, as);
	*slash = '/';
	return renameat(x->fd, path, x->fd, as) ? complain(x, as) : 0;
}

static int
add_record(struct export *x, uint64_t index, struct wire_bytes r)
{
	struct merkle_hash h = merkle_leaf(r.p, r.len);
	char path[TILE_PATH];

	if (index != x->edge.size) {
		ctl_error(0, "ledgerd sent record %" PRIu64 " for %" PRIu64,
		    index, x->edge.size);
		x->failed = 1;
		return -1;
	}
	if (x->bundle == NULL) {
		tile_path(path, -1, index / TILE_WIDTH, 0);
		if ((x->bundle = create(x, path)) == NULL)
			return -1;
	}
	putc((int)(r.len >> 8), x->bundle);
	putc((int)(r.len & 255), x->bundle);
	fwrite(r.p, 1, r.len, x->bundle);
	merkle_append(&x->edge, &h);
	if (add_hash(x, 0, &h))
		return -1;
	return x->edge.size % TILE_WIDTH ? 0
					 : bundle_end(x, index / TILE_WIDTH, 0);
}

static int
on_record(struct packet *pk, void *arg)
{
	struct export *x = arg;
	struct msg_ctl_record m;

	if (pk->type != MSG_CTL_RECORD || ctl_record_get(pk, &m))
		return -1;
	if (!x->failed)
		(void)add_record(x, m.index, m.canonical);
	return 0;
}

static int
write_text(struct export *x, const char *name, const char *text)
{
	FILE *f = create(x, name);

	if (f == NULL)
		return -1;
	fputs(text, f);
	return finish(x, f, name);
}

static int
records_get(struct ctl *ctl, struct chan *c, struct export *x, uint64_t size)
{
	struct msg_ledgerd_tail m = {.from = 0, .count = (uint32_t)size};
	uint64_t id;
	int rc;

	if (c == NULL)
		return ctl_error(CTL_NOT_RUNNING, "ledgerd is not running");
	id = ctl_ask(ctl, c, DEADLINE, on_record, x);
	if (ledgerd_tail_send(c, id, 0, &m))
		return ctl_error(CTL_FAILED, "ledgerd takes no request");
	if ((rc = ctl_wait(ctl, NULL)) != 0)
		return rc;
	if (x->bundle &&
	    bundle_end(x, size / TILE_WIDTH, (unsigned)(size % TILE_WIDTH)))
		return CTL_FAILED;
	for (int l = 0; l < TILE_LEVELS && !x->failed; l++)
		if (x->level[l].n > 0)
			(void)write_tile(x, l, x->level[l].n);
	return x->failed ? CTL_FAILED : CTL_OK;
}

static int
export_all(struct ctl *ctl, struct export *x)
{
	struct notes notes = {.ctl = ctl};
	struct key key = {"", ""};
	struct merkle_hash root, have;
	struct chan *c;
	uint64_t size = 0;
	int rc;

	/* Only root may ask keyd; without it the export is as good, for who has
	 * the key from elsewhere. */
	if (geteuid() != 0 || key_get(ctl, &key) != CTL_OK)
		ctl_error(0,
		    "the key is left out: add it from where it was "
		    "noted (orbctl audit key, as root)");
	if ((rc = ctl_connect(ctl, ROLE_LEDGERD, &c)) != 0)
		return rc;
	if ((notes.to = create(x, "checkpoints")) == NULL)
		return CTL_FAILED;
	rc = newest(ctl, c, &notes, &size, &root);
	if (finish(x, notes.to, "checkpoints") || rc)
		return rc ? rc : CTL_FAILED;
	if ((rc = records_get(ctl, ctl->chan, x, size)) != 0)
		return rc;
	if (write_text(x, "checkpoint", notes.last) ||
	    (key.text[0] &&
		(strcat(key.text, "\n"), write_text(x, "key", key.text))))
		return CTL_FAILED;
	have = merkle_root(&x->edge);
	if (x->edge.size != size || memcmp(&have, &root, sizeof(root)))
		return ctl_error(CTL_FAILED,
		    "the %" PRIu64 " records are not those that were signed: "
		    "keep the export and the ledger's directory, and run "
		    "orb-verify",
		    x->edge.size);
	if (ctl->output == CTL_JSON)
		return ctl_print_json(
		    json_pack("{s:s,s:I,s:I}", "directory", x->dir, "records",
			(json_int_t)size, "checkpoints", (json_int_t)notes.n));
	printf("%" PRIu64 " records and %" PRIu64 " checkpoints in %s\n", size,
	    notes.n, x->dir);
	return CTL_OK;
}

int
ctl_audit_export(struct ctl *ctl, const char *dir)
{
	struct export *x = calloc(1, sizeof(*x));
	int rc;

	if (x == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	x->dir = dir;
	x->fd = -1;
	if (mkdir(dir, 0700) ||
	    (x->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = ctl_error(CTL_FAILED,
		    "%s: %s; the export needs a new "
		    "directory of its own",
		    dir, strerror(errno));
	else
		rc = export_all(ctl, x);
	if (x->bundle)
		fclose(x->bundle);
	if (x->fd >= 0)
		close(x->fd);
	free(x);
	return rc;
}
