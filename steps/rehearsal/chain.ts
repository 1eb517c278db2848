import type { Side } from "./record";
import { sizeWords } from "./timeline/words";
import {
  all,
  ofMinipc,
  askedAs,
  dhcpOfMinipc,
  hasIpxeRom,
  firmwareAsked,
  systemsLease,
  line,
  lines,
  lastWords,
  hasEnded,
  type Expected,
  type View,
} from "./view";

export type Sign = { atMs: number; evidence: string };
/** What was seen instead, and where to look. */
export type Break = { seen: string; look: string };

/** One link of the chain from a powered-on appliance to a configured mini-PC. */
export interface ChainLink {
  id: string;
  title: string;
  side: Side;
  /** Longest wait for it after the link before, in seconds, on a slow machine without an accelerator. */
  limitS: number;
  reached: (view: View) => Sign | undefined;
  /** A sure sign that it will not be reached, so that nobody waits for the limit. */
  broken?: (view: View) => Break | undefined;
  /** What to say when the limit passes without a sign. */
  overdue: (view: View) => Break;
  /** The links after it may be reached, or break, before it. */
  anyOrder?: boolean;
  /** Not part of every chain. */
  applies?: (expected: Expected) => boolean;
}

/** Questions without an answer that count as a sure sign; a firmware asks again after 4, 8 and 16 s. */
const ENOUGH = 3;
/** A question for the time without an answer for so long is a sure sign, if nothing more is asked. */
const ANSWER_MS = 5000;

/** Why the appliance serves nothing, by its own words, with the place to look. */
const NOT_SERVING: [says: RegExp, look: string][] = [
  [
    /layer is missing \(partition (\S+)\)/,
    "The image lacks that partition: remove the image and run pulumi up",
  ],
  [
    /DHCP server answers on every NIC/,
    "NIC 1 must be on the isolated link alone, without a DHCP server (docs/runbook.md)",
  ],
  [
    /DHCP server answers on the NIC taken/,
    "NIC 1 must be on the isolated link alone, without a DHCP server (docs/runbook.md)",
  ],
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
    /\/talos\/\S+ is not served/,
    "The netboot layer lacks it: remove artifacts/cache/netboot and run pulumi up",
  ],
  [/is not served/, "Look at files/nginx-bootstrap.conf, and at what lies under /srv/http on the appliance"],
  [/no machine config/, "Look at the config key machineConfig; pulumi up makes the site layer again"],
];
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

const ended = (view: View, machine: "appliance" | "minipc"): Break | undefined =>
  hasEnded(view, machine)
    ? {
        seen: `the ${machine === "minipc" ? "mini-PC" : "appliance"}'s virtual machine ended${lastWords(view, machine, /./)}`,
        look: `Read ${machine}.serial.log to its end`,
      }
    : undefined;

const SERVING = /bootstrap-pxe: serving (\S+) -> (\S+) on isolated \((\S+)\), Talos (\S+), version (\S+)/;

/** When the mini-PC's firmware asked again although a kernel was started, if it did. */
function restartedAt(view: View): number | undefined {
  const kernel = fetched(view, /\/vmlinuz$/);
  return kernel && firmwareAsked(view).find(({ atMs }) => atMs > kernel.atMs)?.atMs;
}

/** A restart is a sign, unless Talos said that it restarts for want of its install disk: the virtual one has another name. */
const restarted = (view: View): Break | undefined =>
  restartedAt(view) === undefined || lacksInstallDisk(view)
    ? undefined
    : {
        seen: `the mini-PC restarted${lastWords(view, "minipc", /FAULT|panic|failed/i)}`,
        look: "Read minipc.serial.log before its second start",
      };

/** A file that the mini-PC got whole by HTTP. */
const fetched = (view: View, path: RegExp) =>
  ofMinipc(view, "http").find(
    (what): what is typeof what & { state: "sent" } =>
      what.state === "sent" && what.status === 200 && path.test(what.path),
  );

/** Why a file did not come by HTTP, if that is sure. */
function notFetched(view: View, path: RegExp, look: string): Break | undefined {
  const refused = ofMinipc(view, "http").find(
    (what) => what.state === "answered" && what.status >= 400 && path.test(what.path),
  );
  if (refused && "status" in refused)
    return { seen: `${refused.path} was answered with the status ${refused.status}`, look };
  const connects = ofMinipc(view, "connect");
  if (
    connects.some(({ state }) => state === "refused") &&
    !connects.some(({ state }) => state === "accepted")
  )
    return {
      seen: "the appliance refuses connections to port 80",
      look: "nginx does not listen on the isolated address: look at files/nginx-bootstrap.conf",
    };
  const asked = connects.filter(({ state }) => state === "asked").length;
  if (asked >= ENOUGH && !connects.some(({ state }) => state === "accepted"))
    return {
      seen: `the mini-PC asked ${asked} times for a connection to port 80 and got no answer`,
      look: "The firewall drops it: look at tcp dport 80 in files/nftables.conf",
    };
  return undefined;
}

