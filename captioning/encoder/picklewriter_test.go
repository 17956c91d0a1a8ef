package encoder

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"strings"
	"testing"
)

// The functions that begin with p write parts of a pickle.

func pText(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func pInt(n int) string { return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n))) }

func pTuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func pInts(numbers ...int) string {
	items := make([]string, len(numbers))
	for i, n := range numbers {
		items[i] = pInt(n)
	}
	return pTuple(items...)
}

// pStorage writes a FloatStorage.
func pStorage(key string, count int) string {
	return pTuple(pText("storage"), "ctorch\nFloatStorage\n", pText(key), pText("cpu"), pInt(count)) + "Q"
}

// pTensor writes a tensor with the given storage, size and strides.
func pTensor(storage, size, steps string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n" + pTuple(storage, pInt(0), size, steps, "\x89", "N") + "R"
}

// pDict writes a dictionary of keys and values, alternating.
func pDict(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

// pickled completes a pickle.
func pickled(value string) string { return "\x80\x02" + value + "." }

// The values that contain themselves leave themselves as the last value.
const (
	pOwnList  = "]q\x00h\x00a"
	pOwnDict  = "}q\x00" + "K\x01h\x00s"
	pOwnTuple = "]q\x00h\x00\x85q\x01a0h\x01" // in a list that it contains
)

// legacy returns a file of the older format that holds the pickles of the dictionary and the list of storages.
func legacy(protocol, dictionary, keys, storages string) []byte {
	return []byte(pickled(pInt(1)) + pickled(protocol) + pickled(pDict(pText("little_endian"), "\x88")) +
		pickled(dictionary) + pickled(keys) + storages)
}

// member is a file in an archive that claims its sizes.
type member struct {
	name, content      string // content is compressed already
	method             uint16
	size, contentBytes uint64
}

func archived(t testing.TB, members ...member) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		f, err := w.CreateRaw(&zip.FileHeader{Name: m.name, Method: m.method,
			UncompressedSize64: m.size, CompressedSize64: m.contentBytes})
		if err == nil {
			_, err = f.Write([]byte(m.content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// stored is a member that is not compressed.
func stored(name, content string) member {
	return member{name, content, zip.Store, uint64(len(content)), uint64(len(content))}
}

// deflated is a member that claims the given size. It inflates to at least size bytes: the content many times over.
func deflated(t testing.TB, name, content string, size int) member {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	// A flushed block refers to nothing before it, except in a stream's history, which is the same each time.
	blocks := strings.Repeat(out.String(), (size+len(content)-1)/len(content)) + "\x03\x00"
	return member{name, blocks, zip.Deflate, uint64(size), uint64(len(blocks))}
}
