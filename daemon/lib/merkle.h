/*
 * merkle.h: the hash tree over the records (RFC 6962, section 2.1): leaves,
 * nodes, the growing right edge, roots, and proofs of inclusion and of
 * consistency, made and checked.
 *
 * Arithmetic only: it reads no file and knows no record.  Who makes a proof
 * says through merkle_source where the hashes of whole subtrees are.  Not here:
 * tiles (ledgerd/tree.h), what signs a root (ledgerd/checkpoint.h).
 */
#ifndef ORB_MERKLE_H
#define ORB_MERKLE_H

#include <stddef.h>
#include <stdint.h>

#define MERKLE_HASH 32
/* A proof of a tree of 2^63 records is no longer. */
#define MERKLE_PROOF_MAX 64

struct merkle_hash {
	uint8_t b[MERKLE_HASH];
};

/* The hash of a record: SHA-256(0x00 || record). */
struct merkle_hash merkle_leaf(const void *record, size_t len);
/* SHA-256(0x01 || left || right). */
struct merkle_hash merkle_node(
    const struct merkle_hash *left, const struct merkle_hash *right);

/*
 * The right edge of a tree that grows: the roots of the whole subtrees that its
 * size in binary is made of, the smallest at [0].  Zeroed, it is the empty
 * tree.  A copy of the struct is a tree of its own.
 */
struct merkle_edge {
	uint64_t size; /* records */
	struct merkle_hash at[64];
};

void merkle_append(struct merkle_edge *, const struct merkle_hash *leaf);
/* The root; of the empty tree SHA-256 of nothing. */
struct merkle_hash merkle_root(const struct merkle_edge *);

/*
 * Where the hash of a whole subtree comes from: of 2^level records from record
 * index * 2^level on.  0, or -1: then the proof fails with -1, too.
 */
struct merkle_source {
	int (*get)(
	    void *arg, unsigned level, uint64_t index, struct merkle_hash *);
	void *arg;
};

/* The right edge of the first size records. */
int merkle_edge_load(
    const struct merkle_source *, uint64_t size, struct merkle_edge *);

/* Hashes from the leaf's side to the root's, as RFC 6962 orders them. */
struct merkle_proof {
	size_t n;
	struct merkle_hash at[MERKLE_PROOF_MAX];
};

/* That record index is in the tree of the first size records.  -1 when it is
 * not (index >= size), or the source failed. */
int merkle_prove_inclusion(const struct merkle_source *, uint64_t index,
    uint64_t size, struct merkle_proof *);
/* That the first from records of the tree of size are the tree of from.  An
 * empty proof when from is 0 or size.  -1 when from > size. */
int merkle_prove_consistency(const struct merkle_source *, uint64_t from,
    uint64_t size, struct merkle_proof *);

/* 0: it proves it; -1: it does not.  Safe on anything a peer sends.  After
 * RFC 9162, sections 2.1.3.2 and 2.1.4.2. */
int merkle_check_inclusion(const struct merkle_hash *leaf, uint64_t index,
    uint64_t size, const struct merkle_hash *root, const struct merkle_proof *);
int merkle_check_consistency(uint64_t from, const struct merkle_hash *from_root,
    uint64_t size, const struct merkle_hash *root, const struct merkle_proof *);

#endif
