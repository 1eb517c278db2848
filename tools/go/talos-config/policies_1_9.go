//go:build !talos1.13

package main

// policyImages are none: flannel keeps no network policies yet.
func policyImages() []string { return nil }
