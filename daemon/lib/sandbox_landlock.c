/*
 * sandbox_landlock.c: which files a process can still reach (landlock(7)), by
 * raw system calls, since the C library of Debian 12 has no wrappers.
 *
 * The kernel says which version it has; each version can hold back more, and
 * what an older one does not know is left out.  Without Landlock at all, the
 * unit's ProtectSystem= and ReadWritePaths= and the file modes remain; the
 * caller puts that into the status line.
 */
#include "lib/sandbox_part.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What linux/landlock.h of Linux 6.1 does not have yet. */
#define FS_TRUNCATE (1ULL << 14)        /* version 3 */
#define FS_IOCTL_DEV (1ULL << 15)       /* version 5 */
#define NET_BIND_TCP (1ULL << 0)        /* version 4 */
#define NET_CONNECT_TCP (1ULL << 1)     /* version 4 */
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* version 6 */
#define SCOPE_SIGNAL (1ULL << 1)        /* version 6 */

/* struct landlock_ruleset_attr with the fields of version 6. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define FS_V1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
/* Making devices, sockets, pipes or links is nobody's business. */
#define FS_WRITE                                                             \
	(FS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE |                           \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |      \
	    LANDLOCK_ACCESS_FS_REFER | FS_TRUNCATE)
/* The rights that a rule on something else than a directory may have. */
#define FS_OF_A_FILE                                                    \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    FS_TRUNCATE)

static struct ruleset
handled(int abi, const struct policy *p)
{
	struct ruleset r = {FS_V1, 0, 0};

	if (abi >= 2)
		r.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		r.fs |= FS_TRUNCATE;
	if (abi >= 4 && !p->network)
		r.net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 5)
		r.fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		r.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return r;
}

/* An older kernel wants a shorter struct, or it says E2BIG. */
static size_t
ruleset_size(int abi)
{
	if (abi >= 6)
		return sizeof(struct ruleset);
	return abi >= 4 ? 2 * sizeof(uint64_t) : sizeof(uint64_t);
}

/* Allows rights below path.  A path to read that does not exist is no loss;
 * one to write is a mistake that would show itself much later. */
static int
allow(int ruleset, const char *path, uint64_t rights, int must, struct err *e)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	int rc = -1;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0 && errno == ENOENT && !must)
		return 0;
	if (rule.parent_fd < 0)
		return err_sys(e, "sandbox: %s", path);
	if (fstat(rule.parent_fd, &st)) {
		err_sys(e, "sandbox: %s", path);
		goto out;
	}
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_OF_A_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0)) {
		err_sys(e, "sandbox: landlock rule for %s", path);
		goto out;
	}
	rc = 0;
out:
	close(rule.parent_fd);
	return rc;
}

static int
allow_all(int ruleset, const struct sandbox *sb, uint64_t known, struct err *e)
{
	const char *const *p;

	for (p = sb->read_paths; p && *p; p++)
		if (allow(ruleset, *p, FS_READ & known, 0, e))
			return -1;
	for (p = sb->write_paths; p && *p; p++)
		if (allow(ruleset, *p, FS_WRITE & known, 1, e))
			return -1;
	return 0;
}

int
sandbox_landlock(
    const struct sandbox *sb, const struct policy *p, struct err *e)
{
	struct ruleset attr;
	int abi, fd, rc = -1;

	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return 0;
	if (abi <= 0)
		return err_sys(e, "sandbox: landlock");
	attr = handled(abi, p);
	fd = (int)syscall(
	    SYS_landlock_create_ruleset, &attr, ruleset_size(abi), 0);
	if (fd < 0)
		return err_sys(e, "sandbox: landlock ruleset");
	if (allow_all(fd, sb, attr.fs, e))
		goto out;
	if (syscall(SYS_landlock_restrict_self, fd, 0)) {
		err_sys(e, "sandbox: landlock");
		goto out;
	}
	rc = abi;
out:
	close(fd);
	return rc;
}
