import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { chooseAccelerator, type Accelerator } from "../steps/programs/accelerator";
import type { StepContext } from "../steps/frame/context";
import { firstBroken } from "./broken-proof";
import { chainFor, firstBreak, mayShowConfig, openAt } from "./chain";
import type { Milestone, Sign } from "./chain/milestone";
import { exchangesIn } from "./timeline/exchanges";
import { checkQemu } from "./machines/machine";
import { hearDetours, imagesFromApplianceAlone } from "./detours";
import { askForAddresses, hearOffers, probe, STRANGERS } from "./proofs";
import type { Diagnosis, Hardware, Proof, Reached, RehearsalRecord, Screen } from "./record";
import { onlyOperatorsGetIn } from "./way-in";
import { inDoubt, lostOf } from "./slowness";
import { Stage, type Subject } from "./stage";

/** How a rehearsal is done. */
export interface Rehearsal {
  subject: Subject;
  accelerator: Accelerator | "auto";
  hardware: { appliance: Hardware; minipc: Hardware; twin?: Hardware };
  /** Called when a milestone is reached; a trial of its own may interfere then. */
  onReached?: (id: string, stage: Stage) => void | Promise<void>;
}

const TICK_MS = 100;

/** Called when a milestone is reached, with the one that is waited for next. */
type OnReached = (milestone: Milestone, sign: Sign, next?: Milestone) => void | Promise<void>;

/** Whether a milestone breaks when somebody has tried often enough, which may be too soon on a slow host: the firmware, or iPXE. */
const countsTries = ({ id, side }: Milestone) => side === "minipc" && id !== "accepted";

const naming = ({ id: at, title, side }: Milestone) => ({ kind: "milestone", at, title, side }) as const;

/**
 * Waits for one milestone of a chain after the other.
 *
 * @returns what broke, or undefined when all were reached
 */
