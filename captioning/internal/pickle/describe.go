package pickle

import "fmt"

// Describe describes a value for an error, in a few words however large the value is.
func Describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case int, float64:
		return fmt.Sprintf("the number %v", v)
	case string:
		return "the text " + Quote(v)
	case *Tuple:
		return fmt.Sprintf("a tuple of length %d", len(v.Items))
	case *List:
		return fmt.Sprintf("a list of length %d", len(v.Items))
	case *Dict:
		return "a dictionary"
	case Other:
		return string(v)
	case fmt.Stringer:
		return v.String()
	}
	return "a function"
}

// Quote quotes a name for an error and shortens a long one.
func Quote(name string) string {
	const most = 80 // bytes
	if len(name) > most {
		return fmt.Sprintf("%q... (%d bytes)", name[:most], len(name))
	}
	return fmt.Sprintf("%q", name)
}
