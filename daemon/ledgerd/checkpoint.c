/*
 * checkpoint.c: see checkpoint.h.
 *
 * The file only grows: a note, an empty line.  One request to keyd at a time.
 */
#include "ledgerd/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/notehead.h"

#define FILE_NAME "checkpoints"
#define DASH "\xe2\x80\x94 " /* U+2014 begins a signature line */
#define ANSWER_MS 30000

struct checkpoints {
	struct loop *loop;
	int dir, fd;
	struct store *store;
	struct tree *tree;
	struct chan *keyd;
	checkpoint_fn *told;
	void *arg;
	uint64_t last;  /* records in the newest checkpoint */
	uint64_t from;  /* what keyd signed last, as far as is known */
	uint64_t asked; /* size of the request under way, 0: none */
	unsigned timer;
	int again; /* as soon as may be */
};

/* --- the file ------------------------------------------------------------------- */

/* Length of the note at the start of text, with the empty line behind it; 0
 * when it is not complete. */
static size_t
note_len(const char *text, size_t len)
{
	const char *sig = memmem(text, len, "\n\n" DASH, strlen("\n\n" DASH));
	const char *end;

	if (sig == NULL)
		return 0;
	sig += 2;
	end = memmem(sig, len - (size_t)(sig - text), "\n\n", 2);
	return end ? (size_t)(end + 2 - text) : 0;
}

/* Where in the last bytes of the file the last complete note begins. */
static const char *
last_note(const char *text, size_t len, size_t *used)
{
	const char *found = NULL;
	size_t n, at = 0;

	while ((n = note_len(text + at, len - at)) > 0) {
		found = text + at;
		at += n;
	}
	*used = at;
	return found;
}

int
checkpoint_last(int dir, struct checkpoint_last *l, struct err *e)
{
	char text[2 * CHECKPOINT_NOTE + 1], *first = text;
	struct stat st;
	const char *note;
	size_t used, len;
	ssize_t n = -1;
	int fd;

	memset(l, 0, sizeof(*l));
	fd = openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) ||
	    (n = pread(fd, text, sizeof(text) - 1,
		 st.st_size > (off_t)sizeof(text) - 1
		     ? st.st_size - (off_t)sizeof(text) + 1
		     : 0)) < 0) {
		err_sys(e, "audit log: read " FILE_NAME);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	text[n] = '\0';
	/* It begins in the middle of a note: go to the next one. */
	if (st.st_size > n && (first = strstr(text, "\n\n" DASH)) != NULL &&
	    (first = strstr(first + 2, "\n\n")) != NULL)
		first += 2;
	len = first ? (size_t)(text + n - first) : 0;
	note = first ? last_note(first, len, &used) : NULL;
	if (note == NULL)
		used = 0;
	l->torn = len - used;
	if ((st.st_size > n && note == NULL) ||
	    (note && note_head(note, &l->size, &l->root))) {
		close(fd);
		return err_set(e, EINVAL,
		    "audit log: the file " FILE_NAME
		    " does not end in a checkpoint: restore it, or move the "
		    "whole ledger directory away to begin a new log");
	}
	if (l->torn &&
	    (ftruncate(fd, st.st_size - (off_t)l->torn) || fsync(fd))) {
		close(fd);
		return err_sys(e, "audit log: cut " FILE_NAME);
	}
	close(fd);
	return 0;
}

