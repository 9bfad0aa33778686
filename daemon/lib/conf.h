/*
 * conf.h: /etc/orb/orb.conf, read by each process itself before it locks down.
 *
 * The settings, their types, ranges and defaults stand in one table, conf.def;
 * this struct, the parser's checks and orb.conf(5) follow it.  Every wrong
 * value is reported with file, line, what is wrong and what is allowed, and an
 * unknown key is an error with a suggestion.
 *
 * Strings are owned by the conf.  Absent optional strings are "".
 */
#ifndef ORB_CONF_H
#define ORB_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "lib/err.h"
#include "lib/messages.h"

enum conf_subject {
	CONF_SUBJECT_KEEP,
	CONF_SUBJECT_ORGANISER,
	CONF_SUBJECT_PLACEHOLDER
};
enum conf_tentative { CONF_TENTATIVE_WAIT, CONF_TENTATIVE_BOOK };
enum conf_credential { CONF_CRED_SECRET, CONF_CRED_CERTIFICATE };
enum conf_book_as { CONF_BOOK_ROOM, CONF_BOOK_SERVICE, CONF_BOOK_ORGANISER };
enum conf_direction {
	CONF_DIRECTION_BOTH,
	CONF_DIRECTION_TO_TOPDESK,
	CONF_DIRECTION_TO_EXCHANGE
};
enum conf_conflict {
	CONF_CONFLICT_FIRST,
	CONF_CONFLICT_EXCHANGE,
	CONF_CONFLICT_TOPDESK
};
/* Of a room: the policy's, or one more than an enum conf_conflict. */
#define CONF_ROOM_CONFLICT_POLICY 0
enum conf_meeting_subject { CONF_MEETING_KEEP, CONF_MEETING_PLACEHOLDER };
enum conf_retire { CONF_RETIRE_NO, CONF_RETIRE_CANCEL };
enum conf_alg { CONF_ALG_PS256, CONF_ALG_RS256 };

/* A base URL taken apart: https only, no user, no query. */
struct conf_url {
	const char *text; /* scheme and host in lower case, the port only
				 * when it is not 443, no trailing slash */
	const char *host; /* lower case; IPv6 without brackets */
	uint16_t port;
	const char *path; /* "" or "/v1.0"; no trailing slash */
};

struct conf_upstream {
	int connections; /* at a time, 1..16 */
	int poll_seconds;
	int connect_timeout;       /* seconds */
	int request_timeout;       /* seconds */
	const char *ca_file;       /* PEM; "" = the system's */
	const char *proxy;         /* "http://host:port" or "" */
	struct conf_url proxy_url; /* scheme http; host "" when there is none */
	const char *source_address; /* numeric, or "" */
};

struct conf_exchange {
	struct conf_upstream up;
	const char *kind;        /* "graph" or "ews" */
	struct conf_url ews_url; /* host "" when there is none */
	const char *ews_login;
	enum conf_book_as book_as;
	const char *service_mailbox, *fallback_organiser; /* or "" */
	int answer_minutes;
	const char *tenant, *client_id, *scope;
	struct conf_url login_url, graph_url;
	enum conf_credential credential;
	enum conf_alg assertion_alg;
	int page_size; /* odata.maxpagesize */
};

struct conf_topdesk {
	struct conf_upstream up;
	struct conf_url url;   /* .../tas/api */
	const char *login;     /* operator's login name */
	const char *link_type; /* externalLink.type: a non-zero integer */
	const char
	    *fallback_person;      /* person id (UUID) for unknown organisers */
	const char *cancel_reason; /* id or "" = TOPdesk's default */
	int allow_passed_lead_times, allow_services_outside_window; /* bool */
	int rooms_per_list;                                         /* 1..100 */
	int list_top; /* $top, 1..10000 */
};

struct conf_policy {
	enum conf_subject subject;
	const char
	    *placeholder; /* brief description when the subject is hidden */
	const char *private_placeholder;
	enum conf_tentative tentative;
	int body; /* bool: the body may be carried */
	enum conf_direction direction;
	enum conf_conflict conflict;
	enum conf_meeting_subject meeting_subject;
	int approve_writes;
	int mass_cancel_limit;
	int window_back_days, window_ahead_days;
	int rebase_days; /* the delta window is made anew after so many */
};

struct conf_room {
	const char *name;     /* how people call it, unique */
	const char *mailbox;  /* lower case, unique */
	const char *location; /* TOPdesk id, UUID in lower case, unique */
	int conflict; /* CONF_ROOM_CONFLICT_POLICY, or enum conf_conflict + 1 */
	enum conf_retire retire;
	const char *zone; /* IANA name */
};

struct conf_keyd {
	const char *kek;      /* "credential:NAME", "file:/path", "tpm:TCTI" */
	const char *tpm_pcrs; /* "none" or "sha256:7,..."; see conf_pcrs() */
	int leases_per_hour;  /* per upstream */
};

struct conf_ledger {
	const char *journal; /* "auto", "journald" or "file:/path" */
};

struct conf_pool;

struct conf {
	struct conf_pool *pool; /* owns everything */
	const char *file;
	const char *site;
	const char *default_zone; /* of rooms that name none; or "" */
	const char *state_dir;    /* /var/lib/orb */
	const char *run_dir;      /* /run/orb */
	struct conf_exchange exchange;
	struct conf_topdesk topdesk;
	struct conf_policy policy;
	struct conf_keyd keyd;
	struct conf_ledger ledger;
	struct conf_room *rooms;
	size_t nrooms;
	/* User name or numeric uid of each process, by role and upstream:
	 * index with conf_user(). */
	const char *users[ROLE_COUNT][UPSTREAM_COUNT];
};

/* Called for each mistake: file, line (0: none), what is wrong and allowed. */
typedef void (*conf_report)(
    void *arg, const char *file, unsigned line, const char *text);

/*
 * Reads and checks file (NULL: the built-in path).  Every mistake is reported,
 * not only the first.  0 and *out (free with conf_free()), or -1 when there
 * was at least one mistake.  Besides the values, the file itself is checked:
 * regular, owned by root or the caller, writable by its owner only.
 */
int conf_load(const char *file, struct conf **out, conf_report, void *arg);
/*
 * The same for len bytes of text (with a zero byte behind them) that were read
 * elsewhere; name stands for the file in reports.
 */
int conf_read(const char *name, const char *text, size_t len, struct conf **out,
    conf_report, void *arg);
void conf_free(struct conf *);
/*
 * "none", or "sha256:" and numbers, as a mask: bit N for PCR N.  0, or -1 when
 * it is neither.
 */
int conf_pcrs(const char *, uint32_t *mask);

/* Whether Exchange is spoken to by EWS, with a password, and not by Graph. */
int conf_is_ews(const struct conf *);
/* The base address of an upstream's API.  Never NULL. */
const struct conf_url *conf_api_url(const struct conf *, enum upstream);
/*
 * Where the upstream's credential is exchanged for a token.  NULL: it is not,
 * but goes with each request to conf_api_url() (Basic).  These two are all the
 * hosts that dial connects to and that keyd gives leases for.
 */
const struct conf_url *conf_login_url(const struct conf *, enum upstream);
/* A conf_report for daemons: logs each mistake. */
void conf_report_log(void *, const char *file, unsigned line, const char *);

#endif
