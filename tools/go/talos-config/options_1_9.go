//go:build !talos1.13

package main

import "github.com/siderolabs/talos/pkg/machinery/config/generate"

// releaseOptions are what talosctl gen config sets in some releases only.
func releaseOptions() []generate.Option {
	return []generate.Option{generate.WithPersist(true)}
}
