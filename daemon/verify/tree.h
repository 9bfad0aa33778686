/*
 * tree.h: the hash tree of RFC 6962, section 2.1, as a verifier needs it: it
 * grows by one leaf at a time, keeps one hash a level and no leaf, and says the
 * root at each size.  And the check of a proof of inclusion.
 *
 * Not here: files of hashes (tiles.h), records.
 */
#ifndef ORB_VERIFY_TREE_H
#define ORB_VERIFY_TREE_H

#include <stddef.h>
#include <stdint.h>

#define HASH_LEN 32
#define TREE_LEVELS 64
#define TILE_HEIGHT 8 /* C2SP tlog-tiles: 256 hashes a tile */
#define TILE_WIDTH 256
#define TILE_LEVELS 7 /* 256^7 leaves: more than 2^53 records */

struct tree {
	uint64_t size;
	/* Bit h of size set: node[h] is the root of the whole subtree of 2^h
	 * leaves that ends where the smaller ones begin. */
	uint8_t node[TREE_LEVELS][HASH_LEN];
	/* What the last leaf completed: roots of 256^L leaves, for L below
	 * made; made is at least 1, and whole[0] the leaf. */
	uint8_t whole[TILE_LEVELS][HASH_LEN];
	unsigned made;
};

/* Once, before all else and before rights are given up: 0, or -1 when libcrypto
 * has no SHA-256. */
int tree_open(void);
void tree_close(void);

/* SHA-256(0x00 || record); SHA-256(0x01 || left || right). */
void tree_leaf_hash(const uint8_t *, size_t, uint8_t hash[HASH_LEN]);
void tree_node_hash(const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
    uint8_t hash[HASH_LEN]);
/* SHA-256 of bytes. */
void tree_sha256(const uint8_t *, size_t, uint8_t hash[HASH_LEN]);

void tree_append(struct tree *, const uint8_t leaf[HASH_LEN]);
/* The root; of an empty tree SHA-256(""). */
void tree_root(const struct tree *, uint8_t root[HASH_LEN]);

/*
 * Whether a tree of size leaves with this root has this leaf at index, by the
 * n hashes at path, nearest the leaf first (RFC 9162, section 2.1.3.2, which
 * is the same for RFC 6962).  0, or -1.
 */
int tree_proof_check(uint64_t index, uint64_t size,
    const uint8_t leaf[HASH_LEN], const uint8_t (*path)[HASH_LEN], size_t n,
    const uint8_t root[HASH_LEN]);

#endif
