/* ews_write.h: the writes to Exchange Web Services. */
#ifndef ORB_ADAPTER_EWS_WRITE_H
#define ORB_ADAPTER_EWS_WRITE_H

#include "fetchd/adapter/ews.h"

/* Handler of ADAPTER_MEET, MEETING_CHANGE, MEETING_CANCEL, MEETING_DECLINE. */
int ews_on_write(struct chan *, struct packet *);

#endif
