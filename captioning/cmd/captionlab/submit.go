package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"captionlab/captioning/internal/shard"
)

// submission is one call of captionlab submit.
type submission struct {
	tasks, atOnce int
	name          string
	dir           string // working folder, and with Slurm the folder of the logs
	shared        string // shard folder, or file of the plan, in dir or absolute
	cpus          int
	memory        string
	warning       int // seconds
	dryRun        bool

	work  string   // features or reproduce
	flags []string // of the work
}

func newSubmitCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit slurm|kubernetes features|reproduce",
		Short: "Run features or a sweep as an array of jobs on a cluster",
		Long: "Makes the job scripts of a Slurm array, or the manifest of a Kubernetes Indexed Job, that compute\n" +
			"the features of a dataset in shards, or train the runs of a sweep. First comes a job that writes the\n" +
			"plan (and, for a sweep, computes the features), then the array, then captionlab merge or report. The\n" +
			"flags of captionlab features or reproduce follow after --.",
		Example: "  captionlab submit slurm features --tasks 32 --at-once 8 --dry-run -- --dataset coco\n" +
			"  captionlab submit slurm reproduce --tasks 18 --time 4:00:00 -- --dataset coco --encoder resnet50\n" +
			"  captionlab submit kubernetes features --tasks 32 --image IMAGE -- --dataset coco > jobs.yaml",
		Args: func(_ *cobra.Command, args []string) error {
			return usageError{fmt.Errorf("%q is no cluster: use slurm or kubernetes", strings.Join(args, " "))}
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSubmitSlurmCommand(), newSubmitKubernetesCommand())
	return cmd
}

// register adds the flags that all clusters share.
func (s *submission) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&s.tasks, "tasks", 0, "tasks of the array: shards of features, or parts of a sweep (required)")
	flags.IntVar(&s.atOnce, "at-once", 8, "tasks that run at once")
	flags.StringVar(&s.name, "name", "", "name of the jobs (default: captionlab- and the work)")
	flags.StringVar(&s.shared, "shared", "",
		"shard folder, or file of a sweep's plan, that all tasks share (default: the name of the jobs)")
	flags.IntVar(&s.cpus, "cpus", 2, "cores of a task")
	flags.StringVar(&s.memory, "memory", "4Gi", "memory of a task, such as 4Gi")
	flags.IntVar(&s.warning, "warning", 90, "seconds that a task is given to stop in good order")
}

// nameForm is the form of the names of Kubernetes objects; job scripts need no quotes for it.
var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,45}[a-z0-9])?$`)

// memoryForm is the form of --memory.
var memoryForm = regexp.MustCompile(`^([1-9][0-9]*)([MG])i$`)

// check reads the arguments: the work, and its flags after --.
func (s *submission) check(cmd *cobra.Command, args []string) error {
	before := cmd.ArgsLenAtDash()
	if before < 0 {
		before = len(args)
	}
	if before != 1 || args[0] != "features" && args[0] != "reproduce" {
		return fmt.Errorf("name the work, features or reproduce, and its flags after --, as in "+
			"captionlab submit %s features --tasks 32 -- --dataset coco", cmd.Name())
	}
	s.work, s.flags = args[0], args[1:]
	if s.name == "" {
		s.name = "captionlab-" + s.work
	}
	if s.shared == "" {
		s.shared = map[string]string{"features": s.name + "-shards", "reproduce": s.name + "-plan.json"}[s.work]
	}
	switch {
	case s.tasks < 1 || s.tasks > shard.MaxCount:
		return fmt.Errorf("--tasks is %d: use 1 to %d", s.tasks, shard.MaxCount)
	case s.atOnce < 1 || s.cpus < 1:
		return fmt.Errorf("--at-once is %d and --cpus %d: use at least 1", s.atOnce, s.cpus)
	case s.warning < 10:
		return fmt.Errorf("--warning is %d: a checkpoint may take 10 seconds", s.warning)
	case !nameForm.MatchString(s.name):
		return fmt.Errorf("--name %q: use at most 47 lower-case letters, digits and hyphens", s.name)
	case !memoryForm.MatchString(s.memory):
		return fmt.Errorf("--memory %q: use a number and Mi or Gi, such as 4Gi", s.memory)
	}
	return s.checkFlags()
}

// checkFlags fails unless the flags of the work are right, so that mistakes do not wait in a queue.
func (s *submission) checkFlags() error {
	command, own := newFeaturesCommand(), []string{"shard", "shard-dir"}
	if s.work == "reproduce" {
		command, own = newReproduceCommand(), []string{"task", "plan", "dry-run", "again"}
	}
	if err := command.ParseFlags(s.flags); err != nil {
		return fmt.Errorf("captionlab %s: %w", s.work, err)
	}
	if rest := command.Flags().Args(); len(rest) > 0 {
		return fmt.Errorf("captionlab %s takes no argument %q", s.work, rest[0])
	}
	if i := slices.IndexFunc(own, func(name string) bool { return command.Flags().Changed(name) }); i >= 0 {
		return fmt.Errorf("--%s is set by captionlab submit: leave it out", own[i])
	}
	return nil
}

// step is one of the three jobs of a submission.
type step struct {
	suffix  string // of its name; empty for the array
	command []string
}

// steps returns the plan, the array and what comes last. program begins their commands.
func (s *submission) steps(program ...string) [3]step {
	run := func(arguments ...string) []string { return slices.Concat(program, arguments) }
	if s.work == "features" {
		part := func(text string) []string {
			return slices.Concat(run("features"), s.flags, []string{"--shard", text, "--shard-dir", s.shared})
		}
		return [3]step{{"plan", part(fmt.Sprintf("plan/%d", s.tasks))}, {"", part(fmt.Sprintf("auto/%d", s.tasks))},
			{"merge", run("merge", s.shared)}}
	}
	part := func(text string) []string {
		return slices.Concat(run("reproduce"), s.flags, []string{"--task", text, "--plan", s.shared})
	}
	return [3]step{{"plan", part("plan")}, {"", part(fmt.Sprintf("auto/%d", s.tasks))}, {"report", run("report")}}
}

// jobName is the name of a step's job.
func (s *submission) jobName(suffix string) string {
	if suffix == "" {
		return s.name
	}
	return s.name + "-" + suffix
}

// shellQuote quotes a word for a shell if needed.
func shellQuote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_", r)
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func shellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = shellQuote(word)
	}
	return strings.Join(quoted, " ")
}

// programPath is the absolute path of this program.
func programPath() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", errors.New("the path of this program is unknown: name it with --program")
	}
	return filepath.EvalSymlinks(path)
}
