/*
 * test_ledgerd_merkle.c: the tree against the vectors of Certificate
 * Transparency, against RFC 6962's own recursion, and each proof against what
 * it must not prove.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/merkle.h"

#define MOST 70

struct tree {
	struct merkle_hash leaf[MOST];
	unsigned asked;
};

/* MTH of RFC 6962, section 2.1, word for word. */
static struct merkle_hash
mth(const struct merkle_hash *leaf, uint64_t n)
{
	struct merkle_hash l, r;
	uint64_t k = 1;

	if (n == 1)
		return *leaf;
	while (k * 2 < n)
		k *= 2;
	l = mth(leaf, k);
	r = mth(leaf + k, n - k);
	return merkle_node(&l, &r);
}

static int
get(void *arg, unsigned level, uint64_t index, struct merkle_hash *h)
{
	struct tree *t = arg;
	uint64_t n = UINT64_C(1) << level;

	t->asked++;
	if ((index + 1) * n > MOST)
		return -1;
	*h = mth(t->leaf + index * n, n);
	return 0;
}

static void
fill(struct tree *t)
{
	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < MOST; i++)
		t->leaf[i] = merkle_leaf(&i, sizeof(i));
}

static void
assert_hash(const struct merkle_hash *h, const char *hex)
{
	char s[2 * MERKLE_HASH + 1];

	for (size_t i = 0; i < MERKLE_HASH; i++)
		snprintf(s + 2 * i, 3, "%02x", h->b[i]);
	assert_string_equal(s, hex);
}

