package shapes

import (
	"context"
	"image"
	"image/color"
	"image/png"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"captionlab/datasets"
)

func open(t testing.TB, opts ...Option) *Dataset {
	t.Helper()
	ds, err := Open(opts...)
	if err != nil {
		t.Fatal(err)
	}
	return ds
}

func fingerprint(t *testing.T, opts ...Option) string {
	t.Helper()
	sum, err := datasets.Fingerprint(context.Background(), open(t, opts...))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// TestFingerprint pins ids, captions and image bytes of the default dataset. After an intended change of what is drawn
// or written, set drawing to the new fingerprint: stamps change with it, and cached features of the old images are not
// used.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	if got := fingerprint(t); got != drawing {
		t.Errorf("fingerprint %s, want %s: set drawing to it if the change is intended", got, drawing)
	}
}

// TestOptionsChangeFingerprintAndStamp expects a golden fingerprint, computed by this test, for a small dataset, and
// different fingerprints and stamps for other options.
func TestOptionsChangeFingerprintAndStamp(t *testing.T) {
	const want = "ab6a0df918180b15901c2fec3b941927f99415a050a3229b5201a0bf091edaaf"
	small := WithSize(40, 10, 10)
	if got := fingerprint(t, small); got != want {
		t.Errorf("fingerprint %s, want %s", got, want)
	}
	fingerprints, stamps := map[string]string{}, map[string]string{}
	for name, opts := range map[string][]Option{
		"small":              {small},
		"another seed":       {small, WithSeed(2)},
		"another image size": {small, WithImageSize(128)},
		"more train images":  {WithSize(41, 10, 10)},
		"more val images":    {WithSize(40, 11, 10)},
		"more test images":   {WithSize(40, 10, 11)},
	} {
		sum := fingerprint(t, opts...)
		stamp, ok, err := datasets.Stamp(open(t, opts...))
		if err != nil || !ok || len(stamp) != 64 {
			t.Fatalf("%s: stamp %q, %v, %v", name, stamp, ok, err)
		}
		if again, _, _ := datasets.Stamp(open(t, opts...)); again != stamp {
			t.Errorf("%s: stamps %s and %s of the same dataset", name, stamp, again)
		}
		if other, same := fingerprints[sum]; same {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		if other, same := stamps[stamp]; same {
			t.Errorf("%s and %s have the same stamp", name, other)
		}
		fingerprints[sum], stamps[stamp] = name, name
	}
}

func TestSmallerIsPrefix(t *testing.T) {
	small, large := open(t, WithSize(7, 2, 3)), open(t, WithSize(30, 5, 5), WithImageSize(96))
	for _, split := range datasets.Splits {
		got := small.Examples(split)
		if !reflect.DeepEqual(got, large.Examples(split)[:len(got)]) {
			t.Errorf("%s differs", split)
		}
	}
	for split, want := range map[datasets.Split]int{datasets.Train: 7, datasets.Val: 2, datasets.Test: 3} {
		if got := len(small.Examples(split)); got != want {
			t.Errorf("%d %s images, want %d", got, split, want)
		}
	}
}

// TestSplitsShareNoCombination checks the promise of the package: under any seeds, no (shape, colour | relation |
// shape, colour) and no (shape, colour | position) of one split occurs in another, but all their parts occur in
// training.
func TestSplitsShareNoCombination(t *testing.T) {
	first, second := open(t), open(t, WithSeed(7))
	seen := map[datasets.Split]map[string]bool{}
	looks, relations, arranged := map[Look]bool{}, map[string]bool{}, map[string]int{}
	for _, split := range datasets.Splits {
		seen[split] = map[string]bool{}
		for _, ds := range []*Dataset{first, second} {
			for _, ex := range ds.Examples(split) {
				for _, c := range ds.scenes[ex.ID].Combinations() {
					seen[split][c.String()] = true
					if split == datasets.Train {
						looks[c.A], relations[c.Relation+c.Position] = true, true
					} else if !looks[c.A] || (c.Relation != "at" && !looks[c.B]) || !relations[c.Relation+c.Position] {
						t.Errorf("%s: a part of %v never occurs in training", ex.ID, c)
					}
				}
				s := ds.scenes[ex.ID]
				arranged[string(split)+" "+string(s.Arrangement)]++
			}
		}
	}
	for i, a := range datasets.Splits {
		if len(seen[a]) < 100 {
			t.Errorf("only %d combinations in %s", len(seen[a]), a)
		}
		for _, b := range datasets.Splits[i+1:] {
			for c := range seen[a] {
				if seen[b][c] {
					t.Errorf("%s is in %s and %s", c, a, b)
				}
			}
		}
		for _, arrangement := range arrangements {
			if arranged[string(a)+" "+string(arrangement)] == 0 {
				t.Errorf("no %s scene in %s", arrangement, a)
			}
		}
	}
	if len(looks) != len(shapeNames)*len(colourNames) {
		t.Errorf("training shows %d of %d looks", len(looks), len(shapeNames)*len(colourNames))
	}
}

// TestEveryAlikeArrangementHasSplits checks that the search for a scene of equal objects ends.
func TestEveryAlikeArrangementHasSplits(t *testing.T) {
	for _, arrangement := range []Arrangement{Beside, Stacked} {
		found := map[datasets.Split]int{}
		for _, shape := range shapeNames {
			for _, colour := range colourNames {
				o := Object{Shape: shape, Colour: colour}
				s := &Scene{Arrangement: arrangement, Objects: []Object{o, o}}
				found[s.Combinations()[0].Split()]++
			}
		}
		for _, split := range datasets.Splits {
			if found[split] == 0 {
				t.Errorf("no %s scene of equal objects can be in %s", arrangement, split)
			}
		}
	}
}

// TestImagesShowTheScene checks the colour at the place of every object.
func TestImagesShowTheScene(t *testing.T) {
	ds := open(t, WithSize(120, 20, 20))
	for id, s := range ds.scenes {
		image := decode(t, ds, id)
		if b := image.Bounds(); b.Dx() != DefaultImageSize || b.Dy() != DefaultImageSize {
			t.Fatalf("%s is %v", id, b)
		}
		for i, o := range s.Objects {
			x, y := o.X, o.Y
			if s.Arrangement == Inside && i == 1 {
				y += o.Radius * .45 // below the inner object and its shadow, inside any shape
			}
			want := palette[o.Colour]
			pixel := image.At(int(x*DefaultImageSize), int(y*DefaultImageSize))
			got := color.NRGBAModel.Convert(pixel).(color.NRGBA)
			if got != (color.NRGBA{want.r, want.g, want.b, 255}) {
				t.Errorf("%s: %s %s: colour %v at its place, want %v", id, o.Colour, o.Shape, got, want)
			}
		}
	}
}

// TestObjectsAreApart draws many scenes. Every outline is completely inside the image. No two outlines touch, except
// that an inner object is completely inside the box of the outer one.
func TestObjectsAreApart(t *testing.T) {
	ds := open(t, WithSize(4000, 0, 0))
	type box struct{ left, top, right, bottom int }
	for id, s := range ds.scenes {
		var boxes []box
		for _, o := range s.Objects {
			b := box{grid, grid, 0, 0}
			centre := point{int(o.X * grid), int(o.Y * grid)}
			for _, p := range place(outlines[o.Shape], centre, int(o.Radius*grid), o.tilt) {
				b = box{min(b.left, p.x), min(b.top, p.y), max(b.right, p.x), max(b.bottom, p.y)}
			}
			if b.left < 0 || b.top < 0 || b.right > grid || b.bottom > grid {
				t.Errorf("%s: %+v exceeds the image: %v", id, o, b)
			}
			if (o.Size == Small) != (o.Radius < .1) || (o.Size == Large) != (o.Radius > .125) {
				t.Errorf("%s: %+v is not %s", id, o, o.Size)
			}
			boxes = append(boxes, b)
		}
		for i, a := range boxes {
			for _, b := range boxes[i+1:] {
				apart := a.right < b.left || a.bottom < b.top
				inside := a.left > b.left && a.right < b.right && a.top > b.top && a.bottom < b.bottom
				if s.Arrangement == Inside && !inside || s.Arrangement != Inside && !apart {
					t.Errorf("%s: %s objects at %v and %v", id, s.Arrangement, a, b)
				}
			}
		}
	}
}

func decode(t *testing.T, ds datasets.Dataset, id string) image.Image {
	t.Helper()
	f, err := ds.OpenImage(id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoded, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func TestConcurrentUse(t *testing.T) {
	ds := open(t, WithSize(8, 1, 1))
	var wg sync.WaitGroup
	bytesOf := make([]string, 8)
	for i := range bytesOf {
		wg.Go(func() {
			f, err := ds.OpenImage(ds.Examples(datasets.Train)[i/2].ID)
			if err != nil {
				t.Error(err)
				return
			}
			b, _ := io.ReadAll(f)
			bytesOf[i] = string(b)
		})
	}
	wg.Wait()
	for i := 0; i < len(bytesOf); i += 2 {
		if bytesOf[i] == "" || bytesOf[i] != bytesOf[i+1] {
			t.Errorf("image %d differs between two readers", i/2)
		}
	}
}

func TestIDsAreDecimal(t *testing.T) {
	ds := open(t, WithSize(3, 2, 1))
	first := map[datasets.Split]string{datasets.Train: "100001", datasets.Val: "200001", datasets.Test: "300001"}
	for split, want := range first {
		id := ds.Examples(split)[0].ID
		if n, err := strconv.Atoi(id); err != nil || strconv.Itoa(n) != id || id != want {
			t.Errorf("%s begins with id %q, want %s", split, id, want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for want, opt := range map[string]Option{
		"-1 train":        WithSize(-1, 1, 1),
		"100000 val":      WithSize(1, 100_000, 1),
		"-5 test":         WithSize(1, 1, -5),
		"image size 0":    WithImageSize(0),
		"image size 5000": WithImageSize(5000),
	} {
		_, err := Open(opt)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "use ") {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	ds := open(t, WithSize(1, 0, 0))
	if len(ds.Examples(datasets.Val)) != 0 {
		t.Error("a split without images is not empty")
	}
	for _, id := range []string{"", "100002", "x.jpg"} {
		if _, err := ds.OpenImage(id); err == nil || !strings.Contains(err.Error(), strconv.Quote(id)) {
			t.Errorf("image %q: %v", id, err)
		}
	}
}
