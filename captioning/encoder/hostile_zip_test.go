package encoder

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// pickle of {"w": a tensor of n numbers}
func oneTensor(n int) string {
	return pickled(pDict(pText("w"), pTensor(pStorage("0", n), pInts(n), pInts(1))))
}

// manyTensors is a dictionary of n tensors with the same storage.
func manyTensors(n, count int, size, steps string) string {
	var items strings.Builder
	for i := range n {
		items.WriteString(pText(fmt.Sprint(i)) + pTensor(pStorage("0", count), size, steps))
	}
	return pickled(pDict(items.String()))
}

func TestHostileArchives(t *testing.T) {
	const mega = 1 << 20
	zeros := strings.Repeat("\x00", mega)
	claiming := func(m member, size uint64) member { m.size = size; return m }
	for _, c := range []struct {
		name    string
		members []member
		want    string
	}{
		{"pickle of 3 GB, compressed", []member{deflated(t, "a/data.pkl", strings.Repeat("]", mega), 3<<30)}, "claims"},
		{"pickle of 3 GB that claims 8 bytes",
			[]member{claiming(deflated(t, "a/data.pkl", strings.Repeat("]", mega), 3<<30), 8)}, "damaged"},
		{"storage of 3 GB, compressed", []member{stored("a/data.pkl", oneTensor(3<<28)),
			deflated(t, "a/data/0", zeros, 3<<30)}, "its tensors take more than 1024 MB"},
		{"storage of 1 GB, compressed", []member{stored("a/data.pkl", oneTensor(1<<28)),
			deflated(t, "a/data/0", zeros, 1<<30)}, "its tensors take 1024 MB"},
		{"storage of 3 GB that claims 8 bytes", []member{stored("a/data.pkl", oneTensor(2)),
			claiming(deflated(t, "a/data/0", zeros, 3<<30), 8)}, "damaged"},
		{"storage that is shorter than it claims", []member{stored("a/data.pkl", oneTensor(mega)),
			claiming(deflated(t, "a/data/0", zeros, mega), 4*mega)}, "damaged"},
		{"storage that claims 2^60 bytes", []member{stored("a/data.pkl", oneTensor(2)),
			{"a/data/0", "abcd", zip.Store, 1 << 60, 1 << 60}}, "claims 1152921504606846976 bytes"},
		{"stored storage of two sizes", []member{stored("a/data.pkl", oneTensor(1<<20)),
			claiming(stored("a/data/0", "abcd"), 4<<20)}, "it claims 4194304 bytes, 4 are stored"},
		{"unknown compression", []member{stored("a/data.pkl", oneTensor(1)), {"a/data/0", "abcd", 99, 4, 4}},
			"damaged"},
		{"big-endian numbers", []member{stored("a/data.pkl", oneTensor(1)), stored("a/data/0", "abcd"),
			stored("a/byteorder", "big")}, "big-endian"},
		{"large storage in many tensors", []member{
			stored("a/data.pkl", manyTensors(1000, mega, pInts(mega), pInts(1))),
			stored("a/data/0", strings.Repeat(zeros, 4))}, "its tensors take more than 1024 MB"},
		{"large transposed storage in many tensors",
			[]member{stored("a/data.pkl", manyTensors(30, mega, pInts(1024, 1024), pInts(1, 1024))),
				stored("a/data/0", strings.Repeat(zeros, 4))}, "its tensors take 120 MB"},
		{"large tensors of one number",
			[]member{stored("a/data.pkl", manyTensors(200, mega, pInts(mega), pInts(0))),
				stored("a/data/0", strings.Repeat(zeros, 4))}, "its tensors take 800 MB"},
		{"long name", []member{stored("a/data.pkl", strings.ReplaceAll(oneTensor(1), pText("w"), pText(zeros))),
			stored("a/data/0", "abcd")}, "a name of 1048576 bytes"},
		{"no such storage", []member{stored("a/data.pkl", strings.ReplaceAll(oneTensor(1), pText("0"), pText(zeros)))},
			"(1048576 bytes) is missing"},
	} {
		t.Run(c.name, func(t *testing.T) { refuse(t, writeFile(t, archived(t, c.members...)), c.want) })
	}
	t.Run("many members", func(t *testing.T) {
		members := []member{stored("a/data.pkl", oneTensor(1))}
		for i := range 60_000 {
			members = append(members, stored(fmt.Sprintf("a/data/%030d", i), ""))
		}
		refuse(t, writeFile(t, archived(t, members...)), "its list of members is longer than 4 MB")
	})
}

