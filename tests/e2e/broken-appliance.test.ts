import { tool } from "../tools";
import { testBroken, type Broken } from "./broken";
import { blank, edit, Images, partitionOf } from "./images";

const images = new Images();
afterAll(() => images.remove());

const NOT_A_DIRECTIVE = "\nno-such-directive here\n";
const CASES: Record<string, Broken> = {
  "no boot loader": {
    image: (path) => blank(path, { start: 0, size: 1 }),
    at: "power-on",
    seen: /its firmware found nothing to boot: No bootable device/,
    look: /boot loader/,
  },
  "no site layer": {
    image: (path) => {
      const number = 'sfdisk -d "$1" | grep bootstrap-site | grep -o "raw[0-9]*" | grep -o "[0-9]*"';
      return tool("sh", ["-c", `sfdisk --part-label "$1" "$(${number})" lost`, "sh", path]);
    },
    at: "address",
    seen: /serves nothing: the site layer is missing \(partition bootstrap-site\)/,
    look: /lacks that partition/,
  },
  "a netboot layer that is damaged": {
    image: async (path) => {
      const { start } = await partitionOf(path, ({ name }) => name === "bootstrap-netboot");
      blank(path, { start, size: 1 });
    },
    at: "address",
    seen: /serves nothing: the netboot layer is damaged \(partition bootstrap-netboot\)/,
    look: /Compare the image with its SHA256SUMS/,
  },
  "a firewall that nft refuses": {
    inputs: (assembly) => edit(assembly, "nftables.conf", "policy drop;", "policy dorp;"),
    // The network comes up meanwhile.
    at: /^(address|services)$/,
    seen: /serves nothing: nft refused the site's nftables\.conf/,
    look: /files\/nftables\.conf/,
  },
  "another address on the isolated NIC": {
    inputs: (assembly) => edit(assembly, "netplan.yaml", "10.10.10.2/24", "10.10.10.9/24"),
    at: "address",
    seen: /10\.10\.10\.2 is not on the isolated NIC/,
    look: /files\/netplan\.yaml/,
  },
  "dnsmasq down": {
    inputs: (assembly) => edit(assembly, "dnsmasq.conf", /$/, NOT_A_DIRECTIVE),
    at: "services",
    seen: /dnsmasq is not running/,
    look: /files\/dnsmasq\.conf/,
  },
  "nginx down": {
    inputs: (assembly) => edit(assembly, "nginx-bootstrap.conf", /$/, NOT_A_DIRECTIVE),
    at: "services",
    seen: /nginx is not running/,
    look: /files\/nginx-bootstrap\.conf/,
  },
  "chrony down": {
    inputs: (assembly) => edit(assembly, "chrony.conf", /$/, NOT_A_DIRECTIVE),
    at: "services",
    seen: /chrony is not running/,
    look: /files\/chrony\.conf/,
  },
  "no kernel in the netboot layer": {
    async inputs(assembly) {
      assembly.netboot = await images.netboot("v1.11.6", { vmlinuz: undefined });
    },
    at: "services",
    seen: /talos\/v1\.11\.6\/vmlinuz is not served/,
    look: /netboot layer lacks it/,
  },
  "no boot.ipxe": {
    inputs: (assembly) => void delete assembly.files["boot.ipxe"],
    at: "services",
    seen: /boot\.ipxe is not served/,
    look: /\/srv\/http/,
  },
  "the image of another mini-PC": {
    inputs(assembly) {
      for (const [name, text] of Object.entries(assembly.files))
        assembly.files[name] = text.replaceAll("52:54:00:12:34:56", "52:54:00:65:43:21");
    },
    at: "services",
    seen: /serves 52:54:00:65:43:21, and the mini-PC is 52:54:00:12:34:56/,
    look: /another minipcMac/,
  },
};

testBroken(images, CASES, ["no boot loader"]);
