/*
 * test_fiql.c: the simulator's parser of TOPdesk's query language: what it
 * takes, what it refuses, and that no cut or flip of a query makes it stumble.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fiql.h"

struct row {
	const char *name;
	const char *tags[3];
	int64_t size;
	int64_t date;
};

static const struct fiql_field fields[] = {{"name", FIQL_TEXT},
    {"tags.id", FIQL_TEXT}, {"size", FIQL_NUMBER}, {"date", FIQL_DATE},
    {"open", FIQL_BOOL}, {NULL, FIQL_TEXT}};

static int
get(const void *p, int field, size_t n, struct fiql_value *v)
{
	const struct row *r = p;

	if (field == 1) {
		v->text = n < 3 ? r->tags[n] : NULL;
		return v->text != NULL;
	}
	v->text = r->name;
	v->number = field == 2 ? r->size : field == 3 ? r->date : 1;
	return n == 0 && (field != 0 || r->name != NULL);
}

static const struct row row = {"O'Neil \"x\" \\", {"a", "b", NULL}, 7, 1000};

static int
ask(const char *q)
{
	char why[100];
	struct fiql *f = fiql_parse(q, fields, why, sizeof(why));
	int hit;

	if (f == NULL) {
		assert_true(*why != '\0');
		return -1;
	}
	hit = fiql_match(f, fields, get, &row);
	fiql_free(f);
	return hit;
}

static void
fiql_good(void **state)
{
	(void)state;
	assert_int_equal(ask("name=='O\\'Neil \"x\" \\\\'"), 1);
	assert_int_equal(ask("name==\"O'Neil \\\"x\\\" \\\\\""), 1);
	assert_int_equal(ask("name=sw=\"O'\""), 1);
	assert_int_equal(ask("name!=x;size=gt=6;size=le=7"), 1);
	assert_int_equal(ask("size==1,size==2,size==7"), 1);
	/* and binds tighter than or */
	assert_int_equal(ask("size==7,size==1;name==no"), 1);
	assert_int_equal(ask("(size==7,size==1);name==no"), 0);
	assert_int_equal(ask("tags.id==b"), 1);
	assert_int_equal(ask("tags.id!=b"), 0);
	assert_int_equal(ask("tags.id=in=(x,'b')"), 1);
	assert_int_equal(ask("tags.id=out=(x,y)"), 1);
	assert_int_equal(ask("name==null"), 0);
	assert_int_equal(ask("name!=null;open==true"), 1);
	assert_int_equal(ask("name=='null'"), 0);
	assert_int_equal(ask("date=lt=1970-01-01T01:00:00+00:00"), 1);
	assert_int_equal(ask("date=ge=1970-01-01T00:16:40Z"), 1);
}

static void
fiql_bad(void **state)
{
	static const char *const bad[] = {"", "name", "name=", "name==", "=x",
	    "nofield==1", "name=zz=1", "size=sw=1", "name=gt=x", "size==seven",
	    "date=gt=now", "date=gt=2027-01-01T00:00:00", "open==maybe",
	    "name=='x", "name==x'", "(name==x", "name==x)", "name==x;",
	    ";name==x", "name==x,,name==y", "tags.id=in=a", "tags.id=in=(a",
	    "tags.id=in=()", "tags.id=in=(null)", "size=gt=null", "name==a b;'",
	    "name==x y=z", NULL};
	char deep[400];
	int i;

	(void)state;
	for (i = 0; bad[i] != NULL; i++)
		if (ask(bad[i]) != -1)
			fail_msg("taken: %s", bad[i]);
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(ask(deep), -1);
}

static void
fiql_mutated(void **state)
{
	const char *base = "(name=='O\\'Neil';size=gt=6),tags.id=in=(a,\"b\");"
			   "date=lt=2027-01-01T00:00:00Z";
	unsigned int seed = 42;
	char q[128];
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		(void)snprintf(q, sizeof(q), "%s", base);
		q[(size_t)rand_r(&seed) % strlen(base)] =
		    "()'\"\\;,=!a1\001\377"[rand_r(&seed) % 13];
		if (rand_r(&seed) % 3 == 0)
			q[(size_t)rand_r(&seed) % strlen(base)] = '\0';
		(void)ask(q);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fiql_good),
	    cmocka_unit_test(fiql_bad),
	    cmocka_unit_test(fiql_mutated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
