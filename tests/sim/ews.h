/*
 * ews.h: what the files of the EWS side share.  Element names are written with
 * the prefix of their namespace: s: (SOAP), m: (messages), t: (types).
 *
 * Functions that can fail give the response code to answer with, or NULL; the
 * text that belongs to a code is in ews.c.
 */
#ifndef ORB_SIM_EWS_H
#define ORB_SIM_EWS_H

#include "http.h"

struct node {
	char *name;
	char *text;
	struct pair *attrs;
	size_t nattrs;
	struct node *parent;
	struct node *first;
	struct node *last;
	struct node *next;
};

enum folder { CALENDAR, ROOT, MSG_ROOT, INBOX, SENT, DELETED, FOLDERS };

/* What a request is about while it is served. */
struct ews {
	struct request *r;
	struct node *root;
	const struct node *op; /* in the Body; NULL: none that is known */
	const char *bad;       /* not XML, or not of the schema */
	char *detail;
	struct mailbox *mb;
	const struct zone *zone; /* of the TimeZoneContext; NULL: none */
};

/* An item as a request names it. */
struct target {
	struct event *e;
	const struct occurrence *occ; /* NULL, or points to room */
	struct occurrence room;
	const char *key; /* the ChangeKey sent, or NULL */
};

struct property_path {
	char *id;         /* as Graph writes it */
	const char *goid; /* not NULL: one that the server computes */
	const struct node *node;
};

/* Which properties an answer shows. */
struct shape {
	uint64_t set;
	struct property_path *props;
	size_t nprops;
};

/* The account of the service, and what came of its logins. */
struct ews_account {
	char *login;
	char *password;
	unsigned long failed;
	int failed_in_row;
	int locked;
	unsigned long unanchored; /* requests without X-AnchorMailbox */
	unsigned long misanchored;
	int sync_state_bytes; /* how long a SyncState is */
};

extern struct ews_account ews_account;

/* ews.c; the hooks of the listener are in http.h */
const char *ews_text(const char *);
void ews_good(struct ews *);
void ews_good_end(struct ews *);
void ews_bad(struct ews *, const char *);
const char *ews_op(const struct ews *);
void ews_open(struct ews *);
void ews_trace(struct request *);
void ews_fault_say(struct request *, const char *, const char *, int);

/* ews_admit.c */
int ews_refuse_login(struct request *);

/* ews_xml.c */
struct node *node_parse(const char *, size_t);
void node_free(struct node *);
const struct node *node_child(const struct node *, const char *);
const char *node_attr(const struct node *, const char *);
int node_is(const struct node *, const char *);
int node_true(const struct node *);
void text_xml(struct text *, const char *);

/* ews_schema.c */
int schema_check(const struct node *, char **);

/* ews_id.c */
void item_id(struct text *, const char *, const struct event *, int64_t);
const char *target_find(struct ews *, const struct node *, struct target *);
int key_current(const struct target *);
int occurrence_at(const struct event *, int64_t, struct occurrence *);
void folder_id(struct text *, const struct mailbox *, enum folder);
const char *folder_find(const struct ews *, const struct node *, enum folder *);
void state_write(struct text *, const char *);
int state_read(const char *, char *, size_t);

/* ews_shape.c */
enum {
	F_PARENT,
	F_CLASS,
	F_SUBJECT,
	F_SENSITIVITY,
	F_BODY,
	F_RECEIVED,
	F_SIZE,
	F_IMPORTANCE,
	F_DRAFT,
	F_CREATED,
	F_REMINDER,
	F_REMINDER_MINUTES,
	F_ATTACHMENTS,
	F_CULTURE,
	F_MODIFIED,
	F_ASSOCIATED,
	F_UID,
	F_RECURRENCE_ID,
	F_STAMP,
	F_START,
	F_END,
	F_ORIGINAL,
	F_ALL_DAY,
	F_BUSY,
	F_LOCATION,
	F_IS_MEETING,
	F_CANCELLED,
	F_RECURRING,
	F_SENT,
	F_RESPONSE_REQUESTED,
	F_TYPE,
	F_MY_RESPONSE,
	F_ORGANIZER,
	F_REQUIRED,
	F_OPTIONAL,
	F_RESOURCES,
	F_DURATION,
	F_REPLY_TIME,
	F_SEQUENCE,
	F_STATE,
	F_RECURRENCE,
	F_FIRST,
	F_LAST,
	F_EXCEPTIONS,
	F_DROPPED,
	F_START_ZONE,
	F_END_ZONE,
	F_CONFERENCE,
	F_PROPOSAL,
	F_ONLINE,
	F_IS_ORGANIZER,
	F_COUNT
};
const char *shape_read(const struct node *, int, struct shape *);
void shape_free(struct shape *);
int field_known(const char *);
int field_number(const char *);
const char *path_read(const struct node *, struct property_path *);
int property_same(const char *, const char *);

/* ews_item.c */
void item_xml(struct ews *, const struct event *, const struct occurrence *,
    const struct shape *);
void time_xml(const struct ews *, const char *, int64_t);
char *goid_of(const struct event *, int64_t);

/* ews_recur.c */
void recurrence_xml(struct text *, const struct event *);
const char *recurrence_read(const struct node *, struct recurrence **);

/* ews_fields.c: what a client sets */
struct wanted {
	struct event *e;
	const struct node *start;
	const struct node *end;
	const struct node *zone;
	const struct node *recurrence;
	int plain; /* the recurrence is taken away */
	const char *subject;
};
const char *wanted_field(struct wanted *, const struct node *);
const char *wanted_clear(struct wanted *, const struct node *);
const char *wanted_times(
    const struct ews *, const struct wanted *, int64_t *, int64_t *);
const char *wanted_finish(const struct ews *, struct wanted *, int *);

/* ews_sync.c, ews_find.c, ews_write.c, ews_update.c, ews_directory.c */
void ews_sync(struct request *);
void ews_get_item(struct request *);
void ews_get_folder(struct request *);
void ews_find_item(struct request *);
void ews_create_item(struct request *);
void ews_delete_item(struct request *);
void ews_update_item(struct request *);
void ews_time_zones(struct request *);
void ews_resolve_names(struct request *);
void ews_room_lists(struct request *);
void ews_rooms(struct request *);

#endif
