/* bootid.h: which start of the kernel this is. */
#ifndef ORB_BOOTID_H
#define ORB_BOOTID_H

#define BOOTID_SIZE 40

/* /proc/sys/kernel/random/boot_id, 36 characters; "" when it cannot be read.
 * Before lock-down. */
void bootid_read(char out[BOOTID_SIZE]);

#endif
