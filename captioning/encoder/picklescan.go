package encoder

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// The instructions of a pickle, protocols 0 to 5, by the kind of their arguments. Reference: the comments in Python's
// pickletools.
const (
	pickleNothing = "(.012NRQbad}el]ots)u\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98"
	pickleLine    = "FILPSVgp"
	pickleLines   = "ci"
	pickleBytes1  = "Khq\x80\x82"
	pickleBytes2  = "M\x83"
	pickleBytes4  = "Jjr\x84"
	pickleBytes8  = "G"
	pickleSized1  = "UC\x8c\x8a"
	pickleSized4  = "TXB\x8b"
	pickleSized8  = "\x8d\x8e\x96"
	pickleFrame   = '\x95'
)

// pickleEnd scans the instructions of the pickle at the beginning of data, without executing any, and returns where
// it ends. A length that reaches beyond data is an error, so that later readers of the pickle can trust its lengths.
func pickleEnd(data []byte) (int, error) {
	for at := 0; at < len(data); {
		op := data[at]
		at++
		rest := data[at:]
		has := func(set string) bool { return strings.IndexByte(set, op) >= 0 }
		size := uint64(0)
		switch {
		case op == '.':
			return at, nil
		case has(pickleNothing):
		case has(pickleLine), has(pickleLines):
			lines := 1
			if has(pickleLines) {
				lines = 2
			}
			for range lines {
				end := bytes.IndexByte(rest[size:], '\n')
				if end < 0 {
					return 0, errors.New("a pickle is cut short")
				}
				size += uint64(end) + 1
			}
		case has(pickleBytes1):
			size = 1
		case has(pickleBytes2):
			size = 2
		case has(pickleBytes4):
			size = 4
		case has(pickleBytes8):
			size = 8
		case has(pickleSized1) && len(rest) >= 1:
			size = 1 + uint64(rest[0])
		case has(pickleSized4) && len(rest) >= 4:
			size = 4 + uint64(binary.LittleEndian.Uint32(rest))
		case has(pickleSized8) && len(rest) >= 8:
			size = min(8+binary.LittleEndian.Uint64(rest), 1<<62)
		case op == pickleFrame && len(rest) >= 8:
			if binary.LittleEndian.Uint64(rest) > uint64(len(rest)-8) {
				return 0, errors.New("a pickle is cut short")
			}
			size = 8
		case has(pickleSized1), has(pickleSized4), has(pickleSized8), op == pickleFrame:
			return 0, errors.New("a pickle is cut short")
		default:
			return 0, fmt.Errorf("byte %#x is not an instruction of a pickle", op)
		}
		if size > uint64(len(rest)) {
			return 0, errors.New("a pickle is cut short")
		}
		at += int(size)
	}
	return 0, errors.New("a pickle is cut short")
}
