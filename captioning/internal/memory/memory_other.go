//go:build !linux || !cgo

// Package memory tunes the C library's allocator where that is known to help: on Linux.
package memory

// Trim does nothing here.
func Trim() {}
