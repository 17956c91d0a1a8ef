//go:build long

package nbkit

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/decoder"
)

// TestLongCaptionsOfFiles compares captions of cached features with captions of image files, with the default encoder.
func TestLongCaptionsOfFiles(t *testing.T) {
	l := newPlainLab(t)
	run, err := l.Train(tiny(l, "files"))
	must(t, err)
	again, err := l.EncodeAgain(IDs(l.TestExamples(2))...)
	if err != nil || !strings.Contains(string(again), "computed again, 2 vectors") {
		t.Errorf("features computed again: error %v, %s", err, again)
	}
	model, err := l.Open(run)
	must(t, err)
	examples := l.TestExamples(4)[2:]
	cards, err := l.Captioned(model, examples, decoder.GenerateOptions{}, 32)
	must(t, err)
	if len(cards) != 2 || cards[0].Caption == "" || cards[0].Title != examples[0].ID {
		t.Errorf("the gallery's cards are %+v", cards)
	}
	captioner, err := l.Captioner(run.Dir)
	must(t, err)
	file, err := l.ImageFile(cards[0].Title)
	must(t, err)
	defer os.RemoveAll(filepath.Dir(file))
	caption, err := captioner.CaptionFile(t.Context(), file, decoder.GenerateOptions{})
	must(t, err)
	if caption.Text != cards[0].Caption {
		t.Errorf("the file is captioned %q, its cached features %q", caption.Text, cards[0].Caption)
	}
	if image, err := FileThumbnail(file, 32); err != nil || !strings.HasPrefix(string(image), "data:image/jpeg") {
		t.Errorf("thumbnail %.40s, error %v", image, err)
	}
}
