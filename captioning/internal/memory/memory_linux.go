//go:build linux && cgo

// Package memory tunes the C library's allocator, from which XLA takes its buffers.
//
// By default glibc maps most of XLA's buffers anew, to be zeroed page by page, and hands them back after the step; and every
// thread that compiles leaves a heap of its own. One heap that keeps what it has makes a training step a fifth faster and
// needs less memory (measured on 2 cores). It has to be said before the first thread allocates, so it is done when the
// program is loaded. MALLOC_ARENA_MAX in the environment leaves all as it is.
package memory

/*
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
__attribute__((constructor)) static void captionlab_keep_memory(void) {
	if (getenv("MALLOC_ARENA_MAX") != NULL)
		return;
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

// Trim gives the unused pages of the C heap back to the system, as after a compilation, which leaves many.
func Trim() { C.captionlab_trim() }
