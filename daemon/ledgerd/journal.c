/* journal.c: see journal.h. */
#include "ledgerd/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/events.h"

#define JOURNALD "/run/systemd/journal/socket"
#define ENTRY_MAX 8192   /* more than all fields at their limits */
#define STAGE_KEEP 65536 /* a larger stage is given back */

struct journal {
	int fd;
	int lines; /* JSON lines to a file; else datagrams to journald */
	char where[256];
	uint64_t dropped;
	char *stage; /* entries; datagrams have their length in front */
	size_t len, cap;
};

/* What an entry says, in the order it is written. */
enum field_name {
	MESSAGE,
	MESSAGE_ID,
	PRIORITY,
	SYSLOG_IDENTIFIER,
	ORB_EVENT,
	ORB_INDEX,
	ORB_PROCESS,
	ORB_UPSTREAM,
	ORB_ROOM,
	ORB_BOOKING,
	ORB_REMOTE,
	ORB_REQUEST_ID,
	ORB_STATUS,
	ORB_LEASE,
	ORB_TEXT,
	ORB_CHECKPOINT, /* has lines */
	NFIELDS
};
static const char *const field_name[NFIELDS] = {"MESSAGE", "MESSAGE_ID",
    "PRIORITY", "SYSLOG_IDENTIFIER", "ORB_EVENT", "ORB_INDEX", "ORB_PROCESS",
    "ORB_UPSTREAM", "ORB_ROOM", "ORB_BOOKING", "ORB_REMOTE", "ORB_REQUEST_ID",
    "ORB_STATUS", "ORB_LEASE", "ORB_TEXT", "ORB_CHECKPOINT"};

struct entry {
	const char *value[NFIELDS]; /* NULL or "": absent */
	char message[1024], index[24], status[8], lease[24], booking[68],
	    text[640];
};

static int
open_file(struct journal *j, const char *path, struct err *e)
{
	j->lines = 1;
	snprintf(j->where, sizeof(j->where), "%s", path);
	j->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return j->fd < 0 ? err_sys(e, "ledger.journal: open %s", path) : 0;
}

