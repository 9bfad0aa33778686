/*
 * kek_tpm.c: the key-encryption key sealed by a TPM: its file, and the process
 * apart that talks to the TPM.
 *
 * Here: when a key is made and when not, the file kek.tpm, the deadline.  Not
 * here: what is said to the TPM (tpm.c).
 *
 * The file, by the cursors of wire.h:
 *
 *	8 bytes	"ORBKEKTP"
 *	u8	format version, 1
 *	u32	PCRs of the policy, bit N for PCR N (SHA-256)
 *	bytes	name of the TPM's primary key
 *	bytes bytes	the sealed key: public, private part
 *	bytes	SHA-256 of all before it
 *
 * The sum is there to tell damage from another TPM; what protects the key is
 * the TPM.
 *
 * libtss2 parses what comes from outside, puts the key into ordinary memory and
 * can wait for ever: so it runs in a child, which keyd kills when it is late
 * and which ends before lock-down.
 */
#include "keyd/kek.h"
#include "keyd/tpm.h"
#include "lib/conf.h"
#include "lib/log.h"
#include "lib/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILE_NAME "kek.tpm"
#define FILE_MAX (2 * TPM_PART + 256)
#define MAGIC UINT64_C(0x4f52424b454b5450) /* "ORBKEKTP" */
#define VERSION 1
#define DEVICE "device:/dev/tpmrm0"
#define TPM_SECONDS 15 /* a slow chip takes two */

static char description[80];

/* --- the file ----------------------------------------------------------------- */

static int
damaged(struct err *e)
{
	return err_set(e, EBADMSG,
	    "the sealed key-encryption key keyd/" FILE_NAME " is damaged: "
	    "bring it back from a backup; if there is none, enter the "
	    "credentials again (orb-keyd(8), A KEY THAT IS LOST)");
}

static int
part_get(struct wire_in *r, uint8_t *p, uint16_t *len, size_t max)
{
	struct wire_bytes b;

	if (wire_get_bytes(r, &b, max))
		return -1;
	memcpy(p, b.p, b.len);
	*len = (uint16_t)b.len;
	return 0;
}

int
kek_tpm_decode(const uint8_t *p, size_t len, struct tpm_blob *b, struct err *e)
{
	struct wire_in r = {p, p + len, 0};
	uint8_t sum[SHA256_DIGEST_LENGTH], version = 0;
	struct wire_bytes have = {NULL, 0};
	uint16_t name = 0;
	uint64_t magic = 0;
	size_t body;

	memset(b, 0, sizeof(*b));
	wire_get_u64(&r, &magic);
	wire_get_u8(&r, &version);
	if (r.err || magic != MAGIC || version != VERSION)
		return damaged(e);
	wire_get_u32(&r, &b->pcrs);
	if (part_get(&r, b->name, &name, TPM_NAME) ||
	    part_get(&r, b->pub, &b->pub_len, TPM_PART) ||
	    part_get(&r, b->priv, &b->priv_len, TPM_PART))
		return damaged(e);
	body = (size_t)(r.p - p);
	wire_get_bytes(&r, &have, sizeof(sum));
	if (wire_end(&r) || name != TPM_NAME || have.len != sizeof(sum) ||
	    SHA256(p, body, sum) == NULL ||
	    memcmp(sum, have.p, sizeof(sum)) != 0)
		return damaged(e);
	return 0;
}

/* 1 and *b, 0: there is none, -1 and err. */
static int
blob_read(int dirfd, struct tpm_blob *b, struct err *e)
{
	uint8_t buf[FILE_MAX + 1];
	ssize_t n;
	int fd;

	fd = openat(dirfd, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open " FILE_NAME);
	n = read(fd, buf, sizeof(buf));
	if (n < 0)
		err_sys(e, "read " FILE_NAME);
	close(fd);
	if (n < 0)
		return -1;
	return kek_tpm_decode(buf, (size_t)n, b, e) ? -1 : 1;
}

static void
blob_encode(const struct tpm_blob *b, struct wire_out *w)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];

	wire_put_u64(w, MAGIC);
	wire_put_u8(w, VERSION);
	wire_put_u32(w, b->pcrs);
	wire_put_bytes(w, (struct wire_bytes){b->name, TPM_NAME}, TPM_NAME);
	wire_put_bytes(w, (struct wire_bytes){b->pub, b->pub_len}, TPM_PART);
	wire_put_bytes(w, (struct wire_bytes){b->priv, b->priv_len}, TPM_PART);
	if (w->err == 0 && SHA256(w->buf, w->len, sum))
		wire_put_bytes(
		    w, (struct wire_bytes){sum, sizeof(sum)}, sizeof(sum));
}

