import { all, line, lastWords, type View } from "../view";
import type { Break, Milestone } from "./milestone";

/** As SeaBIOS and OVMF say it; an OVMF that has a shell of its own starts that instead. */
const NOTHING_TO_BOOT = /No bootable (?:device|option)|UEFI Interactive Shell|to skip startup\.nsh/i;

/** Why the appliance serves nothing, by the words of packer/appliance/apply, announce and verdict, with the place to look. */
export const NOT_SERVING: [says: RegExp, look: string][] = [
  [
    /layer is missing \(partition (\S+)\)/,
    "The image lacks that partition: remove the image and run pulumi up",
  ],
  [
    /images layer is damaged/,
    "Compare the image with its SHA256SUMS; if it is as it was made, remove it and artifacts/cache/images and run pulumi up",
  ],
  [
    /layer is damaged/,
    "Compare the image with its SHA256SUMS; if it is as it was made, remove it and artifacts/cache/netboot and run pulumi up",
  ],
  [
    /DHCP server answers on every NIC/,
    "NIC 1 must be on the isolated link alone, without a DHCP server (docs/runbook.md)",
  ],
  [
    /DHCP server answers on the NIC taken/,
    "NIC 1 must be on the isolated link alone, without a DHCP server (docs/runbook.md)",
  ],
  [
    /gateway \S+ answers on (every NIC|the NIC taken)/,
    "NIC 1 must be on the isolated link alone, where nothing has the address uplinkGateway (docs/runbook.md)",
  ],
  [/NIC's link is down/, "Connect NIC 1 to the isolated link, and switch on what is at its other end"],
  [/overlaps the isolated link's/, "Set applianceCidr to a network that the uplink does not have"],
  [/has no NIC/, "Give the virtual machine a NIC of a model that Linux has a driver for"],
  [/netplan refused|not on the isolated NIC/, "Look at files/netplan.yaml and applianceCidr"],
  [/nft refused/, "Look at files/nftables.conf"],
  [
    /^dnsmasq (is not running|had to be restarted)/,
    "Look at files/dnsmasq.conf, and at journalctl -u dnsmasq on the appliance's console",
  ],
  [
    /^nginx (is not running|had to be restarted)/,
    "Look at files/nginx-bootstrap.conf, and at journalctl -u nginx on the appliance's console",
  ],
  [
    /^chrony (is not running|had to be restarted)/,
    "Look at files/chrony.conf, and at journalctl -u chrony on the appliance's console",
  ],
  [
    /^bootstrap-registry (is not running|had to be restarted)|:5000\/\S+ is not served/,
    "Look at journalctl -u bootstrap-registry on the appliance's console, and at the server for images in files/nginx-bootstrap.conf",
  ],
  [
    /\/talos\/\S+ is not served/,
    "The netboot layer lacks it: remove artifacts/cache/netboot and run pulumi up",
  ],
  [/is not served/, "Look at files/nginx-bootstrap.conf, and at what lies under /srv/http on the appliance"],
  [/console password/, "Remove the image and run pulumi up, which makes the site layer again"],
  [/no machine config/, "Look at the config key machineConfig; pulumi up makes the site layer again"],
];

/** As `verdict` in packer/appliance/verdict writes it, and {@link SERVING}, too. */
const SAYS_WHY = /bootstrap-pxe: NOT serving: (.*)/;

function notServing(view: View): Break | undefined {
  const why = line(view, "appliance", SAYS_WHY)?.match[1];
  if (why === undefined) return undefined;
  const look = NOT_SERVING.find(([says]) => says.test(why))?.[1];
  return {
    seen: `the appliance says that it serves nothing: ${why}`,
    look:
      look ??
      "Log in on the appliance's console and read journalctl -u bootstrap-apply -u bootstrap-announce",
  };
}

const SERVING = /bootstrap-pxe: serving (\S+) -> (\S+) on isolated \((\S+)\), Talos (\S+), version (\S+)/;

/** From the appliance's power-on to its word that it serves. */
export const APPLIANCE_MILESTONES: Milestone[] = [
  {
    id: "power-on",
    title: "the appliance starts from its disk",
    side: "appliance",
    limitS: 120,
    reached(view) {
      const kernel = line(view, "appliance", /Linux version (\S+)/);
      return kernel && { atMs: kernel.atMs, evidence: `its console: Linux version ${kernel.match[1]}` };
    },
    broken(view) {
      const refused = line(view, "appliance", NOTHING_TO_BOOT);
      return (
        refused && {
          seen: `its firmware found nothing to boot: ${refused.text}`,
          look: "The base layer has no boot loader for this firmware: remove artifacts/cache/base and run pulumi up",
        }
      );
    },
    overdue: (view) => ({
      seen: `no kernel said anything on its serial console${lastWords(view, "appliance", /./)}`,
      look: "Look at the picture of its screen, and at packer/appliance/grub.cfg",
    }),
  },
  {
    id: "address",
    title: "the appliance has its address on the isolated NIC",
    side: "appliance",
    limitS: 150,
    reached(view) {
      const answer = all(view, "address").find(
        ({ link, ip, mac }) =>
          link === "isolated" && ip === view.expected.applianceIp && mac === view.expected.isolatedNic,
      );
      return answer && { atMs: answer.atMs, evidence: `ARP: ${answer.ip} is at ${answer.mac}` };
    },
    broken(view) {
      const serving = line(view, "appliance", SERVING)?.match;
      const isSwapped = serving && serving[3] !== view.expected.isolatedNic;
      const swapped = isSwapped
        ? {
            seen: `it took ${serving[3]} for the isolated NIC, which is ${view.expected.isolatedNic}`,
            look: "Look at packer/appliance/apply: it tells the isolated NIC from the uplink",
          }
        : undefined;
      return swapped ?? notServing(view);
    },
    overdue: (view) => ({
      seen: `nobody has ${view.expected.applianceIp} on the isolated link${lastWords(view, "appliance", /bootstrap-pxe: |Failed to start/)}`,
      look: "Look at files/netplan.yaml and applianceCidr, and read appliance.serial.log",
    }),
  },
  {
    id: "services",
    title: "the appliance says that it serves",
    side: "appliance",
    limitS: 120,
    reached(view) {
      const serving = line(view, "appliance", SERVING);
      return serving && serving.match[1] === view.expected.minipcMac
        ? { atMs: serving.atMs, evidence: serving.text.replace("bootstrap-pxe: ", "its console: ") }
        : undefined;
    },
    broken(view) {
      const other = line(view, "appliance", SERVING)?.match;
      const fault = other && {
        seen: `the appliance serves ${other[1]}, and the mini-PC is ${view.expected.minipcMac}`,
        look: "The image is of another minipcMac: run pulumi up",
      };
      return fault ?? notServing(view);
    },
    overdue: (view) => ({
      seen: `it neither said that it serves nor why not${lastWords(view, "appliance", /bootstrap-pxe: |Failed to start/)}`,
      look: "Read appliance.serial.log; bootstrap-announce.service says it",
    }),
  },
];
