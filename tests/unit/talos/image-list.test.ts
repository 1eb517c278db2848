import { imagesOf } from "../../../steps/talos/image-list";
import { readNodeConfig } from "../../../steps/talos/read-node-config";
import { edited, found, made, withDocuments, withMachine, without } from "./cases";

const list = (text: string, talosVersion: string, more: { schematic?: string; extra?: string[] } = {}) =>
  imagesOf(readNodeConfig(text), { talosVersion, schematic: more.schematic }, more.extra);
const references = (...given: Parameters<typeof list>) => list(...given).map(({ reference }) => reference);

const OF_CONTROL_PLANE = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

// What `talosctl image default` of each release prints, with the config's own versions of Kubernetes and of the installer.
test.each([
  ["v1.9.5", "gcr.io/etcd-development/etcd:v3.5.19", "v1.12.0", "v0.26.5", "3.10"],
  ["v1.11.6", "gcr.io/etcd-development/etcd:v3.6.5", "v1.12.4", "v0.27.4", "3.10"],
  ["v1.12.6", "registry.k8s.io/etcd:v3.6.8", "v1.13.2", "v0.27.4", "3.10"],
  ["v1.14.1", "registry.k8s.io/etcd:3.7.1", "v1.14.7", "0.28.9", "3.10.2"],
])(
  "a control plane of %s needs the release's own images and those that its config names",
  (version, ...own) => {
    const [etcd, coredns, flannel, pause] = own;
    expect(references(made(version), version)).toEqual(
      [
        `ghcr.io/siderolabs/flannel:${flannel}`,
        `ghcr.io/siderolabs/installer:${version}`,
        "ghcr.io/siderolabs/kubelet:v1.37.0",
        ...["apiserver", "controller-manager", "proxy", "scheduler"].map(
          (each) => `registry.k8s.io/kube-${each}:v1.37.0`,
        ),
        `registry.k8s.io/coredns/coredns:${coredns}`,
        `registry.k8s.io/pause:${pause}`,
        etcd,
      ].sort(),
    );
  },
);

test.each(["v1.11.6", "v1.13.6", "v1.14.1"])(
  "a worker of %s needs less, and the proxy of its kubelet's version",
  (version) => {
    const images = list(made(version, "worker"), version);
    expect(images.map(({ of }) => of)).toEqual(expect.not.arrayContaining(OF_CONTROL_PLANE));
    expect(images.map(({ of }) => of).sort()).toEqual(
      ["CoreDNS", "flannel", "installer", "kube-proxy", "kubelet", "pause"].sort(),
    );
    expect(images.map(({ reference }) => reference)).toContain("registry.k8s.io/kube-proxy:v1.37.0");
  },
);

test.each([
  ["v1.36.2-slim", "v1.36.2"],
  ["v1.36.2-fat", "v1.36.2"],
  ["v1.37.0-rc.1", "v1.37.0-rc.1"],
  ["of-our-own", "v1.34.1"],
])(
  "the proxy of a worker whose kubelet has the tag %s is %s: only Talos's kubelet comes in variants",
  (tag, proxy) => {
    const text = edited(made("v1.11.6", "worker"), {
      "machine.kubelet": { image: `ghcr.io/siderolabs/kubelet:${tag}` },
    });
    expect(references(text, "v1.11.6")).toContain(`registry.k8s.io/kube-proxy:${proxy}`);
  },
);

const PLAIN = made("v1.11.6");
const POD = (image: string) => ({
  spec: {
    containers: [{ name: "one", image }],
    initContainers: [{ image: "init" }],
    volumes: [{ name: "data", image: { reference: "ghcr.io/one/volume:v1", pullPolicy: "Always" } }],
  },
});
const MANIFEST = `kind: DaemonSet
spec:
  template:
    spec:
      containers:
        - image: quay.io/cilium/cilium:v1.18.1
---
kind: ConfigMap
data:
  image: none
`;

test("whatever else a config names is needed, in sections", () => {
  const text = edited(PLAIN, {
    "machine.pods": [POD("docker.io/nginx")],
    "machine.install.extensions": [{ image: "ghcr.io/siderolabs/gvisor:1" }],
    "cluster.etcd": { image: "registry.local:5000/etcd:v1" },
    "cluster.inlineManifests": [{ name: "cilium", contents: MANIFEST }],
    "cluster.network.cni": { name: "none" },
    "cluster.proxy": { disabled: true },
    "cluster.coreDNS": { disabled: true },
    "machine.controlPlane": { scheduler: { disabled: true } },
  });
  const needed = references(text, "v1.11.6", { extra: ["busybox"] });
  expect(needed).toEqual(
    expect.arrayContaining([
      ...["docker.io/library/nginx:latest", "docker.io/library/init:latest", "ghcr.io/siderolabs/gvisor:1"],
      "ghcr.io/one/volume:v1",
      ...["registry.local:5000/etcd:v1", "quay.io/cilium/cilium:v1.18.1", "docker.io/library/busybox:latest"],
    ]),
  );
  expect(needed.filter((each) => /flannel|proxy|coredns|scheduler|etcd-development|none/.test(each))).toEqual(
    [],
  );
});

