/*
 * control.h: what the files that answer orbctl share.  control.c has the
 * connections and what changes something, control_list.c the lists.
 */
#ifndef ORB_MAPD_CONTROL_H
#define ORB_MAPD_CONTROL_H

#include "mapd/mapd.h"

/* The booking's id as orbctl shows it: its link, whatever the generation.
 * Returns link. */
const char *control_booking(
    const uint8_t key[KEY_LEN], char link[IDENTITY_LINK_MAX]);
/* The last answer to a request; text is shown to a person. */
int control_error(struct chan *, uint64_t id, const char *text);
int control_done(struct chan *, uint64_t id, uint64_t value);

/* Handlers of MAPD_PROBLEMS and MAPD_CONFLICTS. */
int control_on_problems(struct chan *, struct packet *);
/* Rooms that could not be read in the last round. */
size_t control_rooms_in_trouble(const struct mapd *);
int control_on_conflicts(struct chan *, struct packet *);

#endif
