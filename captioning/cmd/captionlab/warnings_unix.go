//go:build unix

package main

import (
	"os"
	"syscall"
)

// warnings are the signals by which a scheduler announces that it will end the program.
var warnings = []os.Signal{syscall.SIGUSR1}
