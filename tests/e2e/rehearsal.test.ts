import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { HARDWARE } from "../../rehearsal/hardware";
import { readDhcp } from "../../rehearsal/network/dhcp";
import { decode } from "../../rehearsal/network/packets";
import type { Hardware, RehearsalRecord } from "../../rehearsal/record";
import { NICS, type Stage } from "../../rehearsal/stage";
import { abandonedScratch } from "../../steps/frame/scratch.cjs";
import { inToolEnvironment, NO_PROCESS, TOP, toolEnvironment } from "../tools";
import { framesIn } from "../unit/rehearsal/pcap";
import { boot } from "./boot";
import { Images, type Assembly } from "./images";
import { CHAIN, expectOrder, ordered } from "./whole-chain";

const images = new Images();
let assembly: Assembly;
beforeAll(async () => {
  assembly = await images.make(() => undefined);
});
afterAll(() => images.remove());

const PROOFS = ["other-mac", "uplink-dhcp", "pinned", "uplink-silent", "way-out"];

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

/** Every milestone held, and so did every proof. */
function expectGood(record: Omit<RehearsalRecord, "image">): void {
  expect(record.diagnosis).toBeUndefined();
  expect(record.reached.map(({ id }) => id).sort()).toEqual([...CHAIN].sort());
  expect(record.proofs.map(({ id, held }) => [id, held])).toEqual(PROOFS.map((id) => [id, true]));
}

/** The pictures are there, one of each machine that runs then, for every milestone. */
function expectScreens({ screens }: Omit<RehearsalRecord, "image">, folder: string): void {
  const of = (machine: string) => screens.filter((each) => each.machine === machine).map(({ id }) => id);
  expect(of("appliance").sort()).toEqual([...CHAIN].sort());
  expect(of("minipc").sort()).toEqual(CHAIN.slice(CHAIN.indexOf("pxe")).sort());
  for (const { file } of screens)
    expect(readFileSync(join(folder, file)).subarray(1, 4).toString()).toBe("PNG");
}

/** The capture holds the lease, and the config's question with its answer. */
function expectCapture(folder: string): void {
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
function expectQuietUplink(folder: string): void {
  const packets = framesIn(join(folder, "uplink.pcap")).map(({ kept }) => decode(kept));
  // The lowest bit of the first byte: a group of hosts, or all (IEEE 802).
  const toAll = packets.filter(
    ({ source, destination, udp }) =>
      udp && source === NICS.uplink && parseInt(destination.slice(0, 2), 16) % 2 === 1,
  );
  expect([...new Set(toAll.map(({ udp }) => udp?.to))]).toEqual([67]);
}

/** Values of both configs are in no file of a folder. */
async function expectNoSecret(folder: string): Promise<void> {
  const secrets = (
    await Promise.all([decrypted(assembly.machineConfig.path), decrypted("artifacts/demo/talosconfig")])
  ).flatMap((text) => secretsIn(parse(text)));
  expect(secrets.length).toBeGreaterThan(10);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const kept = files
    .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), "latin1"))
    .join("\n");
  expect(secrets.filter((secret) => kept.includes(secret) || kept.includes(secret.slice(0, 40)))).toEqual([]);
}

const EVIDENCE = ["appliance.serial.log", "isolated.pcap", "minipc.serial.log", "screens", "uplink.pcap"];

test("by hand, on SeaBIOS, SATA, e1000: what is said at the end and what is kept", async () => {
  const flags = [
    "--stack",
    "demo",
    "--firmware",
    "bios",
    "--disk",
    "sata",
    "--nic",
    "e1000",
    "--alone",
    "--json",
  ];
  const { exitCode, stdout, stderr } = await inToolEnvironment("node", ["commands/rehearse.mjs", ...flags]);
  expect({ exitCode, said: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, said: "" });
  expect(stderr).toContain("rehearsed: 13 milestones reached");
  expect(stderr).toMatch(/; 5 of 5 proofs held\.\n/);
  expect(stderr).toMatch(/appliance +BIOS, sata disk, e1000\n/);
  const { passed, timeline } = JSON.parse(stdout) as { passed: boolean; timeline: string };
  expect(passed).toBe(true);
  const folder = join(TOP, dirname(timeline));
  expect(readdirSync(folder).sort()).toEqual(
    [...EVIDENCE, "rehearsal.json", "timeline.html", "timeline.txt"].sort(),
  );
  expect(stderr).toContain(readFileSync(join(folder, "timeline.txt"), "utf8"));
  const record = JSON.parse(readFileSync(join(folder, "rehearsal.json"), "utf8")) as RehearsalRecord;
  expectGood(record);
  expectScreens(record, folder);
  expectCapture(folder);
  expectQuietUplink(folder);
  await expectNoSecret(folder);
});

