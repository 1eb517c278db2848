import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { HARDWARE } from "../../rehearsal/hardware";
import { decode } from "../../rehearsal/network/packets";
import type { Hardware } from "../../rehearsal/record";
import type { Stage } from "../../rehearsal/stage";
import { ofMinipc } from "../../rehearsal/view";
import { abandonedScratch } from "../../steps/frame/scratch.cjs";
import { NO_PROCESS, TOP, toolEnvironment } from "../tools";
import { boot } from "./boot";
import { Images, type Assembly } from "./images";
import {
  EVIDENCE,
  expectCapture,
  expectGood,
  expectNoSecret,
  expectQuietUplink,
  expectScreens,
  PROOFS,
} from "./evidence";
import { until } from "../engine/aftermath";
import { feedWith, lookUntil } from "./feed";
import { showsStatus } from "./status-screen";
import { DEMO_CHAIN, expectOrder, ordered } from "./whole-chain";

const images = new Images();
let assembly: Assembly;
beforeAll(async () => {
  assembly = await images.make(() => undefined);
});
afterAll(() => images.remove());

/** What the status feed has once the node answers: each of its ports as a step that was reached, and the sentence. */
const ANSWERS = [
  /"name":"apid","title":"Talos answers on port 50000","state":"done","at":\d+/,
  /"name":"kubernetes","title":"Kubernetes answers on port 6443","state":"done","at":\d+/,
  /"level":"\w+","text":"Kubernetes answers on the mini-PC: its boot needs the appliance no more\./,
];

/** Opcodes of TFTP (RFC 1350). */
const [DATA, ACKNOWLEDGED] = [3, 4];

/**
 * Presses the mini-PC's reset button whenever it has snponly.efi: while the packet passes that says so, so that no iPXE can ask
 * before, however long this process or the appliance waits for its turn.
 */
function resetWithSnponly(stage: Stage): void {
  const { isolated, isolatedNic, minipcMac } = stage.site;
  let [lastBlock, resets] = [0, 0];
  isolated.onFrame((frame) => {
    const { source, udp } = decode(frame);
    if (!udp || udp.payload.length < 4) return;
    const [code, block] = [udp.payload.readUInt16BE(0), udp.payload.readUInt16BE(2)];
    if (source === isolatedNic && code === DATA) lastBlock = block;
    if (source !== minipcMac || code !== ACKNOWLEDGED || block !== lastBlock) return;
    const loads = ofMinipc(stage.view, "tftp").filter(
      ({ state, file }) => state === "sent" && file === "snponly.efi",
    );
    if (loads.length === resets) return;
    resets = loads.length;
    void stage.resetMinipc();
  });
}

/** Has the mini-PC come back without iPXE having asked, and what the appliance shows of a node that answers. */
class Course {
  feed: string | undefined;
  isShown = false;

  readonly onReached = async (id: string, stage: Stage) => {
    if (id === "services") resetWithSnponly(stage);
    if (id !== "way-in") return;
    this.feed = await feedWith(stage, ANSWERS);
    this.isShown = await lookUntil(stage, () => showsStatus(stage), Boolean);
  };
}

test("UEFI, IDE, virtio, the NICs the other way round; the mini-PC comes back without iPXE having asked, and boots by ipxe.efi, its config before the time: every milestone is reached, nothing happens that must not, and the status says that the node answers", async () => {
  const order = ["config", "time"];
  const appliance: Hardware = { firmware: "uefi", disk: "ide", nic: "virtio-net-pci", swapped: true };
  const course = new Course();
  const { record, folder } = await boot(await ordered(images, order), {
    hardware: { appliance, minipc: HARDWARE.minipc },
    onReached: course.onReached,
  });
  expectGood(record, DEMO_CHAIN, PROOFS);
  expectOrder(record, order);
  expect(record.reached.find(({ id }) => id === "loader")?.evidence).toMatch(/snponly\.efi/);
  expect(record.reached.find(({ id }) => id === "way-in")?.evidence).toMatch(/port 50000 answers$/);
  for (const pattern of ANSWERS) expect(course.feed).toMatch(pattern);
  // GRUB hands the firmware's screen on to the kernel.
  expect(course.isShown).toBe(true);
  const files = record.exchanges.flatMap(({ what }) => /^TFTP: (\S+), /.exec(what)?.[1] ?? []);
  // A mini-PC that is back before the appliance has noticed gets the same once more.
  expect([...new Set(files)]).toEqual(["snponly.efi", "ipxe.efi"]);
  expect(readdirSync(folder).sort()).toEqual([...EVIDENCE].sort());
  expectScreens(record, folder, DEMO_CHAIN);
  expectCapture(folder);
  expectQuietUplink(folder);
  await expectNoSecret(folder, assembly.machineConfig.path);
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
  // The appliance and its twin: one may still be on its way from qemu-bound to QEMU, and has no command line for a moment.
  await until("both machines", () => machines().length === 2);
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
