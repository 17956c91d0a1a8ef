package xla

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // the pure Go backend, for OpenOptions.AllowGo and GOMLX_BACKEND=go
	goxla "github.com/gomlx/go-xla/compute/xla"

	_ "captionlab/captioning/internal/memory" // the C heap for XLA's buffers
	"captionlab/captioning/internal/programs"
)

// Info describes a backend, for run records.
type Info struct {
	Backend string            `json:"backend"` // as the backend names itself
	Plugin  string            `json:"plugin"`  // "cpu" and the plugin's version, the value of GOMLX_BACKEND, or "none"
	Devices int               `json:"devices"`
	Modules map[string]string `json:"modules"` // versions of GoMLX and its XLA binding
}

// OpenOptions change how Open works. The zero value suits most callers.
type OpenOptions struct {
	// AllowGo falls back on GoMLX's pure Go backend, some 20 times slower, if no plugin is installed, and calls Warn.
	AllowGo bool
	// Warn is called with a warning; may be nil.
	Warn func(line string)
	// HostDevices above 1 makes the CPU appear as so many devices. It has to be set when the process opens its first
	// backend, and does not concern other platforms.
	HostDevices int
}

// hostDevices is the flag of XLA for OpenOptions.HostDevices.
const hostDevices = "--xla_force_host_platform_device_count="

// Open opens the backend that GOMLX_BACKEND names ("xla:cuda", "xla:/path/to/plugin.so", "go"), else the first
// installed CPU plugin (see Find). It never installs anything and uses no network. It fails if there is no plugin and
// if the file is damaged or not a plugin; the error says what to do.
func Open(o OpenOptions) (compute.Backend, Info, error) {
	goxla.EnableAutoInstall(false)
	if o.HostDevices > 1 {
		os.Setenv("XLA_FLAGS", fmt.Sprintf("%s %s%d", os.Getenv("XLA_FLAGS"), hostDevices, o.HostDevices))
	}
	if config := os.Getenv("GOMLX_BACKEND"); config != "" {
		backend, err := guarded(func() (compute.Backend, error) { return wrapped(compute.NewWithConfig(config)) })
		if err != nil {
			needs := ""
			if strings.HasPrefix(config, "xla:cuda") {
				needs = " (CUDA needs an NVIDIA GPU, its driver, and the plugin of docker/Dockerfile.cuda)"
			}
			return nil, Info{}, fmt.Errorf("cannot open GOMLX_BACKEND=%s: %w; correct or unset it%s",
				config, err, needs)
		}
		return backend, info(backend, config), nil
	}
	found := Find()
	if len(found) == 0 {
		if !o.AllowGo {
			where := strings.Join(SearchPath(), " or ")
			return nil, Info{}, fmt.Errorf("no XLA plugin in %s: run `captionlab setup`", where)
		}
		if o.Warn != nil {
			o.Warn("WARNING: no XLA plugin is installed; using the pure Go backend, which is many times slower. " +
				"Run `captionlab setup`.")
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
	programs.Keep(path)
	backend, err := guarded(func() (compute.Backend, error) { return wrapped(goxla.New(path)) })
	if err != nil {
		return nil, fmt.Errorf("cannot load the XLA plugin %s (%w): delete it and run `captionlab setup`",
			path, firstLine(err))
	}
	return backend, nil
}

// guarded calls open and turns a panic into an error.
func guarded(open func() (compute.Backend, error)) (backend compute.Backend, err error) {
	defer func() {
		if problem := recover(); problem != nil {
			err = fmt.Errorf("%v", problem)
		}
	}()
	return open()
}

// wrapped returns an XLA backend as one that InPlace can be used on, and others unchanged.
func wrapped(backend compute.Backend, err error) (compute.Backend, error) {
	if b, ok := backend.(*goxla.Backend); ok && err == nil {
		return &inPlace{Backend: b, replaced: make(map[string]func() []string)}, nil
	}
	return backend, err
}

func info(backend compute.Backend, plugin string) Info {
	out := Info{
		Backend: backend.Name(), Plugin: plugin, Devices: int(backend.NumDevices()), Modules: map[string]string{},
	}
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, m := range build.Deps {
			if strings.HasPrefix(m.Path, "github.com/gomlx/") {
				out.Modules[m.Path] = m.Version
			}
		}
	}
	return out
}
