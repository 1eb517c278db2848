import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { abandonedScratch } from "../../steps/frame/scratch.cjs";
import type { Checkout } from "../checkout";
import { sha256Of } from "../tools";

interface Process {
  pid: number;
  command: string;
}

/** Processes that work in a checkout, with their command lines. */
export function processesIn({ top }: Checkout): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
        const isOurs = readlinkSync(`/proc/${name}/cwd`).startsWith(top) || command.includes(top);
        return isOurs ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
}

export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (let tries = 0; tries < 30_000; tries++) {
    const found = look();
    if (found) return found;
    await pause(20);
  }
  throw new Error(`${what}: not within ten minutes`);
}

/** Pulumi's language host and the real plugins take minutes to miss their engine; the next run ends them. */
const PATIENT = /pulumi-(language|resource)-/;

/** Waits for the end of all that a killed run started. */
export const untilStepsEnd = (checkout: Checkout) =>
  until("the end of every step", () => processesIn(checkout).every(({ command }) => PATIENT.test(command)));

/** Names that only a step at work uses. */
export function leftoversIn(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
  return names.filter((name) => /\.partial-[\d-]+$|\.cjs\.\d+$/.test(name));
}

/** What the stack `lab` makes. */
export const imageOf = (checkout: Checkout) => checkout.path("artifacts/bootstrap/demo/bootstrap-pxe.raw");

/** What stands beside it for whoever checks a copy. */
const listedSums = (checkout: Checkout) => readFileSync(join(imageOf(checkout), "../SHA256SUMS"), "utf8");

export const imageSum = (checkout: Checkout) => sha256Of(readFileSync(imageOf(checkout)));

/** Brings a stack up; a failure shows its words. */
export async function upEndsWell(checkout: Checkout, stack = "lab", ...flags: string[]): Promise<void> {
  const { exitCode, all } = await checkout.up(stack, ...flags);
  expect({ exitCode, said: exitCode === 0 ? "" : all }).toEqual({ exitCode: 0, said: "" });
}

/** What has to hold after anything that broke a run off: `up` makes the same image, and nothing is left over. */
export async function expectRecovery(checkout: Checkout, reference: string): Promise<void> {
  // Other tests kill steps of their own meanwhile: what they leave from now on is not this one's.
  const scratch = abandonedScratch();
  await upEndsWell(checkout);
  expect(imageSum(checkout)).toBe(reference);
  expect(listedSums(checkout)).toContain(`${reference}  bootstrap-pxe.raw\n`);
  await upEndsWell(checkout, "lab", "--expect-no-changes");
  expect(leftoversIn(checkout.path("artifacts"))).toEqual([]);
  expect(scratch.filter((path) => existsSync(path))).toEqual([]);
  await until("the end of all that ran", () => processesIn(checkout).length === 0);
}
