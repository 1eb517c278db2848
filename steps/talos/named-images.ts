import { parseAllDocuments, type Document as Yaml } from "yaml";
import * as z from "zod";
import { withoutUrlSecrets } from "../../stack/source-url";
import { flag, part, text, texts } from "./lenient";

/** The parts of Kubernetes, and etcd, that Talos runs on a node, by the names that messages have for them. */
export const COMPONENTS = [
  "kubelet",
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "CoreDNS",
] as const;
export type Component = (typeof COMPONENTS)[number];

/** Images that a machine config names, and what it says of those that Talos takes by itself. */
export interface NamedImages {
  /** What a component runs, where the config says so. */
  components: Partial<Record<Component, string>>;
  /** Components that the config switches off. */
  off: Component[];
  /** Whether Talos sets up flannel; unset where the config does not tell, as that of a worker in documents. */
  flannel?: boolean;
  /** Whether flannel is to keep network policies. */
  policies: boolean;
  /** What else the config names, and where: extensions, pods, containers, manifests within the config. */
  others: { of: string; image: string }[];
  /** URLs of manifests that the node fetches, without what may be secret in them, and where the config names them. */
  manifests: { of: string; url: string }[];
  /** Whether Talos checks signatures of images, which no registry of images alone has. */
  verifies: boolean;
}

const Image = part(z.object({ image: text, disabled: flag }));
const Switch = part(z.object({ disabled: flag }));
const Flannel = part(z.object({ kubeNetworkPoliciesEnabled: flag }));

/** The sections of a v1alpha1 config that name images (pkg/machinery, config/types/v1alpha1/v1alpha1_types.go). */
const Sections = z.object({
  machine: z.object({
    install: part(z.object({ extensions: part(z.array(z.object({ image: z.string() }))) })),
    kubelet: Image,
    controlPlane: part(z.object({ controllerManager: Switch, scheduler: Switch })),
    pods: part(z.array(z.unknown())),
  }),
  cluster: part(
    z.object({
      etcd: Image,
      apiServer: Image,
      controllerManager: Image,
      scheduler: Image,
      proxy: Image,
      coreDNS: Image,
      network: part(z.object({ cni: part(z.object({ name: text, urls: texts, flannel: Flannel })) })),
      extraManifests: texts,
      inlineManifests: part(z.array(z.object({ contents: text }))),
      externalCloudProvider: part(z.object({ manifests: texts })),
    }),
  ),
});

const Document = z.object({
  kind: z.string(),
  image: text,
  enabled: flag,
  url: text,
  manifest: text,
  pod: z.unknown().optional(),
  kubeNetworkPoliciesEnabled: flag,
  rules: part(z.array(z.unknown())),
});

/** Components by the documents that configure them (pkg/machinery, config/types/k8s). */
const OF_DOCUMENT: Record<string, Component> = {
  KubeletConfig: "kubelet",
  KubeAPIServerConfig: "kube-apiserver",
  KubeControllerManagerConfig: "kube-controller-manager",
  KubeSchedulerConfig: "kube-scheduler",
  KubeProxyConfig: "kube-proxy",
  KubeCoreDNSConfig: "CoreDNS",
};

const OfContainer = z.object({ image: z.string() });
/** A volume that is an image (Kubernetes' API, ImageVolumeSource). */
const OfVolume = z.object({ image: z.object({ reference: z.string() }) });

const imageOfContainer = (entry: unknown) => OfContainer.safeParse(entry).data?.image;
/** The lists of a pod that name images, and where each of their entries does. */
const IN_POD = new Map([
  ["containers", imageOfContainer],
  ["initContainers", imageOfContainer],
  ["ephemeralContainers", imageOfContainer],
  ["volumes", (entry: unknown) => OfVolume.safeParse(entry).data?.image.reference],
]);

/** Images of a Kubernetes object, wherever in it its pods are described. */
function imagesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(imagesIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, below]) => {
    const imageOf = IN_POD.get(key);
    if (!imageOf || !Array.isArray(below)) return imagesIn(below);
    return below.flatMap((entry) => imageOf(entry) || []);
  });
}

/** What a document of YAML says; nothing where it is none, or names what it does not have. */
function valueOf(document: Yaml.Parsed): unknown {
  if (document.errors.length > 0) return undefined;
  try {
    return document.toJS() as unknown;
  } catch {
    return undefined;
  }
}

/** Images of manifests; of a text that is no YAML, none. */
const imagesOfManifest = (manifest: string): string[] =>
  (parseAllDocuments(manifest) as Yaml.Parsed[]).flatMap((document) => imagesIn(valueOf(document)));