export async function follow(
  context: Pick<StepContext, "signal">,
  stage: Stage,
  chain: Milestone[],
  onReached: OnReached,
): Promise<Diagnosis | undefined> {
  for (const [index, milestone] of chain.entries()) {
    const [since, lostBefore] = [stage.atMs, stage.lostMs];
    const waited = () => {
      const ms = stage.atMs - since;
      return { ms, lostMs: lostOf(ms, stage.lostMs - lostBefore) };
    };
    for (let tick = 1; ; tick++) {
      context.signal.throwIfAborted();
      stage.throwIfLost();
      const sign = milestone.reached(stage.view);
      if (sign) {
        await onReached(milestone, sign, chain[index + 1]);
        break;
      }
      const fault = firstBreak(stage.view, openAt(chain, index));
      if (fault) {
        const { isAnswer, ...broken } = fault.broken;
        const diagnosis = { ...naming(fault.milestone), ...broken };
        return countsTries(fault.milestone) && !isAnswer ? inDoubt(diagnosis, waited()) : diagnosis;
      }
      const { ms, lostMs } = waited();
      // A busy host is not the image's fault: only time that the machines could use counts.
      if (ms > milestone.limitS * 1000 && ms - lostMs > milestone.limitS * 1000)
        return inDoubt({ ...naming(milestone), ...milestone.overdue(stage.view) }, { ms, lostMs });
      if (milestone.id === "address" && tick % 5 === 0) stage.askForAppliance();
      if (milestone.id === "way-in" && tick % 20 === 1) stage.askByWayIn();
      await pause(TICK_MS, undefined, { signal: context.signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** What is said of the milestone that is waited for: its number comes first, since Pulumi's table may have room for no more. */
export const waitingFor = (number: number, milestones: number, title: string, machine = "") =>
  `${number}/${milestones} next${machine}: ${title}`;

/** What is said when a milestone is reached, and what is waited for then. */
export function chainLines(
  number: number,
  milestones: number,
  { title, evidence, atMs }: Pick<Reached, "title" | "evidence" | "atMs">,
  next?: string,
): string[] {
  const held = `${number}/${milestones} at ${(atMs / 1000).toFixed(1)} s: ${title}: ${evidence}`;
  return next === undefined ? [held] : [held, waitingFor(number + 1, milestones, next)];
}

/** A second appliance from the same image: the other firmware, other devices, the NICs the other way round. */
class Twin {
  private readonly proof: Promise<Proof>;
  /** What is said of the milestone that comes next; unset when it came to its end. */
  private next?: string;
  private isAwaited = false;

  constructor(
    private readonly context: StepContext,
    stage: Stage,
    hardware: Hardware,
  ) {
    this.proof = this.rehearse(stage, hardware);
    // Its failure is awaited later; it must not end the process before.
    this.proof.catch(() => undefined);
  }

  /** Waits for its end, and says what for. */
  async wait(): Promise<Proof> {
    this.isAwaited = true;
    if (this.next) this.context.log(this.next);
    return this.proof;
  }

  private async rehearse(stage: Stage, hardware: Hardware): Promise<Proof> {
    stage.startAppliance(hardware);
    const chain = chainFor(stage.view.expected).filter(({ side }) => side === "appliance");
    let evidence = "";
    const sayNext = (next?: Milestone) =>
      next && waitingFor(chain.indexOf(next) + 1, chain.length, next.title, " on the twin");
    this.next = sayNext(chain[0]);
    const broken = await follow(this.context, stage, chain, (_milestone, sign, next) => {
      evidence = sign.evidence;
      this.next = sayNext(next);
      if (this.isAwaited && this.next) this.context.log(this.next);
    });
    this.next = undefined;
    return proofOf(hardware, broken, evidence);
  }
}

function proofOf(hardware: Hardware, broken: Diagnosis | undefined, evidence: string): Proof {
  const { firmware, disk, nic, swapped } = hardware;
  const machine = `${firmware.toUpperCase()}, ${disk} disk, ${nic}${swapped ? ", NICs the other way round" : ""}`;
  return {
    id: "sides",
    title: swapped
      ? "on other hardware, with its NICs the other way round, it serves on the isolated side"
      : "on other hardware it serves too",
    held: !broken,
    look: broken?.look.replace("appliance.serial.log", "twin-appliance.serial.log"),
    evidence: `${machine}: ${broken ? `${broken.title}: ${broken.seen}` : evidence}`,
  };
}

/** Pictures of the screens, one a machine and milestone. */
class Album {
  private readonly screens: (Screen & { mayShowConfig: boolean })[] = [];
  private readonly taking: Promise<void>[] = [];
  private count = 0;

  constructor(
    private readonly folder: string,
    private readonly stage: Stage,
  ) {}

  take(id: string): void {
    const number = String(++this.count).padStart(2, "0");
    const file = (machine: string) => join("screens", `${number}-${id}-${machine}.png`);
    const taken = this.stage.screendump((machine) => join(this.folder, file(machine)));
    this.taking.push(
      taken.then((machines) => {
        for (const machine of machines)
          this.screens.push({ id, machine, file: file(machine), mayShowConfig: this.mayShowConfig(machine) });
      }),
    );
  }

  private mayShowConfig(machine: Screen["machine"]): boolean {
    return machine === "minipc" && mayShowConfig(this.stage.view);
  }

  /** The pictures, but for those that may show values of a config that was refused: they are deleted. */
  async finish(): Promise<Screen[]> {
    await Promise.all(this.taking);
    const kept: Screen[] = [];
    for (const { mayShowConfig: may, ...screen } of this.screens) {
      if (may && this.mayShowConfig(screen.machine)) await rm(join(this.folder, screen.file));
      else kept.push(screen);
    }
    return kept.sort((one, other) => one.file.localeCompare(other.file));
  }
}

/**
 * Boots an image and a virtual mini-PC joined by a private link, and follows the chain from the appliance's power-on
 * to the mini-PC's config; asks what must not be answered; boots a twin of the appliance beside.
 *
 * @param folder where captures, serial logs and pictures go
 * @throws StepError when a machine cannot be started; a broken chain is a result
 */
export async function rehearse(
  context: StepContext,
  { subject, accelerator: wanted, hardware: chosen, onReached }: Rehearsal,
  folder: string,
): Promise<Omit<RehearsalRecord, "image">> {
  await checkQemu(context);
  // One NIC has no other way round.
  const twinHardware = chosen.twin && { ...chosen.twin, swapped: subject.hasUplink && chosen.twin.swapped };
  const hardware = { ...chosen, twin: twinHardware };
  await mkdir(join(folder, "screens"), { recursive: true });
  const accelerator = await chooseAccelerator(context, wanted);
  const startedAt = new Date().toISOString();
  const stages: Stage[] = [];
  const open = async (name: string) => {
    const stage = new Stage(name, subject, accelerator, folder, context.scratch, context.signal);
    stages.push(stage);
    return stage.open();
  };
  try {
    const stage = await open("");
    const { expected, seen } = stage.view;
    const album = new Album(folder, stage);
    const chain = chainFor(expected);
    const reached: Reached[] = [];
    const offers = hearOffers(stage.site);
    const detours = hearDetours(stage.site);
    stage.startAppliance(hardware.appliance);
    const twin = twinHardware && new Twin(context, await open("twin-"), twinHardware);

    context.log(waitingFor(1, chain.length, chain[0]?.title ?? ""));
    let diagnosis = await follow(context, stage, chain, async (milestone, sign, next) => {
      const { id, title, side } = milestone;
      reached.push({ id, title, side, ...sign });
      const told = { title, ...sign };
      for (const line of chainLines(reached.length, chain.length, told, next?.title)) context.log(line);
      album.take(id);
      // It serves: now there is something to boot from.
      if (side === "appliance" && next?.side === "minipc") {
        askForAddresses(stage.site);
        stage.startMinipc(hardware.minipc);
      }
      await onReached?.(id, stage);
    });
    // A terminal's Ctrl-C ends the machines too: that is no broken chain.
    context.signal.throwIfAborted();
    if (diagnosis) album.take("end");
    const chainEnd = stage.atMs;
    const proofs: Proof[] = [];
    if (!diagnosis) {
      // Before the rehearsal itself asks in the mini-PC's name.
      if (expected.images) proofs.push(imagesFromApplianceAlone([...detours]));
      context.log(`asking what must not be answered`);
      proofs.push(...(await probe(stage.site, offers)), ...(await onlyOperatorsGetIn(stage.site)));
      if (twin) proofs.push(await twin.wait());
      context.signal.throwIfAborted();
      diagnosis = firstBroken(proofs);
    }
    for (const each of stages) each.throwIfLost();
    const strangers: readonly string[] = STRANGERS;
    const told = seen.filter(
      (what) => what.atMs <= chainEnd || ("mac" in what && strangers.includes(what.mac)),
    );
    return {
      passed: !diagnosis,
      minipc: { mac: subject.minipcMac, ip: subject.minipcIp },
      talosVersion: subject.talosVersion,
      startedAt,
      tookMs: stage.atMs,
      accelerator,
      hardware,
      reached: reached.sort((one, other) => one.atMs - other.atMs),
      proofs,
      exchanges: exchangesIn(told, { ...expected, uplinkNic: stage.site.uplinkNic }),
      screens: await album.finish(),
      diagnosis,
    };
  } finally {
    await Promise.all(stages.map((stage) => stage.clear()));
  }
}