/* Written beside, synced and renamed: after a crash there is all or nothing. */
static int
blob_write(int dirfd, const struct tpm_blob *b, struct err *e)
{
	struct wire_out w;
	int fd = -1, rc = -1;

	wire_out_init(&w, FILE_MAX);
	blob_encode(b, &w);
	if (w.err) {
		err_set(e, EOVERFLOW, FILE_NAME ": too large");
		goto out;
	}
	fd = openat(dirfd, FILE_NAME ".new",
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || write(fd, w.buf, w.len) != (ssize_t)w.len || fsync(fd) ||
	    renameat(dirfd, FILE_NAME ".new", dirfd, FILE_NAME) ||
	    fsync(dirfd)) {
		err_sys(e, "write " FILE_NAME " to the state directory");
		(void)unlinkat(dirfd, FILE_NAME ".new", 0);
		goto out;
	}
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	wire_out_free(&w);
	return rc;
}

/* --- the process apart ---------------------------------------------------------- */

/* What the child writes, in one piece; in the secure heap on both sides. */
struct answer {
	int rc;
	struct err why;
	uint8_t key[TPM_KEY];
	struct tpm_blob blob;
};
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "one write is one piece");

/* Of fresh: a new key is sealed, and unsealed before anybody relies on it. */
static int
child_work(const char *tcti, int fresh, struct answer *a)
{
	uint8_t back[TPM_KEY] = {0};
	int rc;

	if (!fresh)
		return tpm_unseal(tcti, &a->blob, a->key, &a->why);
	if (tpm_seal(tcti, a->blob.pcrs, a->key, &a->blob, &a->why))
		return -1;
	rc = tpm_unseal(tcti, &a->blob, back, &a->why);
	if (rc == 0 && CRYPTO_memcmp(back, a->key, TPM_KEY) != 0)
		rc = err_set(&a->why, EIO,
		    "the TPM does not give back what it sealed: do not use it");
	OPENSSL_cleanse(back, sizeof(back));
	return rc;
}

_Noreturn static void
child(const char *tcti, int fresh, int fd, struct answer *a)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* What goes wrong is said by keyd, once. */
	(void)setenv("TSS2_LOG", "all+none", 1);
	a->rc = child_work(tcti, fresh, a);
	if (a->rc)
		OPENSSL_cleanse(a->key, sizeof(a->key));
	if (write(fd, a, sizeof(*a)) != (ssize_t)sizeof(*a))
		_exit(1);
	OPENSSL_cleanse(a, sizeof(*a));
	_exit(0);
}

/* 0: fd has something to read, or is at its end; -1: it is too late. */
static int
answer_wait(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct timespec t;
	time_t end;
	int n;

	clock_gettime(CLOCK_MONOTONIC, &t);
	end = t.tv_sec + TPM_SECONDS;
	do {
		n = poll(&p, 1, 500);
		clock_gettime(CLOCK_MONOTONIC, &t);
	} while ((n == 0 || (n < 0 && errno == EINTR)) && t.tv_sec < end);
	return n > 0 ? 0 : -1;
}

/* A child that the kernel does not let go, deep in a driver, is left behind. */
static void
child_end(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	(void)kill(pid, SIGKILL);
	for (int i = 0; i < 100 && waitpid(pid, NULL, WNOHANG) == 0; i++)
		(void)nanosleep(&pause, NULL);
}

static int
answer_read(int fd, struct answer *a, struct err *e)
{
	if (answer_wait(fd))
		return err_set(e, ETIMEDOUT,
		    "the TPM does not answer within %d seconds: see the "
		    "kernel's log for tpm; switch the machine off and on if "
		    "it stays so",
		    TPM_SECONDS);
	if (read(fd, a, sizeof(*a)) != (ssize_t)sizeof(*a))
		return err_set(e, EIO,
		    "the process that speaks with the TPM ended without an "
		    "answer: see the journal");
	a->why.text[sizeof(a->why.text) - 1] = '\0';
	if (a->rc)
		*e = a->why;
	return a->rc ? -1 : 0;
}

