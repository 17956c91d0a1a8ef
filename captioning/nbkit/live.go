package nbkit

import (
	"fmt"
	"html"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// live is one output below a cell whose content changes while the cell runs.
type live struct {
	id   string
	next time.Time
	used bool
}

// livePause is the shortest time between two contents: a browser has to draw each.
const livePause = 400 * time.Millisecond

func newLive() *live { return &live{id: "captionlab-" + gonbui.UniqueId()} }

// set replaces the content, unless the last one is too fresh.
func (l *live) set(content func() string) {
	if now := time.Now(); now.After(l.next) {
		l.next, l.used = now.Add(livePause), true
		gonbui.UpdateHTML(l.id, content())
	}
}

// line replaces the content by a line of text.
func (l *live) line(format string, args ...any) {
	l.set(func() string {
		return `<div style="font:14px/1.45 system-ui,sans-serif">` + html.EscapeString(fmt.Sprintf(format, args...)) + `</div>`
	})
}

// end puts the last content in place, which is what a saved notebook keeps.
func (l *live) end(content string) {
	if l.used || content != "" {
		gonbui.UpdateHTML(l.id, content)
	}
}
