package xla_test

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"captionlab/captioning/xla"
	"captionlab/captioning/xla/xlatest"
)

// place returns the address of a variable's first number on the device.
func place(t *testing.T, backend compute.Backend, v *model.Variable) *float32 {
	t.Helper()
	value, err := v.Value()
	if err != nil {
		t.Fatal(err)
	}
	buffer, err := value.Buffer(backend, 0)
	if err != nil {
		t.Fatal(err)
	}
	data, err := buffer.Data()
	if err != nil {
		t.Skip("SKIPPED, NOT PASSED: the backend does not show its buffers: ", err)
	}
	return &data.([]float32)[0]
}

func TestInPlace(t *testing.T) {
	backend := xlatest.OpenForTest(t)
	store := model.NewStore()
	var variables []*model.Variable
	for _, name := range []string{"a", "b"} {
		v, err := store.CreateVariable("/"+name, tensors.FromFlatDataAndDimensions(make([]float32, 1000), 1000))
		if err != nil {
			t.Fatal(err)
		}
		variables = append(variables, v)
	}
	program, err := model.NewExec(backend, store, func(_ *model.Scope, in []*graph.Node) *graph.Node {
		for i, v := range variables {
			v.SetNodeValue(graph.AddScalar(v.NodeValue(in[0].Graph()), float64(i+1)))
		}
		return graph.ReduceAllSum(in[0])
	})
	if err != nil {
		t.Fatal(err)
	}
	defer program.Finalize()
	xla.InPlace(backend, program.WithName("in place test").Name(), func() []string { return []string{"/a", "/b"} })
	call := func() {
		t.Helper()
		if _, err := program.Call(tensors.FromScalar(float32(1))); err != nil {
			t.Fatal(err)
		}
	}
	call() // afterwards the variables are on the device
	before := []*float32{place(t, backend, variables[0]), place(t, backend, variables[1])}
	call()
	for i, v := range variables {
		if place(t, backend, v) != before[i] {
			t.Errorf("the new value of %s is in another place than the old one", v.Path())
		}
		if got, want := v.MustValue().Value().([]float32)[999], float32(2*(i+1)); got != want {
			t.Errorf("%s is %g after two calls, want %g", v.Path(), got, want)
		}
	}
}
