/*
 * conf.c: reading orb.conf: the file, its text, and the list of its mistakes.
 * The tree that libconfig makes of it: conf_tree.c.  Single values:
 * conf_value.c.  The settings themselves: conf.def.
 *
 * Nothing stops at the first mistake but a file that cannot be read or parsed
 * at all: a person who mends a configuration wants the whole list.
 */
#include "lib/conf.h"
#include "lib/conf_reading.h"
#include "lib/conf_scan.h"
#include "lib/conf_table.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (1024 * 1024)

void
conf_mistake(struct conf_reading *r, unsigned line, const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->mistakes++;
	if (r->report)
		r->report(r->arg, r->file, line, text);
}

void
conf_report_log(void *arg, const char *file, unsigned line, const char *text)
{
	(void)arg;
	if (line)
		log_err("%s:%u: %s", file, line, text);
	else
		log_err("%s: %s", file, text);
}

static void
scan_mistake(void *arg, unsigned line, const char *text)
{
	struct conf_reading *r = arg;

	r->huge_line = line;
	conf_mistake(r, line, "%s", text);
}

static void
parse(struct conf_reading *r, const char *text, size_t len)
{
	config_t tree;

	if (conf_scan(text, len, scan_mistake, r))
		return;
	config_init(&tree);
	if (config_read_string(&tree, text))
		conf_tree_read(r, config_root_setting(&tree));
	else
		conf_mistake(r, (unsigned)config_error_line(&tree),
		    "%s; look at the quotes, brackets and semicolons here and "
		    "on the line before",
		    config_error_text(&tree));
	config_destroy(&tree);
}

int
conf_read(const char *name, const char *text, size_t len, struct conf **out,
    conf_report report, void *arg)
{
	struct conf_reading r = {.file = name, .report = report, .arg = arg};

	if ((r.pool = conf_pool_new()) == NULL ||
	    (r.conf = conf_pool_get(r.pool, sizeof(*r.conf))) == NULL ||
	    (r.conf->file = conf_pool_text(r.pool, name, strlen(name))) == NULL)
		conf_mistake(&r, 0, "out of memory");
	else
		parse(&r, text, len);
	free(r.room_line);
	if (r.mistakes) {
		conf_pool_free(r.pool);
		return -1;
	}
	r.conf->pool = r.pool;
	*out = r.conf;
	return 0;
}

/*
 * Whoever can change the file decides where credentials are sent: so only root,
 * or the one who runs this process, may be able to.
 */
static int
check_file(struct conf_reading *r, int fd, size_t *size)
{
	struct stat st;

	if (fstat(fd, &st)) {
		conf_mistake(r, 0, "cannot be examined: %s", strerror(errno));
		return -1;
	}
	if (!S_ISREG(st.st_mode)) {
		conf_mistake(r, 0, "is not a regular file");
		return -1;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid())
		conf_mistake(r, 0, "belongs to user %u; allowed: root%s",
		    (unsigned)st.st_uid,
		    geteuid() ? " or the user of this process" : "");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		conf_mistake(r, 0,
		    "can be written by others than its owner (mode "
		    "%03o); allowed: chmod go-w",
		    (unsigned)st.st_mode & 0777);
	if (st.st_size > FILE_MAX)
		conf_mistake(r, 0, "is larger than %d bytes", FILE_MAX);
	*size = (size_t)st.st_size;
	return r->mistakes ? -1 : 0;
}

static char *
slurp(struct conf_reading *r, size_t *len)
{
	/* Not blocking, lest a FIFO in its place holds us up. */
	int fd = open(r->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	size_t size, n = 0;
	ssize_t got;

	if (fd < 0) {
		conf_mistake(r, 0, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	if (check_file(r, fd, &size))
		goto out;
	if ((text = malloc(size + 1)) == NULL) {
		conf_mistake(r, 0, "out of memory");
		goto out;
	}
	while (n < size && (got = read(fd, text + n, size - n)) > 0)
		n += (size_t)got;
	if (n != size) {
		conf_mistake(r, 0, "changed while it was read; try again");
		free(text);
		text = NULL;
		goto out;
	}
	text[n] = '\0';
	*len = n;
out:
	close(fd);
	return text;
}

int
conf_load(const char *file, struct conf **out, conf_report report, void *arg)
{
	struct conf_reading r = {
	    .file = file ? file : ORB_SYSCONFDIR "/orb.conf",
	    .report = report,
	    .arg = arg};
	size_t len = 0;
	char *text = slurp(&r, &len);
	int rc;

	if (text == NULL)
		return -1;
	rc = conf_read(r.file, text, len, out, report, arg);
	free(text);
	return rc;
}

void
conf_free(struct conf *conf)
{
	if (conf != NULL)
		conf_pool_free(conf->pool);
}
