/*
 * zone_name.h: what the mere name of a zone tells.  Not here: any zone's rules;
 * both kinds of Exchange are asked for UTC.
 *
 * Names are Exchange's: of Windows, of the IANA database, in somebody's
 * language, or none at all.
 */
#ifndef ORB_ADAPTER_ZONE_NAME_H
#define ORB_ADAPTER_ZONE_NAME_H

#include <stdint.h>

/* A name of UTC, or none. */
int zone_is_utc(const char *);
/*
 * A name that says for certain that the time beside it is not in UTC.  One
 * that nobody knows ("tzone://Microsoft/Custom", "Customized Time Zone", a
 * localized one) says nothing, and UTC was asked for.
 */
int zone_is_other(const char *);
/* More than twelve hours ahead of UTC, at least in summer. */
int zone_is_ahead(const char *);
/*
 * The date (as its UTC midnight) that a midnight of a zone begins, seen from
 * UTC: the nearest one, but in the zones that are ahead.  Those must be known,
 * since 11:00Z is midnight in Auckland's summer and in Midway.  (Nobody lives
 * twelve hours behind.)
 */
int64_t zone_date(int ahead, int64_t at);

#endif
