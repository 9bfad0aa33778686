/*
 * conf_value.c: what each type of conf.def accepts, and in which form it is
 * kept.  One value at a time; what several values have to do with one another
 * is conf.c's.
 */
#include "lib/conf_table.h"
#include "lib/wire.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONEINFO "/usr/share/zoneinfo"
#define ZONE_MAX 64
#define UUID_LEN 36
#define MAIL_MAX 254 /* RFC 5321 section 4.5.3.1.3, without the brackets */
#define PATH_LONGEST 1024
#define USER_MAX 31 /* useradd(8) */

int
conf_value_is_text(const struct conf_setting *s)
{
	return s->type != CONF_INT && s->type != CONF_BOOL;
}

const char *
conf_value_form(const struct conf_setting *s)
{
	if (s->type == CONF_INT)
		return "a whole number without quotes";
	if (s->type == CONF_BOOL)
		return "true or false without quotes";
	return "text in double quotes";
}

static int
only(const char *p, const char *also)
{
	for (; *p; p++)
		if (!isalnum((unsigned char)*p) && strchr(also, *p) == NULL)
			return 0;
	return 1;
}

/* Quotes the value only when it is short and cannot garble a terminal. */
static int
refuse(struct err *e, const char *text, const char *allowed)
{
	int plain = strlen(text) <= 60;

	for (const char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p))
			plain = 0;
	if (!plain)
		return err_set(
		    e, EINVAL, "the value is not valid; allowed: %s", allowed);
	return err_set(
	    e, EINVAL, "\"%s\" is not valid; allowed: %s", text, allowed);
}

static int
check_string(const struct conf_setting *s, const char *t, struct err *e)
{
	size_t n = strlen(t);

	if (n < (size_t)s->min || n > (size_t)s->max)
		return err_set(e, ERANGE,
		    "has %zu bytes; allowed: text of %d to %d bytes", n, s->min,
		    s->max);
	if (s->type == CONF_NAME && !only(t, "._-"))
		return refuse(e, t, "letters, digits and . _ -");
	for (const char *p = t; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(e, EINVAL,
			    "has a control character; allowed: text in one "
			    "line");
	/* An escape such as "\xff" can make what the file was checked for. */
	if (!wire_is_utf8((const uint8_t *)t, n))
		return err_set(e, EINVAL, "is not UTF-8 text");
	return 0;
}

/* The position of t among "a|b|c"; -1 when it is not there. */
static int
word_index(const char *words, const char *t)
{
	size_t n = strlen(t), len;

	for (int i = 0;; i++) {
		len = strcspn(words, "|");
		if (n == len && strncmp(words, t, n) == 0)
			return i;
		if (words[len] == '\0')
			return -1;
		words += len + 1;
	}
}

static int
refuse_word(const struct conf_setting *s, const char *t, struct err *e)
{
	char list[128] = "";
	size_t at = 0;

	for (const char *p = s->words; *p && at + 4 < sizeof(list); p++) {
		if (*p == '|') {
			list[at++] = ',';
			list[at++] = ' ';
		} else
			list[at++] = *p;
	}
	return refuse(e, t, list);
}

static int
check_path(const char *t, struct err *e)
{
	const char *allowed = "an absolute path without \"..\" and \"//\"";

	if (t[0] != '/' || t[1] == '\0' || strstr(t, "//") ||
	    strstr(t, "/../") || strlen(t) > PATH_LONGEST)
		return refuse(e, t, allowed);
	if (strlen(t) >= 3 && strcmp(t + strlen(t) - 3, "/..") == 0)
		return refuse(e, t, allowed);
	for (const char *p = t; *p; p++)
		if (iscntrl((unsigned char)*p))
			return err_set(e, EINVAL, "has a control character");
	return 0;
}

static int
check_uuid(const char *t, struct err *e)
{
	size_t i;

	for (i = 0; i < UUID_LEN && t[i]; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (t[i] != '-')
				break;
		} else if (!isxdigit((unsigned char)t[i]))
			break;
	}
	if (i != UUID_LEN || t[i] != '\0')
		return refuse(
		    e, t, "a UUID as in 01234567-89ab-cdef-0123-456789abcdef");
	return 0;
}

