package safetensors

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// file returns a file with the given header and body.
func file(header, body string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header+body...)
}

// TestHostileFiles: every file is refused by one short error that names it, and takes less than 300 MB.
func TestHostileFiles(t *testing.T) {
	const million = 1_000_000
	long := strings.Repeat("x", 8*million)
	entry := func(dtype, shape, offsets string) string {
		return `{"dtype":"` + dtype + `","shape":[` + shape + `],"data_offsets":[` + offsets + `]}`
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"header of 2^63 bytes", []byte("\x00\x00\x00\x00\x00\x00\x00\x80{}"), "claims 9223372036854775808 bytes"},
		{"header of 2^64-1 bytes",
			[]byte("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "the file has 2"},
		{"long header", file("{"+strings.Repeat(" ", 40*million)+"}", ""), "at most 33554432 are read"},
		{"many tensors", file(`{"a":{}`+strings.Repeat(`,"b":{}`, 2*million)+"}", ""), "more than 65536 members"},
		{"many tensors with quotes",
			file(`{"\"":{}`+strings.Repeat(`,"\"\\":{}`, million)+"}", ""), "more than 65536"},
		{"as many tensors as are allowed", file(`{"a":{}`+numbered(60_000)+"}", ""), "unknown dtype"},
		{"many dimensions",
			file(`{"w":`+entry("F32", "0"+strings.Repeat(",0", 5*million), "0,0")+"}", ""), "65536 members"},
		{"as many dimensions as are allowed",
			file(`{"w":`+entry("F32", "1"+strings.Repeat(",1", 60_000), "0,4")+"}", "abcd"),
			"60001 dimensions"},
		{"nested lists", file(strings.Repeat("[", 3*million), ""), "not JSON"},
		{"nested objects", file(strings.Repeat(`{"a":`, million), ""), "not JSON"},
		{"nested entry", file(`{"a":`+strings.Repeat("[", million)+strings.Repeat("]", million)+"}", ""), "not JSON"},
		{"number of many digits",
			file(`{"w":`+entry("F32", strings.Repeat("9", 3*million), "0,4")+"}", "abcd"), `"w"`},
		{"fraction as size", file(`{"w":`+entry("F32", "1.5", "0,4")+"}", "abcd"), `"w"`},
		{"long name", file(`{"`+long+`":`+entry("F32", "1", "0,4")+"}", "abcd"), "a name of 8000000 bytes"},
		{"long name twice", file(`{"`+long+`":1,"`+long+`":1}`, ""), "twice"},
		{"long dtype", file(`{"w":`+entry(long, "1", "0,4")+"}", "abcd"), "unknown dtype"},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, ""), "metadata"},
		{"sizes that overflow", file(`{"w":`+entry("U8", "4294967296,4294967296", "0,0")+"}", ""), "impossible shape"},
		{"sizes that overflow to 4",
			file(`{"w":`+entry("F32", "4611686018427387905", "0,4")+"}", "abcd"), "impossible shape"},
		{"negative size", file(`{"w":`+entry("F32", "-1", "0,4")+"}", "abcd"), "impossible shape"},
		{"negative offset", file(`{"w":`+entry("F32", "1", "-4,0")+"}", "abcd"), "bytes -4 to 0"},
		{"offsets that overflow",
			file(`{"w":`+entry("F32", "1", "-9223372036854775808,9223372036854775807")+"}", "abcd"), `"w"`},
		{"offset beyond the file", file(`{"w":`+entry("F32", "1", "4,8")+"}", "abcd"), "bytes 4 to 8 of 4"},
		{"tensors that overlap, and a hole",
			file(`{"v":`+entry("F32", "1", "0,4")+`,"w":`+entry("F32", "1", "0,4")+"}", "abcdefgh"),
			`"w" begins at byte 0`},
		{"a hole", file(`{"w":`+entry("F32", "1", "4,8")+"}", "abcdefgh"), `"w" begins at byte 4`},
		{"more data than tensors", file(`{"w":`+entry("F32", "1", "0,4")+"}", "abcdefgh"), "the file holds 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.safetensors")
			if err := os.WriteFile(path, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Read(path)
			runtime.ReadMemStats(&after)
			if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 300 {
				t.Errorf("%d MB were allocated, want at most 300", mb)
			}
			_, err2 := ReadMetadata(path)
			for _, err := range []error{err, err2} {
				if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) ||
					len(err.Error()) > 800 {
					t.Errorf("error %.1000v, want a short one that names the file and contains %q", err, c.want)
				}
			}
		})
	}
}

// numbered returns n members whose names differ.
func numbered(n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, `,"%d":{}`, i)
	}
	return out.String()
}

func TestHugeHeaderIsNotWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	err := Write(path, nil, map[string]string{"a": strings.Repeat("x", maxHeader)})
	if err == nil || !strings.Contains(err.Error(), "at most 32 can be read") {
		t.Errorf("error %v", err)
	}
}

func TestPipeIsRefused(t *testing.T) {
	if _, _, err := Read(os.DevNull); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("error %v", err)
	}
}
