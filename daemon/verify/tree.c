/* tree.c: see tree.h. */
#include "verify/tree.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* Fetched once: a million records are two million hashes. */
static EVP_MD *sha256;
static EVP_MD_CTX *hasher;

int
tree_open(void)
{
	if (hasher)
		return 0;
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	hasher = EVP_MD_CTX_new();
	if (sha256 && hasher)
		return 0;
	tree_close();
	return -1;
}

void
tree_close(void)
{
	EVP_MD_CTX_free(hasher);
	EVP_MD_free(sha256);
	hasher = NULL;
	sha256 = NULL;
}

/* Nothing can be said about a log without hashes. */
static void
hash_parts(const uint8_t *prefix, const uint8_t *a, size_t an, const uint8_t *b,
    size_t bn, uint8_t hash[HASH_LEN])
{
	if (!EVP_DigestInit_ex2(hasher, sha256, NULL) ||
	    (prefix && !EVP_DigestUpdate(hasher, prefix, 1)) ||
	    !EVP_DigestUpdate(hasher, a, an) ||
	    (b && !EVP_DigestUpdate(hasher, b, bn)) ||
	    !EVP_DigestFinal_ex(hasher, hash, NULL))
		abort();
}

void
tree_leaf_hash(const uint8_t *p, size_t n, uint8_t hash[HASH_LEN])
{
	static const uint8_t leaf = 0;

	hash_parts(&leaf, p, n, NULL, 0, hash);
}

void
tree_node_hash(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
    uint8_t hash[HASH_LEN])
{
	static const uint8_t node = 1;

	hash_parts(&node, left, HASH_LEN, right, HASH_LEN, hash);
}

void
tree_sha256(const uint8_t *p, size_t n, uint8_t hash[HASH_LEN])
{
	hash_parts(NULL, p, n, NULL, 0, hash);
}

void
tree_append(struct tree *t, const uint8_t leaf[HASH_LEN])
{
	uint8_t hash[HASH_LEN];
	unsigned h = 0;

	memcpy(hash, leaf, HASH_LEN);
	memcpy(t->whole[0], hash, HASH_LEN);
	t->made = 1;
	for (; t->size >> h & 1; h++) {
		tree_node_hash(t->node[h], hash, hash);
		if ((h + 1) % TILE_HEIGHT == 0 && t->made < TILE_LEVELS)
			memcpy(t->whole[t->made++], hash, HASH_LEN);
	}
	memcpy(t->node[h], hash, HASH_LEN);
	t->size++;
}

void
tree_root(const struct tree *t, uint8_t root[HASH_LEN])
{
	int begun = 0;

	if (t->size == 0)
		tree_sha256((const uint8_t *)"", 0, root);
	for (unsigned h = 0; h < TREE_LEVELS; h++) {
		if ((t->size >> h & 1) == 0)
			continue;
		if (begun)
			tree_node_hash(t->node[h], root, root);
		else
			memcpy(root, t->node[h], HASH_LEN);
		begun = 1;
	}
}

int
tree_proof_check(uint64_t index, uint64_t size, const uint8_t leaf[HASH_LEN],
    const uint8_t (*path)[HASH_LEN], size_t n, const uint8_t root[HASH_LEN])
{
	uint64_t fn = index, sn = size - 1;
	uint8_t r[HASH_LEN];

	if (index >= size)
		return -1;
	memcpy(r, leaf, HASH_LEN);
	for (size_t i = 0; i < n; i++) {
		if (sn == 0)
			return -1;
		if (fn & 1 || fn == sn) {
			tree_node_hash(path[i], r, r);
			while ((fn & 1) == 0 && fn != 0) {
				fn >>= 1;
				sn >>= 1;
			}
		} else
			tree_node_hash(r, path[i], r);
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && memcmp(r, root, HASH_LEN) == 0 ? 0 : -1;
}
