//go:build talos1.14

package loader

import (
	"github.com/siderolabs/crypto/x509"
	"github.com/siderolabs/talos/pkg/machinery/config"
)

// kubernetesImages are those of a config that Talos checks, in documents or in the v1alpha1 part.
func kubernetesImages(provider config.Provider) []image {
	var found []image
	if kubelet := provider.K8sKubeletConfig(); kubelet != nil {
		found = append(found, image{"kubelet", kubelet.Image()})
	}
	if provider.Machine() == nil || !provider.Machine().Type().IsControlPlane() {
		return found
	}
	if server := provider.K8sAPIServerConfig(); server != nil {
		found = append(found, image{"kube-apiserver", server.Image()})
	}
	if manager := provider.K8sControllerManagerConfig(); manager != nil {
		found = append(found, image{"kube-controller-manager", manager.Image()})
	}
	if scheduler := provider.K8sSchedulerConfig(); scheduler != nil {
		found = append(found, image{"kube-scheduler", scheduler.Image()})
	}
	return found
}

// Endpoint is where the cluster's Kubernetes API is reached; empty when the config does not say.
func Endpoint(provider config.Provider) string {
	cluster := provider.K8sClusterConfig()
	if cluster == nil || cluster.ClusterEndpoint() == nil {
		return ""
	}
	return cluster.ClusterEndpoint().String()
}

// KubernetesAuthority signs the certificates of the cluster's Kubernetes API; nil when the config has none, as a worker's.
func KubernetesAuthority(provider config.Provider) *x509.PEMEncodedCertificateAndKey {
	if authority := provider.K8sAPIServerCAConfig(); authority != nil {
		return authority.IssuingCA()
	}
	return nil
}

// Installer is the image that Talos is installed from; empty when the config does not say.
func Installer(provider config.Provider) string {
	if install := provider.UnattendedInstallConfig(); install != nil {
		return install.InstallerImage()
	}
	if provider.Machine() != nil && provider.Machine().Install() != nil {
		return provider.Machine().Install().Image()
	}
	return ""
}
