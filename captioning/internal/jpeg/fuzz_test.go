package jpeg

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// FuzzDecode compares with image/jpeg on any bytes.
func FuzzDecode(f *testing.F) {
	for _, kind := range kinds() {
		kind.width, kind.height = 20, 18
		f.Add(kind.file(1))
	}
	f.Add(encoded(f, drawn(17, 9, false), 70))
	f.Add(encoded(f, drawn(9, 17, true), 95))
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 18
		c, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err == nil && c.Width*c.Height > limit {
			return // would allocate up to gigabytes; package encoder has a limit
		}
		check(t, data, false)
	})
}
