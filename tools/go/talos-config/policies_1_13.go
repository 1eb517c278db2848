//go:build talos1.13

package main

import "github.com/siderolabs/talos/pkg/machinery/constants"

// policyImages are what flannel's network policies run.
func policyImages() []string {
	return []string{"registry.k8s.io/networking/kube-network-policies:" + constants.KubeNetworkPoliciesVersion}
}
