package experiment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Member is a member of a JSON object. In Amend, After names the member that it follows if it is a new one.
type Member struct {
	Name  string
	Value any
	After string
}

// Amend returns a record, the text of a JSON object as WriteJSON writes it, with members replaced or added. All other
// members keep their order and their text, to the last digit, whether this version of the code knows them or not. It
// fails if the record is not an object, or has neither a member nor the one that it follows.
func Amend(record []byte, members ...Member) ([]byte, error) {
	all, err := readMembers(record)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		value, err := marshal(m.Value)
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", m.Name, err)
		}
		if i := slices.IndexFunc(all, named(m.Name)); i >= 0 {
			all[i].value = value
			continue
		}
		i := slices.IndexFunc(all, named(m.After))
		if i < 0 {
			return nil, fmt.Errorf("the record has no member %q, which %q follows", m.After, m.Name)
		}
		all = slices.Insert(all, i+1, rawMember{m.Name, value})
	}
	var compact, out bytes.Buffer
	for i, m := range all {
		compact.WriteByte("{,"[min(i, 1)])
		name, err := marshal(m.name)
		if err != nil {
			return nil, err
		}
		compact.Write(name)
		compact.WriteByte(':')
		compact.Write(m.value)
	}
	compact.WriteByte('}')
	if err := json.Indent(&out, compact.Bytes(), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// rawMember is a member with its value as text.
type rawMember struct {
	name  string
	value json.RawMessage
}

func named(name string) func(m rawMember) bool {
	return func(m rawMember) bool { return m.name == name }
}

// readMembers returns the members of an object in their order. It fails if there are none.
func readMembers(object []byte) ([]rawMember, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	start, err := d.Token()
	if err == nil && start != json.Delim('{') {
		err = fmt.Errorf("%.20s is not a JSON object", object)
	}
	var all []rawMember
	for err == nil && d.More() {
		var m rawMember
		var name json.Token
		if name, err = d.Token(); err == nil {
			m.name, _ = name.(string) // names of members are strings
			err = d.Decode(&m.value)
		}
		all = append(all, m)
	}
	if err == nil {
		_, err = d.Token()
	}
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("the record is empty")
	}
	return all, err
}

// marshal is json.Marshal without escapes for HTML, as in WriteJSON.
func marshal(value any) (json.RawMessage, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimRight(out.Bytes(), "\n"), err
}
