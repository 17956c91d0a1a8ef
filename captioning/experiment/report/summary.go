package report

import (
	"fmt"
	"strings"
)

// writeSummary writes the results of README.md: the paper, its two LSTMs as trained here, and the
// vanilla RNN.
func (d dataset) writeSummary(out *strings.Builder) error {
	baseline, okBaseline := d.group("baseline")
	rnn, okRNN := d.group("rnn")
	best, okBest := d.group("best-lstm")
	rows := d.paperRow()
	for _, row := range []struct {
		what string
		g    Group
		ok   bool
	}{
		{"baseline LSTM", baseline, okBaseline},
		{"the paper's best LSTM", best, okBest},
		{"vanilla RNN", rnn, okRNN},
	} {
		if !row.ok {
			continue
		}
		s, err := row.g.scores()
		if err != nil {
			return err
		}
		rows = append(rows, []string{fmt.Sprintf("%s: [%s](results/%s/%s)", row.what, row.g.Name, d.name, row.g.Name),
			row.g.lossPadded(), s.pa4[bleu1], s.pa4[bleu4], s.coco[bleu4], row.g.meteor(),
			s.coco[cider]})
	}
	fmt.Fprintf(out, "%s test images of %s, greedy captions",
		thousands(fmt.Sprint(len(d.groups[0].Runs[0].Captions))), d.name)
	if name := d.encoder(); name != "" {
		fmt.Fprintf(out, ", features of %s", name)
	}
	out.WriteString(".\nBrackets contain 95 % intervals over images; ± is the standard deviation over seeds.\n\n")
	writeTable(out, []string{"model", "loss_padded", "pa4 BLEU-1", "pa4 BLEU-4", "coco BLEU-4", "METEOR", "CIDEr-D"},
		rows)
	out.WriteString(columnNotes)
	return nil
}

const columnNotes = "\n" +
	"- `loss_padded`: test loss in nats, computed as in the paper, with pads counted. Lower is better.\n" +
	"- `pa4 BLEU-1`: the paper's protocol, NLTK's sentence BLEU averaged over images: matching words, 0 to 100.\n" +
	"- `pa4 BLEU-4`: the same with sequences of up to four words.\n" +
	"- `coco BLEU-4`: the protocol of coco-caption, corpus BLEU with sequences of up to four words, 0 to 100.\n" +
	"- `METEOR`: METEOR 1.5 as coco-caption runs it, which also counts stems, synonyms and paraphrases as matches, 0 " +
	"to 100.\n" +
	"- `CIDEr-D`: the consensus score of coco-caption, which gives rare word sequences more weight; multiplied by " +
	"100.\n"

// paperRow is the row of the paper's two models, or no row if one of them is not recorded here.
func (d dataset) paperRow() [][]string {
	baseline, _ := d.group("baseline")
	best, _ := d.group("best-lstm")
	if baseline.Paper == nil || best.Paper == nil {
		return nil
	}
	pair := func(digits int, a, b float64) string { return fmt.Sprintf("%.*f / %.*f", digits, a, digits, b) }
	return [][]string{{"the paper's baseline / best LSTM, on COCO with ResNet-50",
		pair(3, baseline.Paper.Loss, best.Paper.Loss), pair(2, baseline.Paper.BLEU1, best.Paper.BLEU1),
		pair(2, baseline.Paper.BLEU4, best.Paper.BLEU4), "", "", ""}}
}