test("whatever else a config names is needed, in documents", () => {
  const text = [
    without(without(withDocuments(), "KubeFlannelCNIConfig"), "KubeProxyConfig"),
    ...[
      { kind: "KubeStaticPodConfig", name: "one", pod: POD("ghcr.io/one/pod:v1") },
      { kind: "KubeInlineManifestConfig", name: "cilium", manifest: MANIFEST },
      { kind: "ContainerConfig", name: "two", image: "ghcr.io/two/container:v1" },
      { kind: "KubeProxyConfig", enabled: false },
    ].map((each) => JSON.stringify(each)),
  ].join("\n---\n");
  const needed = references(text, "v1.14.1");
  expect(needed).toEqual(
    expect.arrayContaining([
      "ghcr.io/one/pod:v1",
      "ghcr.io/two/container:v1",
      "quay.io/cilium/cilium:v1.18.1",
    ]),
  );
  expect(needed.filter((each) => /flannel|proxy/.test(each))).toEqual([]);
});

test("flannel's network policies have an image of their own", () => {
  const text = edited(made("v1.14.1"), { kubeNetworkPoliciesEnabled: true }, "KubeFlannelCNIConfig");
  expect(references(text, "v1.14.1")).toContain("registry.k8s.io/networking/kube-network-policies:v1.1.1");
});

test("where the config names no installer, it is the release's own, or the schematic's", () => {
  const sections = withMachine({ install: { disk: "/dev/vda" } });
  expect(references(sections, "v1.11.6")).toContain("ghcr.io/siderolabs/installer:v1.11.6");
  const documents = edited(made("v1.14.1"), { installer: {} }, "UnattendedInstallConfig");
  const schematic = "a".repeat(64);
  expect(references(documents, "v1.14.1", { schematic })).toContain(
    `factory.talos.dev/metal-installer/${schematic}:v1.14.1`,
  );
  expect(references(documents, "v1.14.1").filter((each) => each.includes("installer"))).toEqual([]);
});

test("a manifest that is no YAML names no image, and does not end the check", () => {
  for (const contents of ["a: [", "a: *b", "- image: *"]) {
    const text = edited(PLAIN, {
      "cluster.inlineManifests": [
        { name: "broken", contents },
        { name: "sound", contents: MANIFEST },
      ],
    });
    expect(references(text, "v1.11.6")).toContain("quay.io/cilium/cilium:v1.18.1");
  }
});

const notMirrored = (text: string, more: object = {}) =>
  found(text, { offline: true, ...more }).filter((line) => line.startsWith("warning not-mirrored: "));

test("what no registry of images can serve is named", () => {
  const url = "https://example.com/cni.yaml";
  const cni = { name: "custom", urls: [url] };
  const text = edited(PLAIN, { "cluster.network.cni": cni, "cluster.extraManifests": [`${url}?more`] });
  expect(notMirrored(text)).toEqual([
    // A query may be a token.
    expect.stringContaining(`cluster.extraManifests (${url}?[secret]), cluster.network.cni.urls (${url})`),
  ]);
  const documents = withDocuments(
    { kind: "KubeExternalManifestConfig", name: "more", url },
    { kind: "ImageVerificationConfig", rules: [{ image: "*" }] },
  );
  expect(notMirrored(documents)).toEqual([
    expect.stringContaining("KubeExternalManifestConfig"),
    expect.stringContaining("ImageVerificationConfig"),
  ]);
  const onLink = edited(PLAIN, { "cluster.extraManifests": ["http://10.10.10.2/one.yaml"] });
  expect(notMirrored(onLink)).toEqual([]);
  expect(notMirrored(withMachine({ kubelet: { image: "No Image" } }))).toEqual([
    expect.stringContaining("kubelet, No Image"),
  ]);
});

describe("an HTTP proxy", () => {
  const proxied = (variables: Record<string, string>) => [
    withMachine({ env: variables }),
    withDocuments({ kind: "EnvironmentConfig", variables }),
  ];

  test.each<Record<string, string>>([
    { http_proxy: "http://proxy.example.com:3128" },
    { HTTP_PROXY: "proxy.example.com:3128", no_proxy: "10.10.11.0/24,localhost, 10.10.10.2:80" },
    // Only the lease is answered.
    { http_proxy: "http://10.10.10.9:3128" },
  ])("%j stands between the mini-PC and the appliance's images", (variables) => {
    for (const text of proxied(variables))
      expect(notMirrored(text)).toEqual([
        expect.stringMatching(/through the proxy .*:3128, .*Add 10\.10\.10\.2 to no_proxy/),
      ]);
  });

  test.each<Record<string, string>>([
    { https_proxy: "http://proxy.example.com:3128" },
    ...["10.10.10.2", "localhost, 10.10.10.2:5000", "10.10.10.0/24", "*"].map((no_proxy) => ({
      http_proxy: "http://proxy.example.com:3128",
      no_proxy,
    })),
  ])("%j does not", (variables) => {
    for (const text of proxied(variables)) expect(notMirrored(text)).toEqual([]);
  });
});

test("of an offline stack nothing is said of images, since the appliance has them, and a later release's list is doubted", () => {
  const without = (more: object) => found(PLAIN, { uplink: false, ...more }).join();
  expect(without({ offline: true })).not.toContain("no-images");
  expect(without({ offline: false })).toMatch(/no-images: .* Set uplink or offline to true, /);
  const talosVersion = "v1.11.99";
  expect(notMirrored(PLAIN, { talosVersion })).toEqual([
    expect.stringContaining("does not know which images Talos v1.11.99"),
  ]);
  expect(notMirrored(PLAIN)).toEqual([]);
});
