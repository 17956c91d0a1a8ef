package datasets_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"captionlab/datasets"
)

// TestFingerprint pins the byte stream that its documentation describes; testdata/fingerprint.py made the value
// with Python 3.11.7's hashlib.
func TestFingerprint(t *testing.T) {
	const want = "6f4dfad7bda437f155004f6a6013ee85905a00e6afb3c43fba00707d1991df21"
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
		"a picture":      func(m memory) { m.pictures["c"] = "another" },
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
			t.Errorf("changing %s and %s gives one fingerprint", name, other)
		}
		seen[sum] = name
	}
}

func TestFingerprintFails(t *testing.T) {
	m := fresh()
	delete(m.pictures, "e")
	if _, err := datasets.Fingerprint(context.Background(), m); err == nil || !strings.Contains(err.Error(), `memory: no picture "e"`) {
		t.Errorf("without a picture: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := datasets.Fingerprint(ctx, fresh()); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestParseSplit(t *testing.T) {
	for name, want := range map[string]datasets.Split{"train": datasets.Train, "val": datasets.Val, "dev": datasets.Val, "test": datasets.Test} {
		if got, err := datasets.ParseSplit(name); err != nil || got != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "Train", "validation"} {
		if _, err := datasets.ParseSplit(name); err == nil || !strings.Contains(err.Error(), "use train, val or test") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
