import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { chooseAccelerator } from "../../steps/programs/accelerator";
import { makeScratch } from "../../steps/frame/scratch.cjs";
import { loaderFor } from "../../stack/talos-releases.cjs";
import { chainFor } from "../../rehearsal/chain";
import { HARDWARE } from "../../rehearsal/hardware";
import { follow } from "../../rehearsal/course";
import { Stage } from "../../rehearsal/stage";
import { subjectOf } from "../e2e/boot";
import { demo } from "../e2e/demo";
import { edit, Images } from "../e2e/images";
import { talosConfigs } from "../talos-configs";
import { inToolEnvironment, tool } from "../tools";

const images = new Images();
afterAll(() => images.remove());

/** How often the mini-PC boots; more than a handful by hand, with BOOTS=20. */
const BOOTS = Number(process.env.BOOTS ?? 3);
/** Never reached: a rehearsal has limits of its own. */
const LIMIT_MS = 900_000 * (1 + BOOTS);

/** The demo's initramfs with a release's own loader: the kernel unpacks one archive after the other. */
async function initramfsFor(talosVersion: string) {
  const program = await tool("sh", ["-c", `command -v node-tool-${loaderFor(talosVersion)?.minor}`]);
  const root = mkdtempSync(join(images.folder, "root-"));
  mkdirSync(join(root, "bin"));
  copyFileSync(program, join(root, "bin/node-tool"));
  const pack = ["--create", "--quiet", "--format=newc", "--owner=0:0"];
  const { stdout } = await inToolEnvironment("cpio", pack, {
    ...{ cwd: root, input: "bin\nbin/node-tool\n", encoding: null as never, all: false },
  });
  // Each archive begins at a multiple of four bytes (Linux, init/initramfs.c).
  return (base: Buffer) => Buffer.concat([base, Buffer.alloc(-base.length & 3), stdout as unknown as Buffer]);
}

/** An image like the demo's, of a release, whose node gets its config and the time in the given order. */
async function imageFor(talosVersion: string, order: string) {
  const netboot = await images.netboot(talosVersion, {
    "initramfs.xz": await initramfsFor(talosVersion),
  });
  const config = { cluster: "demo", talosVersion, installDisk: "/dev/nvme0n1" };
  const machineConfig = images.config((await talosConfigs(config)).controlplane);
  const assembly = await images.make((each) => {
    Object.assign(each, { netboot, machineConfig });
    for (const [name, text] of Object.entries(each.files))
      each.files[name] = text.replaceAll(demo.talosVersion, talosVersion);
    edit(each, "boot.ipxe", " pti=on", ` pti=on demo.order=${order}`);
  });
  const subject = { ...(await subjectOf(assembly)), talosVersion };
  return { subject, folder: mkdtempSync(join(images.folder, "evidence-")) };
}

test.each([
  ["v1.9.5", "shuffled"],
  ["v1.14.1", "shuffled"],
])(
  "Talos %s, config and time %s: every boot of the mini-PC from one appliance is judged good",
  async (talosVersion, order) => {
    const { subject, folder } = await imageFor(talosVersion, order);
    const scratch = makeScratch("rehearse");
    const context = { signal: AbortSignal.timeout(LIMIT_MS), scratch, log: () => undefined };
    const accelerator = await chooseAccelerator(context, "auto");
    const stage = await new Stage("", subject, accelerator, folder, scratch, context.signal).open();
    const boots: object[] = [];
    try {
      const chain = chainFor(stage.view.expected);
      const of = (side: string) => chain.filter((milestone) => milestone.side === side);
      stage.startAppliance(HARDWARE.appliance);
      const served = await follow(context, stage, of("appliance"), () => undefined);
      expect(served).toBeUndefined();
      for (let boot = 1; boot <= BOOTS; boot++) {
        const at: Record<string, number> = {};
        const since = stage.atMs;
        stage.startMinipc(HARDWARE.minipc);
        const broken = await follow(context, stage, of("minipc"), ({ id }, { atMs }) => void (at[id] = atMs));
        const console = readFileSync(join(folder, "minipc.serial.log"), "latin1").slice(-2000);
        const first = (at.time ?? 0) < (at.config ?? 0) ? "time" : "config";
        process.stdout.write(
          `${talosVersion} ${boot}/${BOOTS}: ${first} first, ${(stage.atMs - since) / 1000} s\n`,
        );
        expect({ broken, console: broken && console }).toEqual({ broken: undefined, console: undefined });
        boots.push(at);
        await stage.forgetMinipc();
      }
    } finally {
      await stage.clear();
      rmSync(scratch, { recursive: true, force: true });
    }
    expect(boots).toHaveLength(BOOTS);
  },
  LIMIT_MS,
);
