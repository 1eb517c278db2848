//go:build !talos1.11

package main

import (
	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/generate/secrets"
)

// secretsOf are the secrets of a cluster, out of its control plane's config.
func secretsOf(clock secrets.Clock, existing config.Provider, _ *config.VersionContract) (*secrets.Bundle, error) {
	return secrets.NewBundleFromConfig(clock, existing), nil
}
