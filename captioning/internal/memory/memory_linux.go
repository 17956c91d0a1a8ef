//go:build linux && cgo

// Package memory tunes the C library's allocator, which provides XLA's buffers.
//
// By default glibc maps most of XLA's buffers again for every step, zeroes them page by page and returns them
// afterwards, and every compiling thread leaves a heap of its own. A single heap that keeps its pages makes a
// training step a fifth faster and needs less memory (measured on 2 cores). The setting must precede the first
// thread's allocations, so a constructor makes it when the program is loaded. It changes nothing if MALLOC_ARENA_MAX
// is set.
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

// Trim returns the unused pages of the C heap to the system. A compilation leaves many.
func Trim() { C.captionlab_trim() }