const named = (of: string, images: string[]) => images.map((image) => ({ of, image }));
const fetched = (of: string, urls: string[] | null | undefined) =>
  (urls ?? []).map((url) => ({ of, url: withoutUrlSecrets(url) }));

function readSections(documents: unknown[]): NamedImages | undefined {
  const found = documents.map((each) => Sections.safeParse(each)).find(({ success }) => success)?.data;
  if (!found) return undefined;
  const { machine, cluster } = found;
  const { install, kubelet, controlPlane, pods } = machine;
  const images: [Component, { image?: string; disabled?: boolean } | null | undefined][] = [
    ["kubelet", kubelet],
    ["etcd", cluster?.etcd],
    ["kube-apiserver", cluster?.apiServer],
    ["kube-controller-manager", cluster?.controllerManager],
    ["kube-scheduler", cluster?.scheduler],
    ["kube-proxy", cluster?.proxy],
    ["CoreDNS", cluster?.coreDNS],
  ];
  const switches: [Component, boolean | undefined][] = [
    ["kube-controller-manager", controlPlane?.controllerManager?.disabled],
    ["kube-scheduler", controlPlane?.scheduler?.disabled],
    ["kube-proxy", cluster?.proxy?.disabled],
    ["CoreDNS", cluster?.coreDNS?.disabled],
  ];
  const cni = cluster?.network?.cni;
  return {
    components: Object.fromEntries(images.flatMap(([of, each]) => (each?.image ? [[of, each.image]] : []))),
    off: switches.flatMap(([of, isOff]) => (isOff ? [of] : [])),
    flannel: cni?.name === undefined || cni.name === "flannel" || cni.name === "",
    policies: cni?.flannel?.kubeNetworkPoliciesEnabled === true,
    others: [
      ...named(
        "machine.install.extensions",
        (install?.extensions ?? []).map(({ image }) => image),
      ),
      ...named("machine.pods", imagesIn(pods)),
      ...named(
        "cluster.inlineManifests",
        (cluster?.inlineManifests ?? []).flatMap(({ contents = "" }) => imagesOfManifest(contents)),
      ),
    ],
    manifests: [
      ...fetched("cluster.extraManifests", cluster?.extraManifests),
      ...fetched("cluster.network.cni.urls", cni?.urls),
      ...fetched("cluster.externalCloudProvider.manifests", cluster?.externalCloudProvider?.manifests),
    ],
    verifies: false,
  };
}

type Doc = z.output<typeof Document>;

/** What a document names beside the components. */
function othersOf({ kind, image, pod, manifest }: Doc): NamedImages["others"] {
  if (kind === "KubeStaticPodConfig") return named(kind, imagesIn(pod));
  if (kind === "KubeInlineManifestConfig") return named(kind, imagesOfManifest(manifest ?? ""));
  return kind === "ContainerConfig" && image ? named(kind, [image]) : [];
}

/** Reads which images a machine config names, in v1alpha1's sections or in documents. */
export function namedImages(documents: unknown[]): NamedImages {
  const sections = readSections(documents);
  const others = documents.flatMap((each) => Document.safeParse(each).data ?? []);
  const components = others.flatMap(({ kind, image }) => {
    const of = OF_DOCUMENT[kind];
    return of && image ? [[of, image] as const] : [];
  });
  const off = others.flatMap(({ kind, enabled }) => (enabled === false && OF_DOCUMENT[kind]) || []);
  const network = others.some(({ kind }) => kind === "KubeNetworkConfig");
  const flannel = others.find(({ kind }) => kind === "KubeFlannelCNIConfig");
  return {
    components: { ...sections?.components, ...Object.fromEntries(components) },
    off: [...new Set([...(sections?.off ?? []), ...off])],
    // With the documents of Kubernetes, flannel is one of them or not there.
    flannel: flannel ? true : network ? undefined : sections?.flannel,
    policies: sections?.policies === true || flannel?.kubeNetworkPoliciesEnabled === true,
    others: [...(sections?.others ?? []), ...others.flatMap(othersOf)],
    manifests: [
      ...(sections?.manifests ?? []),
      ...others.flatMap(({ kind, url }) =>
        kind === "KubeExternalManifestConfig" && url ? fetched(kind, [url]) : [],
      ),
    ],
    verifies: others.some(({ kind, rules }) => kind === "ImageVerificationConfig" && !!rules?.length),
  };
}
