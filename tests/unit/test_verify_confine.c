/*
 * test_verify_confine: that orb-verify's confinement bites: each deed is tried
 * in a process of its own, once confined, with what must come of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "verify/confine.h"

static char folder[] = "/tmp/orb-confine-XXXXXX";
static int dir;

/* How a deed ends, once confined: its exit status, or minus the signal. */
static int
outcome(int (*deed)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (confine(dir) != NULL)
			_exit(77);
		_exit(deed());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return -WTERMSIG(status);
	if (WEXITSTATUS(status) == 77)
		skip(); /* this kernel lacks Landlock or seccomp */
	return WEXITSTATUS(status);
}

static int
open_inside(void)
{
	char buf[4];
	int fd = openat(dir, "file", O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read(fd, buf, 4) == 4 && memcmp(buf, "well", 4) == 0
	    ? 0
	    : 1;
}

static int
list_inside(void)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	return d && readdir(d) && closedir(d) == 0 ? 0 : 1;
}

static int
open_outside(void)
{
	return openat(dir, "../../etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? errno
									 : 0;
}

static int
open_to_write(void)
{
	return openat(dir, "file", O_WRONLY | O_CLOEXEC);
}

static int
make_a_file(void)
{
	return openat(dir, "new", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static int
make_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int
run_a_program(void)
{
	char *const argv[] = {(char *)(uintptr_t) "true", NULL};

	return execv("/bin/true", argv);
}

static int
fork_again(void)
{
	return fork() < 0;
}

static int
make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int
remove_a_file(void)
{
	return unlinkat(dir, "file", 0);
}

static int
write_elsewhere(void)
{
	return write(dir, "x", 1) < 0;
}

static void
what_is_needed_goes(void **state)
{
	(void)state;
	assert_int_equal(outcome(open_inside), 0);
	assert_int_equal(outcome(list_inside), 0);
}

static void
other_files_are_out_of_reach(void **state)
{
	(void)state;
	assert_int_equal(outcome(open_outside), EACCES);
}

static void
all_else_ends_the_process(void **state)
{
	static int (*const deeds[])(void) = {open_to_write, make_a_file,
	    make_a_socket, run_a_program, fork_again, make_code, remove_a_file,
	    write_elsewhere};

	(void)state;
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (outcome(deeds[i]) != -SIGSYS)
			fail_msg("deed %zu was let pass", i);
}

static int
set_up(void **state)
{
	int fd;

	(void)state;
	if (mkdtemp(folder) == NULL ||
	    (dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	fd = openat(dir, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "well", 4) != 4)
		return -1;
	return close(fd);
}

static int
tear_down(void **state)
{
	(void)state;
	if (unlinkat(dir, "file", 0) || rmdir(folder))
		return -1;
	return close(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_needed_goes),
	    cmocka_unit_test(other_files_are_out_of_reach),
	    cmocka_unit_test(all_else_ends_the_process),
	};

#ifdef ORB_SANITIZERS
	puts("1..0 # SKIP sanitizers need what confinement takes away");
	return 0;
#endif
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
