/*
 * ews_upstream.h: Exchange Web Services as a test of the adapter plays it: a
 * script of answers, and what must hold of every request whatever it is for.
 *
 * Not here: the sockets (adapter_rig.h), the schema (ews_order.h).
 */
#ifndef ORB_TEST_EWS_UPSTREAM_H
#define ORB_TEST_EWS_UPSTREAM_H

#include "tests/unit/adapter_rig.h"

#define HEAD                                                                 \
	"<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" " \
	"xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/"     \
	"messages\" xmlns:t=\"http://schemas.microsoft.com/exchange/"        \
	"services/2006/types\"><s:Body>"
#define TAIL "</s:Body></s:Envelope>"
#define GOOD(inner)                                                      \
	"<m:XResponseMessage ResponseClass=\"Success\"><m:ResponseCode>" \
	"NoError</m:ResponseCode>" inner "</m:XResponseMessage>"
#define BAD(code)                                                       \
	"<m:XResponseMessage ResponseClass=\"Error\"><m:MessageText>no" \
	"</m:MessageText><m:ResponseCode>" code                         \
	"</m:ResponseCode></m:XResponseMessage>"
#define ANSWER(messages)                                  \
	HEAD "<m:XResponse><m:ResponseMessages>" messages \
	     "</m:ResponseMessages></m:XResponse>" TAIL
#define FAULT_OF(code, more)                                                 \
	HEAD "<s:Fault><faultcode>x</faultcode><faultstring>f</faultstring>" \
	     "<detail><e:ResponseCode xmlns:e=\"http://schemas.microsoft."   \
	     "com/exchange/services/2006/errors\">" code                     \
	     "</e:ResponseCode>" more "</detail></s:Fault>" TAIL
#define BACKOFF_OF(ms)                                            \
	"<t:MessageXml><t:Value Name=\"BackOffMilliseconds\">" ms \
	"</t:Value></t:MessageXml>"
#define ITEM(id, inner)                                                   \
	"<t:CalendarItem><t:ItemId Id=\"" id "\" ChangeKey=\"K\"/>" inner \
	"</t:CalendarItem>"
#define ITEMS(items) ANSWER(GOOD("<m:Items>" items "</m:Items>"))
#define SYNCED(changes)                       \
	ANSWER(GOOD(                          \
	    "<m:SyncState>S2</m:SyncState>"   \
	    "<m:IncludesLastItemInRange>true" \
	    "</m:IncludesLastItemInRange><m:Changes>" changes "</m:Changes>"))
#define VIEW(last, items)                                                 \
	ANSWER(GOOD("<m:RootFolder IncludesLastItemInRange=\"" last "\">" \
		    "<t:Items>" items "</t:Items></m:RootFolder>"))

#define ANSWER_LOST (-1) /* as a status: it was done, and nobody heard of it */

/* What is answered to requests that contain a word; the first line that fits.
 * say makes the answer from the request, to be freed, in place of body. */
struct ews_line {
	const char *word, *body;
	int status; /* 0: 200 */
	char *(*say)(const char *request);
};

/*
 * An adapter whose Exchange goes by the script, which ends with a word of NULL;
 * a request that no line fits fails the test.  Every request must be a POST to
 * the one URL, act as mailbox and be anchored to it, and keep to the schema.
 */
struct rig *ews_rig(const struct ews_line *script, const char *mailbox);
/* The same from now on, with other lines. */
void ews_script(const struct ews_line *);
/* The last request; how many of all so far contain the word. */
const char *ews_sent(void);
unsigned ews_sent_with(const char *word);

#endif
