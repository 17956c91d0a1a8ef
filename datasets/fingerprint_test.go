package datasets_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"captionlab/datasets"
)

// TestFingerprint pins the documented byte stream. testdata/fingerprint.py computed the expected value with hashlib of
// Python 3.11.7.
func TestFingerprint(t *testing.T) {
	const want = "fc64a1d4161a99654a624d742a1430ba7c7b0f28dfd73d0b3584c2bdaeefd98a"
	got, err := datasets.Fingerprint(context.Background(), fresh())
	if err != nil || got != want {
		t.Errorf("fingerprint %s, %v, want %s", got, err, want)
	}
}

func TestFingerprintSeesEveryPart(t *testing.T) {
	seen := map[string]string{}
	for name, change := range map[string]func(memory){
		"nothing":   func(memory) {},
		"an id":     func(m memory) { m.examples[datasets.Train][0].ID = "f" },
		"a caption": func(m memory) { m.examples[datasets.Val][1].Captions[0] += "!" },
		"a boundary": func(m memory) {
			m.examples[datasets.Test][0].Captions = []string{"one ft", "wo f"}
		},
		"fewer captions": func(m memory) { m.examples[datasets.Test][0].Captions = []string{"one ftwo f"} },
		"an image":       func(m memory) { m.images["c"] = "another" },
		"the order": func(m memory) {
			e := m.examples[datasets.Train]
			e[0], e[1] = e[1], e[0]
		},
		"the split": func(m memory) {
			m.examples[datasets.Val] = append(m.examples[datasets.Val], m.examples[datasets.Test]...)
			m.examples[datasets.Test] = nil
		},
	} {
		m := fresh()
		change(m)
		sum, err := datasets.Fingerprint(context.Background(), m)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[sum]; ok {
			t.Errorf("changing %s and changing %s give the same fingerprint", name, other)
		}
		seen[sum] = name
	}
}

func TestFingerprintFails(t *testing.T) {
	m := fresh()
	delete(m.images, "e")
	_, err := datasets.Fingerprint(context.Background(), m)
	if err == nil || !strings.Contains(err.Error(), `memory: no image "e"`) {
		t.Errorf("without an image: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := datasets.Fingerprint(ctx, fresh()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