/** As {@link notFetched}, and what iPXE and boot.ipxe say on the console. */
function notLoaded(view: View, path: RegExp, look: string): Break | undefined {
  const answered = notFetched(view, path, look);
  if (answered) return answered;
  const empty = ofMinipc(view, "http").find(
    (what) => what.state === "sent" && what.bytes === 0 && what.status === 200 && path.test(what.path),
  );
  if (empty && "path" in empty) return { seen: `${empty.path} is served, but empty`, look };
  const failed = line(view, "minipc", /bootstrap-pxe: that failed/);
  return (
    failed && {
      seen: `boot.ipxe gave up${lastWords(view, "minipc", /https?:\/\/ipxe\.org|that failed/)}`,
      look,
    }
  );
}

const NO_BOOT_FILE: Break = {
  seen: "a UEFI firmware is offered an address without a boot file",
  look: "Look at dhcp-match and bootfile-name in files/dnsmasq.conf: client architectures 7 and 9",
};
const NETBOOT =
  "Look at the netboot layer: remove artifacts/cache/netboot and run pulumi up; isoUrl and talosVersion name its source";

function loadedFile(id: string, title: string, path: RegExp): ChainLink {
  return {
    id,
    title,
    side: "minipc",
    limitS: 120,
    reached(view) {
      const file = fetched(view, path);
      return file && file.bytes > 0
        ? {
            atMs: file.atMs,
            evidence: `GET ${file.path}: 200, ${sizeWords(file.bytes)}, SHA-256 ${file.sha256.slice(0, 12)}…`,
          }
        : undefined;
    },
    broken: (view) => notLoaded(view, path, NETBOOT),
    overdue: (view) => ({
      seen: `the mini-PC did not fetch it to its end${lastWords(view, "minipc", /bootstrap-pxe|ipxe/i)}`,
      look: "Read minipc.serial.log, and isolated.pcap for where the transfer stops",
    }),
  };
}

const KERNEL_STARTED = /\] (?:Kernel c|C)ommand line: (.*)/;
const timeAsked = (view: View) => ofMinipc(view, "time").filter(({ state }) => state === "asked");

const noTime = (asked: number): Break => ({
  seen: `the mini-PC asked ${asked === 1 ? "once" : `${asked} times`} for the time and got no usable answer`,
  look: "Look at allow and local stratum in files/chrony.conf, then at udp dport 123 in files/nftables.conf",
});

const PANIC = /Kernel panic - not syncing: (.*)/;

/** The kernel says its command line as its first words, and again a moment later. */
const commandLines = (view: View) => lines(view, "minipc", KERNEL_STARTED);

/** A serial port on a busy machine may lose characters, so what either line holds counts. */
function missingArguments(view: View): string[] {
  const found = commandLines(view).flatMap(({ text }) => text.split(" "));
  return view.expected.kernelArguments.filter((wanted) => !found.includes(wanted));
}

const lacking = (view: View): Break => ({
  seen: `the kernel's command line lacks ${missingArguments(view).join(" ")}`,
  look: "Look at the kernel line of files/boot.ipxe, and at what components/talos-kernel.ts makes of the ISO's",
});

/** As SeaBIOS and OVMF say it; an OVMF that has a shell of its own starts that instead. */
const NOTHING_TO_BOOT = /No bootable (?:device|option)|UEFI Interactive Shell|to skip startup\.nsh/i;

