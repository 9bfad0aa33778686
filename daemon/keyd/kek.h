/*
 * kek.h: where the key-encryption key comes from, the one key under which the
 * vault's files are sealed.
 *
 * Not here: what is sealed with it (vault.h).  A source is a name and two
 * functions, so that a TPM becomes one more row of kek_sources in kek.c: its
 * open() unseals, and nothing else changes.
 */
#ifndef ORB_KEYD_KEK_H
#define ORB_KEYD_KEK_H

#include "lib/err.h"
#include "lib/secret.h"

#define KEK_MIN 32 /* bytes of key material, the least */
#define KEK_MAX 1024

struct kek_source {
	const char *name; /* "credential", "file": before the ":" in orb.conf */
	/*
	 * Reads the key for arg, what stands behind the ":".  may_create: the
	 * vault is empty, so that a new key loses nothing.  0 and *key, or -1.
	 */
	int (*open)(
	    const char *arg, int may_create, struct secret *key, struct err *);
	/* For the status line: "systemd credential", "file (demo)". */
	const char *(*describe)(void);
};

/*
 * Opens the source that spec ("credential:NAME" or "file:/path", keyd.kek of
 * orb.conf) names.  0, *source and *key, which the caller frees; or -1 and err.
 * Before lock-down.
 */
int kek_open(const char *spec, int may_create, const struct kek_source **source,
    struct secret *key, struct err *);

#endif
