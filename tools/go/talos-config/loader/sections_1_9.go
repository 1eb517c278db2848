//go:build !talos1.14

package loader

import (
	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/config"
)

// kubernetesImages are those of a config that Talos checks.
func kubernetesImages(provider config.Provider) []image {
	if provider.Machine() == nil {
		return nil
	}
	found := []image{{"kubelet", provider.Machine().Kubelet().Image()}}
	if provider.Cluster() == nil || !provider.Machine().Type().IsControlPlane() {
		return found
	}
	return append(found,
		image{"kube-apiserver", provider.Cluster().APIServer().Image()},
		image{"kube-controller-manager", provider.Cluster().ControllerManager().Image()},
		image{"kube-scheduler", provider.Cluster().Scheduler().Image()},
	)
}

// Endpoint is where the cluster's Kubernetes API is reached; empty when the config does not say.
func Endpoint(provider config.Provider) string {
	if provider.Cluster() == nil || provider.Cluster().Endpoint() == nil {
		return ""
	}
	return provider.Cluster().Endpoint().String()
}

// KubernetesAuthority signs the certificates of the cluster's Kubernetes API; nil when the config has none, as a worker's.
func KubernetesAuthority(provider config.Provider) *x509.PEMEncodedCertificateAndKey {
	if provider.Cluster() == nil {
		return nil
	}
	return provider.Cluster().IssuingCA()
}

// Installer is the image that Talos is installed from; empty when the config does not say.
func Installer(provider config.Provider) string {
	if provider.Machine() == nil {
		return ""
	}
	return provider.Machine().Install().Image()
}
