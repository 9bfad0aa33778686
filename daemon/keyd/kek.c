/* kek.c: see kek.h.  Here: a systemd credential and a file. */
#include "keyd/kek.h"
#include "lib/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Reads the whole of fd into the secure heap. */
static int
key_read(int fd, const char *path, struct secret *key, struct err *e)
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st))
		return err_sys(e, "%s", path);
	if (!S_ISREG(st.st_mode) || st.st_size < KEK_MIN ||
	    st.st_size > KEK_MAX)
		return err_set(e, EINVAL,
		    "%s: a key-encryption key is a file of %d to %d random "
		    "bytes; this one has %lld",
		    path, KEK_MIN, KEK_MAX, (long long)st.st_size);
	if (secret_alloc(key, (size_t)st.st_size))
		return err_set(e, ENOMEM, "no room in the secure heap");
	n = read(fd, key->p, key->len);
	if (n < 0 || (size_t)n != key->len) {
		secret_free(key);
		return err_sys(e, "read %s", path);
	}
	return 0;
}

/* --- a systemd credential (systemd.exec(5), LoadCredentialEncrypted=) ------- */

static int
credential_open(const char *name, const struct kek_want *want,
    struct secret *key, struct err *e)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	char path[512];
	int fd, rc;

	(void)want;
	if (dir == NULL)
		return err_set(e, ENOENT,
		    "keyd.kek is \"credential:%s\" but systemd passed no "
		    "credentials: add LoadCredentialEncrypted=%s to "
		    "orb-keyd.service",
		    name, name);
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/'))
		return err_set(e, EINVAL,
		    "keyd.kek: \"%s\" is not the name of a credential", name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0)
		return err_sys(e,
		    "the key-encryption key %s (make it with systemd-creds "
		    "encrypt, name it in orb-keyd.service)",
		    path);
	rc = key_read(fd, path, key, e);
	close(fd);
	return rc;
}

static const char *
credential_describe(void)
{
	return "systemd credential";
}

/* --- a file: for the demo and for tests ------------------------------------- */

/*
 * A new key, written beside and linked into place, so that a crash leaves
 * either no key or a whole one.
 */
static int
file_create(const char *path, struct err *e)
{
	struct secret key = {NULL, 0};
	char tmp[512];
	int fd = -1, rc = -1;

	if (snprintf(tmp, sizeof(tmp), "%s.new", path) >= (int)sizeof(tmp))
		return err_set(e, ENAMETOOLONG, "%s: too long", path);
	if (secret_alloc(&key, KEK_MIN) ||
	    RAND_priv_bytes(key.p, (int)key.len) != 1) {
		err_set(e, EIO, "no random bytes for a key-encryption key");
		goto out;
	}
	(void)unlink(tmp);
	fd = open(
	    tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, key.p, key.len) != (ssize_t)key.len ||
	    fsync(fd) || link(tmp, path)) {
		err_sys(e, "make the key-encryption key %s", path);
		goto out;
	}
	log_notice("made a new key-encryption key, %s; whoever reads it reads "
		   "every credential: for demonstration only",
	    path);
	rc = 0;
out:
	if (fd >= 0) {
		close(fd);
		(void)unlink(tmp);
	}
	secret_free(&key);
	return rc;
}

static int
file_open(const char *path, const struct kek_want *want, struct secret *key,
    struct err *e)
{
	struct stat st;
	int fd, rc = -1;

	if (path[0] != '/')
		return err_set(e, EINVAL,
		    "keyd.kek: \"file:%s\": an absolute path is needed", path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT && !want->may_create)
		return err_set(e, ENOENT,
		    "the key-encryption key %s is gone, but there are "
		    "credentials sealed under it: bring it back, or empty the "
		    "state directory's keyd folder and enter them again",
		    path);
	if (fd < 0 && errno == ENOENT) {
		if (file_create(path, e))
			return -1;
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0)
		return err_sys(e, "the key-encryption key %s", path);
	if (fstat(fd, &st))
		err_sys(e, "%s", path);
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		err_set(e, EPERM,
		    "%s belongs to uid %u: only root's or keyd's own file is "
		    "taken as key-encryption key",
		    path, (unsigned)st.st_uid);
	else if (st.st_mode & 077)
		err_set(e, EPERM,
		    "%s has mode %04o: others may read it; chmod 0600, and "
		    "make a new key",
		    path, (unsigned)st.st_mode & 07777);
	else
		rc = key_read(fd, path, key, e);
	close(fd);
	return rc;
}

static const char *
file_describe(void)
{
	return "file (demo)";
}

static const struct kek_source kek_sources[] = {
    {"credential", credential_open, credential_describe, 0},
    {"file", file_open, file_describe, 0},
    /* Slow to ask, and not to be asked again and again. */
    {"tpm", kek_tpm_open, kek_tpm_describe, 30},
};

int
kek_open(const struct kek_want *want, const struct kek_source **source,
    struct secret *key, struct err *e)
{
	const struct kek_source *s = kek_sources;
	const char *spec = want->spec;
	size_t n = strcspn(spec, ":"), i;

	*source = NULL;
	for (i = 0; i < sizeof(kek_sources) / sizeof(kek_sources[0]); i++)
		if (spec[n] == ':' && strlen(s[i].name) == n &&
		    strncmp(s[i].name, spec, n) == 0) {
			*source = &s[i];
			return s[i].open(spec + n + 1, want, key, e);
		}
	return err_set(e, EINVAL,
	    "keyd.kek is \"%s\"; it may be credential:NAME, file:/path or tpm:",
	    spec);
}
