/* vault.c: see vault.h. */
#include "keyd/vault.h"
#include "keyd/seal.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (VAULT_VALUE_MAX + 512)

struct vault {
	int dirfd;
	struct secret kek;
	struct vault_entry entry[SLOT_COUNT];
	int staged[SLOT_COUNT];
	struct seal_header next[SLOT_COUNT]; /* of the staged file */
};

/* "NAME.cred", or "NAME.cred.new" for a staged one. */
static const char *
file_name(enum slot_id slot, int staged)
{
	static char name[80];

	snprintf(name, sizeof(name), "%s.cred%s", slot_table[slot].name,
	    staged ? ".new" : "");
	return name;
}

int
vault_is_empty(int dirfd)
{
	struct stat st;

	for (int i = 0; i < SLOT_COUNT; i++)
		if (fstatat(dirfd, file_name(i, 0), &st, AT_SYMLINK_NOFOLLOW) ==
		    0)
			return 0;
	return 1;
}

/* The sealed file into buf.  Its length, -1 and err; 0: there is none. */
static ssize_t
file_read(const struct vault *v, enum slot_id slot, uint8_t *buf, size_t size,
    struct err *e)
{
	const char *name = file_name(slot, 0);
	ssize_t n;
	size_t len = 0;
	int fd;

	fd = openat(v->dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", name);
	while ((n = read(fd, buf + len, size - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err_sys(e, "read %s", name);
	else if (len == 0)
		n = err_set(e, EINVAL, "%s has no content", name);
	else
		n = (ssize_t)len;
	close(fd);
	return n;
}

/* Opens a slot's file.  1 opened, 0 there is none, -1 and err. */
static int
slot_open(const struct vault *v, enum slot_id slot, struct seal_header *h,
    struct secret *value, struct err *e)
{
	uint8_t buf[FILE_MAX];
	ssize_t n = file_read(v, slot, buf, sizeof(buf), e);

	if (n <= 0)
		return (int)n;
	return seal_open(
		   &v->kek, &slot_table[slot], buf, (size_t)n, h, value, e)
	    ? -1
	    : 1;
}

static void
slot_load(struct vault *v, enum slot_id slot)
{
	struct vault_entry *en = &v->entry[slot];
	struct secret value = {NULL, 0};
	struct seal_header h;
	struct err e;
	int rc;

	memset(en, 0, sizeof(*en));
	if ((rc = slot_open(v, slot, &h, &value, &e)) == 0)
		return;
	if (rc < 0) {
		en->state = VAULT_DAMAGED;
		snprintf(en->problem, sizeof(en->problem), "%.290s", e.text);
		log_err("credential %s: %s", slot_table[slot].name, e.text);
		return;
	}
	en->state = VAULT_OK;
	en->entered = h.entered;
	en->expires = h.expires;
	secret_free(&value);
}

int
vault_open(int dirfd, struct secret *kek, struct vault **out, struct err *e)
{
	struct vault *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return err_sys(e, "vault");
	v->dirfd = dirfd;
	v->kek = *kek;
	*kek = (struct secret){NULL, 0};
	for (int i = 0; i < SLOT_COUNT; i++) {
		/* What a crash between stage and commit left. */
		(void)unlinkat(dirfd, file_name(i, 1), 0);
		slot_load(v, i);
	}
	*out = v;
	return 0;
}

void
vault_free(struct vault *v)
{
	if (v == NULL)
		return;
	secret_free(&v->kek);
	free(v);
}

const struct vault_entry *
vault_entry(const struct vault *v, enum slot_id slot)
{
	return &v->entry[slot];
}

int
vault_read(
    struct vault *v, enum slot_id slot, struct secret *value, struct err *e)
{
	struct vault_entry *en = &v->entry[slot];
	struct seal_header h;
	int rc;

	rc = slot_open(v, slot, &h, value, e);
	if (rc > 0) {
		*en = (struct vault_entry){.state = VAULT_OK,
		    .entered = h.entered,
		    .expires = h.expires};
		return 0;
	}
	if (rc == 0) {
		en->state = VAULT_EMPTY;
		return err_set(e, ENOENT,
		    "%s has not been entered: orbctl credential set %s",
		    slot_table[slot].name, slot_table[slot].name);
	}
	en->state = VAULT_DAMAGED;
	snprintf(en->problem, sizeof(en->problem), "%.290s", e->text);
	return -1;
}

static int
write_all(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
vault_stage(struct vault *v, enum slot_id slot, struct wire_bytes value,
    int64_t entered, int64_t expires, struct err *e)
{
	const char *name = file_name(slot, 1);
	struct wire_out w;
	int fd = -1, rc = -1;

	if (v->staged[slot])
		return err_set(e, EBUSY, "%s is being entered by somebody else",
		    slot_table[slot].name);
	wire_out_init(&w, FILE_MAX);
	v->next[slot] = (struct seal_header){entered, expires};
	if (seal_make(&v->kek, &slot_table[slot], &v->next[slot], value, &w, e))
		goto out;
	fd = openat(v->dirfd, name,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write_all(fd, w.buf, w.len) || fsync(fd)) {
		err_sys(e, "write %s to the state directory", name);
		(void)unlinkat(v->dirfd, name, 0);
		goto out;
	}
	v->staged[slot] = 1;
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	wire_out_free(&w);
	return rc;
}

int
vault_commit(struct vault *v, enum slot_id slot, struct err *e)
{
	char from[80], to[80];

	snprintf(from, sizeof(from), "%s", file_name(slot, 1));
	snprintf(to, sizeof(to), "%s", file_name(slot, 0));
	v->staged[slot] = 0;
	if (renameat(v->dirfd, from, v->dirfd, to) || fsync(v->dirfd))
		return err_sys(e, "put %s in its place", to);
	v->entry[slot] = (struct vault_entry){.state = VAULT_OK,
	    .entered = v->next[slot].entered,
	    .expires = v->next[slot].expires};
	return 0;
}

void
vault_abandon(struct vault *v, enum slot_id slot)
{
	if (v->staged[slot])
		(void)unlinkat(v->dirfd, file_name(slot, 1), 0);
	v->staged[slot] = 0;
}

int
vault_remove(struct vault *v, enum slot_id slot, struct err *e)
{
	const char *name = file_name(slot, 0);

	if (unlinkat(v->dirfd, name, 0)) {
		if (errno != ENOENT)
			return err_sys(e, "remove %s", name);
		return err_set(e, ENOENT, "%s has not been entered",
		    slot_table[slot].name);
	}
	memset(&v->entry[slot], 0, sizeof(v->entry[slot]));
	if (fsync(v->dirfd))
		return err_sys(e, "sync the state directory");
	return 0;
}