/* The eight leaves with which CT implementations test each other. */
static void
known_vectors(void **state)
{
	static const char *const leaf[] = {"", "\x00", "\x10", "\x20\x21",
	    "\x30\x31", "\x40\x41\x42\x43", "\x50\x51\x52\x53\x54\x55\x56\x57",
	    "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"};
	static const size_t len[] = {0, 1, 1, 2, 2, 4, 8, 16};
	static const char *const root[] = {
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
	struct merkle_edge e = {0};
	struct merkle_hash h;

	(void)state;
	for (size_t i = 0; i <= 8; i++) {
		h = merkle_root(&e);
		assert_hash(&h, root[i]);
		if (i == 8)
			break;
		h = merkle_leaf(leaf[i], len[i]);
		merkle_append(&e, &h);
	}
}

static void
the_edge_grows_and_loads(void **state)
{
	struct merkle_edge e = {0}, loaded;
	struct merkle_source src;
	struct merkle_hash a, b;
	struct tree t;

	(void)state;
	fill(&t);
	src = (struct merkle_source){get, &t};
	for (uint64_t n = 1; n <= MOST; n++) {
		merkle_append(&e, &t.leaf[n - 1]);
		a = merkle_root(&e);
		b = mth(t.leaf, n);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(merkle_edge_load(&src, n, &loaded), 0);
		b = merkle_root(&loaded);
		assert_memory_equal(&a, &b, sizeof(a));
		assert_int_equal(loaded.size, n);
	}
	assert_int_equal(merkle_edge_load(&src, MOST + 60, &loaded), -1);
}

static void
break_proof(struct merkle_proof *p, size_t i)
{
	p->at[i].b[i % MERKLE_HASH] ^= 1;
}

static void
inclusion(void **state)
{
	struct merkle_source src;
	struct merkle_proof p;
	struct merkle_hash root;
	struct tree t;

	(void)state;
	fill(&t);
	src = (struct merkle_source){get, &t};
	for (uint64_t n = 1; n <= MOST; n++) {
		root = mth(t.leaf, n);
		assert_int_equal(merkle_prove_inclusion(&src, n, n, &p), -1);
		for (uint64_t i = 0; i < n; i++) {
			assert_int_equal(
			    merkle_prove_inclusion(&src, i, n, &p), 0);
			assert_int_equal(
			    merkle_check_inclusion(&t.leaf[i], i, n, &root, &p),
			    0);
			/* Another leaf, another place, another size. */
			assert_int_equal(
			    merkle_check_inclusion(
				&t.leaf[(i + 1) % MOST], i, n, &root, &p),
			    -1);
			if (n > 1)
				assert_int_equal(
				    merkle_check_inclusion(
					&t.leaf[i], (i + 1) % n, n, &root, &p),
				    -1);
			assert_int_equal(
			    merkle_check_inclusion(&t.leaf[i], i, i, &root, &p),
			    -1);
			for (size_t k = 0; k < p.n; k++) {
				break_proof(&p, k);
				assert_int_equal(
				    merkle_check_inclusion(
					&t.leaf[i], i, n, &root, &p),
				    -1);
				break_proof(&p, k);
			}
			p.at[p.n] = root;
			p.n++; /* one too many, one too few */
			assert_int_equal(
			    merkle_check_inclusion(&t.leaf[i], i, n, &root, &p),
			    -1);
			p.n--;
			if (p.n == 0)
				continue;
			p.n--;
			assert_int_equal(
			    merkle_check_inclusion(&t.leaf[i], i, n, &root, &p),
			    -1);
		}
	}
}

static void
check_consistency(struct tree *t, uint64_t m, uint64_t n)
{
	struct merkle_source src = {get, t};
	struct merkle_hash other = t->leaf[0], from = mth(t->leaf, m);
	struct merkle_hash root = mth(t->leaf, n);
	struct merkle_proof p;

	other.b[0] ^= 1;
	assert_int_equal(merkle_prove_consistency(&src, m, n, &p), 0);
	assert_int_equal(merkle_check_consistency(m, &from, n, &root, &p), 0);
	assert_int_equal(merkle_check_consistency(m, &other, n, &root, &p), -1);
	assert_int_equal(merkle_check_consistency(m, &from, n, &other, &p), -1);
	for (size_t k = 0; k < p.n; k++) {
		break_proof(&p, k);
		assert_int_equal(
		    merkle_check_consistency(m, &from, n, &root, &p), -1);
		break_proof(&p, k);
	}
	p.at[p.n] = other;
	p.n++;
	assert_int_equal(merkle_check_consistency(m, &from, n, &root, &p), -1);
	p.n--;
	if (p.n == 0)
		return;
	p.n--;
	assert_int_equal(merkle_check_consistency(m, &from, n, &root, &p), -1);
}

static void
consistency(void **state)
{
	struct merkle_source src;
	struct merkle_proof p;
	struct merkle_hash a, b;
	struct tree t;

	(void)state;
	fill(&t);
	src = (struct merkle_source){get, &t};
	for (uint64_t n = 1; n <= MOST; n++)
		for (uint64_t m = 1; m <= n; m++)
			check_consistency(&t, m, n);
	/* A tree that has shrunk, and one that grew from nothing. */
	assert_int_equal(merkle_prove_consistency(&src, 9, 8, &p), -1);
	a = mth(t.leaf, 9);
	b = mth(t.leaf, 8);
	p.n = 0;
	assert_int_equal(merkle_check_consistency(9, &a, 8, &b, &p), -1);
	assert_int_equal(merkle_check_consistency(0, &a, 8, &b, &p), 0);
}

/* A history of which one record was exchanged is never consistent. */
static void
an_edited_record_shows(void **state)
{
	struct tree was, is;
	struct merkle_source src;
	struct merkle_hash from, root;
	struct merkle_proof p;

	(void)state;
	fill(&was);
	for (uint64_t m = 1; m < 40; m++)
		for (uint64_t at = 0; at < m; at++) {
			fill(&is);
			is.leaf[at] = merkle_leaf("edited", 6);
			src = (struct merkle_source){get, &is};
			from = mth(was.leaf, m);
			root = mth(is.leaf, 40);
			assert_int_equal(
			    merkle_prove_consistency(&src, m, 40, &p), 0);
			assert_int_equal(
			    merkle_check_consistency(m, &from, 40, &root, &p),
			    -1);
		}
}

/* 2^62 records: nothing counts beyond what 64 bits hold. */
static int
get_same(void *arg, unsigned level, uint64_t index, struct merkle_hash *h)
{
	const struct merkle_hash *by_level = arg;

	(void)index;
	*h = by_level[level];
	return 0;
}

static void
large_trees(void **state)
{
	struct merkle_hash level[64], from, root;
	struct merkle_source src = {get_same, level};
	struct merkle_edge e;
	struct merkle_proof p;
	const uint64_t big = (UINT64_C(1) << 62) + 12345;

	(void)state;
	level[0] = merkle_leaf("x", 1);
	for (int i = 1; i < 64; i++)
		level[i] = merkle_node(&level[i - 1], &level[i - 1]);
	assert_int_equal(merkle_edge_load(&src, big, &e), 0);
	root = merkle_root(&e);
	assert_int_equal(merkle_prove_inclusion(&src, big - 2, big, &p), 0);
	assert_int_equal(
	    merkle_check_inclusion(&level[0], big - 2, big, &root, &p), 0);
	assert_int_equal(merkle_edge_load(&src, 999, &e), 0);
	from = merkle_root(&e);
	assert_int_equal(merkle_prove_consistency(&src, 999, big, &p), 0);
	assert_int_equal(
	    merkle_check_consistency(999, &from, big, &root, &p), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_vectors),
	    cmocka_unit_test(the_edge_grows_and_loads),
	    cmocka_unit_test(inclusion),
	    cmocka_unit_test(consistency),
	    cmocka_unit_test(an_edited_record_shows),
	    cmocka_unit_test(large_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
