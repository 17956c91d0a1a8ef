package pickle

import (
	"fmt"
	"strconv"
)

// memoText reads the number of a memo entry in decimal digits.
func (r *Reader) memoText() (uint32, error) {
	line, err := r.line(maxDigits)
	if err != nil {
		return 0, err
	}
	i, err := strconv.ParseUint(string(line), 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s does not number a value", Quote(string(line)))
	}
	return uint32(i), nil
}

func (r *Reader) putText() error {
	i, err := r.memoText()
	if err != nil {
		return err
	}
	return r.remember(i)
}

func (r *Reader) getText() error {
	i, err := r.memoText()
	if err != nil {
		return err
	}
	return r.recall(i)
}

func put(width int) func(*Reader) error {
	return func(r *Reader) error {
		i, err := r.number(width)
		if err != nil {
			return err
		}
		return r.remember(uint32(i))
	}
}

func get(width int) func(*Reader) error {
	return func(r *Reader) error {
		i, err := r.number(width)
		if err != nil {
			return err
		}
		return r.recall(uint32(i))
	}
}

func (r *Reader) memoize() error { return r.remember(uint32(len(r.memo))) }

func (r *Reader) remember(i uint32) (err error) {
	r.memo[i], err = r.top()
	return err
}

func (r *Reader) recall(i uint32) error {
	value, ok := r.memo[i]
	if !ok {
		return fmt.Errorf("it repeats value %d, which it has not stored", i)
	}
	return r.push(value)
}
