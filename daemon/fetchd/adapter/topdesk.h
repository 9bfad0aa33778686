/*
 * topdesk.h: TOPdesk's reservations and persons, as pure functions: paths and
 * bodies to send, the members that are read, and what an answer means.
 *
 * Not here: asking (topdesk_list.c, topdesk_read.c, topdesk_write.c).
 *
 * Sources: TOPdesk Reservations API 2.0.0 and Supporting Files API 2.7.11
 * (developers.topdesk.com), its tutorial for FIQL.
 */
#ifndef ORB_ADAPTER_TOPDESK_H
#define ORB_ADAPTER_TOPDESK_H

#include <jansson.h>

#include "fetchd/adapter/outbound.h"
#include "fetchd/adapter/project.h"
#include "fetchd/adapter/strbuf.h"
#include "lib/conf.h"
#include "lib/messages.h"

#define TOPDESK_JSON "application/json"
#define TOPDESK_PERSONS "application/x.topdesk-collection-person-v2+json"
/* A query stops growing here; the rest goes into another request. */
#define TOPDESK_QUERY_MAX 7000
#define TOPDESK_BODY_MAX 65536  /* bytes of a body, every character escaped */
#define TOPDESK_DESCRIPTION 100 /* characters of briefDescription */

/* The fields that flat_read() gives of the answer to a write. */
enum topdesk_field {
	TOPDESK_ID = 1,
	TOPDESK_NUMBER,
	TOPDESK_STATUS,
	TOPDESK_MODIFIED
};

/* What is read: a list of reservations, one reservation, persons, an error. */
extern const struct project_member topdesk_list_schema[], topdesk_one_schema[],
    topdesk_person_schema[], topdesk_error_schema[];

/* --- reading -------------------------------------------------------------- */

/* The rooms a list may ask for, by location id. */
int topdesk_path_list(struct strbuf *, const char *const *rooms, size_t n,
    int64_t from, int64_t to, int64_t later_than, int top);
/* One path for as many of the values as fit; *used says how many (at least
 * one).  0 or -1. */
int topdesk_path_links(struct strbuf *, const char *const *links, size_t n,
    const char *type, size_t *used);
int topdesk_path_numbers(
    struct strbuf *, const char *const *numbers, size_t n, size_t *used);
int topdesk_path_persons(
    struct strbuf *, const char *const *addresses, size_t n, size_t *used);
/* What follows the path of a write: what the configuration lets TOPdesk pass
 * over, of what the operation knows. */
enum topdesk_flag_for {
	TOPDESK_FOR_CANCEL,
	TOPDESK_FOR_CHANGE, /* create, move */
	TOPDESK_FOR_RESCHEDULE
};
const char *topdesk_flags(const struct conf_topdesk *, enum topdesk_flag_for);
int topdesk_path_one(struct strbuf *, const char *id);

/* A reservation's values, its strings in own buffers fit for the message. */
struct reservation {
	struct booking booking; /* room is set by reservation_room() */
	json_t *facilities;     /* borrowed */
	size_t next;
	char subject[1021], organiser[255], number[65], tag[257], link[451];
};
/* 0, or -1 and why.  link_type is the type of ORB's own links. */
int reservation_get(
    json_t *, const char *link_type, struct reservation *, const char **why);
/* The next room of it (location id) into booking.room: 1, or 0. */
int reservation_room(struct reservation *);
/* The state of a status; -1 when TOPdesk has invented a new one. */
int reservation_state(const char *status);

/* --- writing ----------------------------------------------------------------- */

/* JSON bodies, in place of what the buffer has: 0, or -1 when there is no
 * room.  now stamps the link. */
int topdesk_body_create(struct strbuf *, const struct msg_adapter_create *,
    const char *link_type, const char *fallback_person, int64_t now);
int topdesk_body_reschedule(struct strbuf *, int64_t start, int64_t end);
int topdesk_body_move(struct strbuf *, const char *from, const char *to);
int topdesk_body_edit(struct strbuf *, const struct msg_adapter_edit *,
    const char *link_type, int64_t now);
/* Nothing when there is no reason to name. */
int topdesk_body_cancel(struct strbuf *, const char *reason);
/* At most max characters (not bytes) of a UTF-8 string, for cap bytes. */
void topdesk_cut(char *dst, size_t cap, const char *src, size_t max);

/* --- what an answer means ------------------------------------------------------ */

/*
 * The error in any of TOPdesk's three shapes as one line: its code first, then
 * the message without what could be a person's: quoted words and words with an
 * "@" are left out.
 */
void topdesk_error_text(json_t *body, char *text, size_t cap);
enum outcome topdesk_read_outcome(const struct reply *, char *text, size_t cap);
/*
 * Of a write.  Whatever leaves open whether it took effect is UNKNOWN: a 5xx, a
 * cut connection, a page of a proxy's, an answer that cannot be read.  said: an
 * answer of 2xx says what was done, or need not.
 */
enum outcome topdesk_write_outcome(
    const struct reply *, int said, char *text, size_t cap);

#endif
