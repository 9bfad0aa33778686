/*
 * start_pages.c: gives back the memory that only the start needed.
 *
 * libcurl brings some thirty libraries along (LDAP, SSH, Kerberos, RTMP), of
 * which http uses three.  Their pages have been touched by the dynamic linker
 * and count as resident until the kernel is short of memory.  A page of a file
 * that was never written to can be read again at any time, so all of them are
 * let go once, and those that are used come back.
 */
#include "fetchd/fetchd.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct mapping {
	unsigned long start, end;
	int plain; /* of a file, not writable, as it stands in the file */
};

/* A line of smaps(5): a mapping's first line, or one of its numbers. */
static void
read_line(const char *line, struct mapping *m)
{
	unsigned long start, end, offset, inode, kb;
	char perms[5], name[40];

	if (sscanf(line, "%lx-%lx %4s %lx %*s %lu", &start, &end, perms,
		&offset, &inode) == 5)
		*m =
		    (struct mapping){start, end, inode != 0 && perms[1] == '-'};
	else if (sscanf(line, "%39[^:]: %lu kB", name, &kb) == 2 && kb != 0 &&
	    (strcmp(name, "Private_Dirty") == 0 ||
		strcmp(name, "Anonymous") == 0))
		m->plain = 0;
}

static void
let_go(const struct mapping *m)
{
	if (m->plain)
		(void)madvise(
		    (void *)m->start, m->end - m->start, MADV_DONTNEED);
}

void
start_pages_drop(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	struct mapping m = {0, 0, 0}, next;
	char line[512];

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		next = m;
		read_line(line, &next);
		if (next.start != m.start)
			let_go(&m);
		m = next;
	}
	let_go(&m);
	fclose(f);
}
