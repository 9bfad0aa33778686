/*
 * regressions.h: histories that once failed, as the shrinker printed them (its
 * lines can be pasted): name of the step, booking, its two numbers.
 */
#ifndef ORB_PROPERTY_REGRESSIONS_H
#define ORB_PROPERTY_REGRESSIONS_H

#include <stddef.h>
#include <stdint.h>

struct regression {
	const char *what;
	uint64_t seed; /* decides the policy */
	const char *steps;
};
extern const struct regression regressions[];
extern const size_t nregressions;

#endif
