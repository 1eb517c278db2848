import execa from "execa";
import type { Accelerator } from "../steps/programs/accelerator";
import type { StepContext } from "../steps/frame/context";
import type { Checkout } from "../tests/checkout";
import type { Stack } from "./pulumi";

/** What all parts work with. */
export interface Bench {
  context: StepContext;
  checkout: Checkout;
  env: NodeJS.ProcessEnv;
  lab: Stack;
  runs: number;
  accelerator: Accelerator;
}

export const atMost = (value: number) => ({ kind: "at most", value }) as const;
export const atLeast = (value: number) => ({ kind: "at least", value }) as const;

/** The image that `lab` names. */
export async function imageOf({ checkout, lab }: Bench): Promise<string> {
  return checkout.path((await lab.pulumi("stack", "output", "imagePath")).trim());
}

export const newMac = (run: number) => `52:54:00:be:00:${run.toString(16).padStart(2, "0")}`;

/** Runs a step of the bench's checkout, which prints its manifest. */
export const runStep = ({ checkout }: Bench, env: NodeJS.ProcessEnv, name: string, input: object) =>
  execa(checkout.path("steps/run"), [name], { cwd: checkout.top, env, input: JSON.stringify(input) });

/** A step's Command, as the state has it. */
async function stateOf({ lab }: Bench, step: string) {
  const { deployment } = JSON.parse(await lab.pulumi("stack", "export")) as {
    deployment: {
      resources: { urn: string; inputs?: { stdin?: string }; outputs?: { stdout?: string } }[];
    };
  };
  return deployment.resources.find(({ urn }) => urn.endsWith(`::${step}`));
}

/** What the stack gave to a step. */
export async function inputOf<T extends object>(bench: Bench, step: string): Promise<T> {
  return JSON.parse((await stateOf(bench, step))?.inputs?.stdin ?? "null") as T;
}

/** What a step printed. */
export async function printedBy<T extends object>(bench: Bench, step: string): Promise<T> {
  return JSON.parse((await stateOf(bench, step))?.outputs?.stdout ?? "null") as T;
}
