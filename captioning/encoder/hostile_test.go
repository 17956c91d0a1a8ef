package encoder

import (
	"runtime"
	"strings"
	"testing"
)

// refuse fails unless the file is refused by one error that names it, says what is wrong and what to do, and unless
// that takes less than 300 MB.
func refuse(t *testing.T, path, want string) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	_, err := readWeights(path)
	runtime.ReadMemStats(&after)
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 300 {
		t.Errorf("%d MB were allocated, want at most 300", mb)
	}
	if err == nil {
		t.Fatal("the file was read")
	}
	text := err.Error()
	complete := strings.Contains(text, path) && strings.Contains(text, want) &&
		strings.Contains(text, "fetch the file again")
	if !complete || len(text) > 800 || strings.Contains(text, "\n") {
		t.Errorf("error %.1000q (%d bytes), want a line that names the file, contains %q and says what to do",
			text, len(text), want)
	}
}

// TestHostilePickles: every pickle is refused as the description of tensors in both formats.
func TestHostilePickles(t *testing.T) {
	const million = 1_000_000
	const manyInstructions = "more than 1048576 instructions"
	size := pInts(2)
	double := func(first, again string) string { return first + strings.Repeat("q\x00h\x00"+again, 40) }
	for _, c := range []struct{ name, value, want string }{
		{"nested tuples", ")" + strings.Repeat("\x85", million), "nested more than 1000 deep"},
		{"nested lists", strings.Repeat("]", 9*million/20) + strings.Repeat("a", 9*million/20-1), "1000 deep"},
		{"nested dictionaries", strings.Repeat("}K\x01", million/4) + "N" + strings.Repeat("s", million/4),
			"1000 deep"},
		{"nested marks", strings.Repeat("(", million), "more than 1000 open marks"},
		{"list in itself as persistent id", pOwnList + "Q", "a list of length 1 is not a storage"},
		{"dictionary in itself as persistent id", pOwnDict + "Q", "a dictionary is not a storage"},
		{"tuple in itself as persistent id", pOwnTuple + "Q", "a tuple of length 1 is not a storage"},
		{"list in itself as storage", pTensor(pOwnList, size, size), "a tensor is malformed"},
		{"dictionary in itself as storage", pTensor(pOwnDict, size, size), "a tensor is malformed"},
		{"tuple in itself as storage", pTensor(pOwnTuple, size, size), "a tensor is malformed"},
		{"tuple in itself as size", pTensor(pStorage("0", 4), pOwnTuple, size), "a tensor is malformed"},
		{"list in itself as key", pTuple(pText("storage"), "ctorch\nFloatStorage\n", pOwnList, "N", "K\x02") + "Q",
			"malformed (its key: a list of length 1)"},
		{"list in itself as function", pOwnList + ")R", "calls a list"},
		{"list in itself as arguments", "ccollections\nOrderedDict\n" + pOwnList + "R", "with a list"},
		{"list in itself as name", pOwnList + "h\x00\x93", "not by texts"},
		{"list in itself as dictionary", pOwnList, "not a dictionary of tensors"},
		{"tuple in itself as dictionary", pOwnTuple, "not a dictionary of tensors"},
		{"long text number", "L" + strings.Repeat("9", 3*million) + "L\n", "longer than 1000 bytes"},
		{"short text number", "I" + strings.Repeat("9", 3*million) + "\n", "longer than 1000 bytes"},
		{"fraction", "F0." + strings.Repeat("9", 3*million) + "\n", "longer than 1000 bytes"},
		{"long number", "\x8b\x00\x00\x10\x00" + strings.Repeat("\x77", 1<<20), "a number has 1048576 bytes"},
		{"sharing that doubles tuples", double(")", "\x86"), "not a dictionary of tensors"},
		{"sharing that doubles lists", double("]", "\x86]q\x010h\x01"), "not a dictionary of tensors"},
		{"sharing that doubles a persistent id", double(")", "\x86") + "Q", "a tuple of length 2 is not a storage"},
		{"empty lists", strings.Repeat("]", 60*million), manyInstructions},
		{"empty lists in a list", "](" + strings.Repeat("]", 2*million), manyInstructions},
		{"empty dictionaries", strings.Repeat("}", 2*million), manyInstructions},
		{"dictionaries of one entry", pText("a") + "q\x000" + strings.Repeat("}h\x00Ns", million),
			manyInstructions},
		{"marks", strings.Repeat("(1", million), manyInstructions},
		{"tuples of marks", strings.Repeat("(t", million), manyInstructions},
		{"memo entries", "N" + strings.Repeat("\x94", 2*million), manyInstructions},
		{"protocols", strings.Repeat("\x80\x02", 2*million), manyInstructions},
		{"the largest memo entry", "Nr\xff\xff\xff\xffj\xfe\xff\xff\xff", "has not stored"},
		{"ordered dictionary of a list", pOwnList + "0ccollections\nOrderedDict\nh\x00\x85R", "not empty"},
		{"size of many numbers", pTensor(pStorage("0", 4), "("+strings.Repeat("N", million)+"t", size),
			"malformed"},
		{"name of code", "c" + strings.Repeat("x", 3*million) + "\nload\n", "longer than 1000 bytes"},
		{"name of code from the stack", pText(strings.Repeat("x", million)) + pText("load") + "\x93",
			"names the code xx"},
		{"text of more than memory", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f", "cut short"},
		{"data of more than memory", "\x8e\xff\xff\xff\xff\xff\xff\xff\xff", "cut short"},
		{"frame of more than memory", "\x95\xff\xff\xff\xff\xff\xff\xff\xff", "cut short"},
		{"storage of 2^60 numbers", pTensor(pStorage("0", 1<<60), size, size), "malformed"},
		{"storage of 2^50 numbers", pTensor(pStorage("0", 1<<50), size, size), "claims 4503599627370496 bytes"},
		{"strides that overflow", pTensor(pStorage("0", 4), pInts(2, 2), pInts(1<<62, 1<<62)), "reaches beyond"},
		{"stride that overflows", pTensor(pStorage("0", 4), pInts(3), pInts(1<<63-1)), "reaches beyond"},
		{"stride 0", pTensor(pStorage("0", 4), pInts(1<<40), pInts(0)), "does not fit its storage of 4"},
		{"one storage as two", pTuple(pStorage("0", 4), strings.Replace(pStorage("0", 2), "Float", "Double", 1)),
			"2 of F64 here and 4 of F32 elsewhere"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zip := archived(t, stored("a/data.pkl", pickled(c.value)), stored("a/data/0", strings.Repeat("data", 4)))
			if len(c.value) > maxPickle {
				refuse(t, writeFile(t, zip), `"a/data.pkl" claims`)
			} else {
				refuse(t, writeFile(t, zip), c.want)
			}
			refuse(t, writeFile(t, legacy(pInt(1001), c.value, "]", "")), c.want)
		})
	}
}
