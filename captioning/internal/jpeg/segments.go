package jpeg

import (
	"bytes"
	"encoding/binary"
)

// Markers (ITU-T T.81, table B.1).
const (
	markerSOF0, markerSOF1 = 0xc0, 0xc1 // start of a frame: baseline, extended
	markerDHT              = 0xc4       // Huffman tables
	markerRST0, markerRST7 = 0xd0, 0xd7 // restarts
	markerSOI, markerEOI   = 0xd8, 0xd9 // start and end of the image
	markerSOS              = 0xda       // start of a scan
	markerDQT              = 0xdb       // quantization tables
	markerDRI              = 0xdd       // restart interval
	markerAPP0, markerAPPF = 0xe0, 0xef
	markerAPPE             = 0xee
	markerCOM              = 0xfe
)

// readSegments reads the segments of a file up to the end of the image, and with them the image. This and all methods
// below return false for what image/jpeg has to decode or refuse. They never accept what it refuses.
func (d *decoder) readSegments(data []byte) bool {
	if len(data) < 2 || data[0] != 0xff || data[1] != markerSOI {
		return false
	}
	d.rest = data[2:]
	for {
		marker, ok := d.nextMarker()
		if !ok {
			return false
		}
		if marker == markerEOI {
			return d.planes > 0
		}
		if marker >= markerRST0 && marker <= markerRST7 {
			continue // one too many at the end of a scan
		}
		if len(d.rest) < 2 {
			return false
		}
		size := int(binary.BigEndian.Uint16(d.rest))
		if size < 2 || size > len(d.rest) {
			return false
		}
		segment := d.rest[2:size]
		d.rest = d.rest[size:]
		if !d.read(marker, segment) {
			return false
		}
	}
}

// nextMarker skips what is not a marker.
func (d *decoder) nextMarker() (marker byte, ok bool) {
	for {
		at := bytes.IndexByte(d.rest, 0xff)
		if at < 0 || at+1 >= len(d.rest) {
			return 0, false
		}
		d.rest = d.rest[at+1:]
		if d.rest[0] != 0 {
			break
		}
		d.rest = d.rest[1:]
	}
	for len(d.rest) > 0 && d.rest[0] == 0xff { // any number of them may precede a marker
		d.rest = d.rest[1:]
	}
	if len(d.rest) == 0 {
		return 0, false
	}
	marker = d.rest[0]
	d.rest = d.rest[1:]
	return marker, true
}

func (d *decoder) read(marker byte, segment []byte) bool {
	switch {
	case marker == markerSOF0 || marker == markerSOF1:
		d.baseline = marker == markerSOF0
		return d.readFrame(segment)
	case marker == markerDHT:
		return d.readHuffman(segment)
	case marker == markerDQT:
		return d.readQuantization(segment)
	case marker == markerSOS:
		return d.readScan(segment)
	case marker == markerDRI:
		if len(segment) != 2 {
			return false
		}
		d.interval = int(binary.BigEndian.Uint16(segment))
	case marker == markerAPP0 && len(segment) >= 5:
		d.jfif = string(segment[:5]) == "JFIF\x00"
	case marker == markerAPPE && len(segment) >= 12 && string(segment[:5]) == "Adobe":
		d.adobe = segment[11] == 0
	default:
		return marker >= markerAPP0 && marker <= markerAPPF || marker == markerCOM
	}
	return true
}

// readFrame reads the header of the frame: size and components.
func (d *decoder) readFrame(segment []byte) bool {
	n := len(segment)/3 - 2
	if len(d.components) != 0 || n != 1 && n != 3 || len(segment) != 6+3*n || segment[0] != 8 || int(segment[5]) != n {
		return false
	}
	d.height, d.width = int(binary.BigEndian.Uint16(segment[1:])), int(binary.BigEndian.Uint16(segment[3:]))
	d.components = d.all[:n]
	for i := range d.components {
		c, s := &d.components[i], segment[6+3*i:]
		c.id, c.h, c.v = s[0], int(s[1]>>4), int(s[1]&15)
		if !factor(c.h) || !factor(c.v) || int(s[2]) >= len(d.quant) {
			return false
		}
		c.quant = &d.quant[s[2]]
	}
	c := d.components
	if n == 1 { // its sampling factors mean nothing
		c[0].h, c[0].v = 1, 1
	} else if c[0].v == 4 || c[0].h%c[1].h != 0 || c[0].v%c[1].v != 0 || c[1].h != c[2].h || c[1].v != c[2].v ||
		c[0].id == c[1].id || c[0].id == c[2].id || c[1].id == c[2].id {
		return false
	}
	d.columns = (d.width + 8*c[0].h - 1) / (8 * c[0].h)
	d.lines = (d.height + 8*c[0].v - 1) / (8 * c[0].v)
	return d.width > 0 && d.height > 0
}

// factor tells whether a sampling factor is supported.
func factor(f int) bool { return f == 1 || f == 2 || f == 4 }

func (d *decoder) readQuantization(segment []byte) bool {
	for len(segment) > 0 {
		precision, id := segment[0]>>4, int(segment[0]&15)
		segment = segment[1:]
		size := 64
		if precision == 1 {
			size = 128
		}
		if precision > 1 || id >= len(d.quant) || len(segment) < size {
			return false
		}
		for i := range d.quant[id] {
			if precision == 1 {
				d.quant[id][i] = int32(binary.BigEndian.Uint16(segment[2*i:]))
			} else {
				d.quant[id][i] = int32(segment[i])
			}
		}
		segment = segment[size:]
	}
	return true
}

func (d *decoder) readHuffman(segment []byte) bool {
	for len(segment) > 0 {
		if len(segment) < 17 {
			return false
		}
		class, id := segment[0]>>4, int(segment[0]&15)
		n := 0
		for _, count := range segment[1:17] {
			n += int(count)
		}
		if class > 1 || id >= len(d.dc) || n < 1 || n > 256 || len(segment) < 17+n {
			return false
		}
		h := &d.dc[id]
		if class == 1 {
			h = &d.ac[id]
		}
		if !h.define(segment[1:17+n], class == 1) {
			return false
		}
		segment = segment[17+n:]
	}
	return true
}

// readScan reads the header of a scan, and the scan.
func (d *decoder) readScan(segment []byte) bool {
	n := len(d.components)
	if n == 0 || d.planes > 0 || len(segment) != 4+2*n || int(segment[0]) != n || d.rgb() {
		return false
	}
	var order [maxComponents]*component
	blocks := 0
	for i := range n {
		id, tables := segment[1+2*i], segment[2+2*i]
		for j := range d.components {
			if d.components[j].id == id {
				order[i] = &d.components[j]
			}
		}
		c, dc, ac := order[i], int(tables>>4), int(tables&15)
		if c == nil || c.dc != nil || dc >= len(d.dc) || ac >= len(d.ac) || !d.dc[dc].defined || !d.ac[ac].defined {
			return false
		}
		c.dc, c.ac = &d.dc[dc], &d.ac[ac]
		blocks += c.h * c.v
	}
	return blocks <= maxBlocks && d.allocate() && d.decodeScan(order[:n])
}
