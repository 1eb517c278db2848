import { mkdtempSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { HARDWARE } from "../../rehearsal/hardware";
import { HOME } from "../../rehearsal/network/gateway";
import { demo } from "../e2e/demo";
import { expectNoSecret } from "../e2e/evidence";
import { Images } from "../e2e/images";
import { inToolEnvironment, sha256Of } from "../tools";
import { expectTurns, type Act } from "./turns";

const images = new Images();
afterAll(() => images.remove());

const SERVES = { says: new RegExp(`^serving ${demo.minipcMac} -> `) };
/** The part of a journal that is of its second boot, which the kernel's first words begin. */
const secondBoot = (journal: string) => journal.split(/ kernel: Linux version /)[2] ?? "";
const FETCHED = /"GET \/configs\/minipc\.yaml HTTP\/1\.[01]" 200 /;

/** What `npm run collect` makes of a disk: what it says, and the folder. */
async function collected(disk: string) {
  const to = mkdtempSync(join(dirname(disk), "collected-"));
  const args = ["--import", "tsx", "commands/collect-logs.ts", disk, "--to", to];
  const { exitCode, stderr } = await inToolEnvironment("node", args);
  const textOf = (name: string) => (exitCode === 0 ? readFileSync(join(to, name), "utf8") : "");
  return { exitCode, stderr, to, journal: textOf("journal.txt"), leases: textOf("leases.txt"), textOf };
}

/** Waits until it is on the disk, whose machine still runs, that the journal is as wanted. */
async function untilKept(disk: string, wanted: (journal: string) => boolean): Promise<void> {
  while (!wanted((await collected(disk)).journal)) await pause(3000);
}

test("an appliance that was switched off twice: its disk tells of both boots, of the lease and of what it served, and no secret", async () => {
  const image = await images.make(() => undefined);
  const asMade = sha256Of(readFileSync(image.path));
  const never = await collected(image.path);
  expect(never.stderr).toContain("it never booted, so it has none");
  expect(sha256Of(readFileSync(image.path))).toBe(asMade);

  const boot = (last: Act) =>
    expectTurns(image, { hardware: { keepsDisk: true }, lease: HOME, turns: [SERVES], finally: last });
  await boot(async (stage) => {
    stage.startMinipc(HARDWARE.minipc);
    await untilKept(image.path, (journal) => FETCHED.test(journal));
  });
  await boot(() =>
    untilKept(image.path, (journal) => secondBoot(journal).includes(`serving ${demo.minipcMac}`)),
  );

  const { exitCode, stderr, to, journal, leases } = await collected(image.path);
  expect({ exitCode, said: exitCode ? stderr : "" }).toEqual({ exitCode: 0, said: "" });
  expect(stderr).toContain("it was switched off without a shutdown");
  expect(stderr.match(/, and its journal goes on until /g)).toHaveLength(2);
  expect(stderr).toMatch(new RegExp(`It said last, \\S+: serving ${demo.minipcMac} -> `));
  expect(stderr).toContain(`${demo.minipcIp ?? "10.10.10.100"} to ${demo.minipcMac}, `);
  expect(stderr).toMatch(/Z http: GET \/configs\/minipc\.yaml 200 to /);
  expect(journal).toMatch(FETCHED);
  expect(leases).toContain(demo.minipcMac);
  await expectNoSecret(to, demo.machineConfig);
  expect(journal).not.toContain("$2a$10$");
});
