import { setTimeout as pause } from "node:timers/promises";
import { sha256Of } from "../tools";
import { expectRecovery, processesIn, until, untilStepsEnd, upEndsWell } from "../engine/aftermath";
import { SmallLab } from "../engine/small-lab";

/** Another seed, other moments: RANDOM_KILLS_SEED=… */
const SEED = process.env.RANDOM_KILLS_SEED ?? "bootstrap-pxe";
const VICTIMS = {
  step: /(steps|code)\/[a-z-]+\.(ts|cjs)/,
  plugin: /plugins\/bin\/\S*(command|random)|pulumi-resource-/,
  CLI: /^pulumi up /,
};
type Victim = keyof typeof VICTIMS;
const KILLS = Object.fromEntries(
  Array.from({ length: 20 }, (_, index) => {
    const victim = Object.keys(VICTIMS)[index % 3] as Victim;
    // At any fraction of the time that the whole takes.
    const at = parseInt(sha256Of(`${SEED} ${index}`).slice(0, 8), 16) / 2 ** 32;
    return [`${index + 1}: the ${victim} killed at ${Math.round(at * 100)} %`, { victim, at }];
  }),
);

let lab: SmallLab;
let wholeMs: number;

beforeAll(async () => {
  lab = await SmallLab.make();
  lab.forget();
  const begun = performance.now();
  await upEndsWell(lab.checkout);
  wholeMs = performance.now() - begun;
});
afterAll(() => lab?.remove());

/** Kills all processes of a kind at once, at that moment of a run or as soon as there are any. @returns how many there were */
async function kill(victim: Victim, running: Promise<unknown>, atMs: number): Promise<number> {
  let isOver = false;
  void running.finally(() => (isOver = true));
  await Promise.race([pause(atMs), running]);
  const found = () => processesIn(lab.checkout).filter(({ command }) => VICTIMS[victim].test(command));
  const victims = await until(`a ${victim}`, () => (isOver ? [] : found().length > 0 && found()));
  for (const { pid } of victims) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  }
  return victims.length;
}

test.each(Object.entries(KILLS))("%s of an up: the next one makes the same image", async (_what, given) => {
  let killed = 0;
  // A run that was faster than the one that was measured is over too early: then a little sooner.
  for (let at = given.at; killed === 0; at *= 0.8) {
    lab.forget();
    const running = lab.checkout.up("lab");
    killed = await kill(given.victim, running, at * wholeMs);
    const { exitCode, all } = await running;
    // A run that fails by itself would be tried forever.
    if (killed === 0 && exitCode !== 0) throw new Error(all);
  }
  await untilStepsEnd(lab.checkout);
  await expectRecovery(lab.checkout, lab.reference);
});
