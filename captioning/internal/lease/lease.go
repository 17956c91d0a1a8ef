// Package lease lets one process at a time work in a folder that several machines share, also where file locks do not
// reach other machines, as on many network file systems.
//
// A lease is a small file in the folder that names its holder and is rewritten again and again. Its name has a number:
// who takes over a lease creates the file with the next number, which only one process can do, and the highest number
// holds. A holder that finds a higher number has lost the lease. All ages are differences between time stamps of the
// folder's file system, so that the clocks of the machines need not agree.
package lease

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/datasets/jsonfile"
)

// DefaultStale is the default of Options.Stale. Clients of NFS may see a file's new time stamp a minute late.
const DefaultStale = 3 * time.Minute

// ErrHeld reports that another process holds the lease.
var ErrHeld = errors.New("leased by another process")

// ErrLost reports that another process took over the lease, or that it could not be renewed for too long.
var ErrLost = errors.New("the lease was lost")

// Options change how a lease is taken. The zero value is right.
type Options struct {
	// Stale is the age without renewal from which a lease is taken over; 0 means DefaultStale. All processes should
	// agree on it. The holder renews its lease twelve times as often.
	Stale time.Duration
	// Alone says that no other process of this host holds the lease, for example because the caller holds a file lock.
	// A lease of this host is then taken over at once.
	Alone bool
	Host  string // empty means Host()
}

// Lease is a lease that this process holds. It is safe for concurrent use.
type Lease struct {
	dir    string
	number int
	holder holder
	stale  time.Duration
	end    chan struct{}
	lost   chan struct{}
	done   sync.WaitGroup

	mu      sync.Mutex
	renewed time.Time
	isLost  bool
}

// holder is the content of a lease's file.
type holder struct {
	Host     string    `json:"host"`
	PID      int       `json:"pid"`
	Taken    time.Time `json:"taken"`
	Renewed  time.Time `json:"renewed"` // for people: by the holder's clock
	Released bool      `json:"released"`
}

// Host is the name of this machine: that of Slurm's node, or else the host name.
func Host() string {
	if name := os.Getenv("SLURMD_NODENAME"); name != "" {
		return name
	}
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Take takes the lease of the folder dir, which exists. The error wraps ErrHeld, and names the holder, while another
// process holds it.
func Take(dir string, o Options) (*Lease, error) {
	if o.Stale == 0 {
		o.Stale = DefaultStale
	}
	if o.Host == "" {
		o.Host = Host()
	}
	number, theirs, path, err := newest(dir)
	if err != nil {
		return nil, err
	}
	if number > 0 && !theirs.Released && !(o.Alone && theirs.Host == o.Host) {
		age, err := silence(path)
		if err != nil {
			return nil, err
		}
		if age < o.Stale {
			return nil, fmt.Errorf("%w: process %d on %s, which gave a sign of life %v ago", ErrHeld, theirs.PID,
				theirs.Host, max(age, 0).Round(time.Second))
		}
	}
	now := time.Now()
	l := &Lease{dir: dir, number: number + 1, stale: o.Stale, end: make(chan struct{}), lost: make(chan struct{}),
		holder: holder{Host: o.Host, PID: os.Getpid(), Taken: now.UTC(), Renewed: now.UTC()}, renewed: now}
	text, err := json.Marshal(l.holder)
	if err != nil {
		return nil, err
	}
	created, err := atomicfile.WriteNew(l.path(), append(text, '\n'))
	if err != nil {
		return nil, err
	}
	if !created {
		return nil, fmt.Errorf("%w, which was a moment quicker", ErrHeld)
	}
	l.removeOlder()
	l.done.Go(l.keep)
	return l, nil
}

// Names of the files: ".lease-", a number, ".json".
const prefix, ending = ".lease-", ".json"

func (l *Lease) path() string {
	return filepath.Join(l.dir, fmt.Sprintf("%s%08d%s", prefix, l.number, ending))
}

// numbers returns the numbers of all leases in dir with their names.
func numbers(dir string) (map[int]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("lease: %w", err)
	}
	found := make(map[int]string)
	for _, e := range entries {
		var n int
		text, ok := strings.CutPrefix(e.Name(), prefix)
		if _, err := fmt.Sscanf(text, "%d", &n); ok && err == nil && strings.HasSuffix(text, ending) {
			found[n] = e.Name()
		}
	}
	return found, nil
}

