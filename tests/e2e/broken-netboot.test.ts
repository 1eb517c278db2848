import { testBroken, type Broken } from "./broken";
import { edit, Images, type Assembly } from "./images";

const images = new Images();
afterAll(() => images.remove());

/** Serves as before, but drops what is sent to a port. */
const closed = (assembly: Assembly, port: number) =>
  edit(
    assembly,
    "nftables.conf",
    /iifname "isolated" ether saddr \S+ udp dport \{ 53, 69, 123 \} accept/,
    `iifname "isolated" meta l4proto { tcp, udp } th dport ${port} drop\n        $&`,
  );

const CASES: Record<string, Broken> = {
  "dnsmasq pins another MAC": {
    inputs: (assembly) =>
      edit(assembly, "dnsmasq.conf", "dhcp-host=52:54:00:12:34:56", "dhcp-host=52:54:00:65:43:21"),
    at: "lease",
    seen: /52:54:00:12:34:56 asked \d+ times for an address and dnsmasq gave none/,
    look: /dhcp-host/,
  },
  "another lease": {
    inputs: (assembly) =>
      edit(assembly, "dnsmasq.conf", /(dhcp-host=\S+),10\.10\.10\.100/, "$1,10.10.10.101"),
    at: "lease",
    seen: /offered 10\.10\.10\.101, and its lease is 10\.10\.10\.100/,
    look: /dhcp-host/,
  },
  "a firewall without DHCP": {
    inputs: (assembly) => closed(assembly, 67),
    at: "lease",
    seen: /dnsmasq heard none of it/,
    look: /udp dport 67/,
  },
  "a boot file that is not there": {
    inputs: (assembly) => edit(assembly, "dnsmasq.conf", "tftp-root=/srv/tftp", "tftp-root=/srv/http"),
    at: "loader",
    seen: /TFTP refuses snponly\.efi: .*not found/,
    look: /tftp-root/,
  },
  "no boot file for UEFI": {
    inputs: (assembly) =>
      edit(assembly, "dnsmasq.conf", "tag-if=set:efi64,tag:x64,tag:!http", "tag-if=set:efi64,tag:nobody"),
    at: "lease",
    seen: /without a boot file/,
    look: /client architectures/,
  },
  "a firewall without TFTP": {
    inputs: (assembly) => closed(assembly, 69),
    at: "loader",
    seen: /asked \d+ times by TFTP and got no answer/,
    look: /udp dport 69/,
  },
  "iPXE is handed itself": {
    inputs: (assembly) =>
      edit(assembly, "dnsmasq.conf", /dhcp-match=set:ipxe,175\ndhcp-userclass=set:ipxe,iPXE/, ""),
    at: "script",
    seen: /loaded \d+ times and never asked for boot\.ipxe/,
    look: /dhcp-match=set:ipxe/,
  },
  "a firewall without HTTP": {
    inputs: (assembly) => closed(assembly, 80),
    at: "script",
    seen: /asked \d+ times for a connection to port 80 and got no answer/,
    look: /tcp dport 80/,
  },
  "an empty initramfs": {
    async inputs(assembly) {
      assembly.netboot = await images.netboot("v1.11.6", { "initramfs.xz": Buffer.alloc(0) });
    },
    at: "initramfs",
    seen: /initramfs\.xz is served, but empty/,
    look: /netboot layer/,
  },
  "an initramfs cut short": {
    async inputs(assembly) {
      assembly.netboot = await images.netboot("v1.11.6", { "initramfs.xz": Buffer.alloc(100_000, "x") });
    },
    at: "time",
    seen: /panicked: /,
    look: /initramfs/,
  },
  "a kernel that is none": {
    async inputs(assembly) {
      assembly.netboot = await images.netboot("v1.11.6", { vmlinuz: Buffer.alloc(100_000, "x") });
    },
    at: "initramfs",
    seen: /boot\.ipxe failed 3 times/,
    look: /netboot layer/,
  },
  "a bad command line": {
    inputs: (assembly) =>
      edit(
        assembly,
        "boot.ipxe",
        /(\/vmlinuz ).*( \$\{serial-console\})/,
        "$1initrd=initramfs.xz console=ttyS0$2",
      ),
    at: "start",
    seen: /command line lacks talos\.\S+ .*pti=on/,
    look: /files\/boot\.ipxe/,
  },
};

testBroken(images, CASES, ["another lease"]);