int
checkpoint_next(int dir, uint64_t *off, char *out, struct err *e)
{
	int fd = openat(dir, FILE_NAME, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	size_t len;

	if (fd < 0)
		return err_sys(e, "audit log: open " FILE_NAME);
	n = pread(fd, out, CHECKPOINT_NOTE, (off_t)*off);
	close(fd);
	if (n < 0)
		return err_sys(e, "audit log: read " FILE_NAME);
	if (n == 0)
		return 0;
	if ((len = note_len(out, (size_t)n)) == 0)
		return err_set(e, EINVAL,
		    "audit log: " FILE_NAME " is damaged at byte %" PRIu64,
		    *off);
	*off += len;
	out[len - 1] = '\0'; /* without the empty line */
	return 1;
}

static int
append(struct checkpoints *c, const char *note)
{
	size_t len = strlen(note);
	char text[CHECKPOINT_NOTE + 2];

	if (len + 1 > sizeof(text))
		return -1;
	memcpy(text, note, len);
	text[len] = '\n';
	/* In one piece: what a full disk cut is cut off again at start. */
	if (write(c->fd, text, len + 1) != (ssize_t)len + 1)
		return -1;
	return fdatasync(c->fd);
}

/* --- asking ------------------------------------------------------------------------ */

static void ask(struct checkpoints *);

static void
failed(struct checkpoints *c, const char *why)
{
	c->told(c->arg, NULL, why);
}

static void
signed_note(struct checkpoints *c, uint64_t size, const char *note)
{
	struct checkpoint_last head;

	if (strlen(note) > CHECKPOINT_NOTE || note_len(note, strlen(note)) ||
	    note_head(note, &head.size, &head.root) || head.size != size)
		failed(c, "keyd's answer is no checkpoint of this log");
	else if (append(c, note))
		failed(c, "the checkpoint cannot be written");
	else {
		c->last = c->from = size;
		c->told(c->arg, note, NULL);
	}
}

static int
on_answer(struct chan *chan, struct packet *pk, void *arg)
{
	struct checkpoints *c = arg;
	struct msg_ledgerd_checkpoint m;
	struct msg_error err;
	uint64_t size = c->asked;

	(void)chan;
	c->asked = 0;
	if (pk == NULL) { /* keyd is gone, or late: when it is due again */
		failed(c, "");
		return 0;
	}
	if (pk->type == MSG_ERROR && error_get(pk, &err) == 0) {
		failed(c, err.text);
		return 0;
	}
	if (pk->type != MSG_LEDGERD_CHECKPOINT ||
	    ledgerd_checkpoint_get(pk, &m))
		return -1;
	if (m.note[0])
		signed_note(c, size, m.note);
	else if (m.last <= tree_size(c->tree) && m.last != c->from) {
		c->from = m.last;
		c->again = 1;
	} else
		failed(c, "keyd and the log do not agree what was signed");
	if (c->again)
		ask(c);
	return 0;
}

static int
send_request(struct checkpoints *c, const struct merkle_proof *p)
{
	struct merkle_hash root = tree_root(c->tree);
	struct msg_keyd_checkpoint m = {.size = c->asked,
	    .root = {root.b, MERKLE_HASH},
	    .from = c->from,
	    .proof = {p->at[0].b, p->n * MERKLE_HASH}};
	uint64_t id = chan_call(c->keyd, ANSWER_MS, on_answer, c);

	if (id == 0)
		return -1;
	/* When sending fails the connection is closing: on_answer gets NULL. */
	(void)keyd_checkpoint_send(c->keyd, id, 0, &m);
	return 0;
}

static void
ask(struct checkpoints *c)
{
	struct merkle_source src = tree_source(c->tree);
	struct merkle_proof p;
	struct err e;

	if (c->keyd == NULL || c->asked)
		return;
	/* Only what is on disk is signed; checkpoints_due() comes after it is. */
	c->again = store_durable(c->store) != tree_size(c->tree);
	if (c->again)
		return;
	if (tree_sync(c->tree, &e)) {
		failed(c, e.text);
		return;
	}
	c->asked = tree_size(c->tree);
	if (c->from > c->asked)
		c->from = 0; /* keyd says what it signed */
	if (merkle_prove_consistency(&src, c->from, c->asked, &p)) {
		c->asked = 0;
		failed(c, "a record of the audit log cannot be read");
	} else if (send_request(c, &p))
		c->asked = 0;
}

static void
on_timer(void *arg)
{
	(void)checkpoints_due(arg, 1);
}

int
checkpoints_due(struct checkpoints *c, int now)
{
	uint64_t fresh = tree_size(c->tree) - c->last;

	if (tree_size(c->tree) < c->last)
		fresh = 1; /* the log is shorter than it was: keyd will say */
	now |= c->again;
	if (fresh == 0 || (!now && fresh < CHECKPOINT_RECORDS))
		return 0;
	if (c->asked)
		c->again = now;
	else
		ask(c);
	return c->asked != 0;
}

void
checkpoints_keyd(struct checkpoints *c, struct chan *keyd)
{
	c->keyd = keyd;
	/* What an earlier connection was asked ends with it. */
	if (keyd)
		(void)checkpoints_due(c, 1);
}

uint64_t
checkpoints_size(const struct checkpoints *c)
{
	return c->last;
}

struct checkpoints *
checkpoints_new(struct loop *loop, int dir, struct store *store,
    struct tree *tree, uint64_t last, checkpoint_fn *told, void *arg)
{
	struct checkpoints *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->fd = openat(
	    dir, FILE_NAME, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	c->loop = loop;
	c->dir = dir;
	c->store = store;
	c->tree = tree;
	c->last = c->from = last;
	c->told = told;
	c->arg = arg;
	c->timer = loop_timer(loop, CHECKPOINT_MS, 1, on_timer, c);
	if (c->fd < 0 || c->timer == 0) {
		checkpoints_free(c);
		return NULL;
	}
	return c;
}

void
checkpoints_free(struct checkpoints *c)
{
	if (c == NULL)
		return;
	loop_timer_del(c->loop, c->timer);
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}