// newest returns the lease with the highest number; the number is 0 if there is none.
func newest(dir string) (number int, h holder, path string, err error) {
	for range 5 { // a file may be removed between listing and reading, and there is a newer one then
		all, err := numbers(dir)
		if err != nil {
			return 0, h, "", err
		}
		number = 0
		for n := range all {
			number = max(number, n)
		}
		if number == 0 {
			return 0, h, "", nil
		}
		path = filepath.Join(dir, all[number])
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, h, "", fmt.Errorf("lease: %w", err)
		}
		if err := jsonfile.Decode(path, text, &h); err != nil {
			return 0, h, "", fmt.Errorf("lease: %w: remove the file if no process works in the folder", err)
		}
		return number, h, path, nil
	}
	return 0, h, "", fmt.Errorf("lease: the leases in %s change too quickly", dir)
}

// silence is the time since the lease at path was renewed, by the clock of its file system.
func silence(path string) (time.Duration, error) {
	probe, err := os.CreateTemp(filepath.Dir(path), ".lease-probe-*")
	if err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	defer os.Remove(probe.Name())
	_, err = probe.WriteString("now")
	if err := errors.Join(err, probe.Close()); err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	now, err := os.Stat(probe.Name())
	if err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	then, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) { // taken over by another process just now
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	return now.ModTime().Sub(then.ModTime()), nil
}

// removeOlder removes the files of former holders. What cannot be removed does no harm.
func (l *Lease) removeOlder() {
	all, err := numbers(l.dir)
	if err != nil {
		return
	}
	for n, name := range all {
		if n < l.number {
			os.Remove(filepath.Join(l.dir, name))
		}
	}
}

// keep renews the lease until it is released or lost.
func (l *Lease) keep() {
	ticker := time.NewTicker(max(l.stale/12, time.Millisecond))
	defer ticker.Stop()
	for {
		select {
		case <-l.end:
			return
		case <-ticker.C:
			if l.Check() != nil {
				return
			}
		}
	}
}

// Lost is closed when the lease is lost.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Check renews the lease if a renewal is due. It returns ErrLost if the lease is lost: call it before writing what
// another holder could write as well.
func (l *Lease) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isLost {
		return ErrLost
	}
	now := time.Now()
	if now.Sub(l.renewed) < l.stale/24 {
		return nil
	}
	l.holder.Renewed = now.UTC()
	newer, err := l.write()
	if newer || err != nil && now.Sub(l.renewed) > l.stale*2/3 {
		l.isLost = true
		close(l.lost)
		return ErrLost
	}
	if err == nil { // otherwise it is tried again
		l.renewed = now
	}
	return nil
}

// write writes the holder, unless there is a newer lease.
func (l *Lease) write() (newer bool, err error) {
	all, err := numbers(l.dir)
	if err != nil {
		return false, err
	}
	for n := range all {
		if n > l.number {
			return true, nil
		}
	}
	text, err := json.Marshal(l.holder)
	if err != nil {
		return false, err
	}
	return false, atomicfile.WriteFile(l.path(), append(text, '\n'))
}

// Release gives the lease back, so that another process can take it at once. The file stays, marked as released.
func (l *Lease) Release() error {
	close(l.end)
	l.done.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isLost {
		return ErrLost
	}
	l.holder.Released, l.holder.Renewed = true, time.Now().UTC()
	newer, err := l.write()
	if newer {
		return ErrLost
	}
	return err
}
