package loader

import (
	"fmt"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/compatibility"
	"github.com/siderolabs/talos/pkg/machinery/config"
)

// image is one of those that Talos checks when it runs: its tag is the version of Kubernetes.
type image struct{ of, reference string }

// KubernetesFaults says which versions of Kubernetes in a config a Talos release would refuse once it runs, and only then:
// reading the config and validating it does not tell. A release that this loader does not know has none.
func KubernetesFaults(provider config.Provider, talosVersion string) ([]string, error) {
	release, err := compatibility.ParseTalosVersion(&machine.VersionInfo{Tag: talosVersion})
	if err != nil {
		return nil, err
	}
	var faults []string
	for _, each := range kubernetesImages(provider) {
		at := strings.LastIndex(each.reference, ":v")
		if at < 0 {
			faults = append(faults, fmt.Sprintf("%s image %q has no tag with its version of Kubernetes, such as :v1.34.1, which Talos %s wants",
				each.of, each.reference, talosVersion))
			continue
		}
		tag, _, _ := strings.Cut(each.reference[at+len(":v"):], "@")
		version, err := compatibility.ParseKubernetesVersion(tag)
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s image %q: %q is no version of Kubernetes", each.of, each.reference, tag))
			continue
		}
		if err := version.SupportedWith(release); err != nil && !isUnknown(err) {
			faults = append(faults, fmt.Sprintf("%s image %s: %s", each.of, each.reference, err))
		}
	}
	return faults, nil
}

// isUnknown tells the fault of a Talos release that the machinery does not know from that of Kubernetes.
func isUnknown(err error) bool { return strings.HasPrefix(err.Error(), "compatibility with version") }
