#!/bin/bash
#SBATCH --job-name={{.Name}}
{{- if .Array}}
#SBATCH --array={{.Array}}
{{- end}}
#SBATCH --output={{.Logs}}
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --signal=USR1@{{.Warning}}
#SBATCH --time={{.Time}}
#SBATCH --cpus-per-task={{.CPUs}}
#SBATCH --mem={{.Memory}}
{{- if .Partition}}
#SBATCH --partition={{.Partition}}
{{- end}}

cd {{.Dir}} || exit 1
{{- range .Env}}
export {{.}}
{{- end}}

# USR1 reaches the program {{.Warning}} seconds before the time limit. It then stops in good order with exit status 75, and is
# queued again. The same happens to a node that fails, by --requeue.
srun --cpus-per-task={{.CPUs}} {{.Command}}
status=$?
if [ "$status" -eq 75 ]; then
    scontrol requeue "{{if .Array}}${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}{{else}}${SLURM_JOB_ID}{{end}}"
fi
exit "$status"
