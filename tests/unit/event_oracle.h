/*
 * event_oracle.h: what jansson, and the reader of events that was built on it,
 * says of a projected element, to hold flat.c and graph_event.c against it.
 */
#ifndef ORB_TEST_EVENT_ORACLE_H
#define ORB_TEST_EVENT_ORACLE_H

#include <jansson.h>

#include "fetchd/adapter/graph.h"

int oracle_event_get(json_t *, struct graph_event *, const char **why);
int oracle_same(const struct graph_event *, const struct graph_event *);
/* Do both readers say the same event, or the same refusal, of this element? */
int oracle_agrees(const char *json, size_t len);
/* Does each field of the schema have the value that jansson gives it? */
int oracle_fields_agree(
    const struct project_member *, const char *json, size_t len);

#endif
