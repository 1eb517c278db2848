import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { parse } from "yaml";
import { HARDWARE } from "../../steps/rehearsal/hardware";
import type { Hardware } from "../../steps/rehearsal/record";
import type { Stage } from "../../steps/rehearsal/stage";
import { abandonedScratch } from "../../steps/lib/scratch.cjs";
import { inToolEnvironment, TOP, toolEnvironment } from "../tools";
import { boot, LIMIT_MS } from "./boot";
import { edit, Images, type Assembly } from "./images";

const images = new Images();
let assembly: Assembly;
beforeAll(async () => {
  assembly = await images.make(() => undefined);
}, LIMIT_MS);
afterAll(() => images.remove());

const CHAIN = [
  "power-on",
  "address",
  "services",
  "pxe",
  "lease",
  "loader",
  "script",
  "kernel",
  "initramfs",
  "start",
  "time",
  "config",
  "accepted",
];
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

test.each<[string, Hardware, Hardware["nic"]]>([
  ["SeaBIOS, SATA, e1000", { firmware: "bios", disk: "sata", nic: "e1000" }, "virtio-net-pci"],
  [
    "UEFI, IDE, virtio, the NICs the other way round",
    { firmware: "uefi", disk: "ide", nic: "virtio-net-pci", swapped: true },
    "virtio-net-pci",
  ],
  ["SeaBIOS, virtio; the mini-PC has an e1000e, whose ROM is iPXE", HARDWARE.appliance, "e1000e"],
])(
  "%s: every link of the chain is reached, and nothing happens that must not",
  async (_what, appliance, nic) => {
    const { record, folder } = await boot(assembly, {
      hardware: { appliance, minipc: { firmware: "uefi", nic } },
    });
    expect(record.diagnosis).toBeUndefined();
    expect(record.reached.map(({ id }) => id).sort()).toEqual([...CHAIN].sort());
    expect(record.proofs.map(({ id, held }) => [id, held])).toEqual(PROOFS.map((id) => [id, true]));
    expect(record.reached.find(({ id }) => id === "loader")?.evidence).toMatch(
      nic === "e1000e" ? /its NIC's ROM is iPXE/ : /snponly\.efi/,
    );
    expect(readdirSync(folder).sort()).toEqual([
      "appliance.serial.log",
      "isolated.pcap",
      "minipc.serial.log",
      "screens",
      "uplink.pcap",
    ]);
    for (const { file } of record.screens)
      expect(readFileSync(join(folder, file)).subarray(1, 4).toString()).toBe("PNG");

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
    expect(secrets.filter((secret) => kept.includes(secret) || kept.includes(secret.slice(0, 40)))).toEqual(
      [],
    );
  },
  LIMIT_MS,
);

test(
  "a mini-PC that comes back without iPXE having asked is handed ipxe.efi, and boots by it",
  async () => {
    let isFirst = true;
    const onReached = async (id: string, stage: Stage) => {
      if (id !== "loader" || !isFirst) return;
      isFirst = false;
      await stage.resetMinipc();
    };
    const { record } = await boot(assembly, { onReached });
    expect(record.diagnosis).toBeUndefined();
    const files = record.exchanges.flatMap(({ what }) => /^TFTP: (\S+), /.exec(what)?.[1] ?? []);
    expect(files).toEqual(["snponly.efi", "ipxe.efi"]);
  },
  LIMIT_MS,
);

test(
  "one NIC: it is the isolated one, and nothing is asked of an uplink; no serial console: the link tells what starts",
  async () => {
    const silent = await images.make((each) => edit(each, "boot.ipxe", " console=ttyS0", ""));
    const { record, folder } = await boot(silent, {}, { hasUplink: false, hasSerialConsole: false });
    expect(record.diagnosis).toBeUndefined();
    expect(record.reached.map(({ id }) => id).sort()).toEqual(CHAIN.filter((id) => id !== "accepted").sort());
    expect(record.reached.find(({ id }) => id === "start")).toMatchObject({
      title: "an operating system starts on the mini-PC",
      evidence: "on the link: it asks for an address",
    });
    expect(readFileSync(join(folder, "minipc.serial.log"), "latin1")).not.toContain("node: ");
    expect(record.proofs.map(({ id }) => id)).toEqual(["other-mac", "pinned"]);
  },
  LIMIT_MS,
);

test(
  "Ctrl-C in the middle leaves no machine, no socket and no half of the evidence",
  async () => {
    const path = join(images.folder, "stopped", "rehearsal.json");
    // What one that was killed outright left, of another image; no process has such a number (proc(5), pid_max).
    mkdirSync(join(images.folder, ".earlier.partial-99999999"));
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
  },
  LIMIT_MS,
);
