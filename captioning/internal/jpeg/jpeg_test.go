package jpeg

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"reflect"
	"testing"
)

// check fails unless Decode returns what image/jpeg returns: the same type, bounds and bytes of the planes, those
// beyond the edges included, or the same error. If own is set, the file must have been decoded here.
func check(t *testing.T, data []byte, own bool) {
	t.Helper()
	want, wantErr := jpeg.Decode(bytes.NewReader(data))
	kept := bytes.Clone(data)
	got, err := Decode(data)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("error %v, want %v", err, wantErr)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("not the image of image/jpeg: %T %v, want %T %v", got, bounds(got), want, bounds(want))
	}
	if !bytes.Equal(data, kept) {
		t.Fatal("the file was changed")
	}
	if own && new(decoder).decode(data) == nil {
		t.Fatal("left to image/jpeg")
	}
}

func bounds(img image.Image) image.Rectangle {
	if img == nil {
		return image.Rectangle{}
	}
	return img.Bounds()
}

// drawn is an image of waves and noise.
func drawn(width, height int, gray bool) image.Image {
	r := rand.New(rand.NewPCG(uint64(width), uint64(height)))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		x, y := i/4%width, i/4/width
		img.Pix[i] = uint8((x*x/7+y*(i%4+1)*3)%200 + r.IntN(56))
	}
	if !gray {
		return img
	}
	out := image.NewGray(img.Rect)
	for i := range out.Pix {
		out.Pix[i] = color.GrayModel.Convert(img.RGBAAt(i%width, i/width)).(color.Gray).Y
	}
	return out
}

func encoded(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSizes(t *testing.T) {
	for width := 1; width <= 67; width += 1 + width/20 {
		for height := 1; height <= 41; height += 1 + height/10 {
			check(t, encoded(t, drawn(width, height, false), 80), true)
			check(t, encoded(t, drawn(width, height, true), 80), true)
		}
	}
}

func TestQualities(t *testing.T) {
	for quality := 1; quality <= 100; quality++ {
		check(t, encoded(t, drawn(67, 41, false), quality), true)
		check(t, encoded(t, drawn(67, 41, true), quality), true)
	}
}

// TestLarge reads files that fill the window of bytes several times.
func TestLarge(t *testing.T) {
	for _, quality := range []int{50, 90, 100} {
		check(t, encoded(t, drawn(500, 375, false), quality), true)
	}
}

// photo is the size of coefficients as in photographs; wild, as in no photograph.
func photo(r *rand.Rand, k int) int {
	return max(0, r.IntN(10)-k/4-2)
}

func wild(r *rand.Rand, k int) int {
	if k == 0 {
		return r.IntN(17)
	}
	return r.IntN(16)
}

func someSteps(r *rand.Rand, i int) int { return 1 + r.IntN(4+i) }

// kinds are descriptions of files that are decoded here.
func kinds() map[string]written {
	plain := written{width: 67, height: 41, sof: markerSOF0, step: someSteps, size: photo, lengths: mixedLengths}
	all := make(map[string]written)
	for name, sampling := range map[string][][2]int{
		"4:4:4": {{1, 1}, {1, 1}, {1, 1}}, "4:2:2": {{2, 1}, {1, 1}, {1, 1}}, "4:2:0": {{2, 2}, {1, 1}, {1, 1}},
		"4:4:0": {{1, 2}, {1, 1}, {1, 1}}, "4:1:1": {{4, 1}, {1, 1}, {1, 1}}, "4:1:0": {{4, 2}, {1, 1}, {1, 1}},
		"gray": {{1, 1}}, "gray with factors": {{4, 2}}, "4:4:4 with factors": {{2, 1}, {2, 1}, {2, 1}},
		"4:2:2 with factors": {{4, 1}, {2, 1}, {2, 1}}, "4:4:0 with factors": {{2, 2}, {2, 1}, {2, 1}},
	} {
		kind := plain
		kind.sampling = sampling
		all[name] = kind
		kind.size, kind.sof = wild, markerSOF1
		kind.step = func(r *rand.Rand, _ int) int { return r.IntN(256) }
		all[name+", wild"] = kind
		kind.size, kind.sof, kind.lengths = photo, markerSOF0, evenLengths
		kind.interval = 3
		all[name+", restarts"] = kind
		kind.interval, kind.lengths = 1, unevenLengths
		all[name+", long codes, a restart after each unit"] = kind
	}
	kind := all["4:2:0"]
	kind.order = []int{2, 0, 1}
	all["other order"] = kind
	kind = all["4:4:4, restarts"]
	kind.before = segmentTest(markerAPP0, []byte("JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")...)
	kind.after = append([]byte("more\xff\x00data\xff\xff\xff\xd3\xff"), segmentTest(markerCOM, 'c')...)
	all["data after the scan"] = kind
	kind = all["4:2:0, wild"]
	kind.width, kind.height = 300, 200
	all["large wild"] = kind
	return all
}

// TestWrittenWithoutVectors is TestWritten for processors without vectors.
func TestWrittenWithoutVectors(t *testing.T) {
	withoutVectors(t)
	TestWritten(t)
}

func TestWritten(t *testing.T) {
	for name, kind := range kinds() {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(10) {
				check(t, kind.file(seed), true)
				kind.width, kind.height = 1+(kind.width*7+int(seed))%80, 1+(kind.height*5)%61
			}
		})
	}
}

// TestDamaged cuts files short everywhere, changes each byte, and puts garbage behind the end.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	files := [][]byte{encoded(t, drawn(19, 17, false), 60), encoded(t, drawn(20, 20, true), 60)}
	for _, name := range []string{"4:2:0, restarts", "4:2:2, long codes, a restart after each unit", "4:4:4"} {
		kind := kinds()[name]
		kind.width, kind.height = 24, 20
		files = append(files, kind.file(3))
	}
	for _, file := range files {
		check(t, append(bytes.Clone(file), "garbage\xff\xd8\xff\xc0"...), true)
		for i := range file {
			check(t, file[:i], false)
			check(t, append(bytes.Clone(file[:i]), file[min(i+1+r.IntN(3), len(file)):]...), false)
			for _, v := range []byte{0, 0xff, file[i] ^ 1<<r.IntN(8), byte(r.Uint32())} {
				changed := bytes.Clone(file)
				changed[i] = v
				check(t, changed, false)
			}
		}
	}
}

// TestOthers are files that are left to image/jpeg.
func TestOthers(t *testing.T) {
	rgb := kinds()["4:4:4"]
	rgb.before = segmentTest(markerAPPE, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)
	late := kinds()["4:4:4"]
	late.after = rgb.before
	for name, data := range map[string][]byte{
		"RGB": rgb.file(1), "RGB, says the end": late.file(1), "nothing": nil, "no JPEG": []byte("GIF89a"),
	} {
		t.Run(name, func(t *testing.T) {
			check(t, data, false)
			if new(decoder).decode(data) != nil {
				t.Error("not left to image/jpeg")
			}
		})
	}
}
