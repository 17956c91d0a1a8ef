package xla

import (
	"reflect"
	"strings"
	"sync"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	goxla "github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/stablehlo"
)

// inPlace is an XLA backend whose programs can write results over arguments; see InPlace.
type inPlace struct {
	*goxla.Backend
	mu       sync.Mutex
	replaced map[string]func() []string // by the name of the program, without GoMLX's number
}

// InPlace lets the programs called name (see model.Exec.WithName; the name must be unique) write results over arguments
// that the caller gives up, as GoMLX does with the old value of every variable that a program changes. Otherwise a
// program allocates all results while the arguments exist, so that weights and moments take twice their memory in a
// training step.
//
// Replaced is called when a program has been built; it lists the names of the parameters that the first results take
// the place of, in the order of the results, each of the same shape and dtype. InPlace does nothing if Open did not
// open the backend, or it is not XLA.
func InPlace(backend compute.Backend, name string, replaced func() []string) {
	if b, ok := backend.(*inPlace); ok {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.replaced[name] = replaced
	}
}

// Builder returns a builder for a program.
func (b *inPlace) Builder(name string) compute.Builder {
	builder := b.Backend.Builder(name)
	if builder == nil {
		return nil
	}
	own, _, _ := strings.Cut(name, "#")
	b.mu.Lock()
	defer b.mu.Unlock()
	return &inPlaceBuilder{Builder: builder, backend: b, replaced: b.replaced[own]}
}

// BufferFromFlatData copies data to a device.
func (b *inPlace) BufferFromFlatData(device compute.DeviceNum, flat any, shape shapes.Shape) (compute.Buffer, error) {
	out, err := b.Backend.BufferFromFlatData(device, flat, shape)
	return b.own(out), err
}

// NewSharedBuffer returns a buffer and the memory that it shares with the host.
func (b *inPlace) NewSharedBuffer(device compute.DeviceNum, shape shapes.Shape) (compute.Buffer, any, error) {
	out, flat, err := b.Backend.NewSharedBuffer(device, shape)
	return b.own(out), flat, err
}

// own makes buffer one of this backend: GoMLX compares the backends of buffers and programs.
func (b *inPlace) own(buffer compute.Buffer) compute.Buffer {
	if buffer == nil {
		return nil
	}
	return inPlaceBuffer{buffer, b}
}

type inPlaceBuffer struct {
	compute.Buffer
	backend *inPlace
}

func (b inPlaceBuffer) Backend() compute.Backend { return b.backend }

func (b inPlaceBuffer) CopyToDevice(device compute.DeviceNum) (compute.Buffer, error) {
	out, err := b.Buffer.CopyToDevice(device)
	return b.backend.own(out), err
}

type inPlaceBuilder struct {
	compute.Builder
	backend  *inPlace
	replaced func() []string
	whole    bool // the program runs on several devices that all hold whole variables
	main     compute.Function
}

// DistributedSPMD makes a program for several devices.
func (b *inPlaceBuilder) DistributedSPMD(devices int) error {
	b.whole = true
	return b.Builder.DistributedSPMD(devices)
}

func (b *inPlaceBuilder) Main() compute.Function {
	if b.main == nil {
		b.main = b.Builder.Main()
		if b.backend.NumDevices() > 1 {
			b.main = wholeFunction{b.main, b}
		}
		if b.replaced != nil {
			b.main = inPlaceFunction{b.main, b.replaced, make(map[string]compute.Value)}
		}
	}
	return b.main
}

func (b *inPlaceBuilder) Compile() (compute.Executable, error) {
	program, err := b.Builder.Compile()
	if err != nil {
		return nil, err
	}
	return inPlaceProgram{program, b.backend}, nil
}

// wholeFunction declares parameters without a sharding in programs for several devices that hold whole variables. GoMLX
// gives a variable one that refers to a mesh, and go-xla knows no mesh in programs of this kind.
type wholeFunction struct {
	compute.Function
	builder *inPlaceBuilder
}

func (f wholeFunction) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (
	compute.Value, error) {
	if f.builder.whole {
		sharding = nil
	}
	return f.Function.Parameter(name, shape, sharding)
}

type inPlaceProgram struct {
	compute.Executable
	backend *inPlace
}

func (p inPlaceProgram) Execute(inputs []compute.Buffer, donate []bool, device compute.DeviceNum) (
	[]compute.Buffer, error) {
	bare := make([]compute.Buffer, len(inputs))
	for i, in := range inputs {
		bare[i] = in
		if own, ok := in.(inPlaceBuffer); ok {
			bare[i] = own.Buffer
		}
	}
	outputs, err := p.Executable.Execute(bare, donate, device)
	for i := range outputs {
		outputs[i] = p.backend.own(outputs[i])
	}
	return outputs, err
}

type inPlaceFunction struct {
	compute.Function
	replaced   func() []string
	parameters map[string]compute.Value
}

func (f inPlaceFunction) Parameter(name string, shape shapes.Shape, sharding *compute.ShardingSpec) (
	compute.Value, error) {
	value, err := f.Function.Parameter(name, shape, sharding)
	f.parameters[name] = value
	return value, err
}

func (f inPlaceFunction) Return(outputs []compute.Value, shardings []*compute.ShardingSpec) error {
	for i, name := range f.replaced() {
		if parameter := stableHLO(f.parameters[name]); parameter != nil {
			parameter.Attributes = map[string]any{"tf.aliasing_output": int32(i)}
		}
	}
	return f.Function.Return(outputs, shardings)
}

// stableHLO returns the value inside a node of the XLA backend, which exports no way to give a parameter attributes. It
// returns nil, and the program then runs with copies, if a later version of the backend keeps it elsewhere.
func stableHLO(node compute.Value) *stablehlo.Value {
	n, ok := node.(*goxla.Node)
	if !ok {
		return nil
	}
	field := reflect.ValueOf(n).Elem().FieldByName("value")
	if !field.IsValid() || field.Type() != reflect.TypeFor[*stablehlo.Value]() {
		return nil
	}
	return *(**stablehlo.Value)(unsafe.Pointer(field.UnsafeAddr()))
}
