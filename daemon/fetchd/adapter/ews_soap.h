/*
 * ews_soap.h: requests to Exchange Web Services, as bytes.  Sans I/O.  Every
 * value is escaped here; elements are in the order of the schema, since
 * Exchange refuses any other (ErrorSchemaValidation).
 *
 * Sources: "EWS operations in Exchange", "Impersonation and EWS".
 */
#ifndef ORB_ADAPTER_EWS_SOAP_H
#define ORB_ADAPTER_EWS_SOAP_H

#include "fetchd/adapter/strbuf.h"
#include "lib/messages.h"

#define EWS_CHANGES 512 /* of one SyncFolderItems: the most there may be */
#define EWS_VIEW 500    /* of one CalendarView */
#define EWS_GET 10      /* items of one GetItem */

/* The envelope around the operations below; address is the mailbox that the
 * account acts as. */
void ews_begin(struct strbuf *, const char *address);
void ews_end(struct strbuf *);

void ews_sync(struct strbuf *, const char *state);
void ews_view(struct strbuf *, int64_t from, int64_t to);
/* Items that carry one of the tags. */
void ews_find(struct strbuf *, const struct wire_list *tags);
void ews_folder(struct strbuf *);
/* GetItem: begin, one line for each item, end. */
void ews_get_begin(struct strbuf *, int body);
void ews_get_id(struct strbuf *, const char *id);
void ews_get_master_of(struct strbuf *, const char *occurrence_id);
void ews_get_end(struct strbuf *);

void ews_meet(struct strbuf *, const struct msg_adapter_meet *);
/* resources: those that are invited, as ews_read.c lists them (EWS_RESOURCES);
 * of use when there is another room. */
void ews_change(struct strbuf *, const struct msg_adapter_meeting_change *,
    const char *key, const char *resources);
/* Is the line of such a list of this address? */
int ews_line_is(const char *line, const char *address);
void ews_cancel(
    struct strbuf *, const char *id, const char *key, const char *comment);
void ews_decline(
    struct strbuf *, const char *id, const char *key, const char *comment);
/* Of one to which nobody is invited. */
void ews_delete(struct strbuf *, const char *id, const char *key);

#endif
