package pickle

import (
	"errors"
	"fmt"
	"strconv"
)

// plainNames are the global names that every Reader knows.
var plainNames = map[string]any{
	"collections.OrderedDict": Function(func(args []any) (any, error) {
		if len(args) > 0 {
			return nil, errors.New("an ordered dictionary is made from values, not empty")
		}
		return &Dict{depth: 1}, nil
	}),
	"builtins.dict": Function(func(args []any) (any, error) { return firstOr(args, &Dict{depth: 1}) }),
	"builtins.list": Function(func(args []any) (any, error) { return firstOr(args, &List{depth: 1}) }),
}

// firstOr returns the only argument, or the empty value if there is none.
func firstOr(args []any, empty any) (any, error) {
	switch len(args) {
	case 0:
		return empty, nil
	case 1:
		return args[0], nil
	}
	return nil, fmt.Errorf("a list or dictionary is made from %d values", len(args))
}

func (r *Reader) global() error {
	module, err := r.line(maxDigits)
	if err != nil {
		return err
	}
	name, err := r.line(maxDigits)
	if err != nil {
		return err
	}
	return r.pushName(string(module), string(name))
}

func (r *Reader) stackGlobal() error {
	names, err := r.popN(2)
	if err != nil {
		return err
	}
	module, ok1 := names[0].(string)
	name, ok2 := names[1].(string)
	if !ok1 || !ok2 {
		return fmt.Errorf("it names code by %s and %s, not by texts", Describe(names[0]), Describe(names[1]))
	}
	return r.pushName(module, name)
}

func (r *Reader) pushName(module, name string) error {
	full := module + "." + name
	if value, ok := plainNames[full]; ok {
		return r.push(value)
	}
	if value, ok := r.Names[full]; ok {
		return r.push(value)
	}
	quoted := strconv.Quote(full[:min(len(full), 100)]) // a name may hold line breaks and control characters
	return fmt.Errorf("it names the code %s; only plain tensors are read, and no code is run", quoted[1:len(quoted)-1])
}

func (r *Reader) persistent() error {
	id, err := r.pop()
	if err != nil {
		return err
	}
	if r.Persistent == nil {
		return errors.New("a storage is not expected here")
	}
	value, err := r.Persistent(id)
	if err != nil {
		return err
	}
	return r.push(value)
}

func (r *Reader) call() error {
	values, err := r.popN(2)
	if err != nil {
		return err
	}
	function, ok1 := values[0].(Function)
	args, ok2 := values[1].(*Tuple)
	if !ok1 || !ok2 {
		return fmt.Errorf("it calls %s with %s", Describe(values[0]), Describe(values[1]))
	}
	value, err := function(args.Items)
	if err != nil {
		return err
	}
	return r.push(value)
}

// build drops the attributes of a dictionary, such as the _metadata of a module's state_dict.
func (r *Reader) build() error {
	if _, err := r.pop(); err != nil {
		return err
	}
	value, err := r.top()
	if err != nil {
		return err
	}
	if _, ok := value.(*Dict); !ok {
		return fmt.Errorf("it sets attributes of %s, not of a dictionary", Describe(value))
	}
	return nil
}
