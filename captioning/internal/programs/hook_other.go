//go:build !linux || !cgo

package programs

func hook(string) bool { return false }
