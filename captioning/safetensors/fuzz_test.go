package safetensors

import (
	"bytes"
	"strings"
	"testing"
)

func FuzzSafetensors(f *testing.F) {
	for _, tensors := range []map[string]Tensor{
		{"w": FromFloat32([]int{3}, []float32{1, 2, 3})},
		{
			"a": {DType: "I64", Data: make([]byte, 8)},
			"b": {DType: "U8", Shape: []int{0, 3}},
			"c": FromFloat32([]int{2, 1}, []float32{1, 2}),
			"d": {DType: "BF16", Shape: []int{1}, Data: []byte{1, 2}},
		},
	} {
		var whole bytes.Buffer
		if err := Encode(&whole, tensors, map[string]string{"a": "b"}); err != nil {
			f.Fatal(err)
		}
		f.Add(whole.Bytes())
	}
	f.Add(file(`{"v":{"dtype":"F16","shape":[],"data_offsets":[0,2]},`+
		`"w":{"dtype":"F64","shape":[1],"data_offsets":[2,10]}}`, "0123456789"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tensors, _, err := Decode(data)
		if err != nil {
			if len(err.Error()) > 3000 || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %.1000q of %d bytes", err, len(err.Error()))
			}
			return
		}
		total := 0
		for name, tensor := range tensors {
			total += len(tensor.Data)
			size, err := byteSize(tensor.DType, tensor.Shape)
			if err != nil || size != int64(len(tensor.Data)) {
				t.Errorf("tensor %q of %s%v has %d bytes", name, tensor.DType, tensor.Shape, len(tensor.Data))
			}
			tensor.Float32()
		}
		if total > len(data) {
			t.Errorf("%d bytes in tensors, %d in the file", total, len(data))
		}
		var again bytes.Buffer
		if err := Encode(&again, tensors, nil); err != nil {
			t.Error(err)
		}
	})
}
