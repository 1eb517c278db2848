//go:build talos1.14

package main

import (
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
)

// secretsOf are the secrets of a cluster, out of its control plane's config.
func secretsOf(clock secrets.Clock, existing config.Provider, contract *config.VersionContract) (*secrets.Bundle, error) {
	kept, err := secrets.NewBundleFromConfig(clock, existing)
	if err != nil {
		return nil, err
	}
	return kept, kept.Validate(contract)
}
