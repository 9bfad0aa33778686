/*
 * policy.h: the lists of policy/ as sandbox_seccomp.c loads them.  The table is
 * made by policy/policy.awk; policy/README says how the lists read.
 */
#ifndef ORB_POLICY_H
#define ORB_POLICY_H

#include <stddef.h>
#include <stdint.h>

#define POLICY_CONDS 3

enum policy_op {
	POLICY_EQUAL,  /* argument == value */
	POLICY_MASKED, /* (argument & mask) == value */
	POLICY_SELF,   /* argument == this process's id */
};

struct policy_cond {
	unsigned arg;
	enum policy_op op;
	uint64_t mask, value;
};

/* One line of a list.  Its conditions are joined by AND, lines by OR. */
struct policy_rule {
	const char *call;
	int number; /* negative: this machine has no such call */
	int answer; /* 0: allowed; else refused with this errno */
	unsigned nconds;
	struct policy_cond conds[POLICY_CONDS];
};

struct policy {
	const char *process;
	const struct policy_rule *rules;
	size_t len;
	int network;          /* Landlock must leave TCP alone */
	int64_t nproc, fsize; /* resource limits; -1: as they are */
};

extern const struct policy policy_table[];
extern const size_t policy_table_len;

#endif
