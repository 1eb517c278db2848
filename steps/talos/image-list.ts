import { imageReference, type ImageReference } from "../../stack/image-reference";
import { ownInstaller, releaseImages } from "../../stack/talos-images";
import type { Component } from "./named-images";
import type { NodeConfig } from "./node-config";
import type { Surroundings } from "./surroundings";

/** An image that a node needs, and for what. */
export interface NeededImage extends ImageReference {
  of: string;
}

/** What runs on machines of the control plane only. */
const OF_CONTROL_PLANE: readonly Component[] = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
];

/** Where Kubernetes' own parts come from (pkg/machinery/constants); the kubelet is made by Talos. */
const kubernetesImage = (component: Component, tag: string) =>
  component === "kubelet" ? `ghcr.io/siderolabs/kubelet:${tag}` : `registry.k8s.io/${component}:${tag}`;

/** The version of Kubernetes in a tag of Talos's kubelet, which comes in variants too: v1.34.1-slim. */
const kubernetesIn = (tag: string) => /^v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?/.exec(tag)?.[0];

/** What a component runs: what the config names, or what Talos takes by itself. */
function componentImage(component: Component, node: NodeConfig, talosVersion: string): string {
  const own = releaseImages(talosVersion);
  const named = node.images.components[component];
  if (named) return named;
  if (component === "etcd") return own.etcd;
  if (component === "CoreDNS") return own.coredns;
  // A worker's config does not name the proxy, which is of the cluster's version, as is the kubelet.
  const kubelet = kubernetesIn(imageReference(node.images.components.kubelet ?? "")?.tag ?? "");
  const isOfCluster = component === "kube-proxy" && node.machineType === "worker" && kubelet;
  return kubernetesImage(component, isOfCluster ? kubelet : `v${own.kubernetes}`);
}

function installerOf({ install }: NodeConfig, around: Pick<Surroundings, "talosVersion" | "schematic">) {
  if (!install.isAsked) return [];
  const image = install.image || ownInstaller(around.talosVersion, install.byDocument, around.schematic);
  return image ? [{ of: "installer", image }] : [];
}

/** What is no reference to an image, in words that say where it is named. */
export const unreadableImages = (node: NodeConfig): string[] =>
  [
    { of: "installer", image: node.install.image },
    ...Object.entries(node.images.components).map(([of, image]) => ({ of, image })),
    ...node.images.others,
  ].flatMap(({ of, image }) => (image === "" || imageReference(image) ? [] : [`${of}, ${image}`]));

/**
 * The images that a node needs to install itself and to run as the machine config says, each once, sorted by reference: those
 * of the release (as `talosctl image` lists them), what the config names, and what the stack adds. A config without a machine
 * names what it names; the rest comes with the rest of it.
 *
 * @param extra references that the stack's config adds
 */
export function imagesOf(
  node: NodeConfig,
  around: Pick<Surroundings, "talosVersion" | "schematic">,
  extra: readonly string[] = [],
): NeededImage[] {
  const { talosVersion } = around;
  const { images, machineType, isPartial } = node;
  const own = releaseImages(talosVersion);
  const components: Component[] = [
    "kubelet",
    ...(machineType === "worker" ? [] : OF_CONTROL_PLANE),
    "kube-proxy",
    "CoreDNS",
  ];
  const all = [
    ...installerOf(node, around),
    ...(isPartial
      ? []
      : [
          ...components
            .filter((component) => !images.off.includes(component))
            .map((component) => ({ of: component, image: componentImage(component, node, talosVersion) })),
          ...((images.flannel ?? machineType === "worker") ? [{ of: "flannel", image: own.flannel }] : []),
          ...(images.policies && own.policies ? [{ of: "kube-network-policies", image: own.policies }] : []),
          { of: "pause", image: own.pause },
        ]),
    ...images.others,
    ...extra.map((image) => ({ of: "extraImages", image })),
  ];
  const read = all.flatMap(({ of, image }) => {
    const reference = imageReference(image);
    return reference ? [{ of, ...reference }] : [];
  });
  const byReference = new Map(read.reverse().map((each) => [each.reference, each]));
  return [...byReference.values()].sort((a, b) => (a.reference < b.reference ? -1 : 1));
}
