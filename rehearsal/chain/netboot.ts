import { sizeWords } from "../timeline/words";
import {
  ofMinipc,
  askedAs,
  dhcpOfMinipc,
  hasIpxeRom,
  firmwareAsked,
  lines,
  lastWords,
  type View,
} from "../view";
import { fetched, loadedFile, notFetched } from "./fetched";
import { ENOUGH, isSure, type Break, type Milestone } from "./milestone";

const NO_BOOT_FILE: Break = {
  seen: "a UEFI firmware is offered an address without a boot file",
  look: "Look at dhcp-match and bootfile-name in files/dnsmasq.conf: client architectures 7 and 9",
};

/** Why a firmware that asks is offered no address; undefined when it is. */
function unanswered(view: View): Break | undefined {
  if (dhcpOfMinipc(view, "offer").length > 0) return undefined;
  const { minipcMac } = view.expected;
  const asked = firmwareAsked(view).length;
  const noticed = lines(view, "appliance", /bootstrap-pxe: dhcp: discover/)
    .filter(({ text }) => text.includes(minipcMac))
    .at(-1)?.text;
  return noticed
    ? {
        seen: `${minipcMac} asked ${asked} times for an address and dnsmasq gave none; the appliance's console says: ${noticed.replace(/^bootstrap-pxe: /, "")}`,
        look: "dnsmasq pins another MAC: look at dhcp-host and dhcp-ignore in files/dnsmasq.conf and at minipcMac",
      }
    : {
        seen: `${minipcMac} asked ${asked} times for an address, and dnsmasq heard none of it`,
        look: "The firewall drops it: look at udp dport 67 in files/nftables.conf, then at interface in files/dnsmasq.conf",
      };
}

