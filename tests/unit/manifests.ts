export const SHA256 = "ab".repeat(32);

export const IMAGE = {
  ...{ reference: "ghcr.io/siderolabs/kubelet:v1.34.1", repository: "ghcr.io/siderolabs/kubelet" },
  ...{ tag: "v1.34.1", digest: `sha256:${SHA256}`, bytes: 1 },
};

/** What the check of an offline stack's machine config prints besides. */
export const OFFLINE = {
  images: [IMAGE.reference],
  mirrorPatch: "machine: {}\n",
  mirrorRemoval: "machine: {}\n",
};

/** What each step prints, by the name of its resource. */
export const MANIFESTS: Record<string, object> = {
  "services-check": { checked: [] },
  "config-check": {
    machineType: "controlplane",
    endpoint: "https://10.10.10.100:6443",
    installImage: "i",
    cluster: "c",
    timeElsewhere: "the config names time servers",
    warnings: [],
    sha256: SHA256,
  },
  "images-digests": { images: [IMAGE], warnings: [] },
  "images-layer": { path: "images.squashfs", sha256: SHA256, bytes: 1, images: [IMAGE] },
  "talos-fetch": { path: "talos.iso", sha256: SHA256, bytes: 1 },
  "netboot-layer": {
    path: "netboot.squashfs",
    sha256: SHA256,
    bytes: 1,
    kernelVersion: "6.12",
    initramfsFormat: "zstd",
    files: {},
    kernelArguments: ["selinux=1"],
  },
  "base-fetch": { path: "base.qcow2", sha256: SHA256, bytes: 1 },
  "base-packer": { path: "base.raw", sha256: SHA256, bytes: 1, contentBytes: 1 },
  "appliance-assembly": { path: "appliance.raw", sha256: SHA256, bytes: 1 },
  "compressed-members": { path: "appliance.raw.gz", sha256: SHA256, bytes: 1 },
  "rehearsal-boot": { timeline: "timeline.html", accelerator: "tcg", seconds: 60, steps: [], proved: [] },
};