/* child_work() in a process of its own, with a deadline. */
static int
tpm_ask(const char *tcti, int fresh, struct answer *a, struct err *e)
{
	int fd[2], rc;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return err_sys(e, "a pipe for the TPM");
	if ((pid = fork()) < 0) {
		err_sys(e, "a process for the TPM");
		close(fd[0]);
		close(fd[1]);
		return -1;
	}
	if (pid == 0)
		child(tcti, fresh, fd[1], a);
	close(fd[1]);
	rc = answer_read(fd[0], a, e);
	close(fd[0]);
	child_end(pid);
	return rc;
}

/* --- the source ------------------------------------------------------------------ */

/* libtss2 says no more than that it could not open the device. */
static int
device_check(const char *tcti, struct err *e)
{
	const char *path = tcti + strlen("device:");

	if (strncmp(tcti, "device:", strlen("device:")) != 0 ||
	    access(path, R_OK | W_OK) == 0)
		return 0;
	if (errno == ENOENT)
		return err_set(e, ENOENT,
		    "there is no TPM at %s: switch it on in the firmware, and "
		    "let orb-keyd.service see it by the drop-in of "
		    "orb-keyd(8), "
		    "KEY FROM A TPM",
		    path);
	return err_sys(e,
	    "keyd may not use %s: its group (tss, mostly) is given to "
	    "orb-keyd.service by the drop-in of orb-keyd(8), KEY FROM A TPM",
	    path);
}

static int
key_make(const char *tcti, const struct kek_want *want, uint32_t pcrs,
    struct answer *a, struct err *e)
{
	if (!want->may_create)
		return err_set(e, ENOENT,
		    "the sealed key-encryption key keyd/" FILE_NAME " is not "
		    "there, but credentials are, under this or another "
		    "keyd.kek: bring it back from a backup, or set keyd.kek "
		    "as it was; if there is neither, enter the credentials "
		    "again (orb-keyd(8), A KEY THAT IS LOST)");
	if (RAND_priv_bytes(a->key, TPM_KEY) != 1)
		return err_set(
		    e, EIO, "no random bytes for a key-encryption key");
	a->blob.pcrs = pcrs;
	if (tpm_ask(tcti, 1, a, e) || blob_write(want->dirfd, &a->blob, e))
		return -1;
	log_notice("made a new key-encryption key, sealed by the TPM");
	return 0;
}

static int
key_unseal(const char *tcti, uint32_t pcrs, struct answer *a, struct err *e)
{
	if (a->blob.pcrs != pcrs)
		return err_set(e, EINVAL,
		    "keyd.tpm_pcrs is not what it was when the key was "
		    "sealed: set it back; to have another policy, enter the "
		    "credentials again (orb-keyd(8), A KEY THAT IS LOST)");
	return tpm_ask(tcti, 0, a, e);
}

int
kek_tpm_open(const char *tcti, const struct kek_want *want, struct secret *key,
    struct err *e)
{
	struct secret room = {NULL, 0};
	struct answer *a;
	uint32_t pcrs;
	int rc = -1, found;

	if (*tcti == '\0')
		tcti = DEVICE;
	if (conf_pcrs(want->tpm_pcrs, &pcrs))
		return err_set(e, EINVAL, "keyd.tpm_pcrs: not a list of PCRs");
	if (secret_alloc(&room, sizeof(*a)))
		return err_set(e, ENOMEM, "no room in the secure heap");
	a = (struct answer *)(void *)room.p;
	found = blob_read(want->dirfd, &a->blob, e);
	if (found >= 0 && device_check(tcti, e) == 0)
		rc = found ? key_unseal(tcti, pcrs, a, e)
			   : key_make(tcti, want, pcrs, a, e);
	if (rc == 0 && secret_copy(key, a->key, TPM_KEY))
		rc = err_set(e, ENOMEM, "no room in the secure heap");
	secret_free(&room);
	if (rc == 0)
		snprintf(description, sizeof(description), "TPM%s%.60s%s",
		    pcrs ? " (PCR " : "", pcrs ? want->tpm_pcrs : "",
		    pcrs ? ")" : "");
	return rc;
}

const char *
kek_tpm_describe(void)
{
	return description;
}
