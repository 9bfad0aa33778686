/* table.c: rows of cells, printed for people or as JSON.  See ctl.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "ctl/ctl.h"

#define GAP 2       /* between columns */
#define NARROWEST 8 /* no column is cut below this */

struct cell {
	char *text;
	int width; /* columns of the terminal */
	enum table_mark mark;
};

struct table {
	struct ctl *ctl;
	const struct table_column *col;
	size_t ncol, nrow;
	size_t at; /* next column */
	int bad;   /* no memory */

	struct cell *cell;
	size_t ncell, cap;
	json_t *array, *object;
};

struct table *
table_begin(struct ctl *ctl, const struct table_column *col, size_t n)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->ctl = ctl;
	t->col = col;
	t->ncol = n;
	if (ctl->output == CTL_JSON && (t->array = json_array()) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

static void
table_free(struct table *t)
{
	for (size_t i = 0; i < t->ncell; i++)
		free(t->cell[i].text);
	free(t->cell);
	json_decref(t->array);
	json_decref(t->object);
	free(t);
}

size_t
table_rows(const struct table *t)
{
	return t->nrow;
}

static void
next_column(struct table *t)
{
	if (++t->at == t->ncol) {
		t->at = 0;
		t->nrow++;
	}
}

static void
put_json(struct table *t, json_t *value)
{
	if (t->at == 0) {
		t->object = json_object();
		if (t->object == NULL || json_array_append(t->array, t->object))
			t->bad = 1;
		json_decref(t->object); /* borrowed from the array now */
		if (t->bad)
			t->object = NULL;
	}
	if (t->bad || json_object_set_new(t->object, t->col[t->at].name, value))
		t->bad = 1;
	if (t->at + 1 == t->ncol)
		t->object = NULL;
}

/* Columns that the text takes; 1 a byte when it is not of the locale. */
static int
columns_of(const char *s)
{
	wchar_t w[512];
	size_t n = mbstowcs(w, s, 512);
	int width = n == (size_t)-1 || n == 512 ? -1 : wcswidth(w, n);

	return width < 0 ? (int)strlen(s) : width;
}

/* No byte of it can drive the terminal: C0, DEL, and C1 as UTF-8. */
char *
table_harmless(const char *s)
{
	char *copy = strdup(s);

	for (unsigned char *p = (unsigned char *)copy; p && *p; p++)
		if (*p < 0x20 || *p == 0x7f ||
		    (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0 && (p[1] = '?')))
			*p = '?';
	return copy;
}

static void
put_cell(struct table *t, const char *text)
{
	struct cell *p;
	size_t cap;

	if (t->ncell == t->cap) {
		cap = t->cap ? t->cap * 2 : 64;
		if ((p = realloc(t->cell, cap * sizeof(*p))) == NULL) {
			t->bad = 1;
			return;
		}
		t->cell = p;
		t->cap = cap;
	}
	p = &t->cell[t->ncell];
	*p = (struct cell){table_harmless(*text ? text : "-"), 0, TABLE_PLAIN};
	if (p->text == NULL) {
		t->bad = 1;
		return;
	}
	p->width = columns_of(p->text);
	t->ncell++;
}

void
table_text(struct table *t, const char *s)
{
	if (s == NULL)
		s = "";
	if (t->array)
		put_json(t, *s ? json_string(s) : json_null());
	else
		put_cell(t, s);
	next_column(t);
}

void
table_number(struct table *t, uint64_t n)
{
	char s[24];

	snprintf(s, sizeof(s), "%" PRIu64, n);
	if (t->array)
		put_json(t, json_integer((json_int_t)n));
	else
		put_cell(t, s);
	next_column(t);
}

void
table_time(struct table *t, int64_t seconds)
{
	char s[40];
	json_t *j;

	if (t->array) {
		j = ctl_json_time(seconds);
		put_json(t, j ? j : json_null());
	} else
		put_cell(t, ctl_time(seconds, s, sizeof(s)));
	next_column(t);
}

void
table_mark(struct table *t, enum table_mark mark)
{
	if (t->ncell > 0)
		t->cell[t->ncell - 1].mark = mark;
}

/* --- printing ---------------------------------------------------------------- */

/* Widths of the columns; on a terminal the shrinking ones give way. */
static void
widths(const struct table *t, int *w)
{
	int sum = -GAP, over, give;

	for (size_t c = 0; c < t->ncol; c++) {
		w[c] = t->col[c].title ? columns_of(t->col[c].title) : -GAP;
		for (size_t i = c; t->col[c].title && i < t->ncell;
		     i += t->ncol)
			if (t->cell[i].width > w[c])
				w[c] = t->cell[i].width;
		sum += w[c] + GAP;
	}
	if (t->ctl->width == 0)
		return;
	over = sum - t->ctl->width;
	for (size_t c = t->ncol; over > 0 && c-- > 0;) {
		if (!t->col[c].shrinks || w[c] <= NARROWEST)
			continue;
		give = w[c] - NARROWEST < over ? w[c] - NARROWEST : over;
		w[c] -= give;
		over -= give;
	}
}

/* Bytes of s that fill at most w columns. */
static int
bytes_for(const char *s, int w)
{
	mbstate_t st = {0};
	wchar_t wc;
	int used = 0, n;
	size_t len;

	for (n = 0; s[n]; n += (int)len) {
		len = mbrtowc(&wc, s + n, MB_CUR_MAX, &st);
		if (len == (size_t)-1 || len == (size_t)-2) {
			len = 1;
			wc = L'?';
			memset(&st, 0, sizeof(st));
		}
		used += wcwidth(wc) > 0 ? wcwidth(wc) : 0;
		if (used > w)
			break;
	}
	return n;
}

static const char *
escape(const struct table *t, enum table_mark mark)
{
	static const char *const sgr[] = {
	    "", "\033[32m", "\033[33m", "\033[31m", "\033[2m"};

	return t->ctl->colour ? sgr[mark] : "";
}

static void
print_cell(const struct table *t, size_t c, const char *text, int width, int w,
    enum table_mark mark, int last)
{
	int pad = w - width, n = (int)strlen(text);
	const char *on = escape(t, mark);

	if (width > w) {
		n = bytes_for(text, w - 1);
		pad = 0;
	}
	printf("%*s%s%.*s%s%s", t->col[c].kind == TABLE_NUMBER ? pad : 0, "",
	    on, n, text, width > w ? ">" : "", *on ? "\033[0m" : "");
	if (!last)
		printf("%*s", t->col[c].kind == TABLE_NUMBER ? GAP : pad + GAP,
		    "");
}

static void
print_text(const struct table *t)
{
	const struct cell *cell;
	size_t last = 0;
	int w[32] = {0};

	if (t->ncol == 0 || t->ncol > 32)
		return;
	widths(t, w);
	for (size_t c = 0; c < t->ncol; c++)
		if (t->col[c].title)
			last = c;
	for (size_t c = 0; c <= last; c++)
		if (t->col[c].title)
			print_cell(t, c, t->col[c].title,
			    columns_of(t->col[c].title), w[c], TABLE_DIM,
			    c == last);
	putchar('\n');
	for (size_t i = 0; i < t->ncell; i++) {
		cell = &t->cell[i];
		if (t->col[i % t->ncol].title)
			print_cell(t, i % t->ncol, cell->text, cell->width,
			    w[i % t->ncol], cell->mark, i % t->ncol == last);
		if (i % t->ncol == t->ncol - 1)
			putchar('\n');
	}
}

int
table_end(struct table *t)
{
	int rc = CTL_OK;

	if (t->bad)
		rc = ctl_error(CTL_FAILED, "no memory");
	else if (t->array) {
		rc = ctl_print_json(t->array);
		t->array = NULL;
	} else {
		print_text(t);
		if (fflush(stdout))
			rc = ctl_error(CTL_FAILED, "cannot write");
	}
	table_free(t);
	return rc;
}

json_t *
table_json(struct table *t)
{
	json_t *array = t->array;

	t->array = NULL;
	table_free(t);
	return array;
}

int
ctl_print_json(json_t *j)
{
	int rc;

	if (j == NULL)
		return ctl_error(CTL_FAILED, "no memory");
	rc = json_dumpf(j, stdout, JSON_INDENT(2));
	json_decref(j);
	putchar('\n');
	return rc || fflush(stdout) ? ctl_error(CTL_FAILED, "cannot write")
				    : CTL_OK;
}

json_t *
ctl_json_time(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char s[40];

	if (seconds == 0 || gmtime_r(&t, &tm) == NULL)
		return NULL;
	strftime(s, sizeof(s), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(s);
}

const char *
ctl_time(int64_t seconds, char *buf, size_t size)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(buf, size, "%Y-%m-%d %H:%M", &tm) == 0)
		snprintf(buf, size, "-");
	return buf;
}