func TestHostileLegacyFiles(t *testing.T) {
	tensor := pDict(pText("w"), pTensor(pStorage("0", 1), pInts(1), pInts(1)))
	keys, one := "]("+pText("0")+"e", "\x01\x00\x00\x00\x00\x00\x00\x00"
	whole, version := one+"abcd", pInt(1001)
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"list in itself as magic number", []byte(pickled(pOwnList)), "cut short"},
		{"list in itself as protocol", legacy(pOwnList, tensor, keys, whole), "protocol version: a list"},
		{"dictionary in itself as protocol", legacy(pOwnDict, tensor, keys, whole), "version: a dictionary"},
		{"tuple in itself as protocol", legacy(pOwnTuple, tensor, keys, whole), "protocol version: a tuple"},
		{"list in itself as key", legacy(version, tensor, pOwnList, whole), "holds a list of length 1"},
		{"dictionary in itself as key", legacy(version, tensor, "]"+pOwnDict+"a", whole), "holds a dictionary"},
		{"tuple in itself as key", legacy(version, tensor, pOwnTuple+"0h\x00", whole), "holds a tuple"},
		{"dictionary in itself as keys", legacy(version, tensor, pOwnDict, whole), "its storages is a dictionary"},
		{"instructions of all parts", legacy(strings.Repeat("N0", 500_000)+version, strings.Repeat("]", 100_000),
			keys, ""), "more than 1048576 instructions"},
		{"key twice", legacy(version, tensor, "]("+pText("0")+pText("0")+"e", one+"abcd"+whole), "listed twice"},
		{"no key", legacy(version, tensor, "]", ""), `storage "0" is missing`},
		{"other count", legacy(version, tensor, keys, "\x02"+one[1:]+"abcdefgh"), "its tensors need 1"},
		{"cut storage", legacy(version, tensor, keys, one+"abc"), "the file is cut short"},
		{"cut count", legacy(version, tensor, keys, "\x01\x00"), "the file is cut short"},
		{"big-endian numbers", []byte(strings.Replace(string(legacy(version, tensor, keys, whole)), "\x88", "\x89", 1)),
			"system information"},
		{"part of a storage", legacy(version, strings.Replace(tensor, "tQ", pTuple(pText("0"))+"tQ", 1), keys, whole),
			"is a part of another one"},
	} {
		t.Run(c.name, func(t *testing.T) { refuse(t, writeFile(t, c.content), c.want) })
	}
}

// TestHugeSparseFiles: files that take no space on a disk, but would take all memory.
func TestHugeSparseFiles(t *testing.T) {
	const size = 100_000_000_000
	tensor := pDict(pText("w"), pTensor(pStorage("0", size/4), pInts(size/4), pInts(1)))
	count := strings.TrimPrefix(pInt(size/4), "\x8a\x08")
	header := fmt.Sprintf(`{"w":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, size/4, size)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"legacy.pth": {legacy(pInt(1001), tensor, "]("+pText("0")+"e", count), "more than 1024 MB"},
		"zip.pth":    {[]byte("PK\x03\x04"), "its list of members is longer than 4 MB"},
		"x.safetensors": {append([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}, header...),
			"too much for an encoder"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, int64(len(c.content)+size)); err != nil {
			t.Skip(err) // the file system has no sparse files
		}
		if name == "zip.pth" {
			appendToFile(t, path, zip64End(size+4, size/40))
		}
		refuse(t, path, c.want)
	}
}

func appendToFile(t *testing.T, path, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(content)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// zip64End is the end of an archive whose list of members would begin at the given offset and claims to be empty, but
// to have n members.
func zip64End(at, n uint64) string {
	u64 := func(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }
	return "PK\x06\x06" + u64(44) + "\x2d\x00\x2d\x00" + strings.Repeat("\x00", 8) + u64(n) + u64(n) +
		u64(0) + u64(at) +
		"PK\x06\x07" + strings.Repeat("\x00", 4) + u64(at) + "\x01\x00\x00\x00" +
		"PK\x05\x06" + strings.Repeat("\x00", 4) + strings.Repeat("\xff", 12) + "\x00\x00"
}
