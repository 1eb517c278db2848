import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IMAGE, MINIPC, SERVING, LIMIT_MS } from "./demo";
import { Link } from "./link";
import { Machine } from "./machine";
import { offerIn, Station } from "./station";

const APPLIANCE = "10.10.10.2";
const LEASE = "10.10.10.100";
const UPLINK_NIC = "52:54:00:00:00:02";
const SYN_ACK = 0x12;

let folder: string;
let isolated: Link;
let uplink: Link;
let appliance: Machine;

// One boot for all: nothing below changes the appliance.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "bootstrap-pxe-e2e-"));
  isolated = await new Link(join(folder, "isolated.sock")).open();
  uplink = await new Link(join(folder, "uplink.sock")).open();
  const nic = (link: Link, mac: string) => ({ model: "virtio-net-pci", mac, netdev: link.netdev }) as const;
  appliance = new Machine(folder, "appliance", {
    firmware: "bios",
    disk: IMAGE,
    nics: [nic(isolated, "52:54:00:00:00:01"), nic(uplink, UPLINK_NIC)],
  });
  await appliance.waitFor(SERVING, LIMIT_MS);
}, LIMIT_MS);
afterAll(async () => {
  await appliance.stop();
  await Promise.all([isolated.close(), uplink.close()]);
  rmSync(folder, { recursive: true });
});

/** Asks every service once, by a port of its own; the test looks for answers to these. */
function askAll(station: Station) {
  // A question for the name `node`, RFC 1035.
  const dns = Buffer.from("beef01000001000000000000" + "046e6f646500" + "00010001", "hex");
  const time = Buffer.alloc(48);
  time[0] = 0x23;
  const read = (file: string) => Buffer.from(`\0\x01${file}\0octet\0`, "latin1");
  return {
    http: station.syn(APPLIANCE, 80),
    dns: station.udp(APPLIANCE, 53, dns),
    ntp: station.udp(APPLIANCE, 123, time),
    snponly: station.udp(APPLIANCE, 69, read("snponly.efi")),
    ipxe: station.udp(APPLIANCE, 69, read("ipxe.efi")),
  };
}

/** Which of the questions were answered, and how. */
function answers(station: Station, ports: ReturnType<typeof askAll>) {
  const to = (port: number) => station.heard.find((heard) => heard.to === port);
  const tftp = (port: number) => to(port)?.payload.readUInt16BE(0);
  return {
    http: to(ports.http)?.flags,
    dns: to(ports.dns)?.payload.readUInt16BE(0),
    ntp: to(ports.ntp) && (to(ports.ntp)?.payload[0] ?? 0) & 7,
    snponly: tftp(ports.snponly),
    ipxe: tftp(ports.ipxe),
  };
}

const NONE = { http: undefined, dns: undefined, ntp: undefined, snponly: undefined, ipxe: undefined };
/** SYN and ACK; the question's id; mode 4, server (RFC 5905); opcode 3, data (RFC 1350). */
const ALL = { http: SYN_ACK, dns: 0xbeef, ntp: 4, snponly: 3, ipxe: 3 };

async function knowsTheWay(station: Station): Promise<void> {
  await station.ask(
    "ARP",
    () => station.whoHas(APPLIANCE),
    () => (station.met ? true : undefined),
  );
}

async function allAnswered(station: Station): Promise<void> {
  await knowsTheWay(station);
  let ports = askAll(station);
  await station.ask(
    "HTTP, DNS, NTP and TFTP",
    () => (ports = askAll(station)),
    () => (Object.values(answers(station, ports)).includes(undefined) ? undefined : true),
  );
  expect(answers(station, ports)).toEqual(ALL);
}

test("the pinned MAC is offered its lease, with what it boots by; another MAC is offered nothing", async () => {
  const [other, minipc] = [
    new Station(isolated, "52:54:00:99:99:99", "10.10.10.55"),
    new Station(isolated, MINIPC, LEASE),
  ];
  const offer = await minipc.ask(
    "DHCP",
    // The other asks first, so it would be answered first.
    () => (other.discover(), minipc.discover()),
    () => minipc.heard.map(offerIn).find((offered) => offered?.client === MINIPC),
  );
  expect(offer).toEqual({
    message: 2,
    client: MINIPC,
    address: LEASE,
    file: "snponly.efi",
    server: APPLIANCE,
    router: APPLIANCE,
    dns: APPLIANCE,
    ntp: APPLIANCE,
  });
  expect(other.heard.map(offerIn).filter((offered) => offered?.client === other.mac)).toEqual([]);
});

test("HTTP, DNS, time and both boot programs answer the lease on the isolated link", async () => {
  await allAnswered(new Station(isolated, MINIPC, LEASE));
});

test("the lease's address under another MAC is not answered", async () => {
  const thief = new Station(isolated, "52:54:00:99:99:98", LEASE);
  await knowsTheWay(thief);
  const ports = askAll(thief);
  // What the thief asked came before what is answered here.
  await allAnswered(new Station(isolated, MINIPC, LEASE));
  expect(answers(thief, ports)).toEqual(NONE);
});

test("nothing answers on the uplink", async () => {
  const stranger = new Station(uplink, "52:54:00:99:99:97", LEASE, UPLINK_NIC);
  stranger.discover();
  const ports = askAll(stranger);
  // What the stranger asked came before what is answered here.
  await allAnswered(new Station(isolated, MINIPC, LEASE));
  expect(answers(stranger, ports)).toEqual(NONE);
  expect(stranger.heard.map(offerIn).filter((offered) => offered?.client === stranger.mac)).toEqual([]);
});
