// Package loader reads machine configs as Talos does on a bare machine.
package loader

import (
	"runtime/debug"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

const machinery = "github.com/siderolabs/talos/pkg/machinery"

// metal is the runtime mode that Talos validates for on a bare machine.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }

// Load reads a machine config and validates it for metal. An unknown key is an error, as it is for Talos.
func Load(text []byte) (provider config.Provider, warnings []string, err error) {
	if provider, err = configloader.NewFromBytes(text); err != nil {
		return nil, nil, err
	}
	warnings, err = provider.Validate(metal{}, validation.WithLocal())
	return provider, warnings, err
}

// Version is the release of Talos that the loader is of, as v1.11.6.
func Version() string {
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, module := range built.Deps {
			if module.Path == machinery {
				return module.Version
			}
		}
	}
	return "unknown"
}
