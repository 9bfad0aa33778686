/*
 * kek.h: where the key-encryption key comes from, the one key under which the
 * vault's files are sealed.
 *
 * Not here: what is sealed with it (vault.h).  A source is a name and two
 * functions, a row of kek_sources in kek.c.  The TPM's is in kek_tpm.c.
 */
#ifndef ORB_KEYD_KEK_H
#define ORB_KEYD_KEK_H

#include "lib/err.h"
#include "lib/secret.h"

#define KEK_MIN 32 /* bytes of key material, the least */
#define KEK_MAX 1024

/* What is asked for; all of it borrowed. */
struct kek_want {
	const char *spec;     /* keyd.kek of orb.conf: "file:/path", ... */
	const char *tpm_pcrs; /* keyd.tpm_pcrs; only a TPM reads it */
	int dirfd;            /* keyd's state; a TPM's sealed key is there */
	int may_create;       /* the vault is empty: a new key loses nothing */
};

struct kek_source {
	const char *name; /* "credential", "file": before the ":" in orb.conf */
	/*
	 * Reads the key for arg, what stands behind the ":".  0 and *key, or
	 * -1.
	 */
	int (*open)(const char *arg, const struct kek_want *,
	    struct secret *key, struct err *);
	/* For the status line: "systemd credential", "file (demo)". */
	const char *(*describe)(void);
	int pause; /* seconds from a failure to the next attempt, or 0 */
};

/*
 * Opens the source that want->spec names.  0, *source and *key, which the
 * caller frees; or -1, err and *source, NULL when there is none of that name.
 * Before lock-down.
 */
int kek_open(const struct kek_want *want, const struct kek_source **source,
    struct secret *key, struct err *);

/* --- kek_tpm.c ---------------------------------------------------------------- */
int kek_tpm_open(const char *tcti, const struct kek_want *, struct secret *key,
    struct err *);
const char *kek_tpm_describe(void);
struct tpm_blob;
/* kek.tpm's bytes, which may be anything at all.  0 and *blob, or -1 and err. */
int kek_tpm_decode(
    const uint8_t *, size_t, struct tpm_blob *blob, struct err *);

#endif