/** As Talos 1.9 to 1.14 say it (siderolabs/talos, config.AcquireController), and with it the demo's node. */
const ACCEPTED = /machine config loaded successfully/;
const REFUSED =
  /failed to (?:load config|(?:runtime )?validate config acquired) via platform metal: (.*?)(?:"\}?)?$/;
/** Talos checks the selector of the install disk against the machine's disks, and these are virtual. */
const NO_SUCH_DISK = /^no disks matched the expression/;
/** Talos was given no config, or a partial one, which it takes and which something else is to complete (same source). */
const WAITS_FOR_CONFIG = /entering maintenance service/;
/** The disk that the config names is not there (siderolabs/talos, v1alpha1.Install): Talos then restarts. */
const NO_INSTALL_DISK = /task install \(.*\): failed: (?:lstat \S+: no such file|no disks matched)/;

const lacksInstallDisk = (view: View) => line(view, "minipc", NO_INSTALL_DISK) !== undefined;

/** Why Talos refuses the config, a fault each, out of its error as JSON on one line (hashicorp/go-multierror). */
function refusals(words: string): string[] {
  return (
    words
      // Talos tells the values of unknown keys too, and they may be secret.
      .replace(/(unknown keys found during decoding).*/, "$1")
      .split("\\n")
      .map((each) => each.replace(/^(?:\\t|[\s*])+/, "").replaceAll('\\"', '"'))
      .map((each) => each.replace(/^(?:\S+: )?\d+ errors? occurred:\s*/, "").trim())
      .filter((each) => each !== "")
  );
}

/** The sign that the loader took the config. */
function accepted(view: View): Sign | undefined {
  const yes = line(view, "minipc", ACCEPTED);
  if (yes) return { atMs: yes.atMs, evidence: `its console: ${yes.match[0]}` };
  const waits = line(view, "minipc", WAITS_FOR_CONFIG);
  if (waits && fetched(view, /^\/configs\//))
    return {
      atMs: waits.atMs,
      evidence: `its console: ${waits.match[0]}, as with a config that is to be completed, as by Omni`,
    };
  for (const { text, atMs } of lines(view, "minipc", REFUSED)) {
    const faults = refusals(REFUSED.exec(text)?.[1] ?? "");
    if (faults.length > 0 && faults.every((fault) => NO_SUCH_DISK.test(fault)))
      return {
        atMs,
        evidence:
          "as far as a virtual mini-PC can show: the loader took it, and its disk selector matches no virtual disk",
      };
  }
  return undefined;
}

/** How often the mini-PC fetched its config: Talos fetches one anew that it refused, and says nothing of the first four times. */
const timesFetched = (view: View): string => {
  const times = ofMinipc(view, "http").filter(
    (what) => what.state === "sent" && what.status === 200 && /^\/configs\//.test(what.path),
  ).length;
  return times > 1 ? `${times} times` : "once";
};

const TIME_SERVERS = /setting time servers \{.*"addresses": \[("[^\]]+)\]/;

/** Time servers that the config names in place of the lease's, as Talos says when it has the config. */
function ownTimeServers(view: View): Sign | undefined {
  const since = accepted(view)?.atMs;
  const set = lines(view, "minipc", TIME_SERVERS).find(
    ({ text, atMs }) =>
      since !== undefined && atMs >= since && !text.includes(`"${view.expected.applianceIp}"`),
  );
  const names = set && TIME_SERVERS.exec(set.text)?.[1]?.replaceAll('"', "");
  return names
    ? { atMs: set.atMs, evidence: `not asked of the appliance: the config names time servers, ${names}` }
    : undefined;
}

/** What a system on the mini-PC says when it goes no further, with the place to look; a refused config has a link of its own. */
const GIVEN_UP: [says: RegExp, look: string][] = [
  [
    /node: FAULT: (.*)/,
    "The kernel that is served has no driver for that NIC, in itself or in its initramfs: look at the ISO that isoUrl names",
  ],
  // As Talos says them before it stops, or restarts (siderolabs/talos, pkg/kernel/kspp and runtime/v1alpha1).
  [
    /(KSPP kernel parameter \S+ (?:is required|was found .*))/,
    "Look at kernelArgs, and at the kernel line of files/boot.ipxe",
  ],
  [
    /\[talos\] ((?!install )\w+ sequence: failed)/,
    "Read minipc.serial.log for the task that failed before that line",
  ],
];
const RESTARTS = /\[talos\] (rebooting in \d+ seconds)/;

/** Tells nothing of how far the chain came, so what a link says of itself goes first. */
function givenUp(view: View): Break | undefined {
  for (const [says, look] of GIVEN_UP) {
    const words = line(view, "minipc", says)?.match[1];
    if (words) return { seen: `the mini-PC goes no further: ${words}`, look };
  }
  const restarts = lacksInstallDisk(view) ? undefined : line(view, "minipc", RESTARTS)?.match[1];
  return restarts
    ? {
        seen: `Talos gives up, ${restarts}${lastWords(view, "minipc", /error running phase|failed/)}`,
        look: "Read minipc.serial.log before that line",
      }
    : undefined;
}

/** Every link of the chain, in the order in which they are reached. */
export const CHAIN: ChainLink[] = [
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
      const { minipcMac, minipcIp } = view.expected;
      const other = dhcpOfMinipc(view, "offer").find(({ message }) => message.address !== minipcIp);
      if (other)
        return {
          seen: `the mini-PC is offered ${other.message.address}, and its lease is ${minipcIp}`,
          look: "Look at dhcp-host in files/dnsmasq.conf and at minipcIp",
        };
      const bare = dhcpOfMinipc(view, "offer").filter(({ message }) => !message.file);
      if (bare.length >= ENOUGH - 1) return NO_BOOT_FILE;
      const asked = firmwareAsked(view).length;
      if (asked < ENOUGH || dhcpOfMinipc(view, "offer").length > 0) return undefined;
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
    },
    overdue: (view) => ({
      seen: `the mini-PC was offered an address and did not take it${lastWords(view, "minipc", /PXE/)}`,
      look: "Look at what the offer says in isolated.pcap",
    }),
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
      const asked = transfers.filter(({ state }) => state === "asked").length;
      return asked >= ENOUGH && transfers.every(({ state }) => state === "asked")
        ? {
            seen: `the firmware asked ${asked} times by TFTP and got no answer`,
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
    overdue: (view) => ({
      seen: `iPXE did not ask for boot.ipxe${lastWords(view, "minipc", /iPXE|ipxe\.org|net\d/)}`,
      look: "Look at the mini-PC's screen; dhcp-boot=tag:ipxe in files/dnsmasq.conf names it",
    }),
  },
  loadedFile("kernel", "iPXE has the kernel by HTTP", /\/vmlinuz$/),
  loadedFile("initramfs", "iPXE has the initramfs by HTTP", /\/initramfs\.xz$/),
  {
    id: "start",
    title: "the kernel starts with the right command line",
    side: "minipc",
    limitS: 120,
    applies: ({ hasSerialConsole }) => hasSerialConsole,
    reached(view) {
      const { kernelArguments } = view.expected;
      const kernel = line(view, "minipc", KERNEL_STARTED);
      return kernel && missingArguments(view).length === 0
        ? {
            atMs: kernel.atMs,
            evidence: `its console: all ${kernelArguments.length} arguments, ${kernelArguments[0]} first`,
          }
        : undefined;
    },
    broken(view) {
      if (missingArguments(view).length > 0 && commandLines(view).length > 1) return lacking(view);
      return notLoaded(view, /^$/, NETBOOT);
    },
    overdue: (view) =>
      commandLines(view).length > 0
        ? lacking(view)
        : {
            seen: `kernel and initramfs were fetched, and no kernel said anything${lastWords(view, "minipc", /./)}`,
            look: "Is vmlinuz a kernel for x86-64 with an EFI stub? Look at the mini-PC's screen and at initrd= and ${serial-console} in files/boot.ipxe",
          },
  },
  {
    id: "start",
    title: "an operating system starts on the mini-PC",
    side: "minipc",
    // Kernel and initramfs have to come up first, as for the time.
    limitS: 300,
    applies: ({ hasSerialConsole }) => !hasSerialConsole,
    reached(view) {
      const asked = askedAs(view, "system")[0];
      return asked && { atMs: asked.atMs, evidence: "on the link: it asks for an address" };
    },
    broken: (view) => notLoaded(view, /^$/, NETBOOT),
    overdue: () => ({
      seen: "no operating system asked for an address",
      look: "Look at the mini-PC's picture; is the initramfs whole?",
    }),
  },
  {
    id: "time",
    title: "the mini-PC has the time",
    side: "minipc",
    limitS: 300,
    // Talos fetches its config and asks for the time at once.
    anyOrder: true,
    reached(view) {
      const answer = ofMinipc(view, "time").find(
        (what): what is typeof what & { state: "answered" } =>
          what.state === "answered" && what.stratum > 0 && what.stratum < 16,
      );
      return answer
        ? { atMs: answer.atMs, evidence: `NTP: the appliance answers, stratum ${answer.stratum}` }
        : ownTimeServers(view);
    },
    broken(view) {
      const panic = line(view, "minipc", PANIC)?.match[1];
      if (panic)
        return {
          seen: `the kernel started and panicked: ${panic}`,
          look: "Is the initramfs whole and of this kernel? Remove artifacts/cache/netboot and run pulumi up",
        };
      const lease = systemsLease(view);
      if (lease && !lease.ntp)
        return {
          seen: "the lease names no time server (option 42)",
          look: "Look at option:ntp-server in files/dnsmasq.conf",
        };
      const asked = timeAsked(view);
      const restart = restartedAt(view);
      // Without its install disk Talos restarts soon, whatever keeps it waiting.
      const waitedInVain = asked.some(({ atMs }) => restart !== undefined && atMs <= restart - ANSWER_MS);
      return asked.length > ENOUGH || waitedInVain ? noTime(asked.length) : undefined;
    },
    overdue(view) {
      const asked = timeAsked(view).length;
      if (asked > 0) return noTime(asked);
      const isRestart = restartedAt(view) !== undefined && lacksInstallDisk(view);
      return {
        seen: `the mini-PC did not ask the appliance for the time${isRestart ? "; it restarted meanwhile, since the install disk is not there" : ""}${lastWords(view, "minipc", /node: |time|ntp/i)}`,
        look: "Read minipc.serial.log; option 42 of the lease names the time server",
      };
    },
  },
  {
    id: "config",
    title: "the mini-PC has the very machine config",
    side: "minipc",
    limitS: 120,
    reached(view) {
      const config = fetched(view, /^\/configs\//);
      return config?.sha256 === view.expected.configSha256
        ? {
            atMs: config.atMs,
            evidence: `GET ${config.path}: 200, SHA-256 ${config.sha256.slice(0, 12)}… as decrypted`,
          }
        : undefined;
    },
    broken(view) {
      const config = fetched(view, /^\/configs\//);
      if (config)
        return {
          seen: `the config that is served is another one than was decrypted (SHA-256 ${config.sha256.slice(0, 12)}…, not ${view.expected.configSha256.slice(0, 12)}…)`,
          look: "The image is of another machineConfig: run pulumi up",
        };
      const look =
        "Look at talos.config in files/boot.ipxe, and at location /configs/ in files/nginx-bootstrap.conf";
      return line(view, "minipc", WAITS_FOR_CONFIG)
        ? { seen: "Talos fetched no config, and waits for one in maintenance mode", look }
        : notFetched(view, /./, look);
    },
    overdue: (view) => ({
      seen: `the mini-PC did not ask for its config${lastWords(view, "minipc", /node: |config/i)}`,
      look: "Look at talos.config in files/boot.ipxe, and read minipc.serial.log",
    }),
  },
  {
    id: "accepted",
    title: "Talos's loader accepts the config",
    side: "minipc",
    limitS: 120,
    applies: ({ hasSerialConsole }) => hasSerialConsole,
    reached: accepted,
    broken(view) {
      const words = line(view, "minipc", REFUSED)?.match[1];
      if (words === undefined) return undefined;
      const faults = refusals(words).filter((fault) => !NO_SUCH_DISK.test(fault));
      return {
        seen: `it was refused, and fetched ${timesFetched(view)}: ${faults.join("; ")}`,
        look: "Look at the file that machineConfig names; what only a machine shows is whether its disk selector fits, and whether this Talos supports its Kubernetes versions",
      };
    },
    overdue: (view) => ({
      seen: `the config was fetched ${timesFetched(view)}, and its loader said nothing${lastWords(view, "minipc", /node: |config/i)}`,
      look: "Talos fetches a config again that it refused: look at the file that machineConfig names; read minipc.serial.log",
    }),
  },
];

/**
 * The first sure sign that a link will not be reached. A link that is reached is never broken.
 *
 * @param open the links that may be reached, or break, now; the first of them is waited for
 */
export function firstBreak(view: View, open: ChainLink[]): { link: ChainLink; broken: Break } | undefined {
  // What came to a good end is not judged again by its bad signs.
  const waiting = open.filter((link) => !link.reached(view));
  for (const link of waiting) {
    const broken = link.broken?.(view);
    if (broken) return { link, broken };
  }
  // Last: what a machine said tells more than that it restarted or is gone.
  const broken = givenUp(view) ?? restarted(view) ?? ended(view, "appliance") ?? ended(view, "minipc");
  return waiting[0] && broken && { link: waiting[0], broken };
}

/** The links of a chain that may be reached, or break, while the one at `index` is waited for. */
export const openAt = (chain: ChainLink[], index: number): ChainLink[] =>
  chain.slice(index, chain[index]?.anyOrder ? undefined : index + 1);

/** Whether the mini-PC's screen may show values of its config: Talos quotes those of one that it refuses. */
export const mayShowConfig = (view: View): boolean =>
  fetched(view, /^\/configs\//) !== undefined && accepted(view) === undefined;

/** The links that this mini-PC's chain has. */
export function chainFor(expected: Expected): ChainLink[] {
  return CHAIN.filter(({ applies }) => applies?.(expected) ?? true);
}
