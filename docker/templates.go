// Package docker holds the templates from which captionlab submit makes job scripts and manifests. README.md explains
// them.
package docker

import "embed"

// Templates are the files slurm/job.sh and kubernetes/jobs.yaml, in the syntax of text/template.
//
//go:embed slurm/job.sh kubernetes/jobs.yaml
var Templates embed.FS
