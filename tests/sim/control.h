/*
 * control.h: the control socket and the commands behind it.
 */
#ifndef ORB_SIM_CONTROL_H
#define ORB_SIM_CONTROL_H

#include <jansson.h>

#include "http.h"

/*
 * A command takes its arguments and gives its answer, a new reference; or
 * NULL after saying in *why what was wrong.
 */
typedef json_t *command_fn(json_t *, const char **);

/* control.c */
void control_open(const char *);
void control_run(void);
void control_close(void);
const char *arg_text(json_t *, const char *);
int arg_int(json_t *, const char *, int);
int arg_time(json_t *, const char *, const struct zone *, int64_t *);
json_t *done(void);

/* control_exchange.c: what people do in Outlook */
command_fn cmd_add_room, cmd_meeting_create, cmd_meeting_move,
    cmd_meeting_rooms, cmd_meeting_subject, cmd_meeting_cancel,
    cmd_meeting_delete, cmd_meeting_respond, cmd_occurrence_move,
    cmd_occurrence_cancel, cmd_occurrence_delete, cmd_occurrence_rooms,
    cmd_series_repattern, cmd_meeting_get;

/* control_topdesk.c: what people do in TOPdesk */
command_fn cmd_add_person, cmd_reservation_create, cmd_reservation_move,
    cmd_reservation_cancel, cmd_reservation_change, cmd_reservation_room,
    cmd_reservation_get, cmd_reservation_status, cmd_location_set;

/* control_world.c: faults, settings, counters */
command_fn cmd_fault, cmd_faults_clear, cmd_counters, cmd_counters_reset,
    cmd_violations, cmd_set, cmd_register_certificate, cmd_ping, cmd_record,
    cmd_ews;

/* mail.c: what people and rooms would have in their inboxes */
command_fn cmd_mails, cmd_mails_reset;

/* control_bulk.c, control_compare.c */
command_fn cmd_bulk_load, cmd_dump, cmd_compare;

#endif
