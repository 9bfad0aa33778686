/*
 * log.h: what a daemon says to the operator, on standard error with the
 * priority prefix that journald reads (sd-daemon(3)).  Never a secret, a
 * subject or an address.  The audit trail is ledgerd's, not this.
 */
#ifndef ORB_LOG_H
#define ORB_LOG_H

enum log_level {
	LOG_LV_ERR = 3,
	LOG_LV_WARN = 4,
	LOG_LV_NOTICE = 5,
	LOG_LV_INFO = 6,
	LOG_LV_DEBUG = 7
};

/* name goes in front when stderr is a terminal or file; level is the least
 * urgent one that is still written. */
void log_init(const char *name, enum log_level level);
void log_at(enum log_level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
#define log_err(...) log_at(LOG_LV_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_LV_WARN, __VA_ARGS__)
#define log_notice(...) log_at(LOG_LV_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_LV_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_LV_DEBUG, __VA_ARGS__)
/* Only at start-up, or on a fault that leaves nothing to save: exits 1. */
_Noreturn void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
