/*
 * conf_nearest.c: "did you mean": the known name nearest to a misspelt one.
 */
#include "lib/conf_table.h"

#include <string.h>

#define LONGEST 40 /* longer names are nobody's typing error */

static int
least(int a, int b)
{
	return a < b ? a : b;
}

/*
 * Optimal string alignment distance: insertions, deletions, replacements and
 * swaps of neighbours, one each, which is how people mistype.
 */
static int
distance(const char *a, size_t na, const char *b, size_t nb)
{
	int row[3][LONGEST + 1];
	int *two = row[0], *one = row[1], *now = row[2], *spare;

	for (size_t j = 0; j <= nb; j++)
		one[j] = (int)j;
	memset(two, 0, sizeof(row[0]));
	for (size_t i = 1; i <= na; i++) {
		now[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			now[j] = least(one[j] + 1, now[j - 1] + 1);
			now[j] =
			    least(now[j], one[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], two[j - 2] + 1);
		}
		spare = two;
		two = one;
		one = now;
		now = spare;
	}
	return one[nb];
}

const char *
conf_nearest(const char *wrong, const char *const *names, size_t n)
{
	size_t len = strlen(wrong), other;
	const char *best = NULL;
	int d, least_d = (int)(len + 2) / 3 + 1; /* a third, rounded up */

	if (len > LONGEST)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if ((other = strlen(names[i])) > LONGEST)
			continue;
		d = distance(wrong, len, names[i], other);
		if (d < least_d) {
			least_d = d;
			best = names[i];
		}
	}
	return best;
}
