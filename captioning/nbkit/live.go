package nbkit

import (
	"fmt"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// live is an output below a cell whose content changes while the cell runs.
type live struct {
	id   string
	next time.Time
	used bool
}

// livePause is the shortest time between two contents, since a browser has to draw each.
const livePause = 400 * time.Millisecond

func newLive() *live { return &live{id: "captionlab-" + gonbui.UniqueId()} }

// set replaces the content, unless it was replaced less than livePause ago.
func (l *live) set(content func() string) {
	if now := time.Now(); now.After(l.next) {
		l.next, l.used = now.Add(livePause), true
		gonbui.UpdateHTML(l.id, content())
	}
}

// hurry lets the next set replace the content, however fresh it is.
func (l *live) hurry() { l.next = time.Time{} }

// line replaces the content by a line of text.
func (l *live) line(format string, args ...any) {
	l.set(func() string { return string(Text("%s", fmt.Sprintf(format, args...))) })
}

// end sets the last content, which a saved notebook keeps.
func (l *live) end(content string) {
	if l.used || content != "" {
		gonbui.UpdateHTML(l.id, content)
	}
}
