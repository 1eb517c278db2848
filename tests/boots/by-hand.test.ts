import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RehearsalRecord } from "../../rehearsal/record";
import { Checkout } from "../checkout";
import { demo } from "../e2e/demo";
import {
  EVIDENCE,
  expectCapture,
  expectGood,
  expectNoSecret,
  expectQuietUplink,
  expectScreens,
  PROOFS,
} from "../e2e/evidence";
import { DEMO_CHAIN } from "../e2e/whole-chain";
import { upEndsWell } from "../engine/aftermath";

const checkout = new Checkout();
afterAll(() => checkout.remove());

test("npm run rehearse on SeaBIOS, SATA, e1000: what is said at the end and what is kept", async () => {
  await checkout.stack("lab");
  await upEndsWell(checkout);
  const hardware = ["--firmware", "bios", "--disk", "sata", "--nic", "e1000"];
  const flags = ["--stack", "lab", ...hardware, "--alone", "--json"];
  const { exitCode, stdout, stderr } = await checkout.script("commands/rehearse.mjs", flags);
  expect({ exitCode, said: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, said: "" });
  expect(stderr).toContain(`rehearsed: ${DEMO_CHAIN.length} milestones reached`);
  expect(stderr).toContain(`; ${PROOFS.length} of ${PROOFS.length} proofs held.\n`);
  expect(stderr).toMatch(/appliance +BIOS, sata disk, e1000\n/);
  const { passed, timeline } = JSON.parse(stdout) as { passed: boolean; timeline: string };
  expect(passed).toBe(true);
  const folder = checkout.path(dirname(timeline));
  expect(readdirSync(folder).sort()).toEqual(
    [...EVIDENCE, "rehearsal.json", "timeline.html", "timeline.txt"].sort(),
  );
  expect(stderr).toContain(readFileSync(join(folder, "timeline.txt"), "utf8"));
  const record = JSON.parse(readFileSync(join(folder, "rehearsal.json"), "utf8")) as RehearsalRecord;
  expectGood(record, DEMO_CHAIN, PROOFS);
  expectScreens(record, folder, DEMO_CHAIN);
  expectCapture(folder);
  expectQuietUplink(folder);
  await expectNoSecret(folder, demo.machineConfig);
});