/* An address that can stand in a URL and a header as it is: atext, one "@". */
static int
check_mail(const char *t, struct err *e)
{
	const char *at = strchr(t, '@');

	if (at == NULL || at == t || at[1] == '\0' || strchr(at + 1, '@') ||
	    strlen(t) > MAIL_MAX || !only(at + 1, ".-") || at[1] == '.' ||
	    strstr(t, "..") || t[0] == '.' || at[-1] == '.' ||
	    t[strlen(t) - 1] == '.')
		goto bad;
	for (const char *p = t; p < at; p++)
		if (!isalnum((unsigned char)*p) &&
		    strchr(".!#$%&'*+/=?^_`{|}~-", *p) == NULL)
			goto bad;
	return 0;
bad:
	return err_set(e, EINVAL,
	    "is not a mail address; allowed: NAME@DOMAIN in ASCII, at most %d "
	    "characters",
	    MAIL_MAX);
}

/* There must be such a file, and it must be compiled (tzfile(5)): "TZif". */
static int
zone_exists(const char *t)
{
	char path[sizeof(ZONEINFO) + ZONE_MAX + 1], magic[4];
	struct stat st;
	int fd, ok;

	snprintf(path, sizeof(path), ZONEINFO "/%s", t);
	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return 0;
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)) < 0)
		return 0;
	ok = read(fd, magic, sizeof(magic)) == (ssize_t)sizeof(magic) &&
	    memcmp(magic, "TZif", sizeof(magic)) == 0;
	close(fd);
	return ok;
}

static int
check_zone(const char *t, struct err *e)
{
	static char known[ZONE_MAX + 1]; /* hundreds of rooms share a zone */

	if (t[0] == '/' || t[0] == '\0' || strstr(t, "..") ||
	    strlen(t) > ZONE_MAX || !only(t, "/_+-"))
		return refuse(e, t, "an IANA name as in Europe/Amsterdam");
	if (strcmp(known, t) == 0)
		return 0;
	if (!zone_exists(t))
		return err_set(e, ENOENT,
		    "there is no time zone \"%s\" in " ZONEINFO "; allowed: an "
		    "IANA name as in Europe/Amsterdam (package tzdata)",
		    t);
	snprintf(known, sizeof(known), "%s", t);
	return 0;
}

static int
check_ip(const char *t, struct err *e)
{
	struct in6_addr a;

	if (inet_pton(AF_INET, t, &a) == 1 || inet_pton(AF_INET6, t, &a) == 1)
		return 0;
	return refuse(e, t, "an IPv4 or IPv6 address in numbers");
}

/* A name as useradd(8) takes it, or a uid; never one that edge_uid() would
 * read differently. */
static int
check_user(const char *t, struct err *e)
{
	const char *allowed = "a user name of at most 31 characters or a uid "
			      "from 0 to 4294967294";
	size_t digits = strspn(t, "0123456789");
	unsigned long long n;

	if (digits > 0 && t[digits] == '\0') {
		n = digits > 10 ? UINT32_MAX : strtoull(t, NULL, 10);
		return n < UINT32_MAX ? 0 : refuse(e, t, allowed);
	}
	if (digits > 0 || t[0] == '-' || t[0] == '\0' || !only(t, "._-") ||
	    strlen(t) > USER_MAX)
		return refuse(e, t, allowed);
	return 0;
}

int
conf_pcrs(const char *t, uint32_t *mask)
{
	uint32_t m = 0;
	unsigned n, count = 0;
	char *end;

	*mask = 0;
	if (strcmp(t, "none") == 0)
		return 0;
	if (strncmp(t, "sha256:", 7) != 0)
		return -1;
	for (t += 7;; t = end + 1) {
		if (!isdigit((unsigned char)*t))
			return -1;
		n = (unsigned)strtoul(t, &end, 10);
		if (end - t > 2 || n > 23 || m & 1u << n || ++count > 8)
			return -1;
		m |= 1u << n;
		if (*end == '\0')
			break;
		if (*end != ',')
			return -1;
	}
	*mask = m;
	return 0;
}

static int
check_pcrs(const char *t, struct err *e)
{
	uint32_t mask;

	return conf_pcrs(t, &mask) == 0
	    ? 0
	    : refuse(e, t,
		  "none, or sha256: and one to eight different numbers from 0 "
		  "to 23, as in sha256:0,7");
}

/* What leads to a TPM: never the name of a library to load. */
static int
check_tcti(const char *t, struct err *e)
{
	if (*t == '\0')
		return 0;
	if (strncmp(t, "device:", 7) == 0)
		return check_path(t + 7, e);
	if (strncmp(t, "swtpm:", 6) == 0 && only(t + 6, "=,._-") &&
	    strlen(t) < 128)
		return 0;
	return refuse(e, t,
	    "after tpm: nothing, device:/ABSOLUTE/PATH or "
	    "swtpm:host=ADDRESS,port=NUMBER");
}