/** Presses the mini-PC's reset button once, when it has asked for its boot file. */
function resetOnce() {
  let isFirst = true;
  return async (id: string, stage: Stage) => {
    if (id !== "loader" || !isFirst) return;
    isFirst = false;
    await stage.resetMinipc();
  };
}

test("UEFI, IDE, virtio, the NICs the other way round; the mini-PC comes back without iPXE having asked, and boots by ipxe.efi, its config before the time: every milestone is reached, and nothing happens that must not", async () => {
  const order = ["config", "time"];
  const appliance: Hardware = { firmware: "uefi", disk: "ide", nic: "virtio-net-pci", swapped: true };
  const { record, folder } = await boot(await ordered(images, order), {
    hardware: { appliance, minipc: HARDWARE.minipc },
    onReached: resetOnce(),
  });
  expectGood(record);
  expectOrder(record, order);
  expect(record.reached.find(({ id }) => id === "loader")?.evidence).toMatch(/snponly\.efi/);
  const files = record.exchanges.flatMap(({ what }) => /^TFTP: (\S+), /.exec(what)?.[1] ?? []);
  expect(files).toEqual(["snponly.efi", "ipxe.efi"]);
  expect(readdirSync(folder).sort()).toEqual([...EVIDENCE].sort());
  expectScreens(record, folder);
  expectCapture(folder);
  expectQuietUplink(folder);
  await expectNoSecret(folder);
});

test("Ctrl-C in the middle leaves no machine, no socket and no half of the evidence", async () => {
  const path = join(images.folder, "stopped", "rehearsal.json");
  // What one that was killed outright left, of another image; no process has such a number (proc(5), pid_max).
  mkdirSync(join(images.folder, `.earlier.partial-${NO_PROCESS}`));
  const { sha256, bytes } = JSON.parse(
    readFileSync(join(assembly.path, "..", ".image.raw.stamp"), "utf8"),
  ) as { sha256: string; bytes: number };
  const input = {
    ...{ key: "k", path, configSha256: assembly.machineConfig.sha256 },
    image: { path: assembly.path, sha256, bytes },
    subject: {
      ...{ minipcMac: "52:54:00:12:34:56", minipcIp: "10.10.10.100", applianceCidr: "10.10.10.2/24" },
      ...{
        talosVersion: "v1.11.6",
        kernelArguments: [],
        hasSerialConsole: true,
        hasUplink: true,
        secretPaths: [],
      },
    },
  };
  const step = spawn("steps/run", ["rehearse"], {
    cwd: TOP,
    env: { ...process.env, ...toolEnvironment, ACCELERATOR: "tcg" },
    stdio: ["pipe", "ignore", "pipe"],
  });
  step.stdin.end(JSON.stringify(input));
  const machines = () =>
    readdirSync("/proc").filter((name) => {
      try {
        return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, "utf8").includes(assembly.path);
      } catch {
        return false;
      }
    });
  let said = "";
  step.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const closed = once(step, "close");
  while (!said.includes("the appliance starts from its disk")) {
    const over = await Promise.race([once(step.stderr, "data").then(() => false), closed.then(() => true)]);
    if (over) throw new Error(said);
  }
  // The appliance and its twin.
  expect(machines()).toHaveLength(2);
  step.kill("SIGINT");
  const [status] = (await closed) as [number];
  expect(said).toMatch(/rehearse: stopped by SIGINT/);
  expect(status).toBe(130);
  expect(machines()).toEqual([]);
  // Other tests kill steps of their own meanwhile.
  expect(abandonedScratch().filter((path) => path.includes(`-${step.pid}-`))).toEqual([]);
  expect(existsSync(join(images.folder, "stopped"))).toBe(false);
  expect(readdirSync(images.folder).filter((name) => name.includes("partial"))).toEqual([]);
});
