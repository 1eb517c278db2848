import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Checkout } from "../checkout";
import {
  expectRecovery,
  imageOf,
  imageSum,
  processesIn,
  until,
  untilStepsEnd,
  upEndsWell,
} from "./aftermath";

let checkout: Checkout;
let reference: string;
const processes = () => processesIn(checkout);
const image = () => imageOf(checkout);

/** Kills the CLI outright as soon as a process with this in its command line runs. */
async function killDuring(pattern: RegExp): Promise<void> {
  const running = checkout.up("lab");
  let ended: string | undefined;
  void running.then(({ all }) => (ended = all));
  await until(`a process like ${pattern}`, () => {
    if (ended !== undefined) throw new Error(`up ended without a process like ${pattern}:\n${ended}`);
    return processes().some(({ command }) => pattern.test(command));
  });
  const cli = processes().filter(({ command }) => /^pulumi up |commands\/pulumi\.mjs up /.test(command));
  expect(cli.length).toBeGreaterThan(0);
  for (const { pid } of cli) process.kill(pid, "SIGKILL");
  await running;
  await untilStepsEnd(checkout);
}

beforeAll(async () => {
  checkout = new Checkout();
  await checkout.stack("lab");
  await upEndsWell(checkout);
  reference = imageSum(checkout);
});
afterAll(() => checkout.remove());

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
  await expectRecovery(checkout, reference);
});

test("killed while Pulumi wrote the attributes of its state, the next up takes the state as it is", async () => {
  writeFileSync(checkout.path(".pulumi-state/.pulumi/stacks/bootstrap-pxe/lab.json.attrs"), "");
  await upEndsWell(checkout, "lab", "--expect-no-changes");
});

test("killed during Packer's build: QEMU ends too, and nothing half-made is taken for a result", async () => {
  const [base, aside] = [checkout.path("artifacts/cache/base"), checkout.path("artifacts/base-aside")];
  renameSync(base, aside);
  await killDuring(/qemu-system-x86_64 .*base\.raw/);
  const made = readdirSync(base, { recursive: true }).map(String);
  expect(made.filter((name) => /^\w+\/(base\.raw|\.base\.raw\.stamp)$/.test(name))).toEqual([]);

  // The build itself is the demo's business; its result goes back to where it was.
  rmSync(base, { recursive: true });
  renameSync(aside, base);
  await expectRecovery(checkout, reference);
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
  await expectRecovery(checkout, reference);
});
