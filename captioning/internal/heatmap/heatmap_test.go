package heatmap

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/image/draw"
)

func white(side int) image.Image {
	img := image.NewRGBA(image.Rect(10, 20, 10+side, 20+side))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	return img
}

func TestOverlayIsBrightWhereTheWeightIs(t *testing.T) {
	weights := make([]float32, 9)
	weights[2] = 0.5 // the top right place of three by three
	heat, err := Overlay(white(90), weights)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[image.Point]uint8{{75, 15}: 255, {15, 75}: 51, {15, 15}: 51, {75, 75}: 51} {
		got := heat.RGBAAt(at.X, at.Y)
		if got.R > want || int(got.R)+4 < int(want) || got != (color.RGBA{got.R, got.R, got.R, 255}) {
			t.Errorf("at %v: %v, want about %d", at, got, want)
		}
	}
}

func TestOverlayOfNothing(t *testing.T) {
	heat, err := Overlay(white(4), make([]float32, 4))
	if err != nil || heat.RGBAAt(0, 0).R != 51 {
		t.Errorf("%v, %v", heat.RGBAAt(0, 0), err)
	}
	for _, n := range []int{0, 3} {
		_, err := Overlay(white(4), make([]float32, n))
		if err == nil || !strings.Contains(err.Error(), "not a square") {
			t.Errorf("%d places: %v", n, err)
		}
	}
}

func TestSheetHasATileForEachWord(t *testing.T) {
	one := []float32{1, 0, 0, 0}
	sheet, err := Sheet(white(32), strings.Fields("a dog runs in the snow"), [][]float32{one, one, one, one, one, one})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := sheet.Bounds().Size(), (image.Point{5*166 + 6, 2*188 + 6}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := Sheet(white(32), []string{"a"}, nil); err == nil {
		t.Error("a word without weights was accepted")
	}
}
