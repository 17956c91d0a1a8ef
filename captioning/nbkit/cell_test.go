package nbkit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"captionlab/captioning"
)

// TestMustGivesTheOrdinaryMessage checks that an error in Must looks like one that the cell returned, and a panic does
// not.
func TestMustGivesTheOrdinaryMessage(t *testing.T) {
	problem := fmt.Errorf("image 7: %w", errors.New("no such image"))
	run := func(body func() error) error {
		return guarded(t.Context(), func(context.Context) error { return body() })
	}
	returned := run(func() error { return problem })
	panicked := run(func() error { return Shown(Text("%d", Must(0, problem)), nil) })
	if message(returned) != message(panicked) || !errors.Is(panicked, problem) {
		t.Errorf("Must shows %q, want %q", message(panicked), message(returned))
	}
	stopped := run(func() error { Must(0, captioning.ErrStopped); return nil })
	if !errors.Is(stopped, captioning.ErrStopped) {
		t.Errorf("an interrupted cell ends with %v", stopped)
	}
	bug := run(func() error { var none []int; _ = none[len(none)]; return nil })
	if shown := string(message(bug)); !strings.Contains(shown, "The code of this cell failed") {
		t.Errorf("a panic shows %q", shown)
	}
	if err := run(func() error { return Shown("", problem) }); err != problem {
		t.Errorf("Shown returned %v", err)
	}
	if got := Must(7, nil); got != 7 {
		t.Errorf("Must returned %d", got)
	}
}

func TestMistakeFailsWithoutOne(t *testing.T) {
	if err := Mistake(nil); err == nil || !strings.Contains(err.Error(), "did not") {
		t.Errorf("error %v", err)
	}
	if err := Mistake(errors.New("a mistake")); err != nil {
		t.Errorf("a deliberate mistake fails the cell: %v", err)
	}
}
