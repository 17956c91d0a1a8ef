//go:build !linux || !cgo

// Package memory tunes the C library's allocator on Linux.
package memory

// Trim does nothing on this system.
func Trim() {}
