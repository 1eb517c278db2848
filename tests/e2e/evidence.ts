import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { readDhcp } from "../../rehearsal/network/dhcp";
import { decode } from "../../rehearsal/network/packets";
import type { RehearsalRecord } from "../../rehearsal/record";
import { NICS } from "../../rehearsal/stage";
import { inToolEnvironment, TOP } from "../tools";
import { framesIn } from "../unit/rehearsal/pcap";

/** What every rehearsal of a stack with an uplink proves, without a twin. */
export const PROOFS = ["other-mac", "uplink-dhcp", "pinned", "uplink-silent", "way-out", "way-in"];
/** What lies in a rehearsal's folder. */
export const EVIDENCE = [
  "appliance.serial.log",
  "isolated.pcap",
  "minipc.serial.log",
  "screens",
  "uplink.pcap",
];

/** Values of a machine config that are secret: keys, certificates, tokens. */
function secretsIn(value: unknown): string[] {
  if (typeof value === "string") return value.length >= 20 && !/[ :]/.test(value) ? [value] : [];
  return value && typeof value === "object" ? Object.values(value).flatMap(secretsIn) : [];
}

async function decrypted(path: string): Promise<string> {
  const SOPS_AGE_KEY_FILE = join(TOP, "artifacts/demo/age.key");
  const flags = ["decrypt", "--input-type", "yaml", "--output-type", "yaml", path];
  const { stdout, exitCode } = await inToolEnvironment("sops", flags, { env: { SOPS_AGE_KEY_FILE } });
  expect(exitCode).toBe(0);
  return stdout;
}

type Seen = Omit<RehearsalRecord, "image">;

/** Every milestone of a chain was reached, and every proof held. */
export function expectGood(record: Seen, chain: string[], proofs: string[]): void {
  expect(record.diagnosis).toBeUndefined();
  expect(record.reached.map(({ id }) => id).sort()).toEqual([...chain].sort());
  expect(record.proofs.map(({ id, held }) => [id, held])).toEqual(proofs.map((id) => [id, true]));
}

/** The pictures are there, one of each machine that runs then, for every milestone. */
export function expectScreens({ screens }: Seen, folder: string, chain: string[]): void {
  const of = (machine: string) => screens.filter((each) => each.machine === machine).map(({ id }) => id);
  expect(of("appliance").sort()).toEqual([...chain].sort());
  expect(of("minipc").sort()).toEqual(chain.slice(chain.indexOf("pxe")).sort());
  for (const { file } of screens)
    expect(readFileSync(join(folder, file)).subarray(1, 4).toString()).toBe("PNG");
}

/** The capture holds the lease, and the config's question with its answer. */
export function expectCapture(folder: string): void {
  const packets = framesIn(join(folder, "isolated.pcap")).map(({ kept }) => decode(kept));
  const leases = packets.map(({ udp }) => (udp?.from === 67 ? readDhcp(udp.payload) : undefined));
  expect(leases).toContainEqual(expect.objectContaining({ type: "ack", address: "10.10.10.100" }));
  const said = (pattern: RegExp) =>
    packets.filter(({ tcp }) => tcp && pattern.test(tcp.payload.toString("latin1")));
  const question = said(/^GET \/configs\/minipc\.yaml /).find(({ ip }) => ip?.from === "10.10.10.100");
  expect(question).toBeDefined();
  const answers = said(/^HTTP\/1\.1 200 /).filter(({ tcp }) => tcp?.to === question?.tcp?.from);
  expect(answers).not.toEqual([]);
}

/** To all hosts of the uplink goes a question for a lease, and none for a name (LLMNR, multicast DNS). */
export function expectQuietUplink(folder: string): void {
  const packets = framesIn(join(folder, "uplink.pcap")).map(({ kept }) => decode(kept));
  // The lowest bit of the first byte: a group of hosts, or all (IEEE 802).
  const toAll = packets.filter(
    ({ source, destination, udp }) =>
      udp && source === NICS.uplink && parseInt(destination.slice(0, 2), 16) % 2 === 1,
  );
  expect([...new Set(toAll.map(({ udp }) => udp?.to))]).toEqual([67]);
}

/** Values of both configs are in no file of a folder. */
export async function expectNoSecret(folder: string, machineConfig: string): Promise<void> {
  const plain = await Promise.all([machineConfig, "artifacts/demo/talosconfig"].map(decrypted));
  const secrets = plain.flatMap((text) => secretsIn(parse(text)));
  expect(secrets.length).toBeGreaterThan(10);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const kept = files
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "latin1"))
    .join("\n");
  expect(secrets.filter((secret) => kept.includes(secret) || kept.includes(secret.slice(0, 40)))).toEqual([]);
}
