package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"
)

// meter shows the progress of long work: on a terminal, one line that is rewritten; elsewhere, a plain line every ten
// seconds.
type meter struct {
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

// say prints a separate line.
func (m *meter) say(format string, args ...any) {
	if m.dirty {
		fmt.Fprintln(m.out)
		m.dirty = false
	}
	fmt.Fprintf(m.out, format+"\n", args...)
}

// short rounds a duration to whole seconds.
func short(d time.Duration) time.Duration { return d.Round(time.Second) }
