package shard

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"captionlab/captioning/internal/atomicfile"
)

// work has 100 images, one of which has a line break in its id.
func work() Work {
	ids := []string{"odd\n\"id\".jpg"}
	for i := range 99 {
		ids = append(ids, fmt.Sprintf("%03d.jpg", i))
	}
	return Work{Kind: Captions, Inputs: "print", Settings: map[string]string{"model": "m", "beam": "3"}, Shards: 7,
		IDs: slices.Values(ids)}
}

// publish publishes a part with one line for every image, but none for images whose number ends in 3.
func publish(t *testing.T, f *Folder, w Work, index int) {
	t.Helper()
	p := Part{index, w.Shards}
	r := Result{Started: time.Now(), Bad: []Bad{}}
	var text string
	for id := range w.IDs {
		switch {
		case !p.Holds(id):
		case strings.HasSuffix(id, "3.jpg"):
			r.Bad = append(r.Bad, Bad{id, "odd"})
		default:
			r.Images++
			text += id + "|"
		}
	}
	r.Write = func(path string) error { return atomicfile.WriteFile(path, []byte(text)) }
	if _, err := f.Publish(p, ".txt", r); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, dir string, w Work) *Folder {
	t.Helper()
	f, err := Begin(dir, w)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func wantError(t *testing.T, err error, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestShardsMergeInOrder(t *testing.T) {
	dir, w := t.TempDir(), work()
	for i := range w.Shards {
		f := begin(t, dir, w) // as another process
		if r, err := f.Published(Part{i, w.Shards}); r != nil || err != nil {
			t.Fatalf("shard %d is published before its time: %v, %v", i, r, err)
		}
		publish(t, f, w, i)
		if r, err := f.Published(Part{i, w.Shards}); r == nil || err != nil {
			t.Fatalf("shard %d: %v, %v", i, r, err)
		}
	}
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	records, err := f.Records()
	if err != nil {
		t.Fatal(err)
	}
	var lines [][]string
	for _, r := range records {
		text, err := os.ReadFile(f.File(r))
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Split(string(text), "|"))
	}
	var ids []string
	for e, err := range f.Merged(records) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, e.ID)
		bad := strings.HasSuffix(e.ID, "3.jpg")
		if bad != (e.Row < 0) || bad && e.Reason != "odd" || !bad && lines[e.Shard][e.Row] != e.ID {
			t.Errorf("%+v, whose shard has %q", e, lines[e.Shard])
		}
	}
	if want := slices.Collect(w.IDs); !slices.Equal(ids, want) || f.Plan.Total() != len(want) {
		t.Errorf("%d images %q, want %q", f.Plan.Total(), ids, want)
	}
}

func TestOtherWorkIsRefused(t *testing.T) {
	dir, w := t.TempDir(), work()
	begin(t, dir, w)
	for want, change := range map[string]func(*Work){
		`beam "5" instead of "3"`:                 func(o *Work) { o.Settings["beam"] = "5" },
		`seed "1" instead of ""`:                  func(o *Work) { o.Settings["seed"] = "1" },
		`kind features instead of captions`:       func(o *Work) { o.Kind = Features },
		`inputs other instead of print`:           func(o *Work) { o.Inputs = "other" },
		`shards 8 instead of 7`:                   func(o *Work) { o.Shards = 8 },
		`hash of the ids`:                         func(o *Work) { o.IDs = slices.Values([]string{"a"}) },
		`use the same inputs and settings, or na`: func(o *Work) { delete(o.Settings, "model") },
	} {
		other := w
		other.Settings = maps.Clone(w.Settings)
		change(&other)
		_, err := Begin(dir, other)
		wantError(t, err, dir, want)
	}
	if _, err := Begin(dir, w); err != nil {
		t.Error(err)
	}
	theirs := t.TempDir()
	other := w
	other.Settings = map[string]string{"model": "m", "beam": "5"}
	publish(t, begin(t, theirs, other), other, 2)
	for _, name := range []string{"shard-00002-of-00007.txt", "shard-00002-of-00007.json"} {
		if err := os.Rename(filepath.Join(theirs, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	_, err := begin(t, dir, w).Published(Part{2, 7})
	wantError(t, err, `beam "5" instead of "3"`, "shard-00002-of-00007.json")
}

func TestMissingAndDamagedShardsAreNamed(t *testing.T) {
	dir, w := t.TempDir(), work()
	f := begin(t, dir, w)
	publish(t, f, w, 1)
	publish(t, f, w, 5)
	_, err := f.Records()
	wantError(t, err, "5 of 7 shards are missing", "run 0,2-4,6")
	for _, i := range []int{0, 2, 3, 4, 6} {
		publish(t, f, w, i)
	}
	path := filepath.Join(dir, "shard-00003-of-00007.txt")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[0] ^= 1
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err = f.Records()
	wantError(t, err, "shard 3/7", "is damaged", "remove shard-00003-of-00007.json")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	_, err = f.Records() // the record alone does not count
	wantError(t, err, "1 of 7 shards are missing", "run 3")
	_, err = f.Publish(Part{3, 7}, ".txt", Result{Started: time.Now(), Images: 1})
	wantError(t, err, "has results of 1 images")
	ids, err := filepath.Glob(filepath.Join(dir, "*.ids"))
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	if err := os.WriteFile(ids[0], []byte("\"a\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, err = range f.IDs() {
	}
	wantError(t, err, "its SHA-256 is not the plan's")
}

// Two processes that begin at once agree on one plan; of two with different settings, one is refused.
func TestTheFirstPlanStays(t *testing.T) {
	for range 20 {
		dir := filepath.Join(t.TempDir(), "new")
		problems := make(chan error)
		for i := range 6 {
			w := work()
			w.Settings["beam"] = fmt.Sprint(i % 2)
			go func() {
				_, err := Begin(dir, w)
				problems <- err
			}()
		}
		refused := 0
		for range 6 {
			if err := <-problems; err != nil {
				wantError(t, err, "instead of")
				refused++
			}
		}
		if refused != 3 {
			t.Fatalf("%d of 6 processes were refused, want 3", refused)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, "*.partial-*")); len(left) > 0 {
			t.Errorf("%v were left behind", left)
		}
	}
}
