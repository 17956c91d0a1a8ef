package decoder

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Mixed precision: the factors of the large matrix products are rounded to bfloat16, and the products are summed and
// returned in float32. Weights, the optimizer and all elementwise operations stay float32. The gradient of a rounded
// weight is rounded, too, on its way back to float32, as in torch.autocast, which also rounds every product. bfloat16
// has the range of float32, so that losses need no scaling (Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep
// Learning Training").
//
// The dtype of its weight decides how a product is computed: see product.

// Precisions lists the values of TrainOptions.Precision.
var Precisions = []string{"float32", "bfloat16"}

// inPrecision returns w, in bfloat16 precision with the weights of the large products rounded. The weights of a custom
// cell stay float32, because their use is unknown.
func (m Model) inPrecision(precision string, w Weights) Weights {
	if precision != "bfloat16" {
		return w
	}
	rounded := make(Weights)
	_, builtin := m.Cell.(tabled)
	if hidden, ok := m.Cell.(stepwise); ok {
		_, builtin = hidden.Cell.(tabled)
	}
	for _, name := range slices.Sorted(maps.Keys(w)) { // the same graph each time
		value := w[name]
		own := strings.HasPrefix(name, cellPrefix)
		if isProduct := name == outputWeight || own && builtin && value.Rank() == 2; isProduct {
			value = ConvertDType(value, dtypes.BFloat16)
		}
		rounded[name] = value
	}
	return rounded
}

func checkPrecision(precision string) error {
	if precision != "" && !slices.Contains(Precisions, precision) {
		return fmt.Errorf("decoder: precision %q: use %s", precision, strings.Join(Precisions, " or "))
	}
	return nil
}
