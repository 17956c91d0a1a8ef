//go:build unix

package programs

import (
	"os"
	"syscall"
)

// private returns whether the file or folder belongs to the user and no one else may write to it.
func private(path string) bool {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o022 != 0 {
		return false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(owner.Uid) == os.Geteuid()
}
