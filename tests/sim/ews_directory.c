/*
 * ews_directory.c: what EWS says of zones, people and rooms: as much as a
 * client needs to find its way, no more.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ews.h"

static void
address_xml(
    struct text *o, const char *name, const char *email, const char *type)
{
	text_str(o, "<t:Name>");
	text_xml(o, name);
	text_str(o, "</t:Name><t:EmailAddress>");
	text_xml(o, email);
	text_fmt(o,
	    "</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>"
	    "<t:MailboxType>%s</t:MailboxType>",
	    type);
}

void
ews_time_zones(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *id = node_child(w->op, "m:Ids");

	text_str(&r->out, "<m:ResponseMessages>");
	ews_good(w);
	text_str(&r->out, "<m:TimeZoneDefinitions>");
	for (id = id ? id->first : NULL; id != NULL; id = id->next)
		if (zone_find(id->text) != NULL) {
			text_str(&r->out, "<t:TimeZoneDefinition Id=\"");
			text_xml(&r->out, id->text);
			text_str(&r->out, "\" Name=\"");
			text_xml(&r->out, id->text);
			text_str(&r->out, "\"/>");
		}
	text_str(&r->out, "</m:TimeZoneDefinitions>");
	ews_good_end(w);
	text_str(&r->out, "</m:ResponseMessages>");
}

void
ews_resolve_names(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *n = node_child(w->op, "m:UnresolvedEntry");
	const char *entry = n->text ? n->text : "";
	const struct mailbox *mb = mailbox_find(
	    strncasecmp(entry, "smtp:", 5) == 0 ? entry + 5 : entry);

	text_str(&r->out, "<m:ResponseMessages>");
	if (mb == NULL)
		ews_bad(w, "ErrorNameResolutionNoResults");
	else {
		ews_good(w);
		text_str(&r->out,
		    "<m:ResolutionSet TotalItemsInView=\"1\" "
		    "IncludesLastItemInRange=\"true\"><t:Resolution>"
		    "<t:Mailbox>");
		address_xml(&r->out, mb->name, mb->email, "Mailbox");
		text_str(
		    &r->out, "</t:Mailbox></t:Resolution></m:ResolutionSet>");
		ews_good_end(w);
	}
	text_str(&r->out, "</m:ResponseMessages>");
}

/* These two have no response messages: class and code stand at the root, which
 * was written without them. */
static void
root_class(struct request *r, const char *class)
{
	char *at = strstr(r->out.b, "Response xmlns:m=");
	struct text t = {0};

	text_add(&t, r->out.b, (size_t)(at - r->out.b) + strlen("Response"));
	text_fmt(&t, " ResponseClass=\"%s\"%s", class, at + strlen("Response"));
	text_free(&r->out);
	r->out = t;
}

void
ews_room_lists(struct request *r)
{
	root_class(r, "Success");
	text_str(&r->out,
	    "<m:ResponseCode>NoError</m:ResponseCode><m:RoomLists>"
	    "<t:Address>");
	address_xml(&r->out, "All rooms", "rooms@sim.test", "PublicDL");
	text_str(&r->out, "</t:Address></m:RoomLists>");
}

void
ews_rooms(struct request *r)
{
	struct ews *w = r->ews;
	const struct node *n =
	    node_child(node_child(w->op, "m:RoomList"), "t:EmailAddress");
	size_t i;

	if (n == NULL || n->text == NULL ||
	    strcasecmp(n->text, "rooms@sim.test") != 0) {
		root_class(r, "Error");
		text_str(&r->out,
		    "<m:MessageText>No results were found.</m:MessageText>"
		    "<m:ResponseCode>ErrorNameResolutionNoResults"
		    "</m:ResponseCode><m:DescriptiveLinkKey>0"
		    "</m:DescriptiveLinkKey>");
		return;
	}
	root_class(r, "Success");
	text_str(&r->out, "<m:ResponseCode>NoError</m:ResponseCode><m:Rooms>");
	for (i = 0; i < exchange.nrooms; i++) {
		text_str(&r->out, "<t:Room><t:Id>");
		address_xml(&r->out, exchange.rooms[i]->name,
		    exchange.rooms[i]->email, "Mailbox");
		text_str(&r->out, "</t:Id></t:Room>");
	}
	text_str(&r->out, "</m:Rooms>");
}
