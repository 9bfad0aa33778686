/*
 * service.c: services that people ordered with a reservation (lunch, a
 * projector): how they look, and what they forbid.  They stand with the first
 * facility.  A service has a lead time, within which nothing may be changed any
 * more, and a window of hours (UTC) in which it is given.
 */
#include <stdlib.h>
#include <string.h>

#include "topdesk.h"
#include "when.h"

/* lead: minutes; from and to: hours of the day, both 0 for all day. */
void
service_add(struct reservation *r, const char *name, int lead, int from, int to)
{
	struct service *s;

	r->services = grow(r->services, r->nservices + 1, sizeof(*r->services));
	s = &r->services[r->nservices++];
	memset(s, 0, sizeof(*s));
	uuid_new(s->id);
	uuid_of(name, s->service_id);
	s->name = text_dup(name);
	s->lead = lead;
	s->from = from;
	s->to = to;
}

void
services_free(struct reservation *r)
{
	size_t i;

	for (i = 0; i < r->nservices; i++)
		free(r->services[i].name);
	free(r->services);
}

/* Whether it is too late to cancel or move what starts at start. */
int
services_too_late(const struct reservation *r, int64_t start)
{
	size_t i;

	for (i = 0; i < r->nservices; i++)
		if (when_now() > start - (int64_t)r->services[i].lead * 60)
			return 1;
	return 0;
}

int
services_outside(const struct reservation *r, int64_t start, int64_t end)
{
	size_t i;

	for (i = 0; i < r->nservices; i++) {
		const struct service *s = &r->services[i];
		int64_t day = day_floor(start) * DAY;

		if (s->to > 0 &&
		    (start < day + (int64_t)s->from * 3600 ||
			end > day + (int64_t)s->to * 3600))
			return 1;
	}
	return 0;
}

void
services_json(struct text *o, const struct reservation *r)
{
	char t[32];
	size_t i;

	when_print(r->start, t);
	text_str(o, "\"reservedServices\":[");
	for (i = 0; i < r->nservices; i++)
		text_fmt(o,
		    "%s{\"id\":\"%s\",\"serviceId\":\"%s\",\"amount\":1,"
		    "\"deliveryTime\":\"%s\",\"deliveryLocationId\":null,"
		    "\"operatorId\":null,\"supplierId\":null,\"totalCosts\":0,"
		    "\"notes\":null,\"closed\":false,\"closedDate\":null}",
		    i ? "," : "", r->services[i].id, r->services[i].service_id,
		    t);
	text_str(o, "]");
}
