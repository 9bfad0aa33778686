/*
 * ews_xml.c: a request's XML as a tree, and text written as XML.  What may
 * stand where is in ews_schema.c.
 */
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#include "ews.h"

#define DEPTH_MAX 64
#define SEPARATOR ' '

struct reading {
	XML_Parser parser;
	struct node *root;
	struct node *at;
	struct text text;
	int depth;
};

static const struct {
	const char *uri;
	const char *prefix;
} spaces[] = {{"http://schemas.xmlsoap.org/soap/envelope/", "s:"},
    {"http://schemas.microsoft.com/exchange/services/2006/messages", "m:"},
    {"http://schemas.microsoft.com/exchange/services/2006/types", "t:"}};

/* "uri name" as "p:name"; names of other namespaces get x: */
static char *
name_short(const char *name)
{
	const char *at = strrchr(name, SEPARATOR);
	size_t i, n;

	if (at == NULL)
		return text_print("x:%s", name);
	n = (size_t)(at - name);
	for (i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (strlen(spaces[i].uri) == n &&
		    strncmp(spaces[i].uri, name, n) == 0)
			return text_print("%s%s", spaces[i].prefix, at + 1);
	return text_print("x:%s", at + 1);
}

static void
on_start(void *cls, const char *name, const char **attrs)
{
	struct reading *rd = cls;
	struct node *n = zalloc(sizeof(*n));
	struct node *up = rd->at;

	n->name = name_short(name);
	n->parent = up;
	if (up == NULL)
		rd->root = n;
	else if (up->last == NULL)
		up->first = up->last = n;
	else
		up->last = up->last->next = n;
	rd->at = n;
	for (; attrs[0] != NULL; attrs += 2) {
		n->attrs = grow(n->attrs, n->nattrs + 1, sizeof(*n->attrs));
		n->attrs[n->nattrs].name = text_dup(attrs[0]);
		n->attrs[n->nattrs++].value = text_dup(attrs[1]);
	}
	rd->text.len = 0;
	if (++rd->depth > DEPTH_MAX)
		(void)XML_StopParser(rd->parser, XML_FALSE);
}

static void
on_end(void *cls, const char *name)
{
	struct reading *rd = cls;

	(void)name;
	if (rd->at->first == NULL && rd->text.len > 0)
		rd->at->text = text_dup(rd->text.b);
	rd->text.len = 0;
	rd->at = rd->at->parent;
	rd->depth--;
}

static void
on_text(void *cls, const char *s, int n)
{
	struct reading *rd = cls;

	text_add(&rd->text, s, (size_t)n);
}

/* SOAP 1.1 forbids document types, and so do we: no entities, no bombs. */
static void
on_doctype(void *cls, const char *name, const char *system, const char *public,
    int internal)
{
	struct reading *rd = cls;

	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	(void)XML_StopParser(rd->parser, XML_FALSE);
}

/* The tree of a document, or NULL; node_free() it. */
struct node *
node_parse(const char *s, size_t len)
{
	struct reading rd = {0};
	enum XML_Status st;

	rd.parser = XML_ParserCreateNS(NULL, SEPARATOR);
	if (rd.parser == NULL || s == NULL) {
		XML_ParserFree(rd.parser);
		return NULL;
	}
	XML_SetUserData(rd.parser, &rd);
	XML_SetElementHandler(rd.parser, on_start, on_end);
	XML_SetCharacterDataHandler(rd.parser, on_text);
	XML_SetStartDoctypeDeclHandler(rd.parser, on_doctype);
	st = XML_Parse(rd.parser, s, (int)len, 1);
	XML_ParserFree(rd.parser);
	text_free(&rd.text);
	if (st != XML_STATUS_OK) {
		node_free(rd.root);
		return NULL;
	}
	return rd.root;
}

void
node_free(struct node *n)
{
	struct node *next;
	size_t i;

	for (; n != NULL; n = next) {
		next = n->next;
		node_free(n->first);
		for (i = 0; i < n->nattrs; i++) {
			free(n->attrs[i].name);
			free(n->attrs[i].value);
		}
		free(n->attrs);
		free(n->name);
		free(n->text);
		free(n);
	}
}

int
node_is(const struct node *n, const char *name)
{
	return n != NULL && strcmp(n->name, name) == 0;
}

const struct node *
node_child(const struct node *n, const char *name)
{
	const struct node *c;

	for (c = n ? n->first : NULL; c != NULL; c = c->next)
		if (node_is(c, name))
			return c;
	return NULL;
}

const char *
node_attr(const struct node *n, const char *name)
{
	size_t i;

	for (i = 0; n != NULL && i < n->nattrs; i++)
		if (strcmp(n->attrs[i].name, name) == 0)
			return n->attrs[i].value;
	return NULL;
}

/* xs:boolean */
int
node_true(const struct node *n)
{
	return n != NULL && n->text != NULL &&
	    (strcmp(n->text, "true") == 0 || strcmp(n->text, "1") == 0);
}

/* Adds s as the text of an element or an attribute. */
void
text_xml(struct text *t, const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		switch (*s) {
		case '&':
			text_str(t, "&amp;");
			break;
		case '<':
			text_str(t, "&lt;");
			break;
		case '>':
			text_str(t, "&gt;");
			break;
		case '"':
			text_str(t, "&quot;");
			break;
		default:
			if ((unsigned char)*s >= 0x20 || *s == '\n' ||
			    *s == '\t')
				text_add(t, s, 1);
		}
}
