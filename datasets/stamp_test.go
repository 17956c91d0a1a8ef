package datasets_test

import (
	"io/fs"
	"strings"
	"testing"

	"captionlab/datasets"
)

func TestStamp(t *testing.T) {
	whole := onDisk{memory: fresh(), stamp: "5eed"}
	if got, ok, err := datasets.Stamp(whole); got != "5eed" || !ok || err != nil {
		t.Errorf("stamp %q, %v, %v", got, ok, err)
	}
	other := whole
	other.stamp = "5eee"
	seen := map[string]string{"5eed": "the whole"}
	for name, part := range map[string]datasets.Dataset{
		"1 1 1":            datasets.Subset(whole, 1, 1, 1),
		"2 1 1":            datasets.Subset(whole, 2, 1, 1),
		"1 2 1":            datasets.Subset(whole, 1, 2, 1),
		"1 1 0":            datasets.Subset(whole, 1, 1, 0),
		"1 1 1 of 2 1 1":   datasets.Subset(datasets.Subset(whole, 2, 1, 1), 1, 1, 1),
		"another whole":    datasets.Subset(other, 9, 9, 9),
		"1 1 1 of another": datasets.Subset(other, 1, 1, 1),
	} {
		stamp, ok, err := datasets.Stamp(part)
		if err != nil || !ok || stamp == "" {
			t.Errorf("%s: %q, %v, %v", name, stamp, ok, err)
		}
		if same, found := seen[stamp]; found {
			t.Errorf("%s and %s have the same stamp", name, same)
		}
		seen[stamp] = name
		if again, _, _ := datasets.Stamp(part); again != stamp {
			t.Errorf("%s: the stamp changed from %s to %s", name, stamp, again)
		}
	}
}

func TestStampIsOptional(t *testing.T) {
	part := datasets.Subset(fresh(), 2, 2, 1)
	for _, ds := range []datasets.Dataset{fresh(), part, datasets.Subset(part, 1, 1, 1)} {
		if got, ok, err := datasets.Stamp(ds); got != "" || ok || err != nil {
			t.Errorf("%s: stamp %q, %v, %v", ds.Name(), got, ok, err)
		}
	}
}

func TestStampFails(t *testing.T) {
	whole := onDisk{memory: fresh(), err: fs.ErrNotExist}
	for _, ds := range []datasets.Dataset{whole, datasets.Subset(whole, 1, 1, 1)} {
		_, ok, err := datasets.Stamp(ds)
		if ok || err == nil || !strings.Contains(err.Error(), "stamp of "+ds.Name()+": file") {
			t.Errorf("%s: %v, %v", ds.Name(), ok, err)
		}
	}
}

func TestClose(t *testing.T) {
	closed := 0
	whole := onDisk{memory: fresh(), closed: &closed}
	part := datasets.Subset(whole, 2, 1, 1)
	wholes := []datasets.Dataset{whole, part, datasets.Subset(part, 1, 1, 1), datasets.Subset(whole, 9, 9, 9)}
	for i, ds := range wholes {
		if err := datasets.Close(ds); err != nil || closed != i+1 {
			t.Errorf("after closing %s: %d calls, %v", ds.Name(), closed, err)
		}
	}
	for _, ds := range []datasets.Dataset{fresh(), datasets.Subset(fresh(), 1, 1, 1)} {
		if err := datasets.Close(ds); err != nil {
			t.Errorf("%s has nothing to close: %v", ds.Name(), err)
		}
	}
}
