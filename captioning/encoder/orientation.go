package encoder

import (
	"bytes"
	"encoding/binary"
)

// orientation returns the orientation in EXIF data, 1 to 8: how a stored image is to be turned so that it is upright.
// 1, "as stored", is also the answer for data that is damaged or says nothing about it.
//
// Reference: CIPA DC-008 (Exif 2.32), 4.5.2 (structure) and 4.6.4 (tag Orientation); TIFF 6.0, section 2.
func orientation(exif []byte) int {
	const tag, entrySize = 0x0112, 12
	for bytes.HasPrefix(exif, []byte(exifHeader)) {
		exif = exif[len(exifHeader):]
	}
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(exif[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	directory := int64(order.Uint32(exif[4:]))
	if directory > int64(len(exif))-2 {
		return 1
	}
	entries := exif[directory:]
	n := int(order.Uint16(entries))
	for entries = entries[2:]; n > 0 && len(entries) >= entrySize; n-- {
		if order.Uint16(entries) == tag {
			return orientationValue(entries[2:entrySize], order)
		}
		entries = entries[entrySize:]
	}
	return 1
}

// exifHeader precedes the TIFF structure in JPEG, and by mistake in some files of other formats.
const exifHeader = "Exif\x00\x00"

// orientationValue reads the type, count and value of a directory entry. Some programs write another integer type than
// the SHORT that is prescribed.
func orientationValue(entry []byte, order binary.ByteOrder) int {
	const typeByte, typeShort, typeLong = 1, 3, 4
	value := uint32(0)
	switch order.Uint16(entry) {
	case typeByte:
		value = uint32(entry[6])
	case typeShort:
		value = uint32(order.Uint16(entry[6:]))
	case typeLong:
		value = order.Uint32(entry[6:])
	}
	if order.Uint32(entry[2:]) != 1 || value < 1 || value > 8 {
		return 1
	}
	return int(value)
}

// upright turns an image with an orientation from 1 to 8.
func upright(src rows, orientation int) rows {
	if orientation == 1 {
		return src
	}
	width, height := src.size()
	p := &Pixels{Width: width, Height: height, RGB: make([]uint8, 3*width*height)}
	// The stored pixel (x, y) goes to the pixel start + x*right + y*down.
	right, down := 1, width
	if orientation >= 5 { // rows become columns
		p.Width, p.Height = height, width
		right, down = height, 1
	}
	fromRight := orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8
	fromBottom := orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7
	start := 0
	if fromRight {
		start, right = start+(width-1)*right, -right
	}
	if fromBottom {
		start, down = start+(height-1)*down, -down
	}
	row := newLine(width, 0)
	for y := range height {
		src.row(row, y, 0)
		for x := range width {
			to := 3 * (start + x*right + y*down)
			p.RGB[to], p.RGB[to+1], p.RGB[to+2] = row[0][x], row[1][x], row[2][x]
		}
	}
	return p
}
