import { join } from "node:path";
import { APID_PORT } from "../stack/ports";
import type { Accelerator } from "../steps/programs/accelerator";
import type { FixedUplink } from "../stack/fixed-uplink";
import { Capture } from "./network/capture";
import type { ServedImage } from "../steps/contracts/image";
import type { View } from "./view";
import type { Lease } from "./network/dhcp";
import { attachGateway, attachRouter, HOME } from "./network/gateway";
import { Link } from "./network/link";
import { Machine, type Nic } from "./machines/machine";
import { observe } from "./network/observer";
import { arpRequest } from "./network/packets";
import { STRANGERS, uplinkAddresses, type Site } from "./proofs";
import { stolenMs } from "./slowness";
import type { Hardware, LinkName } from "./record";
import type { MachineName, Seen, What } from "./network/seen";
import { Station } from "./network/station";
import { OPERATOR, operatorsOf } from "./way-in";

/** An image, the mini-PC that it is for, and what its boot is compared with. */
export interface Subject {
  /** RAW image; it is not changed. */
  image: string;
  minipcMac: string;
  minipcIp: string;
  /** The appliance's address with its prefix length. */
  applianceCidr: string;
  /** Networks whose hosts reach the mini-PC by the uplink, each as NETWORK/LENGTH; unset for a stack without. */
  operatorNetworks?: string[];
  talosVersion: string;
  /** Arguments that the kernel must be started with. */
  kernelArguments: string[];
  /** SHA-256 of the decrypted machine config. */
  configSha256: string;
  /** Why the mini-PC need not ask the appliance for the time, in words; unset where it does. */
  timeElsewhere?: string;
  /** What no virtual machine can show of the install disk, in words. */
  unseenDisk?: string;
  /** Whether the kernel arguments name a serial console. */
  hasSerialConsole: boolean;
  /** Whether the appliance has a second NIC. */
  hasUplink: boolean;
  /** What it has on an uplink without DHCP; unset where a DHCP server is there. */
  fixedUplink?: FixedUplink;
  /** Files on the web server that only the lease may have. */
  secretPaths: string[];
  /** What the appliance of an offline stack has of images; unset for others. */
  images?: ServedImage[];
}

/** Locally administered MACs (IEEE 802): no mini-PC has them. */
export const NICS = {
  isolated: "02:00:5e:00:53:11",
  uplink: "02:00:5e:00:53:12",
  third: "02:00:5e:00:53:13",
};

const APPLIANCE_MIB = 512;
/** Talos wants 2 GiB on a control plane; memory that is not used costs nothing. */
const MINIPC_MIB = 2048;
/** What a selector of the install disk commonly asks for is at most 200 GB. */
const MINIPC_DISK_BYTES = 256e9;

/** Two links, an appliance and a mini-PC on them, and all that is seen of these. */
export class Stage {
  readonly view: View & { seen: Seen[] };
  readonly site: Site;
  /** What the uplink's DHCP server gives from now on; unset, it is silent. */
  uplinkLease?: Lease;
  /** Address of the uplink's router from now on where there is no DHCP; unset, it is off. */
  uplinkRouter?: string;
  private readonly machines: Partial<Record<MachineName, Machine>> = {};
  private readonly links: Record<LinkName, Link>;
  private applianceNics: Nic[] = [];
  /** A host on the uplink, in the stack's operatorNetwork. */
  private readonly desk?: Station;
  private readonly captures: Capture[] = [];
  private startedAt = Date.now();
  private fault?: Error;
  private readonly onFault = (fault: Error) => void (this.fault ??= fault);

  /**
   * @param name tells its files and sockets from those of another stage; empty for the main one
   * @param folder for serial logs and captures
   * @param scratch for sockets and what the machines write to their disks
   */
  constructor(
    private readonly name: string,
    private readonly subject: Subject,
    private readonly accelerator: Accelerator,
    private readonly folder: string,
    private readonly scratch: string,
    signal: AbortSignal,
  ) {
    const link = (which: LinkName) => new Link(which, join(scratch, `${name}${which}.sock`));
    this.links = { isolated: link("isolated"), uplink: link("uplink") };
    // Hostile: it routes the mini-PC's address to itself, which would draw the machine config there.
    if (subject.fixedUplink) this.uplinkRouter = subject.fixedUplink.gateway;
    else this.uplinkLease = { ...HOME, routed: [subject.minipcIp] };
    const applianceIp = subject.applianceCidr.split("/")[0] as string;
    const nics = { isolatedNic: NICS.isolated, uplinkNic: NICS.uplink };
    const uplink = uplinkAddresses(subject);
    const operator = subject.hasUplink ? operatorsOf({ ...subject, ...uplink })[0] : undefined;
    this.view = { seen: [], expected: { ...subject, ...nics, applianceIp, operator } };
    this.site = {
      ...subject,
      ...nics,
      signal,
      lostMs: () => this.lostMs,
      applianceIp,
      isolated: this.links.isolated,
      uplink: subject.hasUplink ? this.links.uplink : undefined,
      ...uplink,
    };
    if (operator) this.desk = new Station(this.site, this.links.uplink, OPERATOR, operator, NICS.uplink);
    for (const each of Object.values(this.links)) observe(each, (what) => this.see(what));
  }

