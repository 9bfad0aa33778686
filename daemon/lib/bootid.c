/* bootid.c: see bootid.h. */
#include "lib/bootid.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

void
bootid_read(char out[BOOTID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, BOOTID_SIZE - 1);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}
