//go:build !unix

package programs

func private(string) bool { return false }