  async open(): Promise<this> {
    attachGateway(this.links.uplink, () => this.uplinkLease);
    attachRouter(this.links.uplink, () => this.uplinkRouter);
    for (const link of Object.values(this.links)) {
      await link.open();
      this.captures.push(new Capture(link, join(this.folder, `${this.name}${link.name}.pcap`), this.onFault));
    }
    return this;
  }

  /** @throws what kept the evidence from being written, if anything did */
  throwIfLost(): void {
    if (this.fault) throw this.fault;
  }

  /** Milliseconds since the appliance was powered on. */
  get atMs(): number {
    return Date.now() - this.startedAt;
  }

  /**
   * How long the machines had no CPU, on a busy host or one that a hypervisor starves, in milliseconds, all together: more than has
   * passed where they lack it at once.
   */
  get lostMs(): number {
    return Object.values(this.machines).reduce((sum, machine) => sum + machine.starvedMs, stolenMs());
  }

  private see(what: What): void {
    const { appliance, minipc } = this.machines;
    const starved = { applianceStarvedMs: appliance?.starvedMs, minipcStarvedMs: minipc?.starvedMs };
    this.view.seen.push({ atMs: this.atMs, ...starved, ...what });
  }

  private start(
    machine: MachineName,
    hardware: Hardware,
    memoryMib: number,
    nics: Nic[],
    disk: { disk: string } | { blankDiskBytes: number },
  ): void {
    const name = `${this.name}${machine}`;
    this.machines[machine] = new Machine({
      ...{ name, hardware, memoryMib, nics, ...disk },
      accelerator: this.accelerator,
      scratch: this.scratch,
      serialLog: join(this.folder, `${name}.serial.log`),
      onLine: (text) => this.see({ kind: "line", machine, text }),
      onEnd: (words) => {
        if (words) this.see({ kind: "line", machine, text: words });
        this.see({ kind: "ended", machine });
      },
      onFault: this.onFault,
    });
  }

  startAppliance(hardware: Hardware): void {
    this.startedAt = Date.now();
    const nics: Nic[] = [{ mac: NICS.isolated, link: this.links.isolated }];
    if (this.subject.hasUplink) nics.push({ mac: NICS.uplink, link: this.links.uplink });
    if (hardware.swapped) nics.reverse();
    if (hardware.thirdNic) nics.unshift({ mac: NICS.third, link: this.links.uplink });
    this.applianceNics = nics;
    const memoryMib = hardware.memoryMib ?? APPLIANCE_MIB;
    this.start("appliance", hardware, memoryMib, nics, { disk: this.subject.image });
  }

  /** Plugs the appliance's cable to a link in or out. */
  async plugAppliance(link: LinkName, isIn: boolean): Promise<void> {
    const index = this.applianceNics.findIndex((nic) => nic.link === this.links[link]);
    await this.machines.appliance?.plug(index, isIn);
  }

  /** @param link that its NIC is on, where something stands between that and the isolated link */
  startMinipc(hardware: Hardware, link = this.links.isolated): void {
    const nics = [{ mac: this.subject.minipcMac, link }];
    this.start("minipc", hardware, MINIPC_MIB, nics, { blankDiskBytes: MINIPC_DISK_BYTES });
  }

  /** Presses the mini-PC's reset button. */
  async resetMinipc(): Promise<void> {
    await this.machines.minipc?.reset();
  }

  /** Switches the mini-PC off and forgets what it did, so that it can be started anew. */
  async forgetMinipc(): Promise<void> {
    await this.machines.minipc?.stop();
    delete this.machines.minipc;
    const { seen } = this.view;
    const kept = seen.filter(
      (what) => what.kind === "address" || ("machine" in what && what.machine === "appliance"),
    );
    seen.splice(0, seen.length, ...kept);
  }

  /** Asks on the isolated link whether the appliance has its address yet; claims none itself (RFC 5227). */
  askForAppliance(): void {
    this.links.isolated.send(arpRequest(STRANGERS[0], "0.0.0.0", this.site.applianceIp));
  }

  /** Asks from the operator's network whether the mini-PC's apid answers. */
  askByWayIn(): void {
    this.desk?.syn(this.subject.minipcIp, APID_PORT);
  }

  /** Writes pictures of the screens that there are. @returns whose */
  async screendump(pathFor: (machine: MachineName) => string): Promise<MachineName[]> {
    const all = Object.entries(this.machines) as [MachineName, Machine][];
    const taken = await Promise.all(
      all.map(async ([name, machine]) => ((await machine.screendump(pathFor(name))) ? [name] : [])),
    );
    return taken.flat();
  }

  async clear(): Promise<void> {
    await Promise.all(Object.values(this.machines).map((machine) => machine.stop()));
    await Promise.all(this.captures.map((capture) => capture.close()));
    await Promise.all(Object.values(this.links).map((link) => link.close()));
  }
}