static int
open_journald(struct journal *j, const char *path, struct err *e)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	snprintf(j->where, sizeof(j->where), "journald");
	/* Connected now: the sandbox lets no address be given later.  systemd
	 * keeps journald's end open while journald restarts. */
	j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (j->fd >= 0 &&
	    connect(j->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	err_sys(e, "ledger.journal: connect to journald at %s", path);
	if (j->fd >= 0)
		close(j->fd);
	return -1;
}

int
journal_open(
    const char *where, const char *dir, struct journal **out, struct err *e)
{
	struct journal *j = calloc(1, sizeof(*j));
	char path[256];
	int rc;

	if (j == NULL)
		return err_sys(e, "journal");
	snprintf(path, sizeof(path), "%s/journal.jsonl", dir);
	if (strncmp(where, "file:", 5) == 0)
		rc = open_file(j, where + 5, e);
	else if (strncmp(where, "socket:", 7) == 0)
		rc = open_journald(j, where + 7, e);
	else if (strcmp(where, "journald") == 0 || access(JOURNALD, F_OK) == 0)
		rc = open_journald(j, JOURNALD, e);
	else
		rc = open_file(j, path, e);
	if (rc) {
		free(j);
		return -1;
	}
	*out = j;
	return 0;
}

void
journal_free(struct journal *j)
{
	if (j == NULL)
		return;
	close(j->fd);
	free(j->stage);
	free(j);
}

uint64_t
journal_dropped(const struct journal *j)
{
	return j->dropped;
}

const char *
journal_where(const struct journal *j)
{
	return j->where;
}

/* The value of @NAME@ at s (behind the first @); *len is NAME's length.  NULL
 * when there is no such field. */
static const char *
substitute(const struct entry *en, const char *s, size_t *len)
{
	const char *v;

	*len = strcspn(s, "@");
	if (s[*len] != '@')
		return NULL;
	for (int i = ORB_EVENT; i < NFIELDS; i++)
		if (strlen(field_name[i]) == *len &&
		    strncmp(field_name[i], s, *len) == 0) {
			v = en->value[i];
			return v && *v ? v : "-";
		}
	return NULL;
}

/* The event's subject with its fields, and the text behind it unless the
 * subject has it already. */
static void
compose_message(struct entry *en, const char *subject)
{
	char *o = en->message, *end = o + sizeof(en->message);
	const char *v;
	size_t n;

	for (const char *s = subject; *s && o < end - 1; s++) {
		v = *s == '@' ? substitute(en, s + 1, &n) : NULL;
		if (v == NULL) {
			*o++ = *s;
			continue;
		}
		o += snprintf(o, (size_t)(end - o), "%s", v);
		if (o >= end)
			o = end - 1;
		s += n + 1;
	}
	*o = '\0';
	if (en->value[ORB_TEXT] && *en->value[ORB_TEXT] &&
	    strstr(subject, "@ORB_TEXT@") == NULL)
		snprintf(o, (size_t)(end - o), ": %s", en->value[ORB_TEXT]);
}

static void
fill(struct entry *en, const struct provenance *v, const struct record *r)
{
	static const char *const priority[] = {
	    "0", "1", "2", "3", "4", "5", "6", "7"};
	static const char digit[] = "0123456789abcdef";
	const struct event_info *ev = event_find(r->event);
	size_t i;

	memset(en->value, 0, sizeof(en->value));
	snprintf(en->index, sizeof(en->index), "%" PRIu64, v->index);
	snprintf(en->status, sizeof(en->status), "%u", r->status);
	snprintf(en->lease, sizeof(en->lease), "%" PRIu64, r->lease);
	for (i = 0; i < r->booking.len && i < 32; i++) {
		en->booking[2 * i] = digit[r->booking.p[i] >> 4];
		en->booking[2 * i + 1] = digit[r->booking.p[i] & 15];
	}
	en->booking[2 * i] = '\0';
	en->value[MESSAGE] = en->message;
	en->value[MESSAGE_ID] = ev->message_id;
	en->value[PRIORITY] = priority[ev->priority & 7];
	en->value[SYSLOG_IDENTIFIER] = "orb";
	en->value[ORB_EVENT] = ev->name;
	en->value[ORB_INDEX] = en->index;
	en->value[ORB_PROCESS] = v->process;
	if (r->upstream)
		en->value[ORB_UPSTREAM] = upstream_name(r->upstream);
	en->value[ORB_ROOM] = r->room;
	en->value[ORB_BOOKING] = en->booking;
	en->value[ORB_REMOTE] = r->remote_id;
	en->value[ORB_REQUEST_ID] = r->request_id;
	if (r->status)
		en->value[ORB_STATUS] = en->status;
	if (r->lease)
		en->value[ORB_LEASE] = en->lease;
	en->value[ORB_TEXT] = record_mask(en->text, sizeof(en->text), r->text);
	compose_message(en, ev->subject);
}

static char *
reserve(struct journal *j, size_t n)
{
	size_t cap = j->cap ? j->cap : 16384;
	char *p;

	while (cap < j->len + n)
		cap *= 2;
	if (cap != j->cap) {
		if ((p = realloc(j->stage, cap)) == NULL)
			return NULL;
		j->stage = p;
		j->cap = cap;
	}
	return j->stage + j->len;
}

static char *
append(char *o, const char *s)
{
	size_t n = strlen(s);

	memcpy(o, s, n);
	return o + n;
}

static char *
append_json(char *o, const char *s)
{
	for (*o++ = '"'; *s; s++) {
		if (*s == '"' || *s == '\\' || *s == '\n')
			*o++ = '\\';
		*o++ = *s == '\n' ? 'n' : *s;
	}
	*o++ = '"';
	return o;
}

/* A value with lines has its length in front: eight bytes, little end first. */
static char *
append_lines(char *o, const char *s)
{
	size_t n = strlen(s);

	*o++ = '\n';
	for (int i = 0; i < 8; i++)
		*o++ = (char)(uint8_t)((uint64_t)n >> 8 * i);
	memcpy(o, s, n);
	return o + n;
}

/* As journalctl -o json shows it: microseconds, as a string. */
static char *
append_time(char *o, int64_t realtime)
{
	return o +
	    sprintf(o, "{\"__REALTIME_TIMESTAMP\":\"%" PRId64 "\"",
		realtime / 1000);
}

void
journal_stage(struct journal *j, const struct provenance *v,
    const struct record *r, const char *note)
{
	struct entry en;
	char *from = reserve(j, ENTRY_MAX), *o = from;
	uint16_t len;

	if (from == NULL) {
		j->dropped++;
		return;
	}
	fill(&en, v, r);
	en.value[ORB_CHECKPOINT] = note;
	o = j->lines ? append_time(o, v->realtime) : o + sizeof(len);
	for (int i = 0; i < NFIELDS; i++) {
		if (en.value[i] == NULL || *en.value[i] == '\0')
			continue;
		if (j->lines) {
			*o++ = ',';
			o = append_json(o, field_name[i]);
			*o++ = ':';
			o = append_json(o, en.value[i]);
		} else {
			o = append(o, field_name[i]);
			if (i == ORB_CHECKPOINT)
				o = append_lines(o, en.value[i]);
			else {
				*o++ = '=';
				o = append(o, en.value[i]);
			}
			*o++ = '\n';
		}
	}
	if (j->lines)
		o = append(o, "}\n");
	else {
		len = (uint16_t)(o - from - (ptrdiff_t)sizeof(len));
		memcpy(from, &len, sizeof(len));
	}
	j->len += (size_t)(o - from);
}

static void
send_datagrams(struct journal *j)
{
	uint16_t len;

	for (size_t at = 0; at < j->len; at += sizeof(len) + len) {
		memcpy(&len, j->stage + at, sizeof(len));
		if (send(j->fd, j->stage + at + sizeof(len), len,
			MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
			j->dropped++;
	}
}

/* One write for all; what did not fit on the disk is dropped. */
static void
write_lines(struct journal *j)
{
	size_t at = 0;
	ssize_t n = 0;

	while (
	    at < j->len && (n = write(j->fd, j->stage + at, j->len - at)) > 0)
		at += (size_t)n;
	for (; at < j->len; at++)
		j->dropped += j->stage[at] == '\n';
}

void
journal_send(struct journal *j)
{
	if (j->len == 0)
		return;
	if (j->lines)
		write_lines(j);
	else
		send_datagrams(j);
	j->len = 0;
	if (j->cap > STAGE_KEEP) {
		free(j->stage);
		j->stage = NULL;
		j->cap = 0;
	}
}
