package main

import "github.com/siderolabs/talos/pkg/machinery/constants"

// ownImages are what talosctl image default lists of the machinery: all but the pause image, which is containerd's.
func ownImages() []string {
	kubernetes := ":v" + constants.DefaultKubernetesVersion
	return append(policyImages(),
		constants.KubeletImage+kubernetes,
		constants.KubernetesAPIServerImage+kubernetes,
		constants.KubernetesControllerManagerImage+kubernetes,
		constants.KubernetesSchedulerImage+kubernetes,
		constants.KubeProxyImage+kubernetes,
		constants.EtcdImage+":"+constants.DefaultEtcdVersion,
		constants.CoreDNSImage+":"+constants.DefaultCoreDNSVersion,
		// Talos's own build of docker.io/flannel/flannel (pkg/images/list.go).
		"ghcr.io/siderolabs/flannel:"+constants.FlannelVersion,
	)
}
