/*
 * conf_hosts.c: which hosts an upstream has.  dial connects to these and no
 * others, keyd gives leases for these and no others, and http asks these; so
 * it is said in one place.  Not here: reading the settings (conf_tree.c).
 */
#include "lib/conf.h"

#include <string.h>

int
conf_is_ews(const struct conf *c)
{
	return strcmp(c->exchange.kind, "ews") == 0;
}

const struct conf_url *
conf_api_url(const struct conf *c, enum upstream u)
{
	if (u == UPSTREAM_TOPDESK)
		return &c->topdesk.url;
	return conf_is_ews(c) ? &c->exchange.ews_url : &c->exchange.graph_url;
}

const struct conf_url *
conf_login_url(const struct conf *c, enum upstream u)
{
	if (u == UPSTREAM_TOPDESK || conf_is_ews(c))
		return NULL;
	return &c->exchange.login_url;
}
