package xla

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure Go backend, for OpenOptions.AllowGo and GOMLX_BACKEND=go
	goxla "github.com/gomlx/go-xla/compute/xla"
)

// Info says what a backend is, for run records.
type Info struct {
	Backend string            `json:"backend"` // as the backend names itself
	Plugin  string            `json:"plugin"`  // file name of the plugin and its version, or what GOMLX_BACKEND said
	Devices int               `json:"devices"`
	Modules map[string]string `json:"modules"` // versions of GoMLX and its XLA binding
}

// OpenOptions change how Open behaves. The zero value is right for most.
type OpenOptions struct {
	// AllowGo falls back on GoMLX's pure Go backend, some 20 times slower, where there is no plugin; Warn is told.
	AllowGo bool
	Warn    func(line string)
}

// Open opens the backend: what GOMLX_BACKEND names ("xla:cuda", "xla:/path/to/plugin.so", "go"), else the first installed
// CPU plugin (see Find). It never installs anything and asks no network. Fails when there is no plugin, or when the file
// is damaged or no plugin, saying what to do.
func Open(o OpenOptions) (compute.Backend, Info, error) {
	goxla.EnableAutoInstall(false)
	if config := os.Getenv("GOMLX_BACKEND"); config != "" {
		backend, err := guarded(func() (compute.Backend, error) { return compute.NewWithConfig(config) })
		if err != nil {
			needs := ""
			if strings.HasPrefix(config, "xla:cuda") {
				needs = " (CUDA needs an NVIDIA GPU, its driver, and the plugin of docker/Dockerfile.cuda)"
			}
			return nil, Info{}, fmt.Errorf("GOMLX_BACKEND=%s cannot be opened: %w; correct or unset it%s", config, err, needs)
		}
		return backend, info(backend, config), nil
	}
	found := Find()
	if len(found) == 0 {
		if !o.AllowGo {
			return nil, Info{}, fmt.Errorf("no XLA plugin in %s: run `captionlab setup`", strings.Join(SearchPath(), " or "))
		}
		if o.Warn != nil {
			o.Warn("WARNING: no XLA plugin is installed, so the pure Go backend does the work, many times slower. Run `captionlab setup`.")
		}
		backend, err := guarded(func() (compute.Backend, error) { return compute.NewWithConfig("go") })
		if err != nil {
			return nil, Info{}, err
		}
		return backend, info(backend, "none"), nil
	}
	backend, err := OpenPlugin(found[0].Path)
	if err != nil {
		return nil, Info{}, err
	}
	return backend, info(backend, "cpu "+found[0].Version), nil
}

// OpenPlugin opens the plugin file at path.
func OpenPlugin(path string) (compute.Backend, error) {
	goxla.EnableAutoInstall(false)
	backend, err := guarded(func() (compute.Backend, error) { return goxla.New(path) })
	if err != nil {
		return nil, fmt.Errorf("the XLA plugin %s cannot be loaded (%w): delete it and run `captionlab setup`", path, firstLine(err))
	}
	return backend, nil
}

func guarded(open func() (compute.Backend, error)) (backend compute.Backend, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	return open()
}

func info(backend compute.Backend, plugin string) Info {
	out := Info{Backend: backend.Name(), Plugin: plugin, Devices: int(backend.NumDevices()), Modules: map[string]string{}}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if strings.HasPrefix(m.Path, "github.com/gomlx/") {
				out.Modules[m.Path] = m.Version
			}
		}
	}
	return out
}
