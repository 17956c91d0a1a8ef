package shard

import (
	"strings"
	"testing"
)

// Expected values from Python 3.11.7: int.from_bytes(hashlib.sha256(id.encode()).digest()[:8], "big") % count.
func TestOfIsTheHashOfTheID(t *testing.T) {
	counts := []int{1, 7, 12, 99999}
	for id, want := range map[string][]int{
		"":                          {0, 1, 4, 89224},
		"a":                         {0, 4, 10, 53161},
		"1000268201_693b08cb0e.jpg": {0, 2, 0, 27486},
		"42":                        {0, 2, 9, 22395},
		"ü":                         {0, 2, 8, 61520},
	} {
		for i, count := range counts {
			if got := Of(id, count); got != want[i] {
				t.Errorf("%q is in shard %d of %d, want %d", id, got, count, want[i])
			}
		}
	}
}

func TestParse(t *testing.T) {
	slurm := map[string]string{"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "12",
		"SLURM_ARRAY_TASK_COUNT": "12"}
	some := map[string]string{"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_MAX": "9",
		"SLURM_ARRAY_TASK_COUNT": "2"}
	pod := map[string]string{"JOB_COMPLETION_INDEX": "3", "CAPTIONLAB_SHARDS": "4"}
	for _, c := range []struct {
		text string
		env  map[string]string
		want string // the part, or a part of the error
	}{
		{"0/1", nil, "0/1"},
		{"11/12", slurm, "11/12"},
		{"auto", slurm, "4/12"},
		{"auto/20", slurm, "5/20"},
		{"auto/5", slurm, "no shard 5 of 5"},
		{"auto", some, "name the number of shards, as in auto/10"},
		{"auto/10", some, "5/10"},
		{"auto", pod, "3/4"},
		{"auto/9", pod, "3/9"},
		{"auto", map[string]string{"JOB_COMPLETION_INDEX": "3"}, "CAPTIONLAB_SHARDS is \"\""},
		{"auto", map[string]string{"SLURM_ARRAY_TASK_ID": "3"}, "SLURM_ARRAY_TASK_MIN is \"\""},
		{"auto", nil, "no task of an array"},
		{"auto/3", nil, "no task of an array"},
		{"12/12", nil, "no shard 12 of 12"},
		{"-1/12", nil, "no shard -1 of 12"},
		{"0/0", nil, "no shard 0 of 0"},
		{"0/100000", nil, "use 1 to 99999"},
		{"3", nil, "is not a shard"},
		{"a/b", nil, "is not a shard"},
		{"a/3", nil, "is not a shard"},
		{"1/3/4", nil, "is not a shard"},
	} {
		p, err := Parse(c.text, func(name string) string { return c.env[name] })
		got := p.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, c.want) || err == nil && got != c.want {
			t.Errorf("%s with %v: %s, want %s", c.text, c.env, got, c.want)
		}
	}
}
