package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// meter shows the progress of long work: on a terminal, one line that is rewritten; elsewhere, a plain line every ten
// seconds. Safe for concurrent use.
type meter struct {
	mu       sync.Mutex
	out      io.Writer
	terminal bool
	next     time.Time
	dirty    bool
}

func newMeter() *meter {
	terminal := term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb" // which knows no escape codes
	return &meter{out: os.Stderr, terminal: terminal}
}

// show prints the line unless the last one is too recent. A final line is always printed.
func (m *meter) show(final bool, format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if !final && now.Before(m.next) {
		return
	}
	pause := 10 * time.Second
	if m.terminal {
		pause = 200 * time.Millisecond
		fmt.Fprintf(m.out, "\r\x1b[K"+format, args...)
		m.dirty = true
		if final {
			fmt.Fprintln(m.out)
			m.dirty = false
		}
	} else {
		fmt.Fprintf(m.out, format+"\n", args...)
	}
	m.next = now.Add(pause)
}

// clear removes the line from a terminal, so that something else can be printed. The next show draws it again.
func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dirty {
		fmt.Fprint(m.out, "\r\x1b[K")
		m.dirty, m.next = false, time.Time{}
	}
}

// bar draws a part of a whole on a terminal; elsewhere it is empty.
func (m *meter) bar(done, all int) string {
	const width = 20
	if !m.terminal || all < 1 {
		return ""
	}
	full := width * min(max(done, 0), all) / all
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "] "
}

// say prints a separate line.
func (m *meter) say(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dirty {
		fmt.Fprintln(m.out)
		m.dirty = false
	}
	fmt.Fprintf(m.out, format+"\n", args...)
}

// short rounds a duration to whole seconds.
func short(d time.Duration) time.Duration { return d.Round(time.Second) }
