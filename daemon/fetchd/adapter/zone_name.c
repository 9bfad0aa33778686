/* zone_name.c: see zone_name.h. */
#include "fetchd/adapter/zone_name.h"

#include <string.h>
#include <strings.h>

#include "fetchd/adapter/moment.h"

static int
is_among(const char *name, const char *const *names)
{
	for (int i = 0; names[i]; i++)
		if (strcasecmp(name, names[i]) == 0)
			return 1;
	return 0;
}

int
zone_is_utc(const char *name)
{
	static const char *const names[] = {"", "UTC", "Etc/UTC", "Z", "GMT",
	    "Etc/GMT", "tzone://Microsoft/Utc", "Coordinated Universal Time",
	    NULL};

	return is_among(name, names);
}

int
zone_is_other(const char *name)
{
	static const char *const areas[] = {"Africa/", "America/",
	    "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/",
	    "Europe/", "Indian/", "Pacific/", "Etc/GMT"};
	static const char windows[] = " Standard Time";
	size_t n = strlen(name), tail = sizeof(windows) - 1;

	if (zone_is_utc(name))
		return 0;
	if (n > tail && strcasecmp(name + n - tail, windows) == 0)
		return 1;
	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (strncasecmp(name, areas[i], strlen(areas[i])) == 0)
			return 1;
	return 0;
}

int
zone_is_ahead(const char *name)
{
	static const char *const names[] = {"New Zealand Standard Time",
	    "Pacific/Auckland", "Antarctica/McMurdo",
	    "Chatham Islands Standard Time", "Pacific/Chatham",
	    "Tonga Standard Time", "Pacific/Tongatapu", "Samoa Standard Time",
	    "Pacific/Apia", "UTC+13", "Etc/GMT-13", "Pacific/Fakaofo",
	    "Pacific/Kanton", "Pacific/Enderbury", "Line Islands Standard Time",
	    "Pacific/Kiritimati", "Etc/GMT-14", "Fiji Standard Time",
	    "Pacific/Fiji", "Kamchatka Standard Time", NULL};

	return is_among(name, names);
}

int64_t
zone_date(int ahead, int64_t at)
{
	return moment_date(ahead ? at + 3 * 3600 : at);
}
