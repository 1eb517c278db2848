import { HARDWARE } from "../../rehearsal/hardware";
import { talosConfigs } from "../talos-configs";
import { testBroken, type Broken } from "./broken";
import { blank, edit, Images, partitionOf } from "./images";

const images = new Images();
afterAll(() => images.remove());

/** A control plane's config for an install disk, made by Talos's own generator. */
const generated = async (installDisk: string) =>
  (await talosConfigs({ cluster: "demo", installDisk })).controlplane;

/** A control plane's config with more in its section `machine`. */
async function withMachine(yaml: string, from = "machine:\n"): Promise<string> {
  const text = await generated("/dev/nvme0n1");
  if (!text.includes(from)) throw new Error(`the generated config has no ${from}`);
  return text.replace(from, `${from === "machine:\n" ? from : ""}${yaml}\n`);
}

/** Partition type of an EFI system partition (UEFI specification, 5.3.3). */
const EFI_SYSTEM = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

const CASES: Record<string, Broken> = {
  "an argument that Talos misses and the stack does not name": {
    inputs: (assembly) => edit(assembly, "boot.ipxe", " pti=on", ""),
    kernelArguments: ["talos.platform=metal"],
    at: "time",
    seen: /the mini-PC goes no further: KSPP kernel parameter pti is required/,
    look: /files\/boot\.ipxe/,
  },
  "no time server named": {
    inputs: (assembly) => edit(assembly, "dnsmasq.conf", /dhcp-option=option:ntp-server.*\n/, ""),
    at: "time",
    seen: /names no time server/,
    look: /option:ntp-server/,
  },
  "no time": {
    inputs: (assembly) => edit(assembly, "chrony.conf", /allow .*\n/, ""),
    at: "time",
    seen: /asked \d+ times for the time and got no usable answer/,
    look: /files\/chrony\.conf/,
  },
  "no time, and Talos restarts meanwhile, since its install disk is not there": {
    async inputs(assembly) {
      edit(assembly, "chrony.conf", /allow .*\n/, "");
      assembly.machineConfig = images.config(await generated("/dev/vda"));
    },
    at: "time",
    seen: /asked \d+ times for the time and got no usable answer/,
    look: /files\/chrony\.conf/,
  },
  "a config that is not there": {
    inputs: (assembly) =>
      edit(
        assembly,
        "nginx-bootstrap.conf",
        "location /configs/ {",
        "location /configs/ {\n        return 404;",
      ),
    at: "config",
    seen: /\/configs\/minipc\.yaml was answered with the status 404/,
    look: /location \/configs\//,
  },
  "a config that another address may have": {
    inputs: (assembly) => edit(assembly, "nginx-bootstrap.conf", "allow 10.10.10.100", "allow 10.10.10.101"),
    at: "config",
    seen: /answered with the status 403/,
    look: /location \/configs\//,
  },
  "another machine's config": {
    inputs: (assembly) => void (assembly.machineConfig = images.config("version: v1alpha1\n")),
    configSha256: "0".repeat(64),
    at: "config",
    seen: /another one than was decrypted/,
    look: /machineConfig/,
  },
  "a config that Talos refuses": {
    inputs: (assembly) =>
      void (assembly.machineConfig = images.config("version: v1alpha1\nmachine: {nosuchkey: QUOTED}\n")),
    unseen: "QUOTED",
    at: "accepted",
    seen: /it was refused, and fetched \d times: unknown keys found during decoding/,
    look: /the file that machineConfig names/,
  },
  "leases and the config for everybody, and services on the uplink; a disk selector that matches no virtual disk, and time servers of the config's own, which are no faults":
    {
      async inputs(assembly) {
        edit(assembly, "dnsmasq.conf", "dhcp-ignore=tag:!known", "");
        edit(assembly, "dnsmasq.conf", /dhcp-range=10\S*,static/, "dhcp-range=10.10.10.50,10.10.10.60");
        edit(assembly, "nginx-bootstrap.conf", "deny all;", "");
        edit(assembly, "nftables.conf", "policy drop;", "policy accept;");
        edit(assembly, "boot.ipxe", " pti=on", " pti=on demo.order=config,time");
        const selector = "        diskSelector:\n            model: Samsung*";
        const servers = "    time:\n        servers:\n            - 192.168.1.1";
        const config = (await withMachine(selector, "        disk: /dev/nvme0n1\n")).replace(
          "machine:\n",
          `machine:\n${servers}\n`,
        );
        assembly.machineConfig = images.config(config);
      },
      reached: {
        time: /^not asked of the appliance: the config names time servers, 192\.168\.1\.1$/,
        accepted: /^as far as a virtual mini-PC can show/,
      },
      at: "other-mac",
      seen: /asked on the isolated link and was offered 10\.10\.10\.\d+; the lease was offered/,
      look: /dhcp-ignore/,
      unproved: {
        pinned: { seen: /\/configs\/minipc\.yaml 200/, look: /location \/configs\// },
        "uplink-silent": { seen: /asked on the uplink: answered .*HTTP/, look: /chain input/ },
      },
    },
  "services for who takes the lease's address, a way in for everybody on the uplink, and no boot loader for UEFI, by which only the twin boots; time that the config switches off, which is no fault":
    {
      async inputs(assembly) {
        edit(assembly, "nftables.conf", / *iifname "isolated" ip saddr \S+ ether .* drop\n/, "");
        edit(assembly, "nftables.conf", /(oifname "isolated") ip saddr \{.*\} (ip daddr)/, "$1 $2");
        edit(assembly, "boot.ipxe", " pti=on", " pti=on demo.order=config,time");
        assembly.machineConfig = images.config(await withMachine("    time:\n        disabled: true"));
      },
      image: async (path) => blank(path, await partitionOf(path, ({ type }) => type === EFI_SYSTEM)),
      hardware: HARDWARE,
      reached: { time: /^not asked of the appliance: the config switches the keeping of time off$/ },
      at: "pinned",
      seen: /10\.10\.10\.100 under another MAC: answered HTTP/,
      look: /ether saddr/,
      unproved: {
        "way-in": {
          seen: /elsewhere: 192\.0\.2\.77 to 50000, 192\.0\.2\.77 to 6443, /,
          look: /operatorNetwork/,
        },
        sides: {
          seen: /^UEFI, sata disk, .*the appliance starts from its disk: its firmware found nothing to boot/,
          look: /boot loader for this firmware/,
        },
      },
    },
  "an operator's way in that is closed": {
    inputs: (assembly) =>
      edit(assembly, "nftables.conf", / *iifname "uplink" oifname "isolated" ip saddr .* accept\n/, ""),
    at: "way-in",
    seen: /asked on the uplink for port 50000 of 10\.10\.10\.100, and nothing got to the mini-PC/,
    look: /chain forward/,
  },
};

testBroken(images, CASES, ["a config that another address may have"]);
