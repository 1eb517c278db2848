import { mkdtempSync, rmSync, truncateSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseAccelerator } from "../../steps/programs/accelerator";
import { makeScratch } from "../../steps/frame/scratch.cjs";
import type { FixedUplink } from "../../stack/fixed-uplink";
import { HARDWARE } from "../../rehearsal/hardware";
import type { Lease } from "../../rehearsal/network/dhcp";
import { until } from "../../rehearsal/network/station";
import type { Hardware } from "../../rehearsal/record";
import { Stage } from "../../rehearsal/stage";
import { tool } from "../tools";
import { LIMIT_MS, subjectOf } from "../e2e/boot";
import type { Assembly } from "../e2e/images";

/** Longest wait for a line, on a slow machine without an accelerator: a boot and the search for NICs. */
const TURN_MS = 300_000;

/** Done by whoever is on the appliance's links. */
export type Act = (stage: Stage) => void | Promise<void>;

/** What happens, and what the appliance's console says then. */
export interface Turn {
  happens?: Act;
  says: RegExp;
}

/** An appliance among its links: what they are when it starts, and what happens then. */
export interface Situation {
  hardware?: Partial<Hardware>;
  /** What the uplink's DHCP server gives from the start; unset, it is silent. */
  lease?: Lease;
  /** Size of its disk in bytes, larger than the image; unset, the image's. */
  diskBytes?: number;
  /** What it has on an uplink without DHCP; its gateway is there from the start. */
  fixedUplink?: FixedUplink;
  /** One NIC, on the isolated link. */
  hasUplink?: false;
  /** As soon as it is switched on. */
  atStart?: Act;
  /** The last one is how the console ends. */
  turns: Turn[];
  /** Looked at in the end. */
  finally?: Act;
}

/** The lines of the appliance's console that match. */
export const linesLike = ({ view }: Stage, pattern: RegExp): string[] =>
  view.seen.flatMap((what) => (what.kind === "line" && pattern.test(what.text) ? [what.text] : []));

/** The lines of the appliance's console that say whether it serves. */
const verdictsIn = ({ view }: Stage) =>
  view.seen.flatMap((what) => {
    const said = what.kind === "line" && /^bootstrap-pxe: ((?:NOT )?serving.*)/.exec(what.text)?.[1];
    return said ? [said] : [];
  });

async function play(stage: Stage, situation: Situation): Promise<void> {
  stage.uplinkLease = situation.lease;
  stage.startAppliance({ ...HARDWARE.appliance, ...situation.hardware });
  await situation.atStart?.(stage);
  let before = 0;
  for (const { happens, says } of situation.turns) {
    await happens?.(stage);
    const at = () => verdictsIn(stage).findIndex((line, index) => index >= before && says.test(line));
    await until(stage.site, () => at() >= 0 || undefined, TURN_MS);
    expect(verdictsIn(stage).slice(before)).toContainEqual(expect.stringMatching(says));
    before = at() + 1;
  }
  await situation.finally?.(stage);
  expect(verdictsIn(stage).at(-1)).toMatch(situation.turns.at(-1)?.says as RegExp);
}

/** Boots an image alone, without a mini-PC, and expects each line of its console in turn. */
export async function expectTurns(assembly: Assembly, situation: Situation): Promise<void> {
  const scratch = makeScratch("rehearse");
  const signal = AbortSignal.timeout(LIMIT_MS);
  const { hasUplink = true, fixedUplink } = situation;
  const subject = { ...(await subjectOf(assembly)), hasUplink, fixedUplink };
  if (situation.diskBytes) {
    subject.image = `${assembly.path}.larger`;
    await tool("cp", ["--sparse=always", assembly.path, subject.image]);
    truncateSync(subject.image, situation.diskBytes);
  }
  const accelerator = await chooseAccelerator({ signal, scratch, log: () => undefined }, "auto");
  const folder = mkdtempSync(join(dirname(assembly.path), "evidence-"));
  const stage = await new Stage("", subject, accelerator, folder, scratch, signal).open();
  try {
    await play(stage, situation);
  } finally {
    await stage.clear();
    rmSync(scratch, { recursive: true, force: true });
  }
}
