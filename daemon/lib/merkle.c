/* merkle.c: see merkle.h. */
#include "lib/merkle.h"

#include <string.h>

#include <openssl/evp.h>

/* SHA-256 of up to three pieces.  libcrypto's own fails only without memory,
 * and then the hash is of no tree: every check of it fails. */
static struct merkle_hash
sha256(uint8_t prefix, const void *a, size_t na, const void *b, size_t nb)
{
	struct merkle_hash h = {{0}};
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (c == NULL || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(c, &prefix, 1) != 1 ||
	    EVP_DigestUpdate(c, a, na) != 1 ||
	    EVP_DigestUpdate(c, b, nb) != 1 ||
	    EVP_DigestFinal_ex(c, h.b, NULL) != 1)
		memset(&h, 0, sizeof(h));
	EVP_MD_CTX_free(c);
	return h;
}

struct merkle_hash
merkle_leaf(const void *record, size_t len)
{
	return sha256(0, record, len, "", 0);
}

struct merkle_hash
merkle_node(const struct merkle_hash *left, const struct merkle_hash *right)
{
	return sha256(1, left->b, MERKLE_HASH, right->b, MERKLE_HASH);
}

void
merkle_append(struct merkle_edge *e, const struct merkle_hash *leaf)
{
	struct merkle_hash h = *leaf;
	uint64_t bits = e->size;
	unsigned level;

	for (level = 0; bits & 1; bits >>= 1, level++)
		h = merkle_node(&e->at[level], &h);
	e->at[level] = h;
	e->size++;
}

struct merkle_hash
merkle_root(const struct merkle_edge *e)
{
	struct merkle_hash h = {{0}};
	uint64_t bits = e->size;
	int any = 0;

	if (bits == 0)
		(void)EVP_Digest("", 0, h.b, NULL, EVP_sha256(), NULL);
	for (unsigned level = 0; bits; bits >>= 1, level++) {
		if (!(bits & 1))
			continue;
		h = any ? merkle_node(&e->at[level], &h) : e->at[level];
		any = 1;
	}
	return h;
}

int
merkle_edge_load(
    const struct merkle_source *src, uint64_t size, struct merkle_edge *e)
{
	uint64_t from = 0;

	memset(e, 0, sizeof(*e));
	for (int level = 63; level >= 0; level--) {
		if (!(size >> level & 1))
			continue;
		if (src->get(src->arg, (unsigned)level, from >> level,
			&e->at[level]))
			return -1;
		from += UINT64_C(1) << level;
	}
	e->size = size;
	return 0;
}

/* --- making proofs ------------------------------------------------------------- */

/* The root of records [from, to), from a multiple of what it is split into. */
static int
range_root(const struct merkle_source *src, uint64_t from, uint64_t to,
    struct merkle_hash *out)
{
	struct merkle_hash part[64];
	unsigned n = 0, l;

	for (; from < to; from += UINT64_C(1) << l) {
		for (l = 0; l < 63 && !(from >> l & 1) &&
		     from + (UINT64_C(2) << l) <= to;
		     l++)
			;
		if (src->get(src->arg, l, from >> l, &part[n++]))
			return -1;
	}
	if (n == 0)
		return -1;
	for (*out = part[--n]; n > 0; n--)
		*out = merkle_node(&part[n - 1], out);
	return 0;
}

/* The largest power of two below n (n > 1). */
static uint64_t
split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* What is off the way is noted from the root down; the proof has it upwards. */
static void
turn(struct merkle_proof *p)
{
	struct merkle_hash h;

	for (size_t i = 0; i < p->n / 2; i++) {
		h = p->at[i];
		p->at[i] = p->at[p->n - 1 - i];
		p->at[p->n - 1 - i] = h;
	}
}

/* One step down towards record index: [*from, *to) becomes the half that has it,
 * the root of the other half is noted. */
static int
descend(const struct merkle_source *src, uint64_t index, uint64_t *from,
    uint64_t *to, struct merkle_proof *p)
{
	uint64_t k = *from + split(*to - *from), other_from = k, other_to = *to;

	if (index < k)
		*to = k;
	else {
		other_from = *from;
		other_to = k;
		*from = k;
	}
	return range_root(src, other_from, other_to, &p->at[p->n++]);
}

int
merkle_prove_inclusion(const struct merkle_source *src, uint64_t index,
    uint64_t size, struct merkle_proof *p)
{
	uint64_t from = 0, to = size;

	p->n = 0;
	if (index >= size)
		return -1;
	while (to - from > 1)
		if (descend(src, index, &from, &to, p))
			return -1;
	turn(p);
	return 0;
}

int
merkle_prove_consistency(const struct merkle_source *src, uint64_t old,
    uint64_t size, struct merkle_proof *p)
{
	uint64_t from = 0, to = size;

	p->n = 0;
	if (old > size)
		return -1;
	if (old == 0 || old == size)
		return 0;
	while (to != old)
		if (descend(src, old - 1, &from, &to, p))
			return -1;
	/* The old tree itself is known to who checks. */
	if (from > 0 && range_root(src, from, to, &p->at[p->n++]))
		return -1;
	turn(p);
	return 0;
}

/* --- checking proofs ------------------------------------------------------------ */

static int
same(const struct merkle_hash *a, const struct merkle_hash *b)
{
	return memcmp(a->b, b->b, MERKLE_HASH) == 0;
}

/*
 * One level up, fn being the place on the way and sn the last one of its level:
 * 1 when the next hash of the proof stands to the left.  Levels on which the
 * way has no partner are passed over.
 */
static int
climb(uint64_t *fn, uint64_t *sn)
{
	int left = (*fn & 1) || *fn == *sn;

	while (left && *fn && !(*fn & 1)) {
		*fn >>= 1;
		*sn >>= 1;
	}
	*fn >>= 1;
	*sn >>= 1;
	return left;
}

int
merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
    uint64_t size, const struct merkle_hash *root, const struct merkle_proof *p)
{
	uint64_t fn = index, sn = size - 1;
	struct merkle_hash r = *leaf;

	if (index >= size)
		return -1;
	for (size_t i = 0; i < p->n; i++) {
		if (sn == 0)
			return -1;
		r = climb(&fn, &sn) ? merkle_node(&p->at[i], &r)
				    : merkle_node(&r, &p->at[i]);
	}
	return sn == 0 && same(&r, root) ? 0 : -1;
}

int
merkle_check_consistency(uint64_t from, const struct merkle_hash *from_root,
    uint64_t size, const struct merkle_hash *root, const struct merkle_proof *p)
{
	struct merkle_hash fr, sr;
	uint64_t fn = from - 1, sn = size - 1;
	size_t i = 0;

	if (from > size)
		return -1;
	if (from == size)
		return p->n == 0 && same(from_root, root) ? 0 : -1;
	if (from == 0)
		return p->n == 0 ? 0 : -1;
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	if (fn == 0)
		fr = *from_root; /* a whole subtree: it is not repeated */
	else if (p->n > 0)
		fr = p->at[i++];
	else
		return -1;
	for (sr = fr; i < p->n; i++) {
		if (sn == 0)
			return -1;
		if (climb(&fn, &sn)) {
			fr = merkle_node(&p->at[i], &fr);
			sr = merkle_node(&p->at[i], &sr);
		} else
			sr = merkle_node(&sr, &p->at[i]);
	}
	return sn == 0 && same(&fr, from_root) && same(&sr, root) ? 0 : -1;
}
