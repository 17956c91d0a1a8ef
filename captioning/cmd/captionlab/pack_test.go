package main

import (
	"path/filepath"
	"strings"
	"testing"

	"captionlab/captioning/pretrained"
)

// packRun packs the run in dir, and captions an image with the packed model and with the run.
func packRun(t *testing.T, dir string) {
	t.Helper()
	code, out, errs := call(t, program(dir, "pack", "run", "--out", "small.safetensors"))
	if code != 0 || !strings.HasPrefix(out, "small.safetensors: ") || !strings.Contains(out, "int8") {
		t.Fatalf("pack: exit %d, %s%s", code, out, errs)
	}
	code, out, errs = call(t, program(dir, "caption", "small.safetensors", "a.jpg"))
	if code != 0 || len(strings.Fields(out)) == 0 {
		t.Errorf("with the packed model: exit %d, %q, %s", code, out, errs)
	}
	if code, _, errs := call(t, program(dir, "pack", "run", "--out", "card", "--card")); code != 0 {
		t.Fatalf("pack --card: exit %d, %s", code, errs)
	}
	card, err := pretrained.ReadCard(filepath.Join(dir, "card"))
	if err != nil || len(card.Scores) != 2 || card.Scores[0].Images != 150 || len(card.Scores[0].Trained) == 0 ||
		len(card.Scores[0].Packed) == 0 || !strings.HasSuffix(card.Command, " pack run --out card --card") {
		t.Errorf("the card is %+v, %v", card, err)
	}
}

func TestCardsNameNoPlaces(t *testing.T) {
	got := withoutPlaces([]string{"captionlab", "pack", "/home/me/runs/small", "--out", "captioning/pretrained"})
	if want := "captionlab pack small --out captioning/pretrained"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %q", got, want)
	}
}
