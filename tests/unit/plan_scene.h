/*
 * plan_scene.h: one booking as the three trees show it, for the tests of the
 * plan's rules, one by one.
 */
#ifndef ORB_PLAN_SCENE_H
#define ORB_PLAN_SCENE_H

#include "mapd/plan.h"

#define NOW 1790000040
#define HOUR 3600
#define DAY 86400
#define SOON (NOW + 2 * HOUR)

/* One booking: what Exchange, TOPdesk and the agreement show. */
struct scene {
	struct seen e, t[4];
	struct agreed a;
	size_t ne, nt, na;
	struct plan_policy policy;
	struct plan_output out;
};

extern const uint8_t key[KEY_LEN];
extern const uint8_t blue[PRINT_LEN], red[PRINT_LEN], grey[PRINT_LEN];

void show_e(struct scene *, int state);
struct seen *show_t(struct scene *, int state, unsigned gen);
void agree(struct scene *, unsigned gen, int dead);
/* Booked, made, agreed: nothing is to be done. */
struct scene settled(void);
void plan(struct scene *);
/* The plan is this one action, or none (kind -1). */
void check(struct scene *, int kind, int reason, unsigned change, unsigned gen,
    int line);
#define nothing(s) check(s, -1, 0, 0, 0, __LINE__)
#define only(s, kind, reason, change, gen) \
	check(s, kind, reason, change, gen, __LINE__)

#endif
