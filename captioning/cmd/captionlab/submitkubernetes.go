package main

import (
	"encoding/json"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"captionlab/docker"
)

// kubernetesSubmission is a submission to Kubernetes.
type kubernetesSubmission struct {
	submission
	image, claim, size, storageClass string
}

// kubernetesManifest is what docker/kubernetes/jobs.yaml is filled with. JSON values are YAML.
type kubernetesManifest struct {
	Name, Last, Claim, Size, StorageClass string
	Tasks, AtOnce                         int
	Jobs                                  []kubernetesJob
}

type kubernetesJob struct {
	Name, Group, Command, Image, Claim, Tasks, CPUs, Memory string
	Completions, AtOnce, Warning                            int
	Indexed, Suspended                                      bool
}

func newSubmitKubernetesCommand() *cobra.Command {
	var s kubernetesSubmission
	cmd := &cobra.Command{
		Use:   "kubernetes features|reproduce -- FLAGS",
		Short: "Print the manifest of an Indexed Job",
		Long: "Prints a manifest with three jobs: the plan, the array (an Indexed Job) and captionlab merge or\n" +
			"report. Its first lines show how kubectl runs them one after another. All share a volume, mounted at\n" +
			"/work, with the data in /work/data, the cache in /work/cache, and the shards or results. Containers\n" +
			"run as user 1000 and write nothing outside the volume and /tmp. Needs Kubernetes 1.29 or later.",
		Example: "  captionlab submit kubernetes features --tasks 32 --image IMAGE -- --dataset coco > jobs.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.check(cmd, args); err != nil {
				return usageError{err}
			}
			return s.print(cmd.OutOrStdout())
		},
	}
	s.register(cmd)
	cmd.Flags().StringVar(&s.image, "image", "captionlab:latest", "container image, see docker/Dockerfile")
	cmd.Flags().StringVar(&s.claim, "claim", "captionlab", "name of the PersistentVolumeClaim of the shared volume")
	cmd.Flags().StringVar(&s.size, "size", "", "make the claim, with this size, such as 200Gi (default: it exists)")
	cmd.Flags().StringVar(&s.storageClass, "storage-class", "", "storage class of the claim, for --size")
	cmd.Flags().BoolVar(&s.dryRun, "dry-run", false, "accepted for symmetry: the manifest is only printed in any case")
	return cmd
}

// Forms of values in a manifest.
var (
	claimForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	sizeForm  = regexp.MustCompile(`^[1-9][0-9]*[MGT]i$`)
)

// print prints the manifest.
func (s *kubernetesSubmission) print(out io.Writer) error {
	switch {
	case !claimForm.MatchString(s.claim) || s.storageClass != "" && !claimForm.MatchString(s.storageClass):
		return usageError{fmt.Errorf("--claim %q, --storage-class %q: use lower-case letters, digits, hyphens and dots",
			s.claim, s.storageClass)}
	case s.size != "" && !sizeForm.MatchString(s.size):
		return usageError{fmt.Errorf("--size %q: use a number and Mi, Gi or Ti, such as 200Gi", s.size)}
	case s.size == "" && s.storageClass != "":
		return usageError{fmt.Errorf("--storage-class is for a claim that is made: add --size")}
	}
	t, err := template.ParseFS(docker.Templates, "kubernetes/jobs.yaml")
	if err != nil {
		return err
	}
	if !path.IsAbs(s.shared) {
		s.shared = path.Join("/work", s.shared)
	}
	steps := s.steps("captionlab")
	m := kubernetesManifest{Name: s.name, Last: steps[2].suffix, Claim: s.claim, Size: s.size,
		StorageClass: s.storageClass, Tasks: s.tasks, AtOnce: min(s.atOnce, s.tasks)}
	for i, step := range steps {
		job := kubernetesJob{Name: s.jobName(step.suffix), Group: s.name, Claim: s.claim, Completions: s.tasks,
			AtOnce: m.AtOnce, Warning: s.warning, Indexed: step.suffix == "", Suspended: i > 0}
		for to, value := range map[*string]any{&job.Command: step.command, &job.Image: s.image,
			&job.Tasks: fmt.Sprint(s.tasks), &job.CPUs: fmt.Sprint(s.cpus), &job.Memory: s.memory} {
			if *to, err = asYAML(value); err != nil {
				return err
			}
		}
		m.Jobs = append(m.Jobs, job)
	}
	return t.ExecuteTemplate(out, "jobs.yaml", m)
}

// asYAML writes a value as JSON, which YAML includes.
func asYAML(value any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return strings.TrimSpace(text.String()), err
}
