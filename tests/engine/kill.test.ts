import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { abandonedScratch } from "../../steps/lib/scratch.cjs";
import { sha256Of } from "../tools";
import { Checkout } from "../../tools/checkout";

let checkout: Checkout;
let reference: string;
const image = () => checkout.path("artifacts/bootstrap/demo/bootstrap-pxe.raw");
const sha256OfFile = (path: string) => sha256Of(readFileSync(path));

/** Processes that work in the checkout, with their command lines. */
function processes(): { pid: number; command: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        const isOurs =
          readlinkSync(`/proc/${name}/cwd`).startsWith(checkout.top) || command.includes(checkout.top);
        return isOurs ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
}

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 1200; tries++) {
    const found = look();
    if (found) return found;
    await pause(50);
  }
  throw new Error(`${what}: not within a minute`);
}

/** Kills the CLI outright as soon as a process with this in its command line runs. */
async function killDuring(pattern: RegExp): Promise<void> {
  const running = checkout.up("lab");
  await until(`a process like ${pattern}`, () => processes().some(({ command }) => pattern.test(command)));
  const cli = processes().filter(({ command }) => /^pulumi up |tools\/pulumi\.mjs up /.test(command));
  expect(cli.length).toBeGreaterThan(0);
  for (const { pid } of cli) process.kill(pid, "SIGKILL");
  await running;
  // Pulumi's language host, and its real plugins, take minutes to miss their engine; the next run ends them.
  const patient = /pulumi-(language|resource)-/;
  await until("the end of every step", () => processes().every(({ command }) => patient.test(command)));
}

/** Names that only a step at work uses. */
function leftovers(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
  return names.filter((name) => /\.partial-\d+$/.test(name));
}

beforeAll(async () => {
  checkout = new Checkout();
  await checkout.stack("lab");
  expect((await checkout.up("lab")).exitCode).toBe(0);
  reference = sha256OfFile(image());
});
afterAll(() => checkout.remove());

async function upGivesTheReference(): Promise<void> {
  const { exitCode, all } = await checkout.up("lab");
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
  expect(sha256OfFile(image())).toBe(reference);
  expect((await checkout.up("lab", "--expect-no-changes")).exitCode).toBe(0);
  expect(leftovers(checkout.path("artifacts"))).toEqual([]);
  expect(abandonedScratch()).toEqual([]);
  await until("the end of all that ran", () => processes().length === 0);
}

test.each<[string, RegExp, () => void]>([
  ["fetch", /(steps|code)\/fetch\./, () => rmSync(checkout.path("artifacts/talos"), { recursive: true })],
  [
    "netboot",
    /(steps|code)\/netboot\./,
    () => rmSync(checkout.path("artifacts/cache/netboot"), { recursive: true }),
  ],
  [
    "machine-config",
    /(steps|code)\/machine-config\./,
    () => checkout.set("lab", { minipcMac: "52:54:00:12:34:57" }),
  ],
  ["appliance", /(steps|code)\/appliance\./, () => rmSync(image())],
  ["appliance, while it copies", /^cp .*base\.raw/, () => rmSync(image())],
])("killed during %s, the next up ends in the same image", async (_step, pattern, spoil) => {
  spoil();
  await killDuring(pattern);
  checkout.set("lab", { minipcMac: "52:54:00:12:34:56" });
  await upGivesTheReference();
});

test("killed during Packer's build: QEMU ends too, and nothing half-made counts", async () => {
  const [base, aside] = [checkout.path("artifacts/cache/base"), checkout.path("artifacts/base-aside")];
  renameSync(base, aside);
  await killDuring(/qemu-system-x86_64 .*base\.raw/);
  const made = readdirSync(base, { recursive: true }).map(String);
  expect(made.filter((name) => /^\w+\/(base\.raw|\.base\.raw\.stamp)$/.test(name))).toEqual([]);

  // The build itself is the demo's business; its result goes back to where it was.
  rmSync(base, { recursive: true });
  renameSync(aside, base);
  await upGivesTheReference();
});

test("a step that is stopped by Ctrl-C says so, and leaves nothing", async () => {
  rmSync(image());
  const running = checkout.up("lab");
  await until("its copy", () => processes().some(({ command }) => /^cp .*base\.raw/.test(command)));
  const step = processes().find(({ command }) => /(steps|code)\/appliance\./.test(command));
  process.kill((step as { pid: number }).pid, "SIGINT");
  const { exitCode, all } = await running;
  expect(exitCode).not.toBe(0);
  expect(all).toContain("stopped by SIGINT");
  await upGivesTheReference();
});
