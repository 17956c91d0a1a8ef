// Package programs keeps compiled XLA programs in the cache folder, so that the next process loads in milliseconds what
// took this one seconds to compile.
//
// It takes the place of one function in the plugin's table of PJRT functions, the one that compiles. GoMLX's binding
// offers no way to store programs. A stored program is machine code of the plugin, like the plugin itself; it is loaded
// only from files that belong to the user, that no one else can write, and that are whole. A program is found by the
// hash of its source and options, of the plugin, XLA_FLAGS and the processor.
package programs

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/internal/cache"
	"captionlab/captioning/internal/checksum"
)

const (
	maxBytes = 512 << 20 // of all stored programs
	ending   = ".program"
)

type programKey [sha256.Size]byte

// state is set once, before the plugin is opened.
var state struct {
	once sync.Once
	dir  string
	host [sha256.Size]byte // of everything but the program that decides about the machine code
}

// Keep makes the plugin in the file path load and store its programs, from now on and for the life of the process. Only
// the first plugin of a process does. If CAPTIONLAB_PROGRAMS is "off", or programs cannot be stored, Keep does nothing.
func Keep(path string) {
	state.once.Do(func() {
		if os.Getenv("CAPTIONLAB_PROGRAMS") == "off" {
			return
		}
		dir, err := cache.Programs()
		if err != nil {
			return
		}
		plugin, err := checksum.File(path, false)
		if err != nil {
			return
		}
		processor, err := os.ReadFile("/proc/cpuinfo")
		if err != nil {
			return
		}
		state.dir = dir
		state.host = sha256.Sum256(fmt.Appendf(nil, "1 %s\n%s\n%s", plugin, os.Getenv("XLA_FLAGS"),
			distinct(processorLines.FindAllString(string(processor), -1))))
		hook(path)
	})
}

// processorLines match the lines of /proc/cpuinfo that differ between processors, not between moments.
var processorLines = regexp.MustCompile(
	`(?m)^(vendor_id|cpu family|model|model name|stepping|flags|Features|CPU .*)\s*:.*$`)

func distinct(lines []string) string {
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n") + fmt.Sprintf("\n%d", len(lines))
}

// moduleName matches the name of a program, which is of no importance for its machine code.
var moduleName = regexp.MustCompile(`^module @\S+`)

func keyOf(code, options []byte) programKey {
	h := sha256.New()
	h.Write(state.host[:])
	fmt.Fprintf(h, "%d %d\n", len(code), len(options))
	h.Write(moduleName.ReplaceAll(code, []byte("module")))
	h.Write(options)
	return programKey(h.Sum(nil))
}

func (k programKey) path() string { return filepath.Join(state.dir, fmt.Sprintf("%x%s", k, ending)) }

// find returns a stored program, or nil. The file begins with the checksum of the rest.
func find(k programKey) []byte {
	if !private(state.dir) || !private(k.path()) {
		return nil
	}
	data, err := os.ReadFile(k.path())
	if err != nil || len(data) < sha256.Size {
		return nil
	}
	program := data[sha256.Size:]
	if sum := sha256.Sum256(program); !bytes.Equal(sum[:], data[:sha256.Size]) {
		os.Remove(k.path())
		return nil
	}
	now := time.Now()
	os.Chtimes(k.path(), now, now) // the oldest are deleted first
	return program
}

// keep stores a program. A program that cannot be stored is compiled again next time, so errors are of no interest.
func keep(k programKey, program []byte) {
	if os.MkdirAll(state.dir, 0o700) != nil || !private(state.dir) {
		return
	}
	makeRoom(int64(len(program)))
	sum := sha256.Sum256(program)
	if atomicfile.WriteFile(k.path(), append(sum[:], program...)) == nil {
		os.Chmod(k.path(), 0o600)
	}
}

// makeRoom deletes the programs that were not used for the longest time until size more bytes are allowed.
func makeRoom(size int64) {
	entries, err := os.ReadDir(state.dir)
	if err != nil {
		return
	}
	var files []os.FileInfo
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && strings.HasSuffix(entry.Name(), ending) {
			files, size = append(files, info), size+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if size <= maxBytes {
			return
		}
		os.Remove(filepath.Join(state.dir, f.Name()))
		size -= f.Size()
	}
}