/** From the firmware's first question to the kernel and the initramfs. */
export const NETBOOT_MILESTONES: Milestone[] = [
  {
    id: "pxe",
    title: "the mini-PC's firmware asks for an address",
    side: "minipc",
    limitS: 150,
    reached(view) {
      const asked = firmwareAsked(view)[0];
      return (
        asked && {
          atMs: asked.atMs,
          evidence: `DHCP discover from ${asked.message.client}, client architecture ${asked.message.architecture ?? "unknown"}`,
        }
      );
    },
    overdue: (view) => ({
      seen: `no DHCP discover of a PXE firmware came from ${view.expected.minipcMac}${lastWords(view, "minipc", /PXE|Boot/)}`,
      look: "Look at the picture of the mini-PC's screen: its firmware must have network boot on",
    }),
  },
  {
    id: "lease",
    title: "the mini-PC is leased its address",
    side: "minipc",
    limitS: 90,
    reached(view) {
      const ack = dhcpOfMinipc(view, "ack").find(({ message }) => message.address === view.expected.minipcIp);
      if (!ack) return undefined;
      const { address, file, router, dns, ntp } = ack.message;
      const evidence = `DHCP ack: ${address}, file ${file ?? "none"}, router ${router ?? "none"}, DNS ${dns ?? "none"}, time ${ntp ?? "none"}`;
      return { atMs: ack.atMs, evidence };
    },
    broken(view) {
      const { minipcIp } = view.expected;
      const other = dhcpOfMinipc(view, "offer").find(({ message }) => message.address !== minipcIp);
      if (other)
        return {
          seen: `the mini-PC is offered ${other.message.address}, and its lease is ${minipcIp}`,
          look: "Look at dhcp-host in files/dnsmasq.conf and at minipcIp",
        };
      const bare = dhcpOfMinipc(view, "offer").filter(({ message }) => !message.file);
      if (bare.length >= ENOUGH - 1) return NO_BOOT_FILE;
      return isSure(firmwareAsked(view)) ? unanswered(view) : undefined;
    },
    overdue: (view) =>
      unanswered(view) ?? {
        seen: `the mini-PC was offered an address and did not take it${lastWords(view, "minipc", /PXE/)}`,
        look: "Look at what the offer says in isolated.pcap",
      },
  },
  {
    id: "loader",
    title: "the firmware has iPXE by TFTP",
    side: "minipc",
    limitS: 120,
    reached(view) {
      const sent = ofMinipc(view, "tftp").find(
        (what): what is typeof what & { state: "sent" } => what.state === "sent",
      );
      const lease = hasIpxeRom(view) ? dhcpOfMinipc(view, "ack")[0] : undefined;
      if (lease) return { atMs: lease.atMs, evidence: "not needed: its NIC's ROM is iPXE" };
      return sent && { atMs: sent.atMs, evidence: `TFTP: ${sent.file}, ${sizeWords(sent.bytes)}` };
    },
    broken(view) {
      const transfers = ofMinipc(view, "tftp");
      const refused = transfers.find(
        (what): what is typeof what & { state: "refused" } => what.state === "refused",
      );
      if (refused)
        return {
          seen: `TFTP refuses ${refused.file}: ${refused.words}`,
          look: "Look at tftp-root and bootfile-name in files/dnsmasq.conf; what is served lies in /srv/tftp (packer/provision)",
        };
      const offer = dhcpOfMinipc(view, "ack").find(({ message }) => !message.file);
      if (offer && transfers.length === 0) return NO_BOOT_FILE;
      return isSure(transfers) && transfers.every(({ state }) => state === "asked")
        ? {
            seen: `the firmware asked ${transfers.length} times by TFTP and got no answer`,
            look: "The firewall drops it: look at udp dport 69 in files/nftables.conf, then at enable-tftp in files/dnsmasq.conf",
          }
        : undefined;
    },
    overdue: (view) => ({
      seen: `the firmware fetched no boot file by TFTP${lastWords(view, "minipc", /PXE/)}`,
      look: "Look at the lease's boot file in isolated.pcap, and at the mini-PC's screen",
    }),
  },
  {
    id: "script",
    title: "iPXE has boot.ipxe by HTTP",
    side: "minipc",
    limitS: 120,
    reached(view) {
      const script = fetched(view, /^\/boot\.ipxe$/);
      return script && { atMs: script.atMs, evidence: `GET ${script.path}: 200, ${script.bytes} bytes` };
    },
    broken(view) {
      const loads = ofMinipc(view, "tftp").filter(({ state }) => state === "sent").length;
      if (loads >= ENOUGH)
        return {
          seen: `iPXE was loaded ${loads} times and never asked for boot.ipxe: it is handed itself again`,
          look: "Look at dhcp-match=set:ipxe and dhcp-boot=tag:ipxe in files/dnsmasq.conf",
        };
      return notFetched(
        view,
        /ipxe/,
        "Look at dhcp-boot=tag:ipxe in files/dnsmasq.conf and at files/nginx-bootstrap.conf",
      );
    },
    overdue: (view) =>
      askedAs(view, "ipxe").length === 0
        ? {
            seen: `iPXE was handed over and is silent: nothing of it came on the link${lastWords(view, "minipc", /iPXE|ipxe\.org|net\d/)}`,
            look: "Look at the mini-PC's screen: does the base's iPXE have a driver for its NIC, and does it try again (tag:!ipxe,…,encap:175,81 in files/dnsmasq.conf)?",
          }
        : {
            seen: `iPXE did not ask for boot.ipxe${lastWords(view, "minipc", /iPXE|ipxe\.org|net\d/)}`,
            look: "Look at the mini-PC's screen; dhcp-boot=tag:ipxe in files/dnsmasq.conf names it",
          },
  },
  loadedFile("kernel", "iPXE has the kernel by HTTP", /\/vmlinuz$/, "boot.ipxe"),
  loadedFile("initramfs", "iPXE has the initramfs by HTTP", /\/initramfs\.xz$/, "the kernel"),
];
