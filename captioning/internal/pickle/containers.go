package pickle

import (
	"errors"
	"fmt"
	"slices"
)

// newTuple returns a tuple with a copy of items.
func newTuple(items []any) (*Tuple, error) {
	depth, err := depthAround(1, items)
	return &Tuple{slices.Clone(items), depth}, err
}

// tuple makes a tuple of the last n values.
func tuple(n int) func(*Reader) error {
	return func(r *Reader) error {
		items, err := r.popN(n)
		if err != nil {
			return err
		}
		t, err := newTuple(items)
		if err != nil {
			return err
		}
		return r.push(t)
	}
}

func (r *Reader) markedTuple() error {
	items, err := r.popMark()
	if err != nil {
		return err
	}
	t, err := newTuple(items)
	if err != nil {
		return err
	}
	return r.push(t)
}

func (r *Reader) emptyList() error { return r.push(&List{depth: 1}) }

func (r *Reader) list() error {
	items, err := r.popMark()
	if err != nil {
		return err
	}
	l := &List{depth: 1}
	if err := l.extend(items); err != nil {
		return err
	}
	return r.push(l)
}

func (r *Reader) append() error {
	items, err := r.popN(1)
	if err != nil {
		return err
	}
	return r.extendTop(items)
}

func (r *Reader) appends() error {
	items, err := r.popMark()
	if err != nil {
		return err
	}
	return r.extendTop(items)
}

func (r *Reader) extendTop(items []any) error {
	value, err := r.top()
	if err != nil {
		return err
	}
	l, ok := value.(*List)
	if !ok {
		return fmt.Errorf("it appends to %s, not to a list", Describe(value))
	}
	return l.extend(items)
}

func (l *List) extend(items []any) (err error) {
	l.Items = append(l.Items, items...)
	l.depth, err = depthAround(l.depth, items)
	return err
}

func (r *Reader) emptyDict() error { return r.push(&Dict{depth: 1}) }

func (r *Reader) dict() error {
	pairs, err := r.popMark()
	if err != nil {
		return err
	}
	d := &Dict{depth: 1}
	if err := d.set(pairs); err != nil {
		return err
	}
	return r.push(d)
}

func (r *Reader) setItem() error {
	pair, err := r.popN(2)
	if err != nil {
		return err
	}
	return r.setTop(pair)
}

func (r *Reader) setItems() error {
	pairs, err := r.popMark()
	if err != nil {
		return err
	}
	return r.setTop(pairs)
}

func (r *Reader) setTop(pairs []any) error {
	value, err := r.top()
	if err != nil {
		return err
	}
	d, ok := value.(*Dict)
	if !ok {
		return fmt.Errorf("it sets an item of %s, not of a dictionary", Describe(value))
	}
	return d.set(pairs)
}

// set sets entries: keys and values, alternating.
func (d *Dict) set(pairs []any) (err error) {
	if len(pairs)%2 != 0 {
		return errors.New("a dictionary has a key without a value")
	}
	for i := 0; i < len(pairs); i += 2 {
		if key, ok := pairs[i].(string); ok {
			if d.Items == nil {
				d.Items = make(map[string]any)
			}
			d.Items[key] = pairs[i+1]
		}
	}
	d.depth, err = depthAround(d.depth, pairs)
	return err
}

func (r *Reader) addItems() error {
	if _, err := r.popMark(); err != nil {
		return err
	}
	value, err := r.top()
	if err == nil && value != Other("a set") {
		return fmt.Errorf("it adds items to %s, not to a set", Describe(value))
	}
	return err
}

func (r *Reader) frozenSet() error {
	if _, err := r.popMark(); err != nil {
		return err
	}
	return r.push(Other("a frozen set"))
}
