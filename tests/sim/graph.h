/*
 * graph.h: what the files of the Graph side share.
 */
#ifndef ORB_SIM_GRAPH_H
#define ORB_SIM_GRAPH_H

#include "http.h"

/* graph.c */
void graph_error(struct request *, int, const char *, const char *, ...)
    __attribute__((format(printf, 4, 5)));
struct mailbox *graph_mailbox(struct request *);
void graph_base(const struct request *, struct text *);
int graph_window(struct request *, int64_t *, int64_t *);

/* graph_id.c */
void id_write(struct text *, const struct event *, int64_t, int);
int id_read(const struct mailbox *, const char *, struct event **, int64_t *);
void seal_write(struct text *, const char *);
int seal_read(const char *, char *, size_t);

/* graph_event.c */
#define SELECT_ALL UINT64_MAX
int select_parse(struct request *, uint64_t *);
void event_json(struct request *, const struct event *,
    const struct occurrence *, uint64_t);
void event_properties(struct request *, const struct event *);
void event_stub(
    struct request *, const struct event *, const struct occurrence *);
void event_tombstone(struct request *, const struct event *);

/* graph_view.c, graph_delta.c, graph_batch.c, graph_write.c */
void graph_view(struct request *);
void graph_instances(struct request *);
void graph_get_event(struct request *);
void graph_list_events(struct request *);
void graph_rooms(struct request *);
void graph_roomlists(struct request *);
void graph_delta(struct request *);
void graph_batch(struct request *);
void graph_create(struct request *);
void graph_patch(struct request *);
void graph_cancel(struct request *);
void graph_delete(struct request *);
void graph_accept(struct request *);
void graph_tentative(struct request *);
void graph_decline(struct request *);
int graph_target(struct request *, struct event **, struct occurrence *,
    const struct occurrence **);

/* graph_body.c: times and pattern as a body wants them; texts stay there */
struct draft {
	int64_t start;
	int64_t end;
	const struct zone *zone;
	int all_day;
	int single; /* recurrence is null */
	struct recurrence *rec;
};
int graph_refuse(struct request *, const char *, const char *);
int body_read(struct request *);
int body_tells(const struct request *);
int body_time(struct request *, const char *, int64_t *, const struct zone **);
int draft_read(struct request *, const struct event *, struct draft *);
int draft_apply(struct request *, struct event *, struct draft *);

#endif
