package captioning

import (
	"context"
	"path/filepath"
	"testing"

	"captionlab/captioning/internal/atomicfile"
	"captionlab/captioning/pretrained"
	"captionlab/captioning/xla/xlatest"
)

// TestIdentity: it is that of the model and not of the place where it lies.
func TestIdentity(t *testing.T) {
	ctx, backend := context.Background(), xlatest.OpenForTest(t)
	file := filepath.Join(t.TempDir(), "copy.safetensors")
	must(t, atomicfile.WriteFile(file, pretrained.Model()))
	rounded := filepath.Join(t.TempDir(), "rounded.safetensors")
	checkpoint, err := pretrainedCheckpoint()
	must(t, err)
	must(t, checkpoint.Pack(rounded, "bfloat16"))
	identities := make(map[string]string)
	for _, source := range []string{"", rounded, file} {
		c, err := OpenCaptioner(ctx, backend, source, CaptionerOptions{})
		must(t, err)
		defer c.Close()
		if identities[source], err = c.Identity(); err != nil || len(identities[source]) != 64 {
			t.Fatalf("%q: identity %q, %v", source, identities[source], err)
		}
		if want := map[string]string{"": pretrained.Source, file: file, rounded: rounded}[source]; c.Source() != want {
			t.Errorf("the source is %q, want %q", c.Source(), want)
		}
		if source != file {
			continue
		}
		checkpoint := c.model.Checkpoint
		changes := map[string]func() func(){
			"the encoder": func() func() {
				before := checkpoint.Encoder
				checkpoint.Encoder.WeightsSHA256 = "other"
				return func() { checkpoint.Encoder = before }
			},
			"the cell": func() func() {
				before := checkpoint.Settings.Cell
				checkpoint.Settings.Cell = "other"
				return func() { checkpoint.Settings.Cell = before }
			},
		}
		for name, change := range changes {
			undo := change()
			if other, err := c.Identity(); err != nil || other == identities[source] {
				t.Errorf("changing %s changes nothing: %q, %v", name, other, err)
			}
			undo()
		}
	}
	if identities[""] != identities[file] {
		t.Errorf("the same model has the identities %v", identities)
	}
	if identities[rounded] == identities[file] {
		t.Error("rounded weights have the same identity")
	}
}
