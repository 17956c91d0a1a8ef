package encoder

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// firstFrame is the first frame of an animated WebP.
type firstFrame struct {
	x, y, width, height int
	still               []byte // a WebP of its own
}

// firstFrameWebP takes the first frame of an animated WebP, in the content of an ANMF chunk, for a canvas of width x
// height pixels.
//
// Reference: the WebP container specification, "Animation".
func firstFrameWebP(chunk []byte, width, height int) (*firstFrame, error) {
	const header = 16
	if len(chunk) < header {
		return nil, errors.New("its first frame is cut short")
	}
	three := func(at int) int { return int(chunk[at]) | int(chunk[at+1])<<8 | int(chunk[at+2])<<16 }
	f := &firstFrame{x: 2 * three(0), y: 2 * three(3), width: three(6) + 1, height: three(9) + 1}
	if f.x+f.width > width || f.y+f.height > height {
		return nil, fmt.Errorf("its first frame, of %d x %d pixels at %d, %d, does not fit its %d x %d pixels", f.width,
			f.height, f.x, f.y, width, height)
	}
	const before = 12                                              // bytes that chunksWebP skips
	for name, content := range chunksWebP(chunk[header-before:]) { // alpha may come first; it is dropped
		switch {
		case content == nil:
			return nil, fmt.Errorf("chunk %q of its first frame claims more bytes than the frame holds", name)
		case name == "VP8 " || name == "VP8L":
			f.still = stillWebP(name, content)
			return f, nil
		}
	}
	return nil, errors.New("its first frame holds no image")
}

// stillWebP is a WebP with one image chunk.
func stillWebP(name string, content []byte) []byte {
	out := append([]byte("RIFF????WEBP"), name...)
	out = append(binary.LittleEndian.AppendUint32(out, uint32(len(content))), content...)
	out = append(out, make([]byte, len(content)%2)...)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

// estimateAnimatedWebP estimates what decodeAnimatedWebP takes if the chunk is that of the first frame.
func estimateAnimatedWebP(chunk []byte, seen *bool, s *estimate) error {
	if *seen {
		return nil
	}
	*seen = true
	f, err := firstFrameWebP(chunk, s.width, s.height)
	if err != nil {
		return err
	}
	frame := &estimate{width: f.width, height: f.height}
	if err := estimateWebP(f.still, frame); err != nil {
		return err
	}
	s.memory = max(s.memory, frame.memory+3*s.pixels()+2*int64(len(chunk)))
	return nil
}

// animationWebP returns the first ANMF chunk, or nil if the WebP is not animated.
func animationWebP(data []byte) []byte {
	for name, chunk := range chunksWebP(data) {
		if name == "ANMF" {
			return chunk
		}
	}
	return nil
}

// decodeAnimatedWebP decodes the first frame. Like PIL, it leaves the canvas outside the frame black.
func decodeAnimatedWebP(chunk []byte, width, height int) (rows, error) {
	f, err := firstFrameWebP(chunk, width, height)
	if err != nil {
		return nil, err
	}
	src, err := decodeWebP(f.still, f.width, f.height)
	if err != nil {
		return nil, err
	}
	if w, h := src.size(); w != f.width || h != f.height {
		return nil, fmt.Errorf("its first frame has %d x %d pixels instead of %d x %d", w, h, f.width, f.height)
	}
	if f.width == width && f.height == height {
		return src, nil
	}
	canvas := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	row := newLine(f.width, 0)
	for y := range f.height {
		src.row(row, y, 0)
		row.join(canvas.RGB[3*((f.y+y)*width+f.x):])
	}
	return canvas, nil
}
