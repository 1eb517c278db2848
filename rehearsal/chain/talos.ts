import { ofMinipc, askedAs, systemsLease, line, lines, lastWords, type View } from "../view";
import {
  NO_SUCH_DISK,
  REFUSED,
  WAITS_FOR_CONFIG,
  accepted,
  lacksInstallDisk,
  ownConfig,
  refusals,
  timesFetched,
} from "./acceptance";
import { restartedAt } from "./endings";
import { NETBOOT, fetched, notFetched, notLoaded } from "./fetched";
import { usable, type Break, type Milestone, type Sign } from "./milestone";

const KERNEL_STARTED = /\] (?:Kernel c|C)ommand line: (.*)/;

/** The kernel says its command line as its first words, and again a moment later. */
const commandLines = (view: View) => lines(view, "minipc", KERNEL_STARTED);

/** A serial port on a busy machine may lose characters, so what either line holds counts. */
function missingArguments(view: View): string[] {
  const found = commandLines(view).flatMap(({ text }) => text.split(" "));
  return view.expected.kernelArguments.filter((wanted) => !found.includes(wanted));
}

const lacking = (view: View): Break => ({
  seen: `the kernel's command line lacks ${missingArguments(view).join(" ")}`,
  look: "Look at the kernel line of files/boot.ipxe, and at what stack/talos-kernel.ts makes of the ISO's",
});

/** Asking for the time for so long without a usable answer is a sure sign; Talos asks again after 1 to 6 s. */
const TIMELESS_MS = 40_000;

/** As much of the time between two questions for it counts: the mini-PC may have restarted between them. */
const BETWEEN_MS = 10_000;

const PANIC = /Kernel panic - not syncing: (.*)/;

const timeAsked = (view: View) => ofMinipc(view, "time").filter(({ state }) => state === "asked");

const noTime = (asked: number): Break => ({
  seen: `the mini-PC asked ${asked === 1 ? "once" : `${asked} times`} for the time and got no usable answer`,
  look: "Look at allow and local stratum in files/chrony.conf, then at udp dport 123 in files/nftables.conf",
});

const TIME_SERVERS = /setting time servers \{.*"addresses": \[("[^\]]+)\]/;

/** A node that has its config and takes the time from elsewhere, as the config says, or Talos on its console. */
function timeFromElsewhere(view: View): Sign | undefined {
  const { timeElsewhere, applianceIp } = view.expected;
  const config = ownConfig(view);
  if (timeElsewhere)
    return config && { atMs: config.atMs, evidence: `not asked of the appliance: ${timeElsewhere}` };
  const lease = systemsLease(view);
  // Before the lease Talos has a time server of its own, and without one in the lease it keeps that.
  if (!accepted(view) || (lease && !lease.ntp)) return undefined;
  const sets = lines(view, "minipc", TIME_SERVERS);
  const isOurs = ({ text }: { text: string }) => text.includes(`"${applianceIp}"`);
  const last = sets.at(-1);
  if (!last || isOurs(last) || !sets.some(isOurs)) return undefined;
  const servers = TIME_SERVERS.exec(last.text)?.[1]?.replaceAll('"', "");
  return {
    atMs: last.atMs,
    evidence: `not asked of the appliance: with the config Talos has other time servers, ${servers}`,
  };
}

/** From the kernel's start to a config that Talos accepts. */
export const TALOS_MILESTONES: Milestone[] = [
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
        : timeFromElsewhere(view);
    },
    broken(view) {
      const panic = line(view, "minipc", PANIC)?.match[1];
      if (panic)
        return {
          seen: `the kernel started and panicked: ${panic}`,
          look: "Is the initramfs whole and of this kernel? Remove artifacts/cache/netboot and run pulumi up",
        };
      // Once it has its config it needs nothing of the appliance.
      if (view.expected.timeElsewhere) return undefined;
      const lease = systemsLease(view);
      if (lease && !lease.ntp)
        return {
          seen: "the lease names no time server (option 42)",
          look: "Look at option:ntp-server in files/dnsmasq.conf",
        };
      const asked = timeAsked(view);
      const waited = asked.map((each, index) =>
        index > 0 ? Math.min(BETWEEN_MS, usable(asked[index - 1]!, each)) : 0,
      );
      return waited.reduce((sum, each) => sum + each, 0) >= TIMELESS_MS ? noTime(asked.length) : undefined;
    },
    overdue(view) {
      const { timeElsewhere } = view.expected;
      if (timeElsewhere)
        return {
          seen: `the mini-PC did not fetch its config, by which it needs no time of the appliance: ${timeElsewhere}`,
          look: "Look at talos.config in files/boot.ipxe, and read minipc.serial.log",
        };
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
      const config = ownConfig(view);
      return (
        config && {
          atMs: config.atMs,
          evidence: `GET ${config.path}: 200, SHA-256 ${config.sha256.slice(0, 12)}… as decrypted`,
        }
      );
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
        : notFetched(view, /^\/configs\//, look);
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
      look: "Talos fetches a config anew that it refused: look at the file that machineConfig names; read minipc.serial.log",
    }),
  },
];
