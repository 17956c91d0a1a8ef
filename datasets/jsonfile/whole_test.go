package jsonfile

import "testing"

func TestWholeNumber(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "42": 42, "-3": -3, "42.0": 42, "4.2e1": 42, "-0.0": 0, "9223372036854775807": 1<<63 - 1,
	} {
		if got, err := WholeNumber([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %d, error %v", text, got, err)
		}
	}
	for _, text := range []string{
		"1.5", "9223372036854775808", "1e300", "1e999", "NaN", `"42"`, "null", "true", "", "0x10",
	} {
		if got, err := WholeNumber([]byte(text)); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
