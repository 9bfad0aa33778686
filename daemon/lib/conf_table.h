/*
 * conf_table.h: the settings as conf.def states them, and what checks one
 * value.  For conf*.c only; everything else uses conf.h.
 */
#ifndef ORB_CONF_TABLE_H
#define ORB_CONF_TABLE_H

#include "lib/conf.h"

enum conf_type {
	CONF_STRING,
	CONF_NAME,
	CONF_WORD,
	CONF_ENUM,
	CONF_INT,
	CONF_BOOL,
	CONF_URL,
	CONF_PROXY,
	CONF_IP,
	CONF_PATH,
	CONF_UUID,
	CONF_MAIL,
	CONF_ZONE,
	CONF_USER,
	CONF_KEK,
	CONF_PCRS,
	CONF_JOURNAL,
};

struct conf_setting {
	const char *key;
	enum conf_type type;
	size_t offset;     /* in struct conf, or in the list's struct */
	int min, max;      /* a number, or bytes of a string */
	const char *words; /* "a|b" for word and enum; suffix of a url */
	const char *def;   /* as it would be written, or NULL */
	int required;
};

enum conf_group_kind { CONF_IS_TOP, CONF_IS_GROUP, CONF_IS_LIST };

struct conf_group {
	const char *name; /* "" for CONF_IS_TOP */
	enum conf_group_kind kind;
	const struct conf_setting *settings;
	size_t len;
};

extern const struct conf_group conf_groups[];
extern const size_t conf_groups_len;

/* Memory of a conf: everything in it is freed at once. */
struct conf_pool;
/* A zeroed piece of memory, NULL when there is none. */
void *conf_pool_get(struct conf_pool *, size_t);
/* A copy of n bytes as a string. */
char *conf_pool_text(struct conf_pool *, const char *, size_t n);
struct conf_pool *conf_pool_new(void);
void conf_pool_free(struct conf_pool *);

/*
 * Checks text against the setting and stores it, in its final form, at
 * base + offset.  0, or -1 and in err what is wrong and what is allowed (a
 * value is quoted only when it is short and printable).
 */
int conf_value_text(const struct conf_setting *, const char *text, void *base,
    struct conf_pool *, struct err *);
/* The same for a number (also bool: 0 or 1). */
int conf_value_int(
    const struct conf_setting *, long long, void *base, struct err *);
/* "a whole number", "text in quotes" or "true or false": how it is written. */
const char *conf_value_form(const struct conf_setting *);
/* 1 when the setting is an unquoted number; CONF_BOOL is neither. */
int conf_value_is_text(const struct conf_setting *);

/* https or http base URL (scheme decides) taken apart; see struct conf_url. */
int conf_url_parse(const char *text, const char *scheme, struct conf_url *,
    struct conf_pool *, struct err *);

/*
 * The name among n that was probably meant by wrong (optimal string alignment
 * distance at most a third of its length), or NULL.
 */
const char *conf_nearest(const char *wrong, const char *const *names, size_t n);

#endif
