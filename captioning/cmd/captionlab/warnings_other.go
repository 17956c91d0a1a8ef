//go:build !unix

package main

import "os"

var warnings []os.Signal
