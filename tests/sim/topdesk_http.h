/*
 * topdesk_http.h: what the files of the TOPdesk listener share.
 */
#ifndef ORB_SIM_TOPDESK_HTTP_H
#define ORB_SIM_TOPDESK_HTTP_H

#include "http.h"
#include "topdesk.h"

/* topdesk.c */
void td_error(struct request *, int, const char *, const char *, const char *,
    ...) __attribute__((format(printf, 5, 6)));
int td_forbidden(struct request *, int, const char *);
void td_allows_args(struct request *, const char *);

/* reservation_write.c */
void td_bad(struct request *, const char *, const char *);
void td_conflict(struct request *);
json_t *td_body(struct request *, const char *, int);
int td_read_dates(struct request *, int64_t *, int64_t *);
int td_read_location(struct request *, json_t *, struct location **);
struct reservation *td_open_target(struct request *);
int td_services_allow(
    struct request *, const struct reservation *, int64_t, int64_t);

/* reservation_list.c, reservation_write.c, reservation_move.c */
void td_list(struct request *);
void td_get(struct request *);
void td_create(struct request *);
void td_patch(struct request *);
void td_cancel(struct request *);
void td_reschedule(struct request *);
void td_facility_add(struct request *);
void td_facility_move(struct request *);
void td_facility_remove(struct request *);
void td_answer(struct request *, const struct reservation *, int);

#endif