/* credential:NAME (systemd.exec(5), LoadCredential=), file:/PATH, tpm:TCTI. */
static int
check_kek(const char *t, struct err *e)
{
	if (strncmp(t, "file:", 5) == 0)
		return check_path(t + 5, e);
	if (strncmp(t, "credential:", 11) == 0 && t[11] != '\0' &&
	    t[11] != '.' && only(t + 11, "._-") && strlen(t) < 128)
		return 0;
	if (strncmp(t, "tpm:", 4) == 0)
		return check_tcti(t + 4, e);
	return refuse(e, t, "credential:NAME, file:/ABSOLUTE/PATH or tpm:");
}

static int
check_journal(const char *t, struct err *e)
{
	if (strncmp(t, "file:", 5) == 0)
		return check_path(t + 5, e);
	if (strcmp(t, "auto") == 0 || strcmp(t, "journald") == 0)
		return 0;
	return refuse(e, t, "auto, journald or file:/ABSOLUTE/PATH");
}

static int
check_text(const struct conf_setting *s, const char *t, struct err *e)
{
	switch (s->type) {
	case CONF_STRING:
	case CONF_NAME:
		return check_string(s, t, e);
	case CONF_WORD:
	case CONF_ENUM:
		return word_index(s->words, t) < 0 ? refuse_word(s, t, e) : 0;
	case CONF_IP:
		return check_ip(t, e);
	case CONF_PATH:
		return check_path(t, e);
	case CONF_UUID:
		return check_uuid(t, e);
	case CONF_MAIL:
		return check_mail(t, e);
	case CONF_ZONE:
		return check_zone(t, e);
	case CONF_USER:
		return check_user(t, e);
	case CONF_KEK:
		return check_kek(t, e);
	case CONF_PCRS:
		return check_pcrs(t, e);
	case CONF_JOURNAL:
		return check_journal(t, e);
	default:
		return 0;
	}
}

static int
store_url(const struct conf_setting *s, const char *t, struct conf_url *out,
    struct conf_pool *pool, struct err *e)
{
	struct conf_url u;
	size_t n, suffix;

	if (conf_url_parse(t, "https", &u, pool, e))
		return -1;
	n = strlen(u.path);
	suffix = s->words ? strlen(s->words) : 0;
	if (suffix > 0 &&
	    (n < suffix || strcmp(u.path + n - suffix, s->words) != 0))
		return err_set(e, EINVAL, "must end in %s", s->words);
	*out = u;
	return 0;
}

/* http://HOST:PORT: text at offset, and its parts in the struct behind. */
static int
store_proxy(const char *t, void *field, struct conf_pool *pool, struct err *e)
{
	struct conf_upstream *up =
	    (struct conf_upstream *)(void *)((char *)field -
		offsetof(struct conf_upstream, proxy));
	struct conf_url u;

	if (conf_url_parse(t, "http", &u, pool, e))
		return -1;
	if (u.port == 0 || u.path[0] != '\0')
		return err_set(e, EINVAL, "must be http://HOST:PORT");
	up->proxy = u.text;
	up->proxy_url = u;
	return 0;
}

int
conf_value_text(const struct conf_setting *s, const char *t, void *base,
    struct conf_pool *pool, struct err *e)
{
	void *field = (char *)base + s->offset;
	unsigned index;
	char *copy;

	if (s->type == CONF_URL)
		return store_url(s, t, field, pool, e);
	if (s->type == CONF_PROXY)
		return store_proxy(t, field, pool, e);
	if (check_text(s, t, e))
		return -1;
	if (s->type == CONF_ENUM) {
		index = (unsigned)word_index(s->words, t);
		memcpy(field, &index, sizeof(index));
		return 0;
	}
	if ((copy = conf_pool_text(pool, t, strlen(t))) == NULL)
		return err_set(e, ENOMEM, "out of memory");
	if (s->type == CONF_UUID || s->type == CONF_MAIL)
		for (char *p = copy; *p; p++)
			*p = (char)tolower((unsigned char)*p);
	memcpy(field, &copy, sizeof(copy));
	return 0;
}

int
conf_value_int(
    const struct conf_setting *s, long long n, void *base, struct err *e)
{
	int v = (int)n;

	if (s->type == CONF_INT && (n < s->min || n > s->max))
		return err_set(e, ERANGE,
		    "%lld is out of range; allowed: a whole number from %d to "
		    "%d",
		    n, s->min, s->max);
	memcpy((char *)base + s->offset, &v, sizeof(v));
	return 0;
}
