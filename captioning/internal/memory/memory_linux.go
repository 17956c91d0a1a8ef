//go:build linux && cgo

// Package memory tunes the C library's allocator, which provides XLA's buffers.
//
// By default glibc maps most of XLA's buffers again for every step, zeroes them page by page and returns them
// afterwards, and every compiling thread leaves a heap of its own. A single heap that keeps its pages makes a
// training step a fifth faster and needs less memory (measured on 2 cores). The setting must precede the first
// thread's allocations, so a constructor makes it when the program is loaded. It changes nothing if MALLOC_ARENA_MAX
// is set.
//
// Huge pages make a training step up to a fifth faster (measured on 2 cores). Where a program has to ask the kernel for
// them, glibc does so only if the environment says so when the program is loaded. The constructor therefore sets
// GLIBC_TUNABLES and loads the program again, in the same process; this takes some milliseconds. A GLIBC_TUNABLES that
// is already set stays as it is. The program itself, and those that it starts, see the environment as it was.
package memory

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define TUNABLES "GLIBC_TUNABLES"
#define HUGE_PAGES "glibc.malloc.hugetlb=1"

// Reports whether programs get huge pages if they ask for them, and only then.
static int captionlab_may_ask(void) {
	char line[64] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "r");
	if (f == NULL)
		return 0;
	char *read = fgets(line, sizeof line, f);
	fclose(f);
	return read != NULL && strstr(line, "[madvise]") != NULL;
}

// Loads the program again with HUGE_PAGES, or returns if that is impossible or has been done.
static void captionlab_ask(char **argv) {
	const char *tunables = getenv(TUNABLES);
	if (tunables != NULL) {
		if (strcmp(tunables, HUGE_PAGES) == 0)
			unsetenv(TUNABLES); // has been done
		return;
	}
	if (getauxval(AT_SECURE) || !captionlab_may_ask() || setenv(TUNABLES, HUGE_PAGES, 1) != 0)
		return;
	char path[4096]; // under its own name, for the list of processes
	ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
	if (length > 0) {
		path[length] = 0;
		execv(path, argv);
	}
	execv("/proc/self/exe", argv); // a file that was removed or replaced, for example
	unsetenv(TUNABLES);
}

__attribute__((constructor)) static void captionlab_keep_memory(int argc, char **argv) {
	if (getenv("MALLOC_ARENA_MAX") != NULL)
		return;
	captionlab_ask(argv);
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 16 << 20);
	mallopt(M_TRIM_THRESHOLD, 128 << 20);
}
static void captionlab_trim(void) { malloc_trim(0); }
#else
static void captionlab_trim(void) {}
#endif
*/
import "C"

// Trim returns the unused pages of the C heap to the system. A compilation leaves many.
func Trim() { C.captionlab_trim() }

// grow makes the heap take and return eight megabytes, for tests, which cannot use C.
func grow() { C.free(C.malloc(8 << 20)) }
