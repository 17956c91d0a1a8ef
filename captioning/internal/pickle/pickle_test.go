package pickle

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

// plain returns the value with slices and maps in place of the containers.
func plain(value any) any {
	list := func(items []any) []any {
		out := []any{}
		for _, item := range items {
			out = append(out, plain(item))
		}
		return out
	}
	switch v := value.(type) {
	case *Tuple:
		return append([]any{"tuple"}, list(v.Items)...)
	case *List:
		return list(v.Items)
	case *Dict:
		out := map[string]any{}
		for key, item := range v.Items {
			out[key] = plain(item)
		}
		return out
	}
	return value
}

// TestValues: the pickles are written by hand from Python's pickletools, those that name a protocol by Python 3.
func TestValues(t *testing.T) {
	type list = []any
	for _, c := range []struct {
		pickle string
		want   any
	}{
		{"N.", nil}, {"\x88.", true}, {"\x89.", false}, {"I01\n.", true}, {"I00\n.", false},
		{"I-7\n.", -7}, {"L7L\n.", 7}, {"L7\n.", 7}, {"I99999999999999999999\n.", longNumber},
		{"K\xff.", 255}, {"M\x01\x02.", 513}, {"J\xfe\xff\xff\xff.", -2}, {"J\x00\x00\x00\x01.", 1 << 24},
		{"\x8a\x00.", 0}, {"\x8a\x01\xff.", -1}, {"\x8a\x02\xff\x00.", 255},
		{"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", -1 << 63},
		{"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", longNumber}, {"\x8b\x02\x00\x00\x00\x00\x01.", 256},
		{"F-1.5\n.", -1.5}, {"G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5},
		{"S'a b'\n.", "a b"}, {"S\"it's\"\n.", "it's"}, {"Vword\n.", "word"}, {"U\x02ab.", "ab"},
		{"T\x02\x00\x00\x00ab.", "ab"},
		{"X\x02\x00\x00\x00\xc3\xa9.", "é"}, {"\x8c\x00.", ""}, {"\x8d\x01\x00\x00\x00\x00\x00\x00\x00a.", "a"},
		{"C\x01a.", Other("binary data")}, {"B\x01\x00\x00\x00a.", Other("binary data")},
		{"\x96\x01\x00\x00\x00\x00\x00\x00\x00a.", Other("binary data")},
		{").", list{"tuple"}}, {"N\x85.", list{"tuple", nil}}, {"K\x01K\x02K\x03\x87.", list{"tuple", 1, 2, 3}},
		{"(K\x01(K\x02tt.", list{"tuple", 1, list{"tuple", 2}}}, {"(K\x01l.", list{1}},
		{"]K\x01a(K\x02K\x03e.", list{1, 2, 3}},
		{"}U\x01aK\x01s(U\x01bK\x02K\x05K\x06u.", map[string]any{"a": 1, "b": 2}},
		{"(U\x01aK\x01U\x01aK\x02d.", map[string]any{"a": 2}},
		{"\x8f(K\x01\x90.", Other("a set")}, {"(K\x01\x91.", Other("a frozen set")},
		{"K\x05q\x00h\x00\x86.", list{"tuple", 5, 5}}, {"K\x05r\x00\x01\x00\x000j\x00\x01\x00\x00.", 5},
		{"K\x05\x940h\x00.", 5},
		{"K\x05p9\n0g9\n.", 5}, {"K\x012\x86.", list{"tuple", 1, 1}}, {"K\x01(K\x02K\x031.", 1}, {"K\x01(0.", 1},
		{"ccollections\nOrderedDict\n)RU\x01aK\x01s}b.", map[string]any{"a": 1}}, {"cbuiltins\nlist\n)\x81.", list{}},
		{"\x8c\x08builtins\x8c\x04dict\x93)R.", map[string]any{}}, {"cbuiltins\nlist\n]K\x01a\x85R.", list{1}},
		{"cknown\nname\n(K\x01K\x02tR.", 2}, {"U\x02idQ.", "found id"},
		{"\x80\x02}q\x00X\x01\x00\x00\x00aq\x01]q\x02(K\x01G@\x04\x00\x00\x00\x00\x00\x00es.",
			map[string]any{"a": list{1, 2.5}}},
		{"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x01a\x94]\x94(K\x01K\x02es.",
			map[string]any{"a": list{1, 2}}},
	} {
		r := Reader{
			Names:      map[string]any{"known.name": Function(func(args []any) (any, error) { return args[1], nil })},
			Persistent: func(id any) (any, error) { return "found " + id.(string), nil },
		}
		got, rest, err := r.Read([]byte(c.pickle + "rest"))
		if err != nil || !reflect.DeepEqual(plain(got), c.want) || string(rest) != "rest" {
			t.Errorf("%q: %#v, rest %q, error %v; want %#v", c.pickle, plain(got), rest, err, c.want)
		}
		for n := range c.pickle {
			if _, _, err := new(Reader).Read([]byte(c.pickle[:n])); err == nil {
				t.Errorf("%q cut to %d bytes was read", c.pickle, n)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	failing := Function(func([]any) (any, error) { return nil, errors.New("it fails") })
	for _, c := range []struct{ pickle, want string }{
		{"", "cut short"}, {".", "lacks its value"}, {"N0.", "lacks its value"}, {"(.", "lacks its value"},
		{"K\x01(\x85.", "lacks its values"}, {"t.", "lacks its mark"}, {"q\x00.", "lacks its value"},
		{"\x97.", "0x97 is not an instruction"}, {"i", "0x69 is not an instruction"}, {"\x80\x06.", "protocol is 6"},
		{"NNa.", "byte 2 of its pickle: it appends to None, not to a list"}, {"N(Ne.", "appends to None"},
		{"NNNs.", "an item of None, not of a dictionary"}, {"}(Nu.", "a key without a value"},
		{"(Nd.", "a key without a value"},
		{"N(N\x90.", "adds items to None"}, {"h\x00.", "repeats value 0"}, {"g-1\n.", `"-1" does not number`},
		{"Ip\n.", `"p" is not a whole number`}, {"Fp\n.", `"p" is not a number`}, {"Sp\n.", "lacks its quotes"},
		{"cos\nsystem\n.", "it names the code os.system; only plain"}, {"NN\x93.", "by None and None"},
		{"U\x02a\nU\x01b\x93.", `the code a\n.b;`},
		{"N)R.", "it calls None with a tuple of length 0"}, {"ca\nf\nNR.", "it calls a function with None"},
		{"ca\nf\n)R.", "it fails"}, {"NQ.", "not expected here"}, {"N}b.", "sets attributes of None"},
		{"ccollections\nOrderedDict\nN\x85R.", "not empty"}, {"cbuiltins\nlist\nNN\x86R.", "from 2 values"},
	} {
		r := Reader{Names: map[string]any{"a.f": failing}}
		if _, _, err := r.Read([]byte(c.pickle)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.pickle, err, c.want)
		}
	}
}

func TestInstructionsOfAllPicklesCount(t *testing.T) {
	var r Reader
	half := []byte(strings.Repeat("N", MaxInstructions/2-1) + ".")
	for i, fails := range []bool{false, false, true} {
		if _, _, err := r.Read(half); (err != nil) != fails {
			t.Fatalf("pickle %d: error %v", i, err)
		}
	}
}
